//! The way of entries into the database: batches are queued within bounds, and
//! one [`writer`] commits what has gathered and only then answers.

mod commit;
mod contacts;
mod group;
mod isolate;
mod seen;
mod session;
pub(crate) mod step;
mod writer;

use std::{future::Future, sync::Arc, time::Duration};

use domain::{BridgeId, Entry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::error::StoreError;

pub(crate) use contacts::{Connected, Contact, Contacts, lag_us};
pub(crate) use seen::Seen;
pub(crate) use step::{Done, Refusal, Step, Undone};
pub(crate) use writer::Writer;

/// How many jobs wait at most, whatever their size.
const QUEUE_JOBS: usize = 1_024;
/// One permit of the queue's budget.
const PERMIT_BYTES: u64 = 1_024;

/// Where batches are handed in. Clones share one queue.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    jobs: mpsc::Sender<Job>,
    steps: mpsc::Sender<StepJob>,
    budget: Arc<Semaphore>,
    budget_permits: u32,
    /// What bridges say of themselves.
    pub(crate) contacts: Contacts,
    /// Systems that have been seen.
    pub(crate) seen: Seen,
}

/// Consecutive entries of one spool.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) bridge_id: BridgeId,
    pub(crate) first_sequence: u64,
    pub(crate) entries: Vec<Entry>,
    /// Empty leaves the former one.
    pub(crate) mark: String,
}

/// Names a spool.
#[derive(Debug, Clone)]
pub(crate) struct Spool {
    pub(crate) bridge_id: BridgeId,
    pub(crate) name: String,
    pub(crate) first_sequence: u64,
    /// For how long its bridge has been there; none when it does not say.
    pub(crate) uptime: Option<Duration>,
}

/// Where a spool stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) next_sequence: u64,
    pub(crate) mark: String,
}

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

#[derive(Debug)]
enum Job {
    Open(Spool, Answer<Position>),
    Append(Append),
}

#[derive(Debug)]
struct Append {
    batch: Batch,
    bytes: usize,
    answer: Answer<u64>,
    /// Room in the queue, given back when the batch is answered.
    permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct StepJob {
    step: Step,
    answer: oneshot::Sender<sqlx::Result<Done>>,
}

/// The other end of a [`Journal`], for its [`Writer`].
#[derive(Debug)]
pub(crate) struct Queue {
    jobs: mpsc::Receiver<Job>,
    steps: mpsc::Receiver<StepJob>,
}

impl Journal {
    /// A journal whose waiting batches take at most `queue_bytes` of memory.
    pub(crate) fn new(queue_bytes: u64) -> (Self, Queue) {
        let (jobs, job_queue) = mpsc::channel(QUEUE_JOBS);
        let (steps, step_queue) = mpsc::channel(1);
        let budget_permits = u32::try_from(queue_bytes / PERMIT_BYTES).unwrap_or(u32::MAX >> 4);
        let journal = Self {
            jobs,
            steps,
            budget: Arc::new(Semaphore::new(budget_permits as usize)),
            budget_permits,
            contacts: Contacts::default(),
            seen: Seen::default(),
        };
        let queue = Queue {
            jobs: job_queue,
            steps: step_queue,
        };
        (journal, queue)
    }

    /// Where a spool stands; a new one is entered.
    pub(crate) async fn open(&self, spool: Spool) -> Result<Position, StoreError> {
        let (answer, outcome) = oneshot::channel();
        let job = Job::Open(spool, answer);
        self.jobs.send(job).await.map_err(|_| stopping())?;
        outcome.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Queues a batch, when there is room. The future returned resolves after
    /// the commit, with the number below which everything is safe.
    pub(crate) async fn append(
        &self,
        batch: Batch,
    ) -> Result<impl Future<Output = Result<u64, StoreError>> + Send + use<>, StoreError> {
        let bytes = batch.entries.iter().map(entry_bytes).sum();
        let permits = u32::try_from(bytes as u64 / PERMIT_BYTES + 1).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.budget)
            .acquire_many_owned(permits.min(self.budget_permits))
            .await
            .expect("nobody closes the semaphore");
        let (answer, outcome) = oneshot::channel();
        let job = Job::Append(Append {
            batch,
            bytes,
            answer,
            permit,
        });
        self.jobs.send(job).await.map_err(|_| stopping())?;
        Ok(async { outcome.await.unwrap_or_else(|_| Err(stopping())) })
    }

    /// Has the writer do a step between two commits.
    pub(crate) async fn step(&self, step: Step) -> sqlx::Result<Done> {
        let (answer, outcome) = oneshot::channel();
        self.steps
            .send(StepJob { step, answer })
            .await
            .map_err(|_| sqlx::Error::WorkerCrashed)?;
        outcome.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
    }

    /// How much of the queue's memory is taken, 0.0 to 1.0.
    pub(crate) fn load(&self) -> f64 {
        let free = self.budget.available_permits() as f64;
        1.0 - free / f64::from(self.budget_permits)
    }
}

fn stopping() -> StoreError {
    StoreError::Unavailable("it is stopping")
}

/// Memory of an entry, in bytes: its texts and its struct.
fn entry_bytes(entry: &Entry) -> usize {
    match entry {
        Entry::Record(record) => size_of_val(&**record) + record.text_bytes(),
        Entry::DeadLetter(letter) => {
            size_of_val(&**letter) + letter.head.len() + letter.reason.len()
        }
        Entry::Gap(gap) => size_of_val(gap) + gap.reason.len(),
        Entry::Skipped(_) => size_of_val(entry),
    }
}
