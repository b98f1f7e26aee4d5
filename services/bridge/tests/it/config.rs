//! What means nothing is refused, by name, before anything starts.

use bridge::{Bridge, Config};
use runtime::config::ConfigError;

use crate::under_test::environment;

#[test]
fn a_bad_value_names_its_variable() {
    let check = |name: &str, value: &str| {
        let folder = std::path::Path::new("nowhere");
        let mut vars = environment(folder, "http://127.0.0.1:1");
        vars.retain(|(known, _)| known != name);
        vars.push((name.to_owned(), value.to_owned()));
        let error = Config::from_vars(&vars).expect_err(name).to_string();
        assert!(error.contains(name), "{error}");
    };
    check("DEV_STAGE", "LIVE");
    check("BRIDGE_LISTEN", "localhost");
    check("BRIDGE_SPOOL_MAX_BYTES", "plenty");
    check("BRIDGE_SPOOL_MAX_BYTES", "1KiB");
    check("BRIDGE_MAX_CONNECTIONS", "0");
    check("BRIDGE_FRAME_MAX_BYTES", "1GiB");
    check("BRIDGE_IDLE_TIMEOUT", "soon");
    check("BRIDGE_ROUTES", "nowhere/routes.toml");
    check("BRIDGE_INGEST_LISTEN", "localhost");
    check("BRIDGE_STORE_URL", "none");
    check("BRIDGE_NAME", &"n".repeat(1_025));
    check("BRIDGE_NAME", &"ä".repeat(513));
}

/// Guards against a route that would lack something at every new segment.
#[test]
fn a_backlog_below_two_segments_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("routes.toml");
    let read = |max_backlog: &str| {
        let route = format!(
            "[[destination]]\nname = \"home\"\nkind = \"herald\"\n\
             url = \"http://127.0.0.1:1\"\nmax_backlog = \"{max_backlog}\"\n"
        );
        std::fs::write(&file, route).expect("a routes file");
        let mut vars = environment(folder.path(), "http://127.0.0.1:1");
        vars.retain(|(known, _)| known != "BRIDGE_SEGMENT_BYTES");
        vars.push(("BRIDGE_SEGMENT_BYTES".to_owned(), "1MiB".to_owned()));
        vars.push(("BRIDGE_ROUTES".to_owned(), file.display().to_string()));
        Config::from_vars(&vars).map_err(|error| error.to_string())
    };
    assert!(read("2MiB").is_ok());
    let error = read("1MiB").expect_err("too small");
    assert!(error.contains("max_backlog of home"), "{error}");
}

#[test]
fn the_longest_name_that_the_store_takes_is_good() {
    let name = "n".repeat(proto::BRIDGE_NAME_BYTES);
    let mut vars = environment(std::path::Path::new("nowhere"), "http://127.0.0.1:1");
    vars.push(("BRIDGE_NAME".to_owned(), name.clone()));
    assert_eq!(Config::from_vars(&vars).expect("a good name").name, name);
}

#[test]
fn the_stage_is_required() {
    let error = Config::from_vars(&Vec::new())
        .expect_err("no stage")
        .to_string();
    assert!(error.contains("DEV_STAGE"), "{error}");
}

async fn refused(name: &str, value: &str) -> ConfigError {
    let folder = tempfile::tempdir().expect("a folder");
    let mut vars = environment(folder.path(), "http://127.0.0.1:1");
    vars.retain(|(known, _)| known != name);
    vars.push((name.to_owned(), value.to_owned()));
    let config = Config::from_vars(&vars).expect("it reads well");
    let error = Bridge::bind(config).await.expect_err("it cannot start");
    error
        .downcast::<ConfigError>()
        .expect("a variable is to blame")
}

#[tokio::test]
async fn a_taken_port_and_an_unwritable_folder_name_their_variable() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("a port").to_string();
    for name in ["BRIDGE_LISTEN", "BRIDGE_ADMIN_LISTEN"] {
        let error = refused(name, &address).await.to_string();
        assert!(error.contains(name) && error.contains(&address), "{error}");
    }
    let error = refused("BRIDGE_SPOOL_DIR", "/proc/herald")
        .await
        .to_string();
    assert!(
        error.contains("BRIDGE_SPOOL_DIR") && error.contains("/proc/herald"),
        "{error}"
    );
    let error = refused("BRIDGE_STORE_URL", "no url").await.to_string();
    assert!(error.contains("BRIDGE_STORE_URL"), "{error}");
}
