//! Bridges that prove to each other who they are.

use proto::v1::ingest_service_client::IngestServiceClient;
use testkit::certificates::{Authority, Identity};

use crate::{
    store::Store,
    under_test::UnderTest,
    zones::{arrive, burst, to},
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
    let own = own_files(&authority.signs(&["first"]), folders[2].path());
    let routes = [to("refused", &url, ""), to("last", &url, &own)].concat();
    let first =
        UnderTest::start_in_zone(folders[0].path(), &stores[0], &routes, &borrowed(&vars)).await;
    first.send(&burst(0..100)).await;
    arrive(&stores[0], 100).await;
    arrive(&stores[1], 100).await;
    // Both routes lead to the same receiver: one that got through would double all.
    assert_eq!(stores[1].messages().len(), 100);

    // In plain nothing comes in.
    let plain = runtime::grpc::channel(&last.ingest_url()).expect("a URL");
    let mut plain = IngestServiceClient::new(plain);
    let asked = plain.append(tokio_stream::empty()).await;
    asked.expect_err("it is not encrypted");
    for bridge in [first, last] {
        bridge.stop().await.expect("a clean end");
    }
}

/// The lines of a destination with certificates of its own.
fn own_files(identity: &Identity, folder: &std::path::Path) -> String {
    let vars = identity.vars("own_", folder);
    format!("tls_cert = \"{}\"\ntls_key = \"{}\"", vars[0].1, vars[1].1)
}
