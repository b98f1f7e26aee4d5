//! Encryption: who is let in, who is not and what the log says of that, and
//! certificates that change while the store runs.

use std::{io::ErrorKind, net::SocketAddr};

use proto::v1::{
    BackupRequest, DeleteSearchRequest, GetRunStateRequest, GetStatusRequest,
    ListAuditEntriesRequest, SaveSearchRequest, audit_service_client::AuditServiceClient,
    ingest_service_client::IngestServiceClient, run_service_client::RunServiceClient,
    saved_search_service_client::SavedSearchServiceClient,
    status_service_client::StatusServiceClient,
};
use runtime::{grpc, tls::Files};
use tempfile::TempDir;
use testkit::{
    Process,
    certificates::{Authority, Identity},
    wait_until,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{Code, Status};

use crate::{
    audit::by,
    harness::{DEADLINE, serving_address},
};

const NAME: &str = "127.0.0.1";

/// A store's process that asks clients for a certificate, and its authority.
struct Secured {
    authority: Authority,
    folder: TempDir,
    process: Process,
    address: SocketAddr,
}

impl Secured {
    async fn start(more: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let authority = Authority::new("ours");
        let mut vars = authority.vars("STORE_TLS_", &authority.signs(&[NAME]), folder.path());
        let data = folder.path().join("data").display().to_string();
        let own = [
            ("DEV_STAGE", "TESTING"),
            ("STORE_LISTEN", "127.0.0.1:0"),
            ("STORE_DATA_DIR", &data),
        ];
        let own = own.iter().chain(more);
        vars.extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let process = Process::start(env!("CARGO_BIN_EXE_store"), [""; 0], vars);
        let serves = async || process.stderr().contains("\"encrypted\":true");
        wait_until("the store serves", DEADLINE, serves).await;
        let address = serving_address(&process).unwrap();
        Self {
            authority,
            folder,
            process,
            address,
        }
    }

    /// Files of a client with this identity that trusts the store's authority.
    fn client(&self, identity: Option<&Identity>) -> Files {
        self.client_of(&self.authority, identity)
    }

    fn client_of(&self, authority: &Authority, identity: Option<&Identity>) -> Files {
        let folder = self.folder.path();
        let shown = authority.signs(&["shown to nobody"]);
        let mut vars = authority.vars("X_", identity.unwrap_or(&shown), folder);
        vars.retain(|(name, _)| identity.is_some() || name == "X_CA");
        Files::from_vars("X_", &vars).unwrap()
    }

    async fn ask(&self, files: &Files) -> Result<(), Status> {
        let channel = grpc::secure_channel(&format!("https://{}", self.address), files).unwrap();
        let mut client = StatusServiceClient::new(channel);
        client.get_status(GetStatusRequest {}).await.map(drop)
    }

    async fn says(&self, text: &str) {
        let says = async || self.process.stderr().contains(text);
        wait_until(text, DEADLINE, says).await;
    }
}

#[tokio::test]
async fn only_who_shows_a_good_certificate_is_let_in_and_the_log_says_who_was_not() {
    let store = Secured::start(&[]).await;
    let ours = store.authority.signs(&["herald://operator/client"]);
    store.ask(&store.client(Some(&ours))).await.unwrap();

    let other = Authority::new("somebody else's").signs(&["herald://operator/client"]);
    let expired = store.authority.signed_once(&["herald://operator/client"]);
    for (identity, reason) in [
        (None, "peer sent no certificates"),
        (Some(&other), "UnknownIssuer"),
        (Some(&expired), "certificate expired"),
    ] {
        store.ask(&store.client(identity)).await.unwrap_err();
        store.says("client refused").await;
        store.says(reason).await;
    }
    // Who does not trust the store breaks off, and says why.
    let stranger = Authority::new("a stranger");
    let failed = store.ask(&store.client_of(&stranger, None)).await;
    let failed = failed.unwrap_err();
    let reason = runtime::tls::failure(&failed).expect("a reason of TLS");
    assert!(reason.to_string().contains("UnknownIssuer"), "{reason}");
    store.ask(&store.client(Some(&ours))).await.unwrap();
}

#[tokio::test]
async fn a_certificate_is_good_for_the_calls_of_its_service_only() {
    let store = Secured::start(&[]).await;
    for (uri, may_read, may_back_up, may_append) in [
        ("herald://bridge/b1", false, false, true),
        ("herald://herald-web/w", true, false, false),
        ("herald://neelix/n", true, false, false),
        ("herald://operator/o", true, true, true),
        ("herald://owner/o", false, false, false),
        ("client", false, false, false),
    ] {
        let files = store.client(Some(&store.authority.signs(&[uri])));
        let channel = grpc::secure_channel(&format!("https://{}", store.address), &files).unwrap();
        let read = store.ask(&files).await;
        let backed_up = StatusServiceClient::new(channel.clone())
            .backup(BackupRequest {})
            .await;
        let appended = IngestServiceClient::new(channel.clone())
            .append(tokio_stream::empty())
            .await;
        let run = RunServiceClient::new(channel)
            .get_run_state(GetRunStateRequest {})
            .await;
        let check = |outcome: Result<(), Status>, is_allowed: bool, what: &str| {
            let is_denied =
                matches!(&outcome, Err(status) if status.code() == Code::PermissionDenied);
            assert_eq!(is_denied, !is_allowed, "{uri}: {what}: {outcome:?}");
        };
        check(read, may_read, "read");
        check(backed_up.map(drop), may_back_up, "back up");
        check(appended.map(drop), may_append, "append");
        check(run.map(drop), uri.contains("neelix"), "run");
    }
    store
        .says("call refused: the certificate is not for it")
        .await;
    store.says("herald://herald-web/w").await;
    store.says("/herald.v1.StatusService/Backup").await;
}

/// Guards against changes in somebody else's name.
#[tokio::test]
async fn only_herald_web_says_for_whom_something_is_changed() {
    let store = Secured::start(&[]).await;
    let channel = |uri: &str| {
        let files = store.client(Some(&store.authority.signs(&[uri])));
        grpc::secure_channel(&format!("https://{}", store.address), &files).unwrap()
    };
    let web = channel("herald://herald-web/w");
    let mut searches = SavedSearchServiceClient::new(web.clone());
    let search = SaveSearchRequest {
        name: "a".to_owned(),
        ..SaveSearchRequest::default()
    };
    searches.save_search(by("anna", search)).await.unwrap();
    let name = "a".to_owned();
    let delete = DeleteSearchRequest { name };
    searches.delete_search(delete).await.unwrap();
    let mut status = StatusServiceClient::new(channel("herald://operator/o"));
    let refused = status.backup(by("anna", BackupRequest {})).await;
    assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied);
    drop(status.backup(BackupRequest {}).await.unwrap());

    let mut audit = AuditServiceClient::new(web);
    let listed = audit.list_audit_entries(ListAuditEntriesRequest::default());
    let entries = listed.await.unwrap().into_inner().entries.into_iter();
    let authors: Vec<_> = entries.map(|entry| entry.author.unwrap().name).collect();
    assert_eq!(
        authors,
        ["herald://operator/o", "herald://herald-web/w", "anna"]
    );
}

#[tokio::test]
async fn nothing_is_said_in_plain() {
    let store = Secured::start(&[]).await;
    let channel = grpc::channel(&format!("http://{}", store.address)).unwrap();
    let mut client = StatusServiceClient::new(channel);
    client.get_status(GetStatusRequest {}).await.unwrap_err();
    store.says("no encrypted connection came about").await;
}

#[tokio::test]
async fn http_is_answered_on_the_same_port_and_health_also_without_a_certificate() {
    let port = testkit::port::free();
    let admin = format!("127.0.0.1:{port}");
    let store = Secured::start(&[("STORE_ADMIN_LISTEN", &admin)]).await;
    let ours = store.authority.signs(&["herald://operator/client"]);
    let client = store.client(Some(&ours)).client().unwrap();
    let connected = client.connect(NAME, store.address.port(), &[b"http/1.1"]);
    let mut stream = connected.await.unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("alive\n"), "{answer}");

    let probe = testkit::http::get(&format!("http://{admin}/readyz")).await;
    assert_eq!(probe.unwrap().text(), "ready\n");
}

#[tokio::test]
async fn certificates_are_read_again_and_bad_ones_change_nothing() {
    let store = Secured::start(&[]).await;
    let ours = store.authority.signs(&["herald://operator/client"]);
    let client = store.client(Some(&ours));
    store.ask(&client).await.unwrap();

    let certificate = store.folder.path().join("STORE_TLS_CERT.pem");
    std::fs::write(&certificate, "nonsense").unwrap();
    store.says("the old ones stay").await;
    store.ask(&client).await.unwrap();

    let next = Authority::new("the next one");
    let _ = next.vars("STORE_TLS_", &next.signs(&[NAME]), store.folder.path());
    let theirs = next.signs(&["herald://operator/client"]);
    let client = store.client_of(&next, Some(&theirs));
    let is_known = async || store.ask(&client).await.is_ok();
    wait_until("the new authority counts", DEADLINE, is_known).await;
    store.ask(&store.client(Some(&ours))).await.unwrap_err();
}

/// A greeting of TLS 1.1, well-formed, with a cipher and a signature that are known.
fn greeting(version: [u8; 2]) -> Vec<u8> {
    let mut hello = version.to_vec();
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x2f, 1, 0]);
    let extensions = [
        &[0, 10, 0, 4, 0, 2, 0, 23][..],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 4, 0, 2, 8, 4],
    ]
    .concat();
    hello.extend([0, u8::try_from(extensions.len()).unwrap()]);
    hello.extend(extensions);
    let length = u8::try_from(hello.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &hello].concat()
}

#[tokio::test]
async fn old_versions_of_tls_are_refused() {
    const ALERT: u8 = 21;
    const PROTOCOL_VERSION: u8 = 70;
    let store = Secured::start(&[]).await;
    for minor in [1, 2] {
        let mut stream = TcpStream::connect(store.address).await.unwrap();
        stream.write_all(&greeting([3, minor])).await.unwrap();
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer).await {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        assert_eq!((answer[0], answer[6]), (ALERT, PROTOCOL_VERSION));
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named_before_anything_starts() {
    let folder = TempDir::new().unwrap();
    let authority = Authority::new("ours");
    let (one, other) = (authority.signs(&[NAME]), authority.signs(&[NAME]));
    let mixed = Identity {
        certificate: one.certificate,
        key: other.key,
    };
    let mut vars = mixed.vars("STORE_TLS_", folder.path());
    vars.push(("DEV_STAGE".to_owned(), "TESTING".to_owned()));
    let refused = store::Config::from_vars(&vars).unwrap_err().to_string();
    assert!(refused.starts_with("STORE_TLS_CERT: "), "{refused}");
    assert!(refused.contains("the key of STORE_TLS_KEY"), "{refused}");

    // Who asks for certificates without having one would serve in plain.
    let mut vars = authority.vars("STORE_TLS_", &authority.signs(&[NAME]), folder.path());
    vars.retain(|(name, _)| name == "STORE_TLS_CA");
    vars.push(("DEV_STAGE".to_owned(), "TESTING".to_owned()));
    vars.push(("STORE_LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
    let data = folder.path().join("data").display().to_string();
    vars.push(("STORE_DATA_DIR".to_owned(), data));
    let mut process = Process::start(env!("CARGO_BIN_EXE_store"), [""; 0], vars);
    assert_eq!(process.end(DEADLINE).await.code(), Some(2));
    assert!(process.stderr().contains("STORE_TLS_CA"));
}

#[tokio::test]
async fn production_is_warned_once_of_what_others_can_read() {
    for (stage, listen, expected) in [
        ("PRODUCTION", "0.0.0.0:0", 1),
        ("PRODUCTION", "127.0.0.1:0", 0),
        ("TESTING", "0.0.0.0:0", 0),
    ] {
        let folder = TempDir::new().unwrap();
        let vars = [
            ("DEV_STAGE", stage),
            ("STORE_LISTEN", listen),
            ("STORE_DATA_DIR", folder.path().to_str().unwrap()),
        ];
        let process = Process::start(env!("CARGO_BIN_EXE_store"), [""; 0], vars);
        let serves = async || serving_address(&process).is_some();
        wait_until("the store serves", DEADLINE, serves).await;
        let warnings = process.stderr().matches("NOT ENCRYPTED").count();
        assert_eq!(warnings, expected, "{stage} {listen}");
    }
}
