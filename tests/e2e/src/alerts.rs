//! neelix's part of the protocol, without neelix: a run that finds what a story needs,
//! and tells people of it.

use domain::{
    Alert, AlertKind, AlertSubject, Delivery, DeliveryChannel, DeliveryState, Heartbeat,
    HeartbeatState, Micros, Notification, Rule, RunState,
};
use proto::v1::{
    BeginRunRequest, CommitRunRequest, EndRunRequest, ListDueNotificationsRequest,
    ReportDeliveryRequest, run_service_client::RunServiceClient,
};
use runtime::grpc::Client;

const SECOND: Micros = 1_000_000;
const MINUTE: Micros = 60 * SECOND;
const HOUR: Micros = 60 * MINUTE;

/// What a run finds.
#[derive(Debug, Default)]
pub struct Findings {
    /// Ids are those that the store wants next.
    pub alerts: Vec<Alert>,
    /// What is told; which alerts by their place in `alerts`.
    pub notifications: Vec<Notification>,
    /// What is expected.
    pub heartbeats: Vec<Heartbeat>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// What went wrong.
    pub errors: Vec<String>,
}

/// One run, from its beginning to its end: every delivery has the end that its
/// `state` and `error` tell.
///
/// # Panics
/// When the store does not take it.
pub async fn run(url: &str, find: impl FnOnce(&RunState) -> Findings) {
    let channel = runtime::grpc::channel(url).expect("the URL of a store");
    let mut client = RunServiceClient::new(channel);
    let begun = client
        .begin_run(BeginRunRequest {
            holder: "cellar:4711".to_owned(),
            version: "0.1.0".to_owned(),
            lease_s: 60,
            interval_s: 300,
        })
        .await
        .expect("a run that begins")
        .into_inner();
    let run_id = begun.run_id;
    let state: RunState = begun.state.expect("a state").try_into().expect("a state");
    let findings = find(&state);
    let ends: Vec<Delivery> = findings
        .notifications
        .iter()
        .flat_map(|notification| notification.deliveries.clone())
        .collect();
    let waiting = findings.notifications.into_iter().map(|mut notification| {
        for delivery in &mut notification.deliveries {
            delivery.state = DeliveryState::Waiting;
            delivery.error.clear();
            delivery.next_attempt_us = state.now_us;
        }
        notification.into()
    });
    let request = CommitRunRequest {
        run_id,
        through_id: state.newest_id,
        alerts: findings.alerts.into_iter().map(Into::into).collect(),
        notifications: waiting.collect(),
        heartbeats: findings.heartbeats.into_iter().map(Into::into).collect(),
        rules: findings.rules.into_iter().map(Into::into).collect(),
    };
    client.commit_run(request).await.expect("a commit");
    report(&mut client, run_id, &ends).await;
    let errors = findings.errors;
    let ended = client.end_run(EndRunRequest { run_id, errors }).await;
    ended.expect("a run that ends");
}

async fn report(client: &mut RunServiceClient<Client>, run_id: u64, ends: &[Delivery]) {
    let due = client
        .list_due_notifications(ListDueNotificationsRequest { run_id, limit: 100 })
        .await
        .expect("what is due")
        .into_inner();
    for delivery in due.notifications.into_iter().flat_map(|it| it.deliveries) {
        let is_it = |end: &&Delivery| end.recipient == delivery.recipient;
        let end = ends.iter().find(is_it).expect("a delivery of this run");
        let end = Delivery {
            id: delivery.id,
            ..end.clone()
        };
        let delivery = Some(end.into());
        let request = ReportDeliveryRequest { run_id, delivery };
        client.report_delivery(request).await.expect("a report");
    }
}

/// What neelix would have found in the bakery by now; `text` stands wherever people or
/// programs have a say, or what they would say when it is none.
#[must_use]
pub fn bakery(state: &RunState, incident_us: Micros, text: Option<&str>) -> Findings {
    let now = state.now_us;
    let said = |own: &str| text.unwrap_or(own).to_owned();
    let next = state.next_alert_id;
    let alert = |index: u64, rule: &str, condition: &str, system: &str| Alert {
        id: next + index,
        subject: AlertSubject {
            rule: said(rule),
            condition: said(condition),
            // What goes on at a time differs in its subject.
            system_id: text.map_or_else(|| system.to_owned(), |text| format!("{text}{index}")),
            sub_system_id: text.unwrap_or_default().to_owned(),
        },
        kind: AlertKind::Match,
        reason: String::new(),
        opened_us: now,
        resolved_us: None,
        since_us: now - 12 * MINUTE,
        last_us: now - 2 * MINUTE,
        first_record_id: state.newest_id.saturating_sub(90).max(1),
        last_record_id: state.newest_id,
        records: 0,
        records_unnotified: 0,
        notified_us: now,
        acknowledged_us: None,
        silenced_until_us: None,
    };
    let silence =
        |index, rule: &str, condition: &str, system: &str, since_us, reason: &str| Alert {
            kind: AlertKind::Heartbeat,
            since_us,
            last_us: 0,
            last_record_id: 0,
            first_record_id: if since_us > 0 { state.newest_id } else { 0 },
            reason: said(reason),
            ..alert(index, rule, condition, system)
        };
    let alerts = vec![
        Alert {
            reason: said("11 records with “payment of order”, level ERROR and above"),
            since_us: incident_us,
            last_us: incident_us + 205 * SECOND,
            records: 11,
            records_unnotified: 10,
            ..alert(0, "payments", "MSG=payment of order", "payments")
        },
        silence(
            1,
            "oven",
            "AGE=2h",
            "oven",
            now - 3 * HOUR,
            "no record for 3 h, at most 2 h are right",
        ),
        silence(
            2,
            "backup",
            "SCHEDULE=0 2 * * *",
            "backup",
            0,
            "has never been seen, and was due at 02:00 UTC",
        ),
        Alert {
            kind: AlertKind::Count,
            reason: said("23 records with “drawer” within 10 min, 20 are too many"),
            records: 23,
            ..alert(3, "till", "MSG=drawer", "till")
        },
    ];
    let delivery = |recipient: &str, state, error: &str| Delivery {
        id: 0,
        channel: DeliveryChannel::Mail,
        recipient: recipient.to_owned(),
        state,
        attempts: 0,
        next_attempt_us: now + 10 * MINUTE,
        error: match error {
            "" => String::new(),
            error => said(error),
        },
        delivered_us: (state == DeliveryState::Delivered).then_some(now),
    };
    let letter = |number: u64, subject: &str, alert_ids: Vec<u64>, deliveries| Notification {
        message_id: format!("herald.{next}.{number}@cellar"),
        created_us: now,
        subject: said(subject).replace(char::is_control, " "),
        text: said(LETTER),
        html: said("<p>see the text</p>"),
        json: "{}".to_owned(),
        alert_ids,
        deliveries,
        ..Notification::default()
    };
    let notifications = vec![
        letter(
            1,
            "[TESTING] firing: payments, payment of order",
            vec![next],
            vec![
                delivery("anna@bakery.example", DeliveryState::Delivered, ""),
                delivery(
                    "bert@bakery.example",
                    DeliveryState::Failed,
                    "550 5.1.1 no such user here",
                ),
            ],
        ),
        letter(
            2,
            "[TESTING] silent: oven, backup",
            vec![next + 1, next + 2],
            vec![delivery(
                "night@bakery.example",
                DeliveryState::Waiting,
                "cannot reach mail.bakery.example:25: connection refused",
            )],
        ),
        letter(
            3,
            "[TESTING] firing: till, drawer",
            vec![next + 3],
            vec![delivery("till@bakery.example", DeliveryState::Kept, "")],
        ),
    ];
    Findings {
        alerts,
        notifications,
        heartbeats: heartbeats(now, text),
        rules: rules(text),
        errors: text.map(|text| vec![text.to_owned()]).unwrap_or_default(),
    }
}

/// The same alerts, of which the first two have ended.
#[must_use]
pub fn calmed(state: &RunState) -> Findings {
    let now = state.now_us;
    let ended = state.alerts.iter().take(2).cloned().map(|alert| Alert {
        resolved_us: Some(now),
        ..alert
    });
    Findings {
        alerts: ended.collect(),
        heartbeats: heartbeats(now, None),
        rules: rules(None),
        errors: vec!["2 mails wait for mail.bakery.example:25, which cannot be reached".to_owned()],
        ..Findings::default()
    }
}

fn heartbeats(now: Micros, text: Option<&str>) -> Vec<Heartbeat> {
    let heartbeat =
        |index: usize, system: &str, expected: &str, state, last: Micros, due| Heartbeat {
            rule: text.unwrap_or(system).to_owned(),
            condition: "AGE=2h".to_owned(),
            system_id: text.map_or_else(|| system.to_owned(), |text| format!("{text}{index}")),
            sub_system_id: text.unwrap_or_default().to_owned(),
            expected: text.unwrap_or(expected).to_owned(),
            state,
            since_us: now - 30 * MINUTE,
            last_received_us: last,
            due_us: due,
            expected_since_us: now - 48 * HOUR,
        };
    vec![
        heartbeat(
            0,
            "backup",
            "every day at 02:00 (UTC)",
            HeartbeatState::NeverSeen,
            0,
            now - 7 * HOUR,
        ),
        heartbeat(
            1,
            "oven",
            "every 2 h",
            HeartbeatState::Down,
            now - 3 * HOUR,
            now - HOUR,
        ),
        heartbeat(
            2,
            "payments",
            "every 10 min",
            HeartbeatState::Up,
            now - 20 * SECOND,
            now + 9 * MINUTE,
        ),
        heartbeat(
            3,
            "till",
            "every 5 min",
            HeartbeatState::Late,
            now - 6 * MINUTE,
            now - MINUTE,
        ),
    ]
}

fn rules(text: Option<&str>) -> Vec<Rule> {
    let rule = |name: &str, line, body: &str, recipients: &[&str]| Rule {
        name: text.unwrap_or(name).to_owned(),
        text: text.map_or_else(|| format!("[{name}]\n{body}"), str::to_owned),
        recipients: recipients
            .iter()
            .map(|it| text.unwrap_or(it).to_owned())
            .collect(),
        line,
    };
    if text.is_some() {
        return vec![rule("evil", 1, "", &["evil"])];
    }
    vec![
        rule(
            "payments",
            3,
            "# The bank's line is not ours: tell both.\nMAIL_TO=anna@bakery.example, bert@bakery.example\nMSG=payment of order\nLEVEL=ERROR\nAGE=10*60\n",
            &["anna@bakery.example", "bert@bakery.example"],
        ),
        rule(
            "oven",
            10,
            "MAIL_TO=night@bakery.example\nAGE=2h\n",
            &["night@bakery.example"],
        ),
        rule(
            "backup",
            14,
            "MAIL_TO=night@bakery.example\nSCHEDULE=0 2 * * *\n",
            &["night@bakery.example"],
        ),
        rule(
            "till",
            18,
            "MAIL_TO=till@bakery.example\nMSG=drawer\nCOUNT=20\nWITHIN=10m\nAGE=5m\n",
            &["till@bakery.example"],
        ),
    ]
}

const LETTER: &str = "payments: 11 records with “payment of order”, level ERROR and above.\n\n\
    Rule [payments], line 3:\n    MSG=payment of order\n    LEVEL=ERROR\n\n\
    02:47:00  ERROR  payments/north  payment of order 4711 failed\n\
    02:47:09  ERROR  payments/north  payment of order 4712 failed\n\
    02:47:21  ERROR  payments/north  payment of order 4713 failed\n\
    … 5 more …\n\
    02:50:25  ERROR  payments/north  payment of order 4721 failed\n\n\
    Nothing like it in the 30 days before.\n";
