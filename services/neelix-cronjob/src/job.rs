//! One run, top to bottom: begin, judge, keep, tell, end.
//!
//! Until everything that was found has been kept in one transaction, nothing has
//! changed; from then on the outbox has all there is to tell. So a run may end
//! anywhere.

use std::{fs, io, time::Duration};

use anyhow::Context;
use domain::{Notification, RunState};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    config::{self, Config},
    delivery::{Post, StoreClock, deliver_due},
    digest::{Site, compose, compose_rest, compose_storm},
    evidence::Illustrator,
    gather::gather,
    judge::{self, Verdict, judge},
    outbox::Outbox,
    problem::Problem,
    rules::{self, Rules},
    store_client::{Begun, Commitment, StoreClient, StoreError},
};

/// How often the lease is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(15);
/// How many lines of errors a run may have.
const MAX_ERRORS: usize = 100;

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has judged, and told people.
    Done(Summary),
    /// It has told people what was left to tell, but could not judge: the rules are
    /// wrong. What is wrong, a line each.
    BrokenRules(Vec<String>),
    /// Another run goes on; says whose.
    Held(String),
    /// It was asked to end, and has changed nothing.
    Stopped,
}

/// What a run has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many alerts it opened.
    pub opened: u64,
    /// How many it resolved.
    pub resolved: u64,
    /// How many deliveries were accepted.
    pub delivered: u32,
    /// How many failed, for now or for good.
    pub undelivered: u32,
    /// What went wrong, a line each.
    pub errors: Vec<String>,
}

/// Runs once. The rules file is read anew each time.
///
/// # Errors
/// The store cannot be asked, or it failed on the way.
pub async fn run(config: &Config, shutdown: &CancellationToken) -> anyhow::Result<Outcome> {
    let store = StoreClient::new(&config.store_url, &config.tls)?;
    let holder = format!("{} ({})", config::host_name(), std::process::id());
    let interval_s = u32::try_from(config.interval.as_secs()).unwrap_or(u32::MAX);
    let (id, state) = match store.begin(holder, interval_s).await? {
        Begun::Run { id, state } => (id, state),
        Begun::Held(by_whom) => return Ok(Outcome::Held(by_whom)),
    };
    let clock = StoreClock::new(state.now_us);
    let lease = keep_lease(store.clone(), id);
    let run = Run {
        config,
        store: &store,
        id,
        clock,
        shutdown,
    };
    let outcome = run.go(&state).await;
    drop(lease);
    match outcome {
        Ok(outcome) => {
            store.end(id, errors_of(&outcome)).await?;
            Ok(outcome)
        }
        Err(error) => {
            // The lease would end by itself; what went wrong is worth a try.
            let _ = store.end(id, vec![format!("{error:#}")]).await;
            Err(error)
        }
    }
}

fn errors_of(outcome: &Outcome) -> Vec<String> {
    let mut errors = match outcome {
        Outcome::Done(summary) => summary.errors.clone(),
        Outcome::BrokenRules(problems) => problems.clone(),
        Outcome::Stopped => vec!["it was asked to end before it had judged".to_owned()],
        Outcome::Held(_) => Vec::new(),
    };
    errors.truncate(MAX_ERRORS);
    errors
}

/// Renews the lease until it is dropped. When it is lost, the next call says so.
fn keep_lease(store: StoreClient, run_id: u64) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut ticks = interval_at(Instant::now() + RENEW_EVERY, RENEW_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(StoreError::LeaseLost) = store.renew(run_id).await {
                return;
            }
        }
    }))
}

struct Run<'a> {
    config: &'a Config,
    store: &'a StoreClient,
    id: u64,
    clock: StoreClock,
    shutdown: &'a CancellationToken,
}

impl Run<'_> {
    async fn go(&self, state: &RunState) -> anyhow::Result<Outcome> {
        let rules = match load(self.config, state.now_us)? {
            Ok(rules) if rules.is_absent => unless_lost(rules, self.store.has_rules().await?),
            rules => rules,
        };
        let mut summary = Summary::default();
        if let Ok(rules) = &rules {
            let judged = tokio::select! {
                judged = examine(self.store, self.config, rules, state, self.id) => judged?,
                () = self.shutdown.cancelled() => return Ok(Outcome::Stopped),
            };
            let alerts = judged.verdict.alerts.iter();
            summary.opened = alerts
                .clone()
                .filter(|a| a.id >= state.next_alert_id)
                .count() as u64;
            summary.resolved = alerts.filter(|alert| !alert.is_firing()).count() as u64;
            summary.errors = judged.verdict.errors;
            let commitment = Commitment {
                through_id: state.newest_id.max(state.judged_id),
                alerts: judged.verdict.alerts,
                notifications: judged.notifications,
                heartbeats: judged.verdict.heartbeats,
                rules: rules.rules.iter().map(|rule| rule.row.clone()).collect(),
            };
            self.store.commit(self.id, commitment).await?;
        }
        let mut runs = self.store.runs.clone();
        let post = post(self.config);
        let told = deliver_due(&mut runs, self.id, self.clock, &post, self.shutdown).await;
        summary.delivered = told.delivered;
        summary.undelivered = told.undelivered;
        summary.errors.extend(told.errors);
        match rules {
            Ok(_) => Ok(Outcome::Done(summary)),
            Err(problems) => Ok(Outcome::BrokenRules(lines(self.config, &problems))),
        }
    }
}

/// What a run has found, and what it would tell.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) notifications: Vec<Notification>,
}

/// Asks the store, judges, and writes notifications. Changes nothing.
pub(crate) async fn examine(
    store: &StoreClient,
    config: &Config,
    rules: &Rules,
    state: &RunState,
    run_id: u64,
) -> Result<Judged, StoreError> {
    let found = gather(store, &rules.rules, state).await?;
    let mut verdict = judge(&rules.rules, &found, state);
    drop(found);
    let post = judge::sort(std::mem::take(&mut verdict.told));
    let site = site(config, state);
    let mut illustrator = Illustrator::new(store, state);
    let mut outbox = Outbox::default();
    let mut rest = Vec::new();
    for told in post.letters {
        if !outbox.has_room() {
            rest.extend(told);
            continue;
        }
        for letter in illustrator.letters(&rules.rules, told).await? {
            outbox.put(compose(&letter, &site, run_id));
        }
    }
    for told in post.storms {
        let letters = illustrator.letters(&rules.rules, told).await?;
        outbox.put(compose_storm(&letters, &site, run_id));
    }
    if !rest.is_empty() {
        let letters = illustrator.letters(&rules.rules, rest).await?;
        outbox.put(compose_rest(&letters, &site, run_id));
    }
    Ok(Judged {
        verdict,
        notifications: outbox.into_notifications(),
    })
}

/// Reads the rules file. When nobody has named it there may be none.
pub(crate) fn load(
    config: &Config,
    now_us: domain::Micros,
) -> anyhow::Result<Result<Rules, Vec<Problem>>> {
    match fs::read(&config.rules) {
        Ok(bytes) => Ok(rules::read(&bytes, config.stage, now_us)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && config.is_default_rules => {
            Ok(Ok(Rules {
                is_absent: true,
                ..Rules::default()
            }))
        }
        Err(error) => {
            Err(error).with_context(|| format!("cannot read the rules {}", config.rules.display()))
        }
    }
}

/// A file that is not there means no rules, unless there were some: then somebody has lost
/// them, and nothing is to end for that.
fn unless_lost(rules: Rules, has_former: bool) -> Result<Rules, Vec<Problem>> {
    if !has_former {
        return Ok(rules);
    }
    let message = "the file is not there any more, but there were rules";
    let hint = "an empty file means that there are none";
    Err(vec![Problem::new(1, "", message, hint)])
}

/// Problems with the file before each.
pub(crate) fn lines(config: &Config, problems: &[Problem]) -> Vec<String> {
    let file = config.rules.display();
    problems
        .iter()
        .map(|problem| format!("{file}:{problem}"))
        .collect()
}

pub(crate) fn site(config: &Config, state: &RunState) -> Site {
    Site {
        stage: config.stage,
        url: config.url.clone(),
        link_key: state.link_key.clone(),
        domain: config.domain.clone(),
        now_us: state.now_us,
    }
}

pub(crate) fn post(config: &Config) -> Post {
    Post {
        stage: config.stage,
        server: config.mail_server.clone(),
        sender: config.mail_from.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Rules, unless_lost};

    /// Guards: a rules file that was lost ended every alert, without a word.
    #[test]
    fn a_lost_file_of_rules_is_no_wish_to_have_none() {
        assert!(unless_lost(Rules::default(), false).is_ok());
        let problems = unless_lost(Rules::default(), true).unwrap_err();
        assert_eq!(
            problems[0].to_string(),
            "1: the file is not there any more, but there were rules; an empty file means that \
             there are none"
        );
    }
}
