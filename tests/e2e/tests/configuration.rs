//! What is wrong with the configuration is told before anything starts, by the
//! name of the variable, with exit code 2.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{net::TcpListener, time::Duration};

use testkit::Installation;

const SOON: Duration = Duration::from_secs(20);

/// Starts a service with one variable changed (or, without a value, missing).
async fn check(service: &str, variable: &str, value: Option<&str>) {
    let herald = Installation::new();
    let mut environment = herald.environment();
    environment.retain(|(name, _)| name != variable);
    environment.extend(value.map(|value| (variable.to_owned(), value.to_owned())));
    let arguments: &[&str] = if service == "herald" { &["up"] } else { &[] };
    let program = testkit::binary::path(service);
    let mut process = testkit::Process::start(program, arguments, environment);
    let status = process.end(SOON).await;
    let errors = process.stderr();
    let what = format!("{service} with {variable}={value:?}: {errors}");
    assert_eq!(status.code(), Some(2), "{what}");
    assert_eq!(process.stdout(), "", "{what}");
    let told: Vec<&str> = errors
        .lines()
        .filter(|line| line.contains(variable))
        .collect();
    assert_eq!(told.len(), 1, "{what}");
    assert!(!herald.database().exists(), "{what}");
}

#[tokio::test]
async fn a_wrong_variable_names_itself() {
    for service in ["bridge", "store", "herald-web"] {
        check(service, "DEV_STAGE", None).await;
    }
    for service in ["bridge", "store", "herald-web", "herald"] {
        check(service, "DEV_STAGE", Some("LIVE")).await;
        check(service, "DEV_STAGE", Some("")).await;
    }
    for service in ["bridge", "herald"] {
        check(service, "BRIDGE_LISTEN", Some("9020")).await;
        check(service, "BRIDGE_SPOOL_MAX_BYTES", Some("lots")).await;
        check(service, "BRIDGE_STORE_URL", Some("localhost")).await;
    }
    for service in ["store", "herald"] {
        check(service, "STORE_LISTEN", Some("here")).await;
        check(service, "STORE_RETENTION", Some("30")).await;
        check(service, "STORE_MAX_BYTES", Some("-1")).await;
    }
    for service in ["herald-web", "herald"] {
        check(service, "WEB_LISTEN", Some("9021")).await;
        check(service, "WEB_STORE_URL", Some("localhost")).await;
        check(service, "WEB_SESSION_IDLE", Some("12")).await;
        check(service, "WEB_PROXY_FROM", Some("proxy.example")).await;
        check(service, "WEB_USERS", Some("no/such/file")).await;
        check(service, "WEB_TOKENS", Some("no/such/file")).await;
    }
}

#[tokio::test]
async fn a_taken_port_names_its_variable() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (service, variable) in [
        ("bridge", "BRIDGE_LISTEN"),
        ("bridge", "BRIDGE_ADMIN_LISTEN"),
        ("store", "STORE_LISTEN"),
        ("herald-web", "WEB_LISTEN"),
        ("herald", "BRIDGE_LISTEN"),
        ("herald", "BRIDGE_ADMIN_LISTEN"),
        ("herald", "STORE_LISTEN"),
        ("herald", "WEB_LISTEN"),
    ] {
        check(service, variable, Some(&address)).await;
    }
}

/// A folder below a file: not even root can make it.
#[tokio::test]
async fn an_unwritable_folder_names_its_variable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("data").display().to_string();
    for (service, variable) in [
        ("bridge", "BRIDGE_SPOOL_DIR"),
        ("store", "STORE_DATA_DIR"),
        ("herald", "BRIDGE_SPOOL_DIR"),
        ("herald", "STORE_DATA_DIR"),
        ("herald", "HERALD_DATA_DIR"),
    ] {
        check(service, variable, Some(&below)).await;
    }
}
