//! The one task that writes. It gathers what waits, commits it as one block,
//! answers, and does a step of upkeep in between.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use domain::BridgeId;
use sqlx::SqliteConnection;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tracing::{error, info, warn};

use super::{
    Answer, Append, Contacts, Job, Position, Queue, Spool, StepJob,
    commit::{CommitError, commit},
    group::Group,
    isolate, step,
};
use crate::{
    block::MAX_RECORDS,
    clock::now_us,
    db::{self, Database, bridge::Bridge, counter::Totals},
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
    database: Database,
    conn: Option<SqliteConnection>,
    /// Committed numbers of the spools heard since the connection was opened.
    bridges: HashMap<BridgeId, Position>,
    totals: Totals,
    contacts: Contacts,
    commit_interval: Duration,
    last_commit: Option<Instant>,
    metrics: Arc<Metrics>,
}

impl Writer {
    /// A writer for the database.
    pub(crate) fn new(
        database: Database,
        commit_interval: Duration,
        contacts: Contacts,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            database,
            conn: None,
            bridges: HashMap::new(),
            totals: Totals::default(),
            contacts,
            commit_interval,
            last_commit: None,
            metrics,
        }
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
        if let Err(error) = self.connect().await {
            let refusal = self.refusal(&error.into());
            for append in appends {
                send(append.answer, Err(refusal()));
            }
            return;
        }
        let mut group = Group::default();
        let mut waiting = Vec::with_capacity(appends.len());
        for Append {
            batch,
            answer,
            _permit: permit,
            ..
        } in appends
        {
            let bridge_id = batch.bridge_id;
            let next_sequence = match self.position(bridge_id).await {
                Ok(position) => position.map(|position| position.next_sequence),
                Err(error) => {
                    let refusal = self.refusal(&error.into());
                    send(answer, Err(refusal()));
                    continue;
                }
            };
            match group.take(batch, next_sequence) {
                Ok(slots) => waiting.push((slots, bridge_id, answer, permit)),
                Err(error) => send(answer, Err(error)),
            }
        }
        self.metrics.duplicates(group.duplicates);
        let (committed, failure) = self.commit(group).await;
        for (slots, bridge_id, answer, _permit) in waiting {
            let outcome = match (&failure, self.bridges.get(&bridge_id)) {
                (Some(failure), _) if slots > committed => Err(failure()),
                (_, Some(position)) => Ok(position.next_sequence),
                (_, None) => Err(StoreError::Unavailable("it has to look again")),
            };
            send(answer, outcome);
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
            let outcome = self.commit_range(&group, range.clone()).await;
            match outcome {
                Ok(()) => committed = range.end,
                Err(error) if error.is_refusal() && range.len() > 1 => {
                    let (left, right) = isolate::halves(&range);
                    ranges.push_front(right);
                    ranges.push_front(left);
                }
                Err(error) => match self.commit_stand_in(&group, range.start, error).await {
                    Ok(()) => committed = range.end,
                    Err(error) => return (committed, Some(self.refusal(&error))),
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
        range: std::ops::Range<usize>,
    ) -> Result<(), CommitError> {
        self.connect().await?;
        let started = Instant::now();
        self.last_commit = Some(started);
        let conn = self.conn.as_mut().expect("just connected");
        let outcome = commit(conn, group, &range, &self.totals, now_us()).await;
        match outcome {
            Ok(totals) => {
                self.metrics
                    .committed(started.elapsed(), &self.totals, &totals);
                self.totals = totals;
                for advance in group.advances(&range) {
                    if let Some(position) = self.bridges.get_mut(&advance.bridge_id) {
                        position.next_sequence = advance.next_sequence;
                        if let Some(mark) = advance.mark {
                            position.mark = mark;
                        }
                    }
                }
                Ok(())
            }
            Err(error) => {
                if !error.is_refusal() {
                    self.disconnect();
                }
                Err(error)
            }
        }
    }

    async fn open(&mut self, spool: Spool, answer: Answer<Position>) {
        let outcome = match self.enter(&spool).await {
            Ok(position) => {
                self.contacts.opened(spool.bridge_id, &spool.name, now_us());
                Ok(position)
            }
            Err(error) => {
                self.disconnect();
                Err(self.refusal(&error.into())())
            }
        };
        send(answer, outcome);
    }

    /// Where the spool stands; a new one is entered.
    async fn enter(&mut self, spool: &Spool) -> sqlx::Result<Position> {
        self.connect().await?;
        if let Some(position) = self.position(spool.bridge_id).await? {
            return Ok(position);
        }
        let conn = self.conn.as_mut().expect("just connected");
        let bridge = Bridge {
            bridge_id: spool.bridge_id,
            name: spool.name.clone(),
            first_sequence: spool.first_sequence,
            next_sequence: spool.first_sequence,
            contact_us: now_us(),
            mark: String::new(),
            report: None,
        };
        db::file::begin(conn).await?;
        db::bridge::insert(conn, &bridge).await?;
        db::file::commit(conn).await?;
        info!(bridge_id = %spool.bridge_id, name = %spool.name, "new spool");
        let position = Position {
            next_sequence: spool.first_sequence,
            mark: String::new(),
        };
        self.bridges.insert(spool.bridge_id, position.clone());
        Ok(position)
    }

    async fn position(&mut self, bridge_id: BridgeId) -> sqlx::Result<Option<Position>> {
        if let Some(position) = self.bridges.get(&bridge_id) {
            return Ok(Some(position.clone()));
        }
        let conn = self.conn.as_mut().expect("connected before");
        let Some(bridge) = db::bridge::find(conn, bridge_id).await? else {
            return Ok(None);
        };
        let position = Position {
            next_sequence: bridge.next_sequence,
            mark: bridge.mark,
        };
        self.bridges.insert(bridge_id, position.clone());
        Ok(Some(position))
    }

    async fn step(&mut self, job: StepJob) {
        let outcome = match self.connect().await {
            Ok(()) => {
                let conn = self.conn.as_mut().expect("just connected");
                step::run(conn, job.step).await
            }
            Err(error) => Err(error),
        };
        if outcome.is_err() {
            self.disconnect();
        }
        // Nobody waits any more when upkeep has been stopped.
        let _ = job.answer.send(outcome);
    }

    /// Opens the connection when there is none, and reads what is committed.
    async fn connect(&mut self) -> sqlx::Result<()> {
        if self.conn.is_none() {
            let mut conn = self.database.writer().await?;
            self.totals = db::counter::read(&mut conn).await?;
            self.bridges.clear();
            self.conn = Some(conn);
        }
        Ok(())
    }

    /// After a failure the state of the connection, and whether the commit took
    /// place, is not known: all of it is read again.
    fn disconnect(&mut self) {
        self.conn = None;
        self.bridges.clear();
    }

    /// Logs a failure once; the closure makes an answer for each who waits.
    fn refusal(&self, failure: &CommitError) -> impl Fn() -> StoreError + use<> {
        let is_full = matches!(failure, CommitError::Database(error)
            if db::fault::fault(error) == db::fault::Fault::Full);
        match is_full {
            true => warn!(error = %failure, "no room for new records"),
            false => error!(error = %failure, "commit failed"),
        }
        move || match is_full {
            true => StoreError::Full,
            false => StoreError::Unavailable("its database failed"),
        }
    }

    async fn close(mut self) {
        let Some(mut conn) = self.conn.take() else {
            return;
        };
        let saved = step::run(&mut conn, step::Step::SaveContacts(self.contacts.clone())).await;
        let closed = sqlx::Connection::close(conn).await;
        if let Err(error) = saved.and(closed) {
            warn!(%error, "database not closed in good order");
        }
    }
}

/// Answers somebody who may have gone.
fn send<T>(answer: Answer<T>, outcome: Result<T, StoreError>) {
    let _ = answer.send(outcome);
}
