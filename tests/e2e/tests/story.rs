//! The whole story: `herald`, a Python program that logs, and a person at the
//! page in a real browser. `UPDATE_PICTURES=1` renews the picture of the README.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use domain::{Level, Record};
use e2e::{api, program};
use testkit::{Installation, frame, http, python, wait_for};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn from_a_python_log_call_to_the_page_and_the_api() {
    let herald = Installation::new();
    // No command: the same as `herald up`.
    let mut up = herald.start("herald", &[]);
    let announcement = wait_for("Herald says where everything is", SOON, async || {
        assert!(up.is_running(), "{}", up.stderr());
        Some(up.stdout()).filter(|said| said.contains("Ctrl-C"))
    })
    .await;
    let records_to = format!(
        "localhost:{}",
        herald.bridge_address().rsplit(':').next().unwrap()
    );
    for part in [
        "stage TESTING",
        &records_to,
        herald.folder().to_str().unwrap(),
    ] {
        assert!(announcement.contains(part), "{part} in {announcement}");
    }
    let page = announcement
        .split_whitespace()
        .find(|word| word.starts_with("http://localhost:"))
        .unwrap()
        .to_owned();

    let expected = herald.folder().join("expected.json");
    let port = records_to.split(':').nth(1).unwrap();
    let arguments = ["localhost", port, "till", expected.to_str().unwrap()];
    program::run(&python::newest(), "stock.py", &arguments, &[]).await;
    api::exactly(&page, "system_id=till&q=no%20such%20text", 0, SOON).await;
    let records = api::exactly(&page, "system_id=till&level=ERROR", 3, SOON).await;
    assert_eq!(api::text(&records[2], "message"), "with a traceback");

    let html = http::get(&format!("{page}/?system_id=till&level=ERROR"))
        .await
        .unwrap()
        .text();
    assert!(html.contains("ValueError: nothing left"), "{html}");
    assert!(html.contains("&lt;b&gt;markup&lt;/b&gt;"), "{html}");
    assert!(!html.contains("<b>markup</b>"), "{html}");

    up.interrupt();
    let status = up.end(SOON).await;
    assert!(status.success(), "{status}: {}", up.stderr());
    assert!(up.stdout().contains("Stopped"), "{}", up.stdout());
}

#[tokio::test]
async fn a_service_that_fails_ends_all_with_its_cause() {
    let herald = Installation::new();
    std::fs::create_dir_all(herald.database()).unwrap();
    let mut up = herald.start("herald", &["up"]);
    let status = up.end(SOON).await;
    let errors = up.stderr();
    assert!(matches!(status.code(), Some(1 | 2)), "{status}: {errors}");
    assert!(errors.contains("herald.sqlite_t"), "{errors}");
}

#[tokio::test]
async fn the_page_in_a_real_browser() {
    let herald = Installation::new();
    let _up = herald.up().await;
    let records = bakery();
    let mut stream = TcpStream::connect(herald.bridge_address()).await.unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(130));
    for record in &records {
        ticks.tick().await;
        let created_us = now_us();
        let record = Record {
            created_us,
            ..record.clone()
        };
        stream.write_all(&frame::pickle(&record)).await.unwrap();
    }
    api::exactly(&herald.web_url(), "", records.len(), SOON).await;

    let folder = tempfile::tempdir().unwrap();
    let page = herald.web_url();
    let dom = browse(folder.path(), &page, &["--dump-dom"]);
    let dom = String::from_utf8_lossy(&dom.stdout).into_owned();
    for part in [
        "no flour left",
        "RuntimeError: oven door is open",
        "TESTING",
        "<table",
    ] {
        assert!(dom.contains(part), "{part} in {dom}");
    }
    // Markup in a message is text: the browser has made no element of it.
    assert!(dom.contains("&lt;img src=x onerror=alert(1)&gt;"), "{dom}");
    let filtered = browse(
        folder.path(),
        &format!("{page}/?level=ERROR"),
        &["--dump-dom"],
    );
    let filtered = String::from_utf8_lossy(&filtered.stdout).into_owned();
    assert!(filtered.contains("oven door is open"), "{filtered}");
    assert!(!filtered.contains("sold 3 rolls"), "{filtered}");

    let picture = folder.path().join("page.png");
    let screenshot = format!("--screenshot={}", picture.display());
    browse(
        folder.path(),
        &page,
        &["--window-size=1440,900", &screenshot],
    );
    let png = std::fs::read(&picture).unwrap();
    assert!(
        png.starts_with(b"\x89PNG") && png.len() > 20_000,
        "{} bytes",
        png.len()
    );
    if env::var_os("UPDATE_PICTURES").is_some() {
        let images = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
        std::fs::create_dir_all(&images).unwrap();
        std::fs::write(images.join("page.png"), png).unwrap();
    }
}

/// Runs headless Chromium once.
fn browse(profile: &Path, url: &str, arguments: &[&str]) -> Output {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let profile = format!("--user-data-dir={}", profile.join("profile").display());
    for name in names {
        let output = Command::new(name)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                &profile,
            ])
            .args(arguments)
            .arg(url)
            .output();
        match output {
            Ok(output) => {
                let errors = String::from_utf8_lossy(&output.stderr);
                assert!(
                    output.status.success(),
                    "{name}: {}: {errors}",
                    output.status
                );
                return output;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => panic!("{name} does not start: {error}"),
        }
    }
    panic!("no browser: install chromium (apt-get install chromium)")
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_micros()).unwrap()
}

/// An afternoon in a bakery.
fn bakery() -> Vec<Record> {
    let lines: [(Level, &str, &str, &str, &str); 14] = [
        (
            Level::Info,
            "till",
            "north",
            "cashier",
            "sold 3 rolls, paid 2.40 in cash",
        ),
        (
            Level::Debug,
            "oven",
            "north",
            "baker",
            "temperature 221 °C, target 220 °C",
        ),
        (
            Level::Info,
            "till",
            "south",
            "cashier",
            "sold 1 rye bread, paid by card, receipt 8f3a91c2",
        ),
        (
            Level::Warning,
            "stock",
            "cellar",
            "counter",
            "no flour left for tomorrow's rye bread",
        ),
        (
            Level::Info,
            "orders",
            "office",
            "mailer",
            "order 4711 confirmed: 40 rolls for Käthe's café",
        ),
        (
            Level::Debug,
            "oven",
            "south",
            "baker",
            "door closed after 12.5 s",
        ),
        (Level::Error, "oven", "north", "baker", "batch 17 is lost"),
        (
            Level::Info,
            "till",
            "north",
            "cashier",
            "sold <img src=x onerror=alert(1)> to a joker",
        ),
        (
            Level::Info,
            "stock",
            "cellar",
            "counter",
            "delivery of 250 kg flour, 12 sacks damaged: 0",
        ),
        (
            Level::Critical,
            "till",
            "south",
            "cashier",
            "drawer does not open",
        ),
        (
            Level::Info,
            "orders",
            "office",
            "mailer",
            "order 4712 confirmed: 2 wedding cakes",
        ),
        (
            Level::Debug,
            "oven",
            "north",
            "baker",
            "temperature 219 °C, target 220 °C",
        ),
        (
            Level::Warning,
            "till",
            "south",
            "cashier",
            "card reader answered after 4.1 s",
        ),
        (
            Level::Info,
            "till",
            "north",
            "cashier",
            "sold 12 rolls, paid 9.60 in cash",
        ),
    ];
    let record = |(index, (level, system, host, worker, message)): (
        usize,
        (Level, &str, &str, &str, &str),
    )| {
        Record {
            level: level.number(),
            level_name: level.name().to_owned(),
            logger: system.to_owned(),
            message: message.to_owned(),
            system_id: system.to_owned(),
            sub_system_id: host.to_owned(),
            sub_sub_system_id: worker.to_owned(),
            produkt_id: "bakery".to_owned(),
            user_spec_1: String::new(),
            user_spec_2: String::new(),
            package_version: "2.4.0".to_owned(),
            module: system.to_owned(),
            function: "work".to_owned(),
            path: format!("/srv/bakery/{system}.py"),
            exception: match level {
                Level::Error => TRACEBACK.to_owned(),
                _ => String::new(),
            },
            extra: String::new(),
            ..testkit::record(index as u64)
        }
    };
    lines.into_iter().enumerate().map(record).collect()
}

const TRACEBACK: &str = "Traceback (most recent call last):\n  \
    File \"/srv/bakery/oven.py\", line 88, in bake\n    self.door.check()\n\
    RuntimeError: oven door is open";
