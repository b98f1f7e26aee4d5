//! What every port that is encrypted agrees to, asked by a client that would take anything.

use std::{process::Command, time::Duration};

use serde_json::Value;
use testkit::{Installation, Process, certificates::Authority, port, python, wait_until};

const DEADLINE: Duration = Duration::from_secs(60);

/// What the scanner tells of a port.
fn scan(port: u16) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../clients/tls_scan.py");
    let ran = Command::new(python::newest().path)
        .args([script, "127.0.0.1", &port.to_string()])
        .output()
        .expect("a Python");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

async fn listens(process: &mut Process, port: u16) {
    wait_until(&format!("port {port} is open"), DEADLINE, async || {
        assert!(process.is_running(), "{}", process.stderr());
        let open = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
        open.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_port_agrees_to_what_is_old_or_weak() {
    let authority = Authority::new("ours");
    let folder = tempfile::tempdir().unwrap();
    let ports: Vec<u16> = (0..4).map(|_| port::free()).collect();
    let [store, programs, ingest, pages] = ports[..] else {
        unreachable!("four ports")
    };
    let local = |port: u16| format!("127.0.0.1:{port}");
    let mut installation = Installation::new()
        .with("STORE_LISTEN", local(store))
        .with("BRIDGE_TLS_LISTEN", local(programs))
        .with("BRIDGE_INGEST_LISTEN", local(ingest))
        .with("BRIDGE_STORE_URL", format!("https://127.0.0.1:{store}"))
        .with("WEB_STORE_URL", format!("https://127.0.0.1:{store}"))
        .with("WEB_LISTEN", local(pages));
    let server = authority.signs(&["127.0.0.1", "herald://bridge/b"]);
    for prefix in ["STORE_TLS_", "BRIDGE_TLS_", "WEB_TLS_"] {
        for (name, value) in authority.vars(prefix, &server, folder.path()) {
            // Whoever shows nothing gets as far as the others.
            if name != "STORE_TLS_CA" {
                installation = installation.with(&name, value);
            }
        }
    }
    for (name, value) in server.vars("WEB_HTTPS_", folder.path()) {
        installation = installation.with(&name, value);
    }
    let mut processes = ["store", "bridge", "herald-web"].map(|name| installation.start(name, &[]));
    for (process, port) in [(0, store), (1, programs), (1, ingest), (2, pages)] {
        listens(&mut processes[process], port).await;
        let found = tokio::task::spawn_blocking(move || scan(port))
            .await
            .unwrap();
        let version = |name: &str| &found["versions"][name];
        for old in ["TLSv1", "TLSv1_1"] {
            let refused = version(old)["refused"].as_str();
            assert!(refused.is_some(), "{old} at {port}: {found}");
        }
        // In this version a port that asks for a certificate says so after the agreement.
        let cipher = version("TLSv1_3")["cipher"].as_str();
        assert!(
            cipher.is_some_and(|name| name.starts_with("TLS_")),
            "{found}"
        );
        let ciphers = found["ciphers"].as_array().unwrap();
        assert!(found["tried"].as_u64() > Some(20), "{found}");
        // Without a certificate nothing is agreed upon where one is asked for.
        assert_eq!(ciphers.is_empty(), port == ingest, "{found}");
        for cipher in ciphers {
            let name = cipher.as_str().unwrap();
            let is_good = name.contains("-GCM-") || name.contains("CHACHA20");
            assert!(name.starts_with("ECDHE-") && is_good, "{name} at {port}");
        }
        assert!(!found.to_string().contains("ZLIB"), "{found}");
        // An alert of TLS at most, never a word in plain.
        let plain = found["plain"].as_str().unwrap();
        assert!(plain.is_empty() || plain.starts_with("1503"), "{plain}");
    }
}
