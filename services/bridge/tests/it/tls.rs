//! Bridges that prove to each other who they are, and programs that send encrypted.

use std::path::Path;

use bridge::{Bridge, Config};
use proto::v1::ingest_service_client::IngestServiceClient;
use runtime::tls::Files;
use testkit::certificates::{Authority, Identity};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    store::Store,
    under_test::{UnderTest, environment},
    zones::{arrive, burst, messages, to},
};

fn borrowed(vars: &[(String, String)]) -> Vec<(&str, &str)> {
    let vars = vars.iter();
    vars.map(|(name, value)| (&**name, &**value)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_go_to_another_bridge_only_with_a_certificate_that_it_takes() {
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
    let stores = [Store::start().await, Store::start().await];
    let authority = Authority::new("ours");
    let sign = || authority.signs(&["127.0.0.1"]);
    let last = authority.vars("BRIDGE_TLS_", &sign(), folders[1].path());
    let last = UnderTest::start_in_zone(folders[1].path(), &stores[1], "", &borrowed(&last)).await;
    let url = last.ingest_url().replace("http://", "https://");

    // The bridge trusts the receiver, but has nothing to show.
    let mut vars = authority.vars("BRIDGE_TLS_", &sign(), folders[0].path());
    vars.retain(|(name, _)| name == "BRIDGE_TLS_CA");
    vars.push(("BRIDGE_INGEST_LISTEN".to_owned(), String::new()));
    let own = own_files(
        &authority.signs(&["herald://bridge/first"]),
        folders[2].path(),
    );
    // A certificate of another service is not one of a bridge.
    let other = folders[2].path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    let other = own_files(&authority.signs(&["herald://herald-web/w"]), &other);
    let routes = [
        to("refused", &url, ""),
        to("other", &url, &other),
        to("last", &url, &own),
    ]
    .concat();
    let first =
        UnderTest::start_in_zone(folders[0].path(), &stores[0], &routes, &borrowed(&vars)).await;
    first.send(&burst(0..100)).await;
    arrive(&stores[0], 100).await;
    arrive(&stores[1], 100).await;
    // In plain nothing comes in.
    let plain = runtime::grpc::channel(&last.ingest_url()).expect("a URL");
    let mut plain = IngestServiceClient::new(plain);
    let asked = plain.append(tokio_stream::empty()).await;
    asked.expect_err("it is not encrypted");
    for bridge in [first, last] {
        bridge.stop().await.expect("a clean end");
    }
    // All routes lead to the same receiver: one that got through would double all.
    assert_eq!(stores[1].messages().len(), 100);
}

/// The lines of a destination with certificates of its own.
fn own_files(identity: &Identity, folder: &Path) -> String {
    let vars = identity.vars("own_", folder);
    format!("tls_cert = \"{}\"\ntls_key = \"{}\"", vars[0].1, vars[1].1)
}

/// A bridge that programs send to encrypted, and its authority.
async fn encrypted(
    folder: &Path,
    store: &Store,
    more: &[(String, String)],
) -> (UnderTest, Authority) {
    let authority = Authority::new("ours");
    let mut vars = authority.vars("BRIDGE_TLS_", &authority.signs(&["127.0.0.1"]), folder);
    vars.push(("BRIDGE_TLS_LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
    vars.extend_from_slice(more);
    let bridge = UnderTest::start_with(folder, store, &borrowed(&vars)).await;
    (bridge, authority)
}

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");

/// Runs the documented handler of Python.
async fn python(bridge: &UnderTest, folder: &Path, count: u32, identity: &[&str]) {
    let script = format!("{ROOT}tests/clients/tls_handler.py");
    run(bridge, folder, &[&script], count, identity).await;
}

/// Runs a Python program with host, port, authority and count behind its arguments;
/// what it prints.
async fn run(
    bridge: &UnderTest,
    folder: &Path,
    script: &[&str],
    count: u32,
    identity: &[&str],
) -> String {
    let port = bridge.tls.expect("it takes encrypted records").port();
    let authority = folder.join("BRIDGE_TLS_CA.pem").display().to_string();
    let (port, count) = (port.to_string(), count.to_string());
    let mut arguments = script.to_vec();
    arguments.extend(["127.0.0.1", &port, &authority, &count]);
    arguments.extend(identity);
    let ran = tokio::process::Command::new(testkit::python::newest().path)
        .args(arguments)
        .env("PYTHONPATH", format!("{ROOT}clients/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .await
        .expect("a Python");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{said}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_acknowledged_encrypted_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let (bridge, _) = encrypted(folder.path(), &store, &[]).await;
    let script = format!("{ROOT}tests/clients/acknowledged.py");
    let script = [&script, "encrypted"].map(|it: &str| it);
    let said = run(&bridge, folder.path(), &script, 2_000, &[]).await;
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(said["flushed"], true, "{said}");
    arrive(&store, 2_001).await;
    bridge.stop().await.expect("a clean end");
    assert_eq!(store.messages()[..2_000], messages(0..2_000));
    assert_eq!(store.messages()[2_000].len(), 300_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_sends_encrypted_and_others_in_plain() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let (bridge, authority) = encrypted(folder.path(), &store, &[]).await;
    // Who begins a handshake and says nothing more holds up nobody.
    let address = bridge.tls.expect("it takes encrypted records");
    let mut silent = TcpStream::connect(address).await.expect("a port");
    silent.write_all(&[22, 3, 1]).await.expect("an open socket");

    python(&bridge, folder.path(), 300, &[]).await;
    arrive(&store, 300).await;
    assert_eq!(store.messages(), messages(0..300));
    bridge.send(&burst(300..400)).await;
    arrive(&store, 400).await;

    // A frame far larger than one piece of TLS, and no word of farewell.
    let files = trusting(&authority, folder.path());
    let client = files.client().expect("good files");
    let connected = client.connect("127.0.0.1", address.port(), &[]).await;
    let mut stream = connected.expect("a handshake");
    let long = domain::Record {
        message: "x".repeat(300_000),
        ..testkit::record(1)
    };
    stream
        .write_all(&testkit::frame::pickle(&long))
        .await
        .expect("an open connection");
    stream.flush().await.expect("an open connection");
    drop(stream);
    arrive(&store, 401).await;
    assert_eq!(store.messages()[400].len(), 300_000);
    // Frames in plain are no handshake.
    let mut plain = TcpStream::connect(address).await.expect("a port");
    plain.write_all(&burst(0..1)).await.expect("an open socket");
    let mut answer = Vec::new();
    plain.read_to_end(&mut answer).await.ok();
    drop(silent);
    bridge.stop().await.expect("a clean end");
    assert_eq!(store.messages().len(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_may_have_to_show_a_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let programs = Authority::new("programs");
    let file = folder.path().join("programs.pem");
    std::fs::write(&file, programs.certificate()).expect("a folder");
    let asks = (
        "BRIDGE_TLS_CLIENT_CA".to_owned(),
        file.display().to_string(),
    );
    let (bridge, authority) = encrypted(folder.path(), &store, &[asks]).await;
    let shown = |identity: &Identity, prefix: &str| {
        let vars = identity.vars(prefix, folder.path());
        vars.into_iter().map(|(_, file)| file).collect::<Vec<_>>()
    };
    python(&bridge, folder.path(), 50, &[]).await;
    let other = shown(&authority.signs(&["a service"]), "other_");
    python(&bridge, folder.path(), 50, &[&other[0], &other[1]]).await;
    let ours = shown(&programs.signs(&["shop"]), "shop_");
    python(&bridge, folder.path(), 50, &[&ours[0], &ours[1]]).await;
    arrive(&store, 50).await;
    bridge.stop().await.expect("a clean end");
    assert_eq!(store.messages(), messages(0..50), "of one program only");
}

#[tokio::test]
async fn an_encrypted_port_needs_a_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut vars = environment(folder.path(), "none");
    vars.retain(|(name, _)| name != "BRIDGE_STORE_URL");
    vars.push(("BRIDGE_TLS_LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
    let config = Config::from_vars(&vars).expect("a good configuration");
    let refused = Bridge::bind(config).await.expect_err("no certificate");
    assert!(refused.to_string().starts_with("BRIDGE_TLS_CERT: "));
}

/// Files of a client that trusts this authority and shows nothing.
fn trusting(authority: &Authority, folder: &Path) -> Files {
    let mut vars = authority.vars("X_", &authority.signs(&["unused"]), folder);
    vars.retain(|(name, _)| name == "X_CA");
    Files::from_vars("X_", &vars).expect("good files")
}
