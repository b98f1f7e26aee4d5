//! The one task that writes. It gathers what waits, commits it as one block,
//! answers, and does a step of upkeep in between.

use std::{collections::VecDeque, ops::Range, sync::Arc, time::Duration};

use domain::Micros;
use sha2::{Digest, Sha256};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tracing::{error, warn};
use uuid::Uuid;

use super::{
    Answer, Append, Contacts, Job, Position, Queue, Seen, Spool, StepJob,
    commit::{CommitError, commit},
    group::Group,
    isolate,
    seen::Taken,
    session::Session,
    step::{self, Done, Step},
};
use crate::{
    block::MAX_RECORDS,
    catalog::Catalog,
    clock::now_us,
    db::{
        self, Database,
        fault::{Fault, fault},
    },
    error::StoreError,
    metrics::Metrics,
};

/// A commit takes no more than this, unless one batch alone is larger.
const COMMIT_BYTES: usize = 8 << 20;
/// With so many entries gathered a commit does not wait for more.
const ENOUGH_ENTRIES: usize = 2_048;

/// The one writer.
#[derive(Debug)]
pub(crate) struct Writer {
    session: Session,
    contacts: Contacts,
    seen: Seen,
    commit_interval: Duration,
    last_commit: Option<Instant>,
    metrics: Arc<Metrics>,
}

impl Writer {
    /// A writer for the database.
    pub(crate) fn new(
        database: Database,
        catalog: Catalog,
        commit_interval: Duration,
        (contacts, seen): (Contacts, Seen),
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            session: Session::new(database, catalog, seen.clone(), Arc::clone(&metrics)),
            contacts,
            seen,
            commit_interval,
            last_commit: None,
            metrics,
        }
    }

    /// Opens the database, and fills the catalog from it. Gives the time at which
    /// a store was last known to run on it.
    pub(crate) async fn prepare(&mut self) -> sqlx::Result<Micros> {
        let (conn, _) = self.session.conn().await?;
        let watch = db::watch::read(conn).await?;
        if watch.link_key.is_empty() {
            db::watch::set_link_key(conn, &link_key()).await?;
        }
        Ok(watch.alive_us)
    }

    /// Works until every [`super::Journal`] is gone and the queue is empty.
    pub(crate) async fn run(mut self, mut queue: Queue) {
        let mut held = None;
        loop {
            let job = match held.take() {
                Some(job) => job,
                None => tokio::select! {
                    job = queue.jobs.recv() => match job {
                        Some(job) => job,
                        None => break,
                    },
                    Some(job) = queue.steps.recv() => {
                        self.step(job).await;
                        continue;
                    }
                },
            };
            match job {
                Job::Open(spool, answer) => self.open(spool, answer).await,
                Job::Append(append) => {
                    let (appends, other) = self.gather(append, &mut queue.jobs).await;
                    held = other;
                    self.take(appends).await;
                    if let Ok(job) = queue.steps.try_recv() {
                        self.step(job).await;
                    }
                }
            }
        }
        self.close().await;
    }

    /// Waits for more, as long as the last commit is recent and little has come.
    async fn gather(
        &self,
        first: Append,
        jobs: &mut mpsc::Receiver<Job>,
    ) -> (Vec<Append>, Option<Job>) {
        let mut entries = first.batch.entries.len();
        let mut bytes = first.bytes;
        let mut appends = vec![first];
        let wait_until = self.last_commit.map(|last| last + self.commit_interval);
        loop {
            let job = match (jobs.try_recv(), wait_until) {
                (Ok(job), _) => job,
                (Err(_), Some(until)) if entries < ENOUGH_ENTRIES => {
                    match timeout_at(until, jobs.recv()).await {
                        Ok(Some(job)) => job,
                        Ok(None) | Err(_) => return (appends, None),
                    }
                }
                (Err(_), _) => return (appends, None),
            };
            match job {
                Job::Append(append)
                    if entries + append.batch.entries.len() <= MAX_RECORDS
                        && bytes + append.bytes <= COMMIT_BYTES =>
                {
                    entries += append.batch.entries.len();
                    bytes += append.bytes;
                    appends.push(append);
                }
                other => return (appends, Some(other)),
            }
        }
    }

    /// Commits what is new in the batches and answers each.
    async fn take(&mut self, appends: Vec<Append>) {
        let mut group = Group::default();
        let mut waiting = Vec::with_capacity(appends.len());
        for append in appends {
            let Append {
                batch,
                answer,
                permit,
                ..
            } = append;
            let bridge_id = batch.bridge_id;
            let taken = match self.session.position(bridge_id).await {
                Ok(position) => {
                    let next_sequence = position.map(|position| position.next_sequence);
                    group.take(batch, next_sequence)
                }
                Err(error) => Err(self.failed(&error.into())()),
            };
            match taken {
                Ok(slots) => waiting.push((slots, bridge_id, answer, permit)),
                Err(error) => send(answer, Err(error)),
            }
        }
        self.metrics.duplicates(group.duplicates);
        let (committed, failure) = self.commit(group).await;
        for (slots, bridge_id, answer, _permit) in waiting {
            let outcome = match &failure {
                Some(failure) if slots > committed => Err(failure()),
                _ => self.next_sequence(bridge_id).await,
            };
            send(answer, outcome);
        }
    }

    async fn next_sequence(&mut self, bridge_id: domain::BridgeId) -> Result<u64, StoreError> {
        match self.session.position(bridge_id).await {
            Ok(Some(position)) => Ok(position.next_sequence),
            Ok(None) => Err(StoreError::UnknownBridge(bridge_id)),
            Err(error) => Err(self.failed(&error.into())()),
        }
    }

    /// Commits a group, in halves where the database refuses; returns how many
    /// slots from the front are safe, and what ended it before all were.
    async fn commit(&mut self, group: Group) -> (usize, Option<impl Fn() -> StoreError + use<>>) {
        let group = Arc::new(group);
        let mut committed = 0;
        let mut ranges = VecDeque::new();
        ranges.push_back(0..group.slots.len());
        while let Some(range) = ranges.pop_front() {
            if range.is_empty() {
                continue;
            }
            match self.commit_range(&group, range.clone()).await {
                Ok(()) => committed = range.end,
                Err(error) if error.is_refusal() && range.len() > 1 => {
                    let (left, right) = isolate::halves(&range);
                    ranges.push_front(right);
                    ranges.push_front(left);
                }
                Err(error) => match self.commit_stand_in(&group, range.start, error).await {
                    Ok(()) => committed = range.end,
                    Err(error) => return (committed, Some(self.failed(&error))),
                },
            }
        }
        (committed, None)
    }

    /// Commits a stand-in for the one entry that was refused.
    async fn commit_stand_in(
        &mut self,
        group: &Arc<Group>,
        at: usize,
        mut refusal: CommitError,
    ) -> Result<(), CommitError> {
        let slot = &group.slots[at];
        let mut next = isolate::stand_in(slot, &group.records, &refusal.reason());
        while let Some(stand_in) = next.take().filter(|_| refusal.is_refusal()) {
            warn!(
                bridge_id = %slot.bridge_id,
                sequence = slot.sequence,
                error = %refusal,
                "entry refused by the database, set aside"
            );
            let alone = Arc::new(group.alone(at, stand_in));
            match self.commit_range(&alone, 0..1).await {
                Ok(()) => return Ok(()),
                Err(error) => refusal = error,
            }
            next = isolate::stand_in(&alone.slots[0], &[], &refusal.reason());
        }
        Err(refusal)
    }

    async fn commit_range(
        &mut self,
        group: &Arc<Group>,
        range: Range<usize>,
    ) -> Result<(), CommitError> {
        let started = Instant::now();
        self.last_commit = Some(started);
        let (conn, before) = self.session.conn().await?;
        let now_us = now_us();
        let (totals, blocks) = commit(conn, group, &range, &before, now_us).await?;
        let records = group.records_of(&range);
        let taken = Taken {
            blocks: &blocks.added,
            is_imported: &|place| group.is_imported(records.start + place),
            records: &group.records[records.clone()],
        };
        self.seen.took(&taken, now_us);
        self.metrics.committed(started.elapsed(), &before, &totals);
        self.session
            .committed(totals, group.advances(&range), blocks);
        Ok(())
    }

    async fn open(&mut self, spool: Spool, answer: Answer<Position>) {
        let heard_us = self.contacts.get(spool.bridge_id).map(|it| it.spoke_us());
        let outcome = match self.session.enter(&spool, heard_us).await {
            Ok(position) => {
                self.contacts.opened(spool.bridge_id, &spool.name, now_us());
                Ok(position)
            }
            Err(error) => Err(self.failed(&error.into())()),
        };
        send(answer, outcome);
    }

    async fn step(&mut self, job: StepJob) {
        let outcome = self.run_step(job.step).await;
        if outcome.is_err() {
            self.session.reset();
            self.seen.set_unwritten();
        }
        // Nobody waits any more when upkeep has been stopped.
        let _ = job.answer.send(outcome);
    }

    async fn run_step(&mut self, step: Step) -> sqlx::Result<Done> {
        let (conn, _) = self.session.conn().await?;
        let (done, blocks) = step::run(conn, step).await?;
        self.session.changed(blocks);
        Ok(done)
    }

    /// After a failure the session begins anew. Logs the failure, once; the
    /// closure makes an answer for each who waits.
    fn failed(&mut self, failure: &CommitError) -> impl Fn() -> StoreError + use<> {
        self.session.reset();
        let is_full =
            matches!(failure, CommitError::Database(error) if fault(error) == Fault::Full);
        match is_full {
            true => warn!(error = %failure, "no room for new records"),
            false => error!(error = %failure, "commit failed"),
        }
        move || match is_full {
            true => StoreError::Full,
            false => StoreError::Unavailable("its database failed"),
        }
    }

    /// Writes what is only in memory.
    async fn save(&mut self) -> sqlx::Result<()> {
        let contacts = self.contacts.clone();
        self.run_step(Step::SaveContacts(contacts)).await?;
        while self
            .run_step(Step::SaveSystems(self.seen.clone()))
            .await?
            .changed
            > 0
        {}
        Ok(())
    }

    async fn close(mut self) {
        let saved = self.save().await;
        let closed = self.session.close().await;
        if let Err(error) = saved.and(closed) {
            warn!(%error, "database not closed in good order");
        }
    }
}

/// 32 random bytes: what a hash makes of three random UUIDs of 122 bits each.
fn link_key() -> [u8; 32] {
    let mut hash = Sha256::new();
    for _ in 0..3 {
        hash.update(Uuid::new_v4());
    }
    hash.finalize().into()
}

/// Answers somebody who may have gone.
fn send<T>(answer: Answer<T>, outcome: Result<T, StoreError>) {
    let _ = answer.send(outcome);
}
