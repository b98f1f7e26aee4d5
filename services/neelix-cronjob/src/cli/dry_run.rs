//! `--dry-run`: the mails that a run would send; with `--since`, what the rules would
//! have found in the past.

use domain::{Micros, Notification};
use serde_json::{Value, json};

use super::{Format, wrong_rules};
use crate::{
    config::Config,
    duration, job, output,
    rehearsal::{self, Rehearsed},
    store_client::StoreClient,
};

/// How many single alarms are shown of each rule and system.
const SHOWN: usize = 20;

pub(super) async fn run(config: &Config, format: Format) -> anyhow::Result<()> {
    let store = StoreClient::new(&config.store_url, &config.tls)?;
    let state = store.state().await?;
    let rules = job::load(config, state.now_us)?
        .map_err(|problems| wrong_rules(&job::lines(config, &problems)))?;
    let judged = job::examine(&store, config, &rules, &state, 0).await?;
    let notifications = &judged.notifications;
    match format {
        Format::Json => {
            let notifications: Vec<Value> = notifications.iter().map(as_json).collect();
            output::say(json!({ "notifications": notifications }))?;
        }
        Format::Text if notifications.is_empty() => output::say("There is nothing to tell.")?,
        Format::Text => {
            for notification in notifications {
                output::say(format_args!(
                    "To: {}\nSubject: {}\n\n{}\n",
                    recipients(notification).join(", "),
                    notification.subject,
                    notification.text.trim_end()
                ))?;
            }
        }
    }
    Ok(())
}

pub(super) async fn rehearse(
    config: &Config,
    since_us: Micros,
    format: Format,
) -> anyhow::Result<()> {
    let store = StoreClient::new(&config.store_url, &config.tls)?;
    let state = store.state().await?;
    let rules = job::load(config, state.now_us)?
        .map_err(|problems| wrong_rules(&job::lines(config, &problems)))?;
    let interval_us = Micros::try_from(config.interval.as_micros()).unwrap_or(Micros::MAX);
    let rehearsed =
        rehearsal::rehearse(&store, &rules.rules, &state, since_us, interval_us).await?;
    if format == Format::Json {
        let rehearsed: Vec<Value> = rehearsed.iter().map(rehearsed_json).collect();
        output::say(json!({ "since_us": state.now_us - since_us, "found": rehearsed }))?;
        return Ok(());
    }
    if rehearsed.is_empty() {
        output::say("No rule would have found anything.")?;
    }
    for found in &rehearsed {
        let sub_system = match found.sub_system_id.as_str() {
            "" => String::new(),
            sub_system => format!("/{sub_system}"),
        };
        output::say(format_args!(
            "[{}] {} {}{sub_system}: {} alarms{}",
            found.rule,
            found.condition,
            found.system_id,
            found.alarms.len(),
            match found.records {
                0 => String::new(),
                records => format!(", {records} records"),
            }
        ))?;
        for alarm in found.alarms.iter().take(SHOWN) {
            let end = match alarm.until_us {
                Some(until) => format!(" for {}", duration::for_people(until - alarm.from_us)),
                None => String::new(),
            };
            output::say(format_args!("  {}{end}", rehearsal::moment(alarm.from_us)))?;
        }
        if found.alarms.len() > SHOWN {
            output::say(format_args!("  and {} more", found.alarms.len() - SHOWN))?;
        }
    }
    Ok(())
}

fn recipients(notification: &Notification) -> Vec<&str> {
    let deliveries = notification.deliveries.iter();
    deliveries
        .map(|delivery| delivery.recipient.as_str())
        .collect()
}

fn as_json(notification: &Notification) -> Value {
    json!({
        "recipients": recipients(notification),
        "subject": notification.subject,
        "text": notification.text,
        "html": notification.html,
    })
}

fn rehearsed_json(found: &Rehearsed) -> Value {
    let alarms = found.alarms.iter();
    let alarms = alarms.map(|alarm| json!({"from_us": alarm.from_us, "until_us": alarm.until_us}));
    json!({
        "rule": found.rule,
        "condition": found.condition,
        "system_id": found.system_id,
        "sub_system_id": found.sub_system_id,
        "records": found.records,
        "alarms": alarms.collect::<Vec<_>>(),
    })
}
