//! How a mail of neelix looks: both parts, on a phone and a desk, by day and by
//! night. `UPDATE_PICTURES=1` renews the pictures of the documents.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use domain::{Alert, AlertKind, AlertSubject, Micros, Notification, Record, Rule, Stage};
use e2e::browser::{Browser, Page};
use neelix_cronjob::digest::{Evidence, Finding, Letter, News, Site, compose, compose_storm};

const WIDTHS: [(u32, u32); 2] = [(700, 1_800), (390, 844)];
const SECOND: Micros = 1_000_000;
const MINUTE: Micros = 60 * SECOND;
/// 2026-11-30 02:04:00 UTC.
const NOW: Micros = 1_796_004_240_000_000;

/// Pictures that documents show, and their files there.
const SHOWN: [(&str, &str); 3] = [
    ("fired-html-700-light", "mail.png"),
    ("fired-html-390-dark", "mail-narrow.png"),
    ("storm-html-390-light", "mail-storm.png"),
];

#[tokio::test]
async fn every_mail_is_readable_everywhere() {
    let browser = Browser::start().await;
    let folder = tempfile::tempdir().unwrap();
    let documents = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
    let mut faults = Vec::new();
    for (name, mail) in mails() {
        for (part, html) in [("html", mail.html.clone()), ("text", as_page(&mail.text))] {
            let file = folder.path().join(format!("{name}-{part}.html"));
            fs::write(&file, html).unwrap();
            let page = browser.page().await;
            page.open(&format!("file://{}", file.display())).await;
            assert_loads_nothing(&page).await;
            for is_dark in [false, true] {
                page.dark(is_dark).await;
                let scheme = if is_dark { "dark" } else { "light" };
                for (width, height) in WIDTHS {
                    page.size(width, height).await;
                    let what = format!("{name}-{part}-{width}-{scheme}");
                    faults.extend(page.overflow().await.map(|it| format!("{what}: {it}")));
                    let found = page.violations().await;
                    faults.extend(found.iter().map(|it| format!("{what}: {it:#}")));
                    keep(&what, &page.picture().await, &documents);
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A mail must not tell anybody that it was opened.
async fn assert_loads_nothing(page: &Page) {
    let requests = page.requests().await;
    let is_foreign = |it: &&String| !it.starts_with("file:") && !it.starts_with("data:");
    assert_eq!(requests.iter().find(is_foreign), None);
    assert_eq!(
        page.count("img, link, script, iframe, [src], style").await,
        0
    );
}

fn keep(what: &str, picture: &[u8], documents: &Path) {
    assert!(picture.len() > 8_000, "{what} is blank");
    if env::var_os("UPDATE_PICTURES").is_some()
        && let Some((_, name)) = SHOWN.iter().find(|(shown, _)| *shown == what)
    {
        fs::write(documents.join(name), picture).unwrap();
    }
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = temporary.parent().expect("target").join("pictures");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("mail-{what}.png")), picture).unwrap();
}

/// The text part as a mail program shows it.
fn as_page(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Mail</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <main><h1 style=\"font-size:16px\">Text part</h1>\
         <pre style=\"white-space:pre-wrap;overflow-wrap:anywhere\">{text}</pre></main></html>"
    )
}

fn mails() -> Vec<(&'static str, Notification)> {
    let letter = |name: &str, findings| Letter {
        rule: rule(name),
        findings,
    };
    let mut over = silence(3, "backup");
    over.news = News::Resolved;
    over.alert.resolved_us = Some(over.alert.since_us + 95 * MINUTE);
    over.alert.reason = "heard of again after 1 h 35 min".to_owned();
    let mut again = silence(5, "billing");
    again.news = News::Reminder;
    again.earlier = 2;
    let storm: Vec<Letter> = (0..580)
        .map(|id| letter("job_*", vec![silence(id, &format!("job_{id:03}"))]))
        .collect();
    vec![
        (
            "fired",
            compose(&letter("payments", vec![failures()]), &site(), 1),
        ),
        (
            "resolved",
            compose(&letter("backup", vec![over.clone()]), &site(), 2),
        ),
        (
            "mixed",
            compose(
                &letter("*", vec![silence(4, "orders"), again, over]),
                &site(),
                3,
            ),
        ),
        ("storm", compose_storm(&storm, &site(), 4)),
    ]
}

fn site() -> Site {
    Site {
        stage: Stage::Production,
        url: "https://herald.example.com".to_owned(),
        link_key: vec![7; 32],
        domain: "herald.example.com".to_owned(),
        now_us: NOW,
    }
}

fn rule(name: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        text: format!(
            "[{name}]\nMAIL_TO = ops@example.com\nMSG_REGEX = payment of order \\d+ failed\nLEVEL = ERROR\nAGE = 2h"
        ),
        recipients: vec!["ops@example.com".to_owned()],
        line: 12,
    }
}

/// Seventeen payments that failed.
fn failures() -> Finding {
    let failed = |number: i64| Record {
        exception: if number == 0 {
            RESET.to_owned()
        } else {
            String::new()
        },
        ..record(
            100 + 3 * number,
            40,
            &format!("payment of order {} failed", 4711 + number),
        )
    };
    let around = [
        (96, 30, "the bank answers slowly: 3510 ms".to_owned()),
        (97, 30, "the bank answers slowly: 4870 ms".to_owned()),
        (
            99,
            20,
            "POST https://bank.example/v2/authorise order=4711".to_owned(),
        ),
        (100, 40, "payment of order 4711 failed".to_owned()),
        (
            101,
            20,
            "POST https://bank.example/v2/authorise order=4712".to_owned(),
        ),
        (102, 30, "trying again in 2 s".to_owned()),
    ];
    Finding {
        alert: Alert {
            records: 17,
            since_us: failed(0).received_us,
            last_us: failed(16).received_us,
            ..alert(
                17,
                "payments",
                "MSG_REGEX=payment of order \\d+ failed",
                AlertKind::Match,
            )
        },
        news: News::Fired,
        evidence: Evidence {
            first: (0..5).map(failed).collect(),
            last: (12..17).map(failed).collect(),
            around: around
                .map(|(id, level, message)| record(id, level, &message))
                .into(),
        },
        earlier: 2,
        search: "/payment of order \\d+ failed/ level>=error".to_owned(),
        heard_us: None,
    }
}

fn silence(id: u64, system: &str) -> Finding {
    Finding {
        alert: Alert {
            since_us: NOW - 130 * MINUTE,
            reason: "no record for 2 h 10 min, expected every 2 h".to_owned(),
            ..alert(id, system, "AGE=2h", AlertKind::Heartbeat)
        },
        news: News::Fired,
        evidence: Evidence::default(),
        earlier: 0,
        search: String::new(),
        heard_us: None,
    }
}

fn alert(id: u64, system: &str, condition: &str, kind: AlertKind) -> Alert {
    Alert {
        id,
        subject: AlertSubject {
            rule: system.to_owned(),
            condition: condition.to_owned(),
            system_id: system.to_owned(),
            sub_system_id: String::new(),
        },
        kind,
        reason: "17 records match `payment of order \\d+ failed`".to_owned(),
        opened_us: NOW,
        resolved_us: None,
        since_us: 0,
        last_us: 0,
        first_record_id: 100,
        last_record_id: 148,
        records: 0,
        records_unnotified: 0,
        notified_us: NOW,
        acknowledged_us: None,
        silenced_until_us: None,
    }
}

fn record(id: i64, level: i32, message: &str) -> Record {
    Record {
        id: id.unsigned_abs(),
        received_us: NOW - 9 * MINUTE + (id - 100) * 2_137_000,
        level,
        message: message.to_owned(),
        system_id: "payments".to_owned(),
        sub_system_id: "north".to_owned(),
        module: "bank".to_owned(),
        function: "authorise".to_owned(),
        line: 88,
        ..Record::default()
    }
}

const RESET: &str = "Traceback (most recent call last):
  File \"/srv/shop/payments/bank.py\", line 88, in authorise
    answer = session.post(url, json=order, timeout=5)
  File \"/srv/shop/lib/requests/sessions.py\", line 637, in post
    return self.request(\"POST\", url, data=data, json=json, **kwargs)
requests.exceptions.ConnectionError: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))";
