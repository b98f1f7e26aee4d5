//! What people read, word by word; and that no text from outside gets its way.

mod build;
mod hostile;
mod json;
mod storm;

use domain::{DeliveryChannel, DeliveryState};

use super::{News, Site, compose, compose_test};
use build::{MINUTE, heartbeat, letter, matched, record, rule, site};

#[test]
fn a_match_tells_what_fired_why_and_where() {
    let letter = letter("payments", [matched(17, "payments", 12)]);
    let mail = compose(&letter, &site(), 4711);
    assert_eq!(mail.subject, "[PRODUCTION] FIRING payments: payments");
    assert_eq!(
        mail.message_id,
        "herald.production.r4711.df384ae97c77ad30@host-1.example.com"
    );
    assert_eq!(mail.alert_ids, [17]);
    insta::assert_snapshot!(mail.text, @r#"
    FIRING  payments
    PRODUCTION, 2026-11-30 00:10:00 UTC

    records contain `disk full`

    Why:                 MSG=disk full
    Since:               2026-11-29 23:51:40 UTC
    For:                 18 min 20 s
    How many:            12 records match
    Fired before:        never

    MATCHING RECORDS, times in UTC

    2026-11-29 23:51:40.000  ERROR  payments/host_3  module_3.function_3:13
        disk full on /var/0
          Traceback (most recent call last):
            File "pay.py", line 3, in pay
          OSError: [Errno 28] No space left
        https://herald.example.com/record/100

    2026-11-29 23:51:41.000  ERROR  payments/host_3  module_3.function_3:13
        disk full on /var/1
        https://herald.example.com/record/101

    2026-11-29 23:51:42.000  ERROR  payments/host_3  module_3.function_3:13
        disk full on /var/2
        https://herald.example.com/record/102

    2026-11-29 23:51:43.000  ERROR  payments/host_3  module_3.function_3:13
        disk full on /var/3
        https://herald.example.com/record/103

    2026-11-29 23:51:44.000  ERROR  payments/host_3  module_3.function_3:13
        disk full on /var/4
        https://herald.example.com/record/104

        … 2 records in between …

    2026-11-29 23:51:47.000  ERROR  payments/host_3  module_3.function_3:13
        disk full on /var/7
        https://herald.example.com/record/107

    2026-11-29 23:51:48.000  ERROR  payments/host_3  module_3.function_3:13
        disk full on /var/8
        https://herald.example.com/record/108

    2026-11-29 23:51:49.000  ERROR  payments/host_3  module_3.function_3:13
        disk full on /var/9
        https://herald.example.com/record/109

    2026-11-29 23:51:50.000  ERROR  payments/host_3  module_3.function_3:13
        disk full on /var/10
        https://herald.example.com/record/110

    2026-11-29 23:51:51.000  ERROR  payments/host_3  module_3.function_3:13
        disk full on /var/11
        https://herald.example.com/record/111

    Alert:               https://herald.example.com/alerts/17
    Matching records:    https://herald.example.com/?q=%22disk+full%22&system_id=payments&from=2026-11-29T23%3A51%3A40.000000Z&to=2026-11-29T23%3A51%3A52.000000Z
    Silence 1 h:         https://herald.example.com/alerts/17/silence?for=1h&expires=1798589400&signature=dDSR9n5l5glPeJMONv4uiKhKl2lnIF-t0tBuG7s28v0
    Silence 1 d:         https://herald.example.com/alerts/17/silence?for=1d&expires=1798589400&signature=5hT2g8yxHU9T2qRI_zQkhWBHhWO0VjexNJ9bDMzepLw

    THE RULE, line 12 of the rules file

        [payments]
        MSG = disk full
        AGE = 60*60*2

        https://herald.example.com/alerts?rule=payments#rules

    All alerts:          https://herald.example.com/alerts

    Herald's neelix, PRODUCTION. Times are in UTC.
    "#);
}

#[test]
fn a_heartbeat_tells_the_last_sign_of_life() {
    let mut finding = heartbeat(3, "backup");
    finding.earlier = 2;
    let mail = compose(&letter("backup", [finding]), &site(), 1);
    insta::assert_snapshot!(mail.text, @r"
    FIRING  backup
    PRODUCTION, 2026-11-30 00:10:00 UTC

    no record for 2 h 10 min, expected every 2 h

    Why:                 AGE=2h
    Last heard of:       2026-11-29 22:00:00 UTC
    Silent for:          2 h 10 min
    Fired before:        2 times

    Alert:               https://herald.example.com/alerts/3
    Its log:             https://herald.example.com/?system_id=backup
    Silence 1 h:         https://herald.example.com/alerts/3/silence?for=1h&expires=1798589400&signature=QTi5ErZxmG31dJgrkbj7D7_hnlOi9AvRuL84Tr8OXbU
    Silence 1 d:         https://herald.example.com/alerts/3/silence?for=1d&expires=1798589400&signature=HBsS95gaVUwCm5RaiYO5e53G5tffhuQusv1GDiHJvQQ

    THE RULE, line 12 of the rules file

        [backup]
        MSG = disk full
        AGE = 60*60*2

        https://herald.example.com/alerts?rule=backup#rules

    All alerts:          https://herald.example.com/alerts

    Herald's neelix, PRODUCTION. Times are in UTC.
    ");
}

#[test]
fn the_end_tells_how_long_it_lasted() {
    let mut finding = heartbeat(3, "backup");
    finding.news = News::Resolved;
    finding.alert.resolved_us = Some(finding.alert.since_us + 95 * MINUTE);
    finding.alert.reason = "heard of again".to_owned();
    let mail = compose(&letter("backup", [finding]), &site(), 1);
    assert_eq!(mail.subject, "[PRODUCTION] RESOLVED backup: backup");
    let facts = [
        "Until:               2026-11-29 23:35:00 UTC",
        "It lasted:           1 h 35 min",
    ];
    for fact in facts {
        assert!(mail.text.contains(fact), "{fact}: {}", mail.text);
    }
    assert!(!mail.text.contains("/silence"), "{}", mail.text);
    assert!(!mail.html.contains("/silence"), "{}", mail.html);
}

#[test]
fn a_system_never_seen_has_no_last_record() {
    let mut finding = heartbeat(3, "backup");
    finding.alert.since_us = 0;
    let mail = compose(&letter("backup", [finding]), &site(), 1);
    assert!(
        mail.text.contains("Last heard of:       never"),
        "{}",
        mail.text
    );
    assert!(!mail.text.contains("1970"), "{}", mail.text);
}

#[test]
fn a_subject_says_it_all_in_one_line() {
    let check = |findings: Vec<super::Finding>, rule: &str, expected: &str| {
        let mail = compose(&letter(rule, findings), &site(), 1);
        assert_eq!(mail.subject, expected);
    };
    let with = |news, id, system: &str| {
        let mut finding = matched(id, system, 1);
        finding.news = news;
        finding
    };
    check(
        vec![
            with(News::Fired, 1, "a"),
            with(News::Fired, 2, "b"),
            with(News::Resolved, 3, "c"),
        ],
        "job_*",
        "[PRODUCTION] FIRING a and 1 more, RESOLVED c: job_*",
    );
    check(
        vec![with(News::Reminder, 1, "a")],
        "a",
        "[PRODUCTION] STILL FIRING a: a",
    );
    check(
        vec![with(News::Fired, 1, "a\r\nBcc: x@y.z")],
        "b\0\u{202e}",
        "[PRODUCTION] FIRING a␊Bcc: x@y.z: b␀<U+202E>",
    );
    let long = "s".repeat(1 << 20);
    let mail = compose(&letter(&long, [with(News::Fired, 1, &long)]), &site(), 1);
    assert!(mail.subject.len() < 200, "{}", mail.subject.len());
    let mut finding = matched(1, "a", 1);
    finding.alert.subject.sub_system_id = "host1".to_owned();
    check(vec![finding], "a/*", "[PRODUCTION] FIRING a/host1: a/*");
}

#[test]
fn many_systems_are_lines_below_the_first_few() {
    let findings = (1..=250).map(|id| matched(id, &format!("job_{id}"), 1));
    let mail = compose(&letter("job_*", findings), &site(), 1);
    assert_eq!(
        mail.subject,
        "[PRODUCTION] FIRING job_1 and 249 more: job_*"
    );
    assert!(mail.text.contains("---- FIRING  job_1\n"), "{}", mail.text);
    assert!(
        mail.text.contains("\nFIRING        job_20\n"),
        "{}",
        mail.text
    );
    assert!(mail.text.contains(" more\n"), "{}", mail.text);
    assert_eq!(mail.alert_ids.len(), 250);
}

#[test]
fn a_test_is_marked_as_one() {
    let mail = compose_test(&rule("payments"), &site());
    assert_eq!(mail.subject, "[PRODUCTION] TEST payments");
    insta::assert_snapshot!(mail.text, @r"
    TEST  payments
    PRODUCTION, 2026-11-30 00:10:00 UTC

    This is a test: nothing has happened. Whoever reads it will be told when this rule finds something.

    THE RULE, line 12 of the rules file

        [payments]
        MSG = disk full
        AGE = 60*60*2

        https://herald.example.com/alerts?rule=payments#rules

    All alerts:          https://herald.example.com/alerts

    Herald's neelix, PRODUCTION. Times are in UTC.
    ");
}

#[test]
fn each_recipient_has_a_delivery() {
    let mut letter = letter("payments", [matched(1, "payments", 1)]);
    letter.rule.recipients = ["a@b.c", "https://chat.example.com/x", "d@e.f", "a@b.c"]
        .map(str::to_owned)
        .into();
    let mail = compose(&letter, &site(), 1);
    let deliveries: Vec<_> = mail
        .deliveries
        .iter()
        .map(|it| (it.channel, it.recipient.as_str(), it.state))
        .collect();
    let waiting = DeliveryState::Waiting;
    assert_eq!(
        deliveries,
        [
            (DeliveryChannel::Mail, "a@b.c", waiting),
            (
                DeliveryChannel::Webhook,
                "https://chat.example.com/x",
                waiting
            ),
            (DeliveryChannel::Mail, "d@e.f", waiting),
        ]
    );
    assert_eq!(mail.mail_to, ["a@b.c", "d@e.f"]);
    assert_eq!(mail.created_us, site().now_us);
}

#[test]
fn the_same_findings_make_the_same_notification() {
    let letter = letter("payments", [matched(1, "payments", 12)]);
    assert_eq!(compose(&letter, &site(), 1), compose(&letter, &site(), 1));
    let other = compose(&letter, &site(), 2);
    assert_ne!(compose(&letter, &site(), 1).message_id, other.message_id);
    let strange = Site {
        domain: "häst\r\n name".to_owned(),
        ..site()
    };
    let id = compose(&letter, &strange, 1).message_id;
    assert!(id.ends_with("@h-st---name"), "{id}");
}

#[test]
fn a_secret_of_the_rule_is_not_told() {
    let mut letter = letter("payments", [matched(1, "payments", 1)]);
    letter.rule.text = "[payments]\nMSG = full\nWebHook: https://hooks.example.com/secret\n\
                        \thttps://hooks.example.com/secret2\nAGE = 2h"
        .to_owned();
    let mail = compose(&letter, &site(), 1);
    for part in [&mail.text, &mail.html, &mail.json] {
        assert!(!part.contains("secret"), "{part}");
    }
    assert!(
        mail.text.contains("    MSG = full\n    AGE = 2h\n"),
        "{}",
        mail.text
    );
}

#[test]
fn neighbours_are_shown_around_the_first() {
    let mut finding = matched(17, "payments", 1);
    finding.evidence.around = (98..=102)
        .map(|id| record(id, &format!("step {id}")))
        .collect();
    let mail = compose(&letter("payments", [finding]), &site(), 1);
    let (_, around) = mail.text.split_once("AROUND THE FIRST OF THEM\n").unwrap();
    let (around, _) = around.split_once("Alert:").unwrap();
    insta::assert_snapshot!(around, @r"
      2026-11-29 23:51:38.000  ERROR
        step 98
      2026-11-29 23:51:39.000  ERROR
        step 99
    > 2026-11-29 23:51:40.000  ERROR
        step 100
      2026-11-29 23:51:41.000  ERROR
        step 101
      2026-11-29 23:51:42.000  ERROR
        step 102
    ");
}
