//! Records that were written to harm who reads the mail.

use domain::{Record, Stage};

use super::build::{letter, matched, record, site};
use crate::{
    digest::{MAX_HTML_BYTES, MAX_TEXT_BYTES, compose},
    mailer,
};

const MARKUP: &str = "</pre><script>alert(1)</script><img src=x onerror=alert(1)> \" ' & <!--";
const CONTROL: &str = "a\r\nBcc: evil@example.com\r\n\r\n.\r\nQUIT\r\nb\0c\x1b[31md\u{9b}1me\u{202e}fdp.exe\u{200b}\u{feff}";

/// A record every text of which is this.
fn evil(text: &str) -> Record {
    let text = || text.to_owned();
    Record {
        level_name: text(),
        logger: text(),
        system_id: text(),
        sub_system_id: text(),
        sub_sub_system_id: text(),
        produkt_id: text(),
        user_spec_1: text(),
        user_spec_2: text(),
        package_version: text(),
        module: text(),
        function: text(),
        path: text(),
        exception: text(),
        stack: text(),
        extra: text(),
        ..record(100, &text())
    }
}

fn evil_letter(text: &str, findings: u64) -> crate::digest::Letter {
    let finding = |id| {
        let mut finding = matched(id, text, 1);
        let evidence = &mut finding.evidence;
        evidence.first = vec![evil(text); 5];
        evidence.last = vec![evil(text); 5];
        evidence.around = vec![evil(text); 11];
        finding.alert.records = 99;
        finding.alert.reason = text.to_owned();
        finding.alert.subject.condition = text.to_owned();
        finding.alert.subject.sub_system_id = text.to_owned();
        finding.search = text.to_owned();
        finding
    };
    let mut letter = letter(text, (1..=findings).map(finding));
    letter.rule.text = text.to_owned();
    letter
}

#[test]
fn markup_is_text() {
    let mail = compose(&evil_letter(MARKUP, 3), &site(), 1);
    for tag in ["<script", "<img", "<!--", "</pre><s"] {
        assert!(!mail.html.contains(tag), "{tag}");
    }
    assert!(mail.html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    let opened = mail.html.matches("<pre").count();
    assert_eq!(opened, mail.html.matches("</pre>").count());
    assert!(mail.text.contains("<script>alert(1)</script>"));
}

#[test]
fn nothing_steers_reorders_or_hides() {
    let mail = compose(&evil_letter(CONTROL, 2), &site(), 1);
    for (name, part) in [
        ("subject", &mail.subject),
        ("text", &mail.text),
        ("html", &mail.html),
        ("json", &mail.json),
    ] {
        let steers = |c: &char| {
            (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{200b}' | '\u{feff}')
        };
        assert_eq!(part.chars().find(steers), None, "{name}");
    }
    assert!(mail.text.contains("b␀c␛[31md<U+009B>1me<U+202E>fdp.exe"));
    assert!(mail.html.contains("&lt;U+202E&gt;fdp.exe"));
}

#[test]
fn no_text_adds_a_header() {
    let notification = compose(&evil_letter(CONTROL, 2), &site(), 1);
    let sender = "neelix@example.com".parse().unwrap();
    let mail = mailer::mail(&notification, Stage::Production, &sender).unwrap();
    let mail = String::from_utf8(mail).unwrap();
    let (head, _) = mail.split_once("\r\n\r\n").unwrap();
    let names: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "Date",
            "Message-ID",
            "From",
            "To",
            "Subject",
            "In-Reply-To",
            "References",
            "Auto-Submitted",
            "X-Herald-Stage",
            "X-Herald-Alert",
            "MIME-Version",
            "Content-Type",
        ]
    );
    assert!(head.lines().all(|line| line.len() <= 998), "{head}");
}

#[test]
fn whatever_there_is_a_mail_stays_small() {
    let sender = "neelix@example.com".parse().unwrap();
    for unit in [
        "x",
        "\"",
        "<",
        "\0",
        "\u{202e}",
        "ü",
        "漢",
        "👩",
        "a\n",
        "\u{e0041}",
        " ",
    ] {
        let long = unit.repeat(5_000);
        let mut huge = evil_letter(&long, 1);
        huge.findings[0].evidence.first[0].message = unit.repeat((1 << 20) / unit.len());
        for (letter, findings) in [(huge, 1), (evil_letter(&long, 30), 30)] {
            let notification = compose(&letter, &site(), 1);
            let sizes = (notification.text.len(), notification.html.len());
            assert!(sizes.0 <= MAX_TEXT_BYTES, "{unit:?} {findings}: {sizes:?}");
            assert!(sizes.1 <= MAX_HTML_BYTES, "{unit:?} {findings}: {sizes:?}");
            assert!(notification.json.len() <= 512 << 10, "{unit:?} {findings}");
            let mail = mailer::mail(&notification, Stage::Production, &sender).unwrap();
            assert!(
                mail.len() <= 256 << 10,
                "{unit:?} {findings}: {}",
                mail.len()
            );
        }
    }
}
