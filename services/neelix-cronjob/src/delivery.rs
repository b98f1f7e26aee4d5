//! The outbox: everything that is due is tried, and each attempt reported before
//! the next. Whatever happens in between, a repeat is the same mail.

mod attempt;
mod report;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use domain::{DeliveryState, Micros, Notification, Stage};
use proto::v1::{
    ListDueNotificationsRequest, RenewRunRequest, run_service_client::RunServiceClient,
};
use runtime::grpc::Client;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::warn;

use crate::mailer::{MailServer, Sender};

use attempt::Attempts;

/// After so long no attempt begins.
const DEADLINE: Duration = Duration::from_secs(120);
/// How often the run's lease is made longer: a third of the shortest.
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// Different things that went wrong, told in the run.
const MAX_ERRORS: usize = 20;

/// How notifications go out.
#[derive(Debug, Clone)]
pub struct Post {
    /// In every mail's headers.
    pub stage: Stage,
    /// Where mails go.
    pub server: MailServer,
    /// Who mails come from.
    pub sender: Sender,
}

/// What has come of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// How many deliveries were accepted.
    pub delivered: u32,
    /// How many failed, for now or for good.
    pub undelivered: u32,
    /// What went wrong, a line each, without addresses.
    pub errors: Vec<String>,
}

/// The store's clock, which goes on between its answers.
#[derive(Debug, Clone, Copy)]
pub struct StoreClock {
    told_us: Micros,
    at: Instant,
}

impl StoreClock {
    /// The store has just told that it is `now_us`.
    #[must_use]
    pub fn new(now_us: Micros) -> Self {
        Self {
            told_us: now_us,
            at: Instant::now(),
        }
    }

    /// What it must show now.
    #[must_use]
    pub fn now_us(&self) -> Micros {
        let passed = Micros::try_from(self.at.elapsed().as_micros()).unwrap_or(Micros::MAX);
        self.told_us.saturating_add(passed)
    }
}

/// Tries whatever is due, until nothing is, the time is over, the run's lease is
/// lost or `shutdown` is asked for.
pub async fn deliver_due(
    runs: &mut RunServiceClient<Client>,
    run_id: u64,
    clock: StoreClock,
    post: &Post,
    shutdown: &CancellationToken,
) -> Delivered {
    let mut round = Round::new(run_id, clock, post);
    let ended = round.deliver(runs, shutdown).await;
    round.finish(ended).await
}

/// Tries every delivery of a notification once, without a store that knows of
/// it: for tests of a rule's recipients.
pub async fn deliver_once(notification: &Notification, post: &Post) -> Delivered {
    let mut round = Round::new(0, StoreClock::new(notification.created_us), post);
    for delivery in &notification.deliveries {
        let tried = round
            .attempts
            .try_once(notification, delivery, round.clock)
            .await;
        round.count(&tried);
    }
    round.finish(Ok(())).await
}

/// Why there are no more attempts in this run.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("another run has begun: this one delivers nothing more")]
    LeaseLost,
    #[error("the time for delivery is over: the rest waits for the next run")]
    Deadline,
    #[error("it was asked to end: the rest waits for the next run")]
    Shutdown,
    #[error("the store failed while it {0} ({1:?})")]
    Store(&'static str, tonic::Code),
}

struct Round<'a> {
    run_id: u64,
    clock: StoreClock,
    attempts: Attempts<'a>,
    delivered: u32,
    undelivered: u32,
    reasons: BTreeMap<String, u32>,
}

impl<'a> Round<'a> {
    fn new(run_id: u64, clock: StoreClock, post: &'a Post) -> Self {
        Self {
            run_id,
            clock,
            attempts: Attempts::new(post),
            delivered: 0,
            undelivered: 0,
            reasons: BTreeMap::new(),
        }
    }

    async fn deliver(
        &mut self,
        runs: &mut RunServiceClient<Client>,
        shutdown: &CancellationToken,
    ) -> Result<(), Stop> {
        let end = Instant::now() + DEADLINE;
        loop {
            let due = due(runs, self.run_id).await?;
            if due.is_empty() {
                return Ok(());
            }
            for notification in &due {
                for delivery in &notification.deliveries {
                    if shutdown.is_cancelled() {
                        return Err(Stop::Shutdown);
                    }
                    if Instant::now() >= end {
                        return Err(Stop::Deadline);
                    }
                    let attempt = self.attempts.try_once(notification, delivery, self.clock);
                    let tried = renewing(runs, self.run_id, attempt).await?;
                    report::report(runs, self.run_id, &tried).await?;
                    self.count(&tried);
                }
            }
        }
    }

    fn count(&mut self, tried: &domain::Delivery) {
        match tried.state {
            DeliveryState::Delivered => self.delivered += 1,
            DeliveryState::Kept => {}
            DeliveryState::Waiting | DeliveryState::Failed => {
                self.undelivered += 1;
                *self.reasons.entry(reason(tried)).or_default() += 1;
            }
        }
    }

    async fn finish(self, ended: Result<(), Stop>) -> Delivered {
        self.attempts.close().await;
        let mut errors: Vec<String> = self
            .reasons
            .into_iter()
            .map(|(reason, times)| match times {
                1 => reason,
                times => format!("{reason} ({times} times)"),
            })
            .collect();
        errors.truncate(MAX_ERRORS);
        errors.extend(ended.err().map(|stop| stop.to_string()));
        if !errors.is_empty() {
            let (delivered, undelivered) = (self.delivered, self.undelivered);
            warn!(
                delivered,
                undelivered,
                ?errors,
                "not everything was delivered"
            );
        }
        Delivered {
            delivered: self.delivered,
            undelivered: self.undelivered,
            errors,
        }
    }
}

/// What a delivery says of its failure, without addresses: this goes to logs.
fn reason(tried: &domain::Delivery) -> String {
    let how = match tried.channel {
        domain::DeliveryChannel::Mail => "mail",
        domain::DeliveryChannel::Webhook => "webhook",
    };
    let what = match tried.state {
        DeliveryState::Failed => "failed",
        _ => "waits",
    };
    let words = tried.error.split(' ').map(|word| match word.contains('@') {
        true => "<address>",
        false => word,
    });
    let words: Vec<&str> = words.collect();
    format!("{how} {what}: {}", words.join(" "))
}

async fn due(runs: &mut RunServiceClient<Client>, run_id: u64) -> Result<Vec<Notification>, Stop> {
    let answer = report::asked(runs, async |runs| {
        let request = ListDueNotificationsRequest { run_id, limit: 0 };
        runs.list_due_notifications(request).await
    });
    let answer = answer
        .await
        .map_err(|status| stopped("listed what is due", &status))?;
    let due = answer.notifications.into_iter().map(TryInto::try_into);
    due.collect::<Result<_, _>>()
        .map_err(|_| Stop::Store("listed what is due", tonic::Code::DataLoss))
}

/// Does something that may take long, and keeps the run's lease meanwhile.
async fn renewing<T>(
    runs: &mut RunServiceClient<Client>,
    run_id: u64,
    work: impl Future<Output = T>,
) -> Result<T, Stop> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = tokio::time::sleep(RENEW_EVERY) => {}
        }
        // A store that is away for a moment is no reason to stop: the report will tell.
        if let Err(status) = runs.renew_run(RenewRunRequest { run_id }).await
            && status.code() == tonic::Code::Aborted
        {
            return Err(Stop::LeaseLost);
        }
    }
}

fn stopped(doing: &'static str, status: &Status) -> Stop {
    match status.code() {
        tonic::Code::Aborted => Stop::LeaseLost,
        code => Stop::Store(doing, code),
    }
}
