//! A mail as the server gets it and Python reads it.

use domain::{Notification, Stage};
use neelix_cronjob::{
    delivery::{Delivered, Post, deliver_once},
    digest::{compose, compose_test},
};
use serde_json::json;
use testkit::{MailServer, mail_server::header};

/// What one rule has to tell.
pub(crate) fn notification(recipients: &[&str]) -> Notification {
    build::notification(recipients, "disk full on /var")
}

/// How it goes out.
pub(crate) fn post(url: &str) -> Post {
    Post {
        stage: Stage::Testing,
        server: url.parse().unwrap(),
        sender: "Herald <neelix@example.com>".parse().unwrap(),
    }
}

#[tokio::test]
async fn headers_are_exactly_these() {
    let server = MailServer::start(&[]).await;
    let notification = notification(&["anna@example.com", "bob@example.com"]);
    let outcome = deliver_once(&notification, &post(&server.url())).await;
    let expected = Delivered {
        delivered: 2,
        ..Delivered::default()
    };
    assert_eq!(outcome, expected);
    let mails = server.mails();
    let headers = json!([
        ["Date", "Mon, 30 Nov 2026 00:10:00 +0000"],
        [
            "Message-ID",
            "<herald.testing.r7.df384ae97c77ad30@host.example.com>"
        ],
        ["From", "Herald <neelix@example.com>"],
        ["To", "anna@example.com, bob@example.com"],
        ["Subject", "[TESTING] FIRING payments: payments"],
        ["In-Reply-To", "<herald.testing.alert.17@host.example.com>"],
        ["References", "<herald.testing.alert.17@host.example.com>"],
        ["Auto-Submitted", "auto-generated"],
        ["X-Herald-Stage", "TESTING"],
        ["X-Herald-Alert", "17"],
        ["MIME-Version", "1.0"],
        [
            "Content-Type",
            "multipart/alternative; boundary=\"herald-BOUNDARY\""
        ],
    ]);
    let without_boundary = |mail: &serde_json::Value| {
        let text = mail["headers"].to_string();
        let (front, rest) = text.split_once("boundary=\\\"herald-").unwrap();
        let (boundary, back) = rest.split_at(40);
        assert!(
            boundary.chars().all(|c| c.is_ascii_hexdigit()),
            "{boundary}"
        );
        format!("{front}boundary=\\\"herald-BOUNDARY{back}")
    };
    for mail in &mails {
        assert_eq!(without_boundary(mail), headers.to_string());
        assert_eq!(mail["defects"], json!([]));
        assert_eq!(mail["from"], "neelix@example.com");
    }
    assert_eq!(mails[0]["to"], json!(["anna@example.com"]));
    assert_eq!(mails[1]["to"], json!(["bob@example.com"]));
    let [first, second] = &server.originals()[..] else {
        panic!("two mails");
    };
    assert_eq!(first, second);
}

#[tokio::test]
async fn both_parts_arrive_as_they_were_written() {
    let server = MailServer::start(&[]).await;
    let text = ".\r\n..\r\nFrom x\r\n".to_owned() + &"漢字 ü 👩 ".repeat(40);
    let notification = build::notification(&["anna@example.com"], &text);
    deliver_once(&notification, &post(&server.url())).await;
    let mail = &server.mails()[0];
    assert_eq!(mail["defects"], json!([]));
    let part = |kind: &str| {
        let part = mail["parts"][kind].as_str().unwrap();
        part.trim_end().replace("\r\n", "\n")
    };
    assert_eq!(part("text/plain"), notification.text.trim_end());
    assert_eq!(part("text/html"), notification.html.trim_end());
    assert!(part("text/plain").contains("    .\n    ..\n    From x\n    漢字 ü 👩 "));
}

#[tokio::test]
async fn no_log_text_becomes_a_header() {
    let server = MailServer::start(&[]).await;
    let evil = "x\r\nBcc: evil@example.com\r\n\r\n<script>\r\n.\r\nMAIL FROM:<evil@example.com>\0\u{202e}\x1b[31m";
    let mut letter = build::letter(&["anna@example.com"], evil);
    letter.rule.name = format!("payments{evil}");
    letter.findings[0].alert.subject.system_id = format!("böse{evil}");
    let notification = compose(&letter, &build::site(), 7);
    deliver_once(&notification, &post(&server.url())).await;
    let mails = server.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    let mail = &mails[0];
    assert_eq!(mail["to"], json!(["anna@example.com"]));
    assert_eq!(mail["headers"].as_array().unwrap().len(), 12, "{mail}");
    assert_eq!(mail["defects"], json!([]));
    let subject = header(mail, "Subject");
    assert!(
        subject.starts_with("[TESTING] FIRING bösex␊Bcc: evil@example.com"),
        "{subject}"
    );
    assert!(
        !mail["parts"]["text/html"]
            .as_str()
            .unwrap()
            .contains("<script")
    );
}

#[tokio::test]
async fn the_end_of_an_alert_belongs_to_its_beginning() {
    let server = MailServer::start(&[]).await;
    let mut letter = build::letter(&["anna@example.com"], "full");
    let post = post(&server.url());
    deliver_once(&compose(&letter, &build::site(), 7), &post).await;
    letter.findings[0].news = neelix_cronjob::digest::News::Resolved;
    letter.findings[0].alert.resolved_us = Some(build::site().now_us);
    deliver_once(&compose(&letter, &build::site(), 8), &post).await;
    let mails = server.mails();
    let [fired, resolved] = &mails[..] else {
        panic!("{mails:?}");
    };
    assert_eq!(header(fired, "References"), header(resolved, "References"));
    assert_ne!(header(fired, "Message-ID"), header(resolved, "Message-ID"));
}

#[tokio::test]
async fn a_test_of_recipients_arrives() {
    let server = MailServer::start(&[]).await;
    let rule = build::letter(&["anna@example.com"], "").rule;
    deliver_once(&compose_test(&rule, &build::site()), &post(&server.url())).await;
    let mail = &server.mails()[0];
    assert_eq!(header(mail, "Subject"), "[TESTING] TEST payments");
    assert!(!mail["headers"].to_string().contains("References"));
}

/// A letter to make notifications of.
pub(crate) mod build {
    use domain::{Alert, AlertKind, AlertSubject, Notification, Record, Rule, Stage};
    use neelix_cronjob::digest::{Evidence, Finding, Letter, News, Site, compose};

    pub(crate) fn site() -> Site {
        Site {
            stage: Stage::Testing,
            url: "http://herald.example.com".to_owned(),
            link_key: vec![7; 32],
            domain: "host.example.com".to_owned(),
            now_us: 1_795_997_400_000_000,
        }
    }

    pub(crate) fn notification(recipients: &[&str], message: &str) -> Notification {
        compose(&letter(recipients, message), &site(), 7)
    }

    pub(crate) fn letter(recipients: &[&str], message: &str) -> Letter {
        let record = Record {
            message: message.to_owned(),
            ..testkit::record(1)
        };
        Letter {
            rule: Rule {
                name: "payments".to_owned(),
                text: "[payments]\nMSG = full".to_owned(),
                recipients: recipients.iter().map(|&it| it.to_owned()).collect(),
                line: 1,
            },
            findings: vec![Finding {
                alert: alert(),
                news: News::Fired,
                evidence: Evidence {
                    first: vec![record],
                    ..Evidence::default()
                },
                earlier: 0,
                search: "full".to_owned(),
                heard_us: None,
            }],
        }
    }

    fn alert() -> Alert {
        Alert {
            id: 17,
            subject: AlertSubject {
                rule: "payments".to_owned(),
                condition: "MSG=full".to_owned(),
                system_id: "payments".to_owned(),
                sub_system_id: String::new(),
            },
            kind: AlertKind::Match,
            reason: "a record contains `full`".to_owned(),
            opened_us: site().now_us,
            resolved_us: None,
            since_us: site().now_us - 1,
            last_us: site().now_us - 1,
            first_record_id: 1,
            last_record_id: 1,
            records: 1,
            records_unnotified: 0,
            notified_us: 0,
            acknowledged_us: None,
            silenced_until_us: None,
        }
    }
}
