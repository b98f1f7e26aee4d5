//! What a run may hand in, case by case.

use domain::{Delivery, DeliveryChannel, DeliveryState, Notification};

use super::{super::Begin, super::Findings, begin, errors, findings};

fn of_notification(change: impl FnOnce(&mut Notification)) -> Findings {
    let mut notification = Notification {
        message_id: "1.a-b_c@herald".to_owned(),
        deliveries: vec![Delivery {
            id: 0,
            channel: DeliveryChannel::Mail,
            recipient: "ops@example.org".to_owned(),
            state: DeliveryState::Waiting,
            attempts: 0,
            next_attempt_us: 0,
            error: String::new(),
            delivered_us: None,
        }],
        ..Notification::default()
    };
    change(&mut notification);
    Findings {
        through_id: 0,
        alerts: Vec::new(),
        notifications: vec![notification],
        heartbeats: Vec::new(),
        rules: Vec::new(),
    }
}

#[test]
fn notifications_are_bounded() {
    let check = |expected: &str, change: fn(&mut Notification)| {
        let outcome = findings(&of_notification(change)).map_err(|error| error.to_string());
        assert_eq!(outcome.err().unwrap_or_default(), expected);
    };
    check("", |_| {});
    check("", |it| it.text = "x".repeat(1 << 20));
    check("text has 1048577 bytes: 1048576 are the most", |it| {
        it.text = "x".repeat((1 << 20) + 1);
    });
    check("message_id is letters, digits and `.-_@`", |it| {
        it.message_id = "a\nb".to_owned();
    });
    check("message_id is letters, digits and `.-_@`", |it| {
        it.message_id.clear();
    });
    check("message_id has 201 bytes: 200 are the most", |it| {
        it.message_id = "x".repeat(201);
    });
    check("subject is one line, without control characters", |it| {
        it.subject = "a\r\nBcc: b".to_owned();
    });
    check("recipient is one line, and not empty", |it| {
        it.deliveries[0].recipient = "a@b\n".to_owned();
    });
    check("a new delivery waits, or is kept", |it| {
        it.deliveries[0].state = DeliveryState::Failed;
    });
    check("deliveries has 1001 entries: 1000 are the most", |it| {
        it.deliveries = vec![it.deliveries[0].clone(); 1_001];
    });
}

#[test]
fn nothing_comes_twice() {
    let mut twice = of_notification(|_| {});
    twice.notifications.push(twice.notifications[0].clone());
    let error = findings(&twice).unwrap_err().to_string();
    assert_eq!(error, "notification 1.a-b_c@herald comes twice");
}

#[test]
fn leases_and_errors_are_bounded() {
    let check = |lease_us: i64, holder: usize, is_good: bool| {
        let who = Begin {
            holder: "x".repeat(holder),
            version: String::new(),
            lease_us,
            interval_us: 0,
        };
        assert_eq!(begin(&who).is_ok(), is_good);
    };
    check(1_000_000, 200, true);
    check(600_000_000, 0, true);
    check(600_000_001, 0, false);
    check(0, 0, false);
    check(1_000_000, 201, false);
    assert!(errors(&vec![String::new(); 100]).is_ok());
    assert!(errors(&vec![String::new(); 101]).is_err());
}
