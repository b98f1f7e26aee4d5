//! Many systems that fall silent, and are back, at once.

use serde_json::Value;

use super::build::{MINUTE, heartbeat, letter, record, rule, site};
use crate::digest::{Letter, News, compose_storm};

#[test]
fn a_storm_is_one_calm_mail_to_all() {
    let letters: Vec<Letter> = (1..=580)
        .map(|id| {
            let mut letter = letter("", [heartbeat(id, &format!("job_{id}"))]);
            letter.rule = rule(&format!("job_{id}"));
            letter.rule.recipients = vec![
                "all@example.com".to_owned(),
                format!("{}@example.com", id % 3),
            ];
            letter
        })
        .collect();
    let mail = compose_storm(&letters, &site(), 9);
    assert_eq!(
        mail.subject,
        "[PRODUCTION] FIRING 580 systems: silent at once"
    );
    assert_eq!(
        mail.mail_to,
        [
            "all@example.com",
            "1@example.com",
            "2@example.com",
            "0@example.com"
        ]
    );
    let (head, rest) = mail.text.split_once("FIRING        job_3").unwrap();
    insta::assert_snapshot!(head, @r"
    FIRING  580 systems silent at once
    PRODUCTION, 2026-11-30 00:10:00 UTC

    When so many fall silent together, the reason is mostly what they share: a machine, a network, power, or their way to Herald. Look there first. This one mail stands for all of them.

    FIRING        job_1
                  no record for 2 h 10 min, expected every 2 h
    FIRING        job_2
                  no record for 2 h 10 min, expected every 2 h
    ");
    let (_, end) = rest.split_once("FIRING        job_100\n").unwrap();
    insta::assert_snapshot!(end, @r"
                  no record for 2 h 10 min, expected every 2 h
                  and 480 more

    All alerts:          https://herald.example.com/alerts

    Herald's neelix, PRODUCTION. Times are in UTC.
    ");
    let json: Value = serde_json::from_str(&mail.json).unwrap();
    assert_eq!(
        (&json["kind"], &json["more_alerts"]),
        (&"storm".into(), &530.into())
    );

    let reminded: Vec<Letter> = letters
        .iter()
        .cloned()
        .map(|mut letter| {
            letter.findings[0].news = News::Reminder;
            letter
        })
        .collect();
    let reminder = compose_storm(&reminded, &site(), 9);
    assert_eq!(
        reminder.subject,
        "[PRODUCTION] STILL FIRING 580 systems: still silent"
    );
    assert_ne!(reminder.message_id, mail.message_id);

    let over: Vec<Letter> = letters
        .into_iter()
        .map(|mut letter| {
            letter.findings[0].news = News::Resolved;
            letter.findings[0].alert.resolved_us = Some(site().now_us);
            letter
        })
        .collect();
    let end = compose_storm(&over, &site(), 9);
    assert_eq!(
        end.subject,
        "[PRODUCTION] RESOLVED 580 systems: heard of again"
    );
    assert_ne!(end.message_id, mail.message_id);
    assert!(
        end.text.contains("the longest silence lasted 2 h 10 min"),
        "{}",
        end.text
    );

    // Guards: the length of an outage without records at hand was that until it was found.
    let known: Vec<Letter> = over
        .into_iter()
        .map(|mut letter| {
            letter.findings[0].heard_us = Some(site().now_us - 100 * MINUTE);
            letter
        })
        .collect();
    let end = compose_storm(&known, &site(), 9);
    assert!(
        end.text.contains("the longest silence lasted 30 min"),
        "{}",
        end.text
    );
}

/// Guards: an import made the length of an outage negative.
#[test]
fn what_was_received_before_a_silence_has_not_ended_it() {
    let mut finding = heartbeat(1, "a");
    finding.news = News::Resolved;
    finding.alert.resolved_us = Some(site().now_us);
    finding.evidence.first = vec![record(1, "old")];
    finding.evidence.first[0].received_us = finding.alert.since_us - MINUTE;
    assert_eq!(finding.until_us(), finding.alert.resolved_us);
    finding.heard_us = Some(site().now_us - MINUTE);
    assert_eq!(finding.until_us(), finding.heard_us);
    finding.evidence.first[0].received_us = finding.alert.since_us + MINUTE;
    assert_eq!(finding.until_us(), Some(finding.alert.since_us + MINUTE));
}
