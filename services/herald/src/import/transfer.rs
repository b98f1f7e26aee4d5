//! The stream of an import: batches out, acknowledgements in, resumed at the
//! store's mark after a cut.

use std::{collections::VecDeque, time::Duration};

use anyhow::bail;
use indicatif::ProgressBar;
use proto::v1::{
    AppendRequest, AppendResponse, Batch, OpenSpool, append_request, append_response,
    ingest_service_client::IngestServiceClient,
};
use store::predecessor::{Predecessor, PredecessorError, Row};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use super::{
    batch::{self, MAX_ROWS, RowBatch},
    clock::LocalClock,
    mark::{ImportSpool, Mark},
};
use crate::connection::Connection;

/// How many batches may be on their way.
const IN_FLIGHT: usize = 4;
/// How often the stream is opened without getting any further.
const ATTEMPTS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What has been done.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Rows that the store has taken in this run.
    pub(super) imported: u64,
    /// Those of them that became dead letters.
    pub(super) too_large: u64,
    /// Those of them without a readable time.
    pub(super) without_time: u64,
}

/// An import under way.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) connection: Connection,
    pub(super) predecessor: Predecessor,
    /// The clock after the row of the mark.
    pub(super) clock: LocalClock,
    /// The last row that was there before this run.
    pub(super) start: i64,
    pub(super) spool: ImportSpool,
    pub(super) bar: ProgressBar,
    pub(super) counts: Counts,
}

/// Why a stream ended early.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error(transparent)]
    Store(#[from] Box<Status>),
    #[error(transparent)]
    File(#[from] PredecessorError),
    #[error("the store broke the protocol: {0}")]
    Protocol(&'static str),
}

impl Transfer {
    /// Sends every row after the mark. A store that is away or busy for some
    /// seconds is waited for.
    pub(super) async fn run(&mut self) -> anyhow::Result<()> {
        let mut attempts = 0;
        loop {
            let before = self.counts.imported;
            let status = match self.stream().await {
                Ok(()) => return Ok(()),
                Err(Cut::Store(status)) if is_passing(status.code()) => status,
                Err(Cut::Store(status)) => bail!(self.connection.explain(&status)),
                Err(cut) => return Err(cut.into()),
            };
            attempts = if self.counts.imported > before {
                1
            } else {
                attempts + 1
            };
            if attempts == ATTEMPTS {
                bail!(self.connection.explain(&status));
            }
            tokio::time::sleep(LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.pow(attempts))).await;
        }
    }

    /// One stream, from its opening to the last acknowledgement.
    async fn stream(&mut self) -> Result<(), Cut> {
        let (requests, receiver) = mpsc::channel(IN_FLIGHT + 1);
        let send = async |step| {
            let request = AppendRequest { step: Some(step) };
            // A closed channel is a closed stream: its error comes as the answer.
            let _ = requests.send(request).await;
        };
        send(append_request::Step::Open(OpenSpool {
            bridge_id: self.spool.bridge_id.to_string(),
            name: self.spool.name.clone(),
            first_sequence: 1,
            ..OpenSpool::default()
        }))
        .await;
        let mut answers = IngestServiceClient::new(self.connection.client.clone())
            .append(ReceiverStream::new(receiver))
            .await
            .map_err(Box::new)?
            .into_inner();
        let mut sequence = self.opened(&mut answers).await?;
        let mut rows = Rows::after(self.spool.rowid(), self.clock.clone());
        let mut in_flight = VecDeque::new();
        loop {
            while in_flight.len() < IN_FLIGHT
                && let Some(mut batch) = rows.batch(&mut self.predecessor).await?
            {
                send(append_request::Step::Batch(Batch {
                    first_sequence: sequence,
                    entries: std::mem::take(&mut batch.entries),
                    mark: batch.mark.to_text(),
                }))
                .await;
                sequence += batch.rows;
                in_flight.push_back((sequence, batch));
            }
            if in_flight.is_empty() {
                return Ok(());
            }
            let next = acknowledged(&mut answers).await?;
            while let Some((_, batch)) = in_flight.pop_front_if(|(end, _)| *end <= next) {
                self.taken(batch);
            }
        }
    }

    /// Where the store wants to go on: its mark is the truth about the rows,
    /// its number about the batches.
    async fn opened(&mut self, answers: &mut Streaming<AppendResponse>) -> Result<u64, Cut> {
        let answer = answers.message().await.map_err(Box::new)?;
        let Some(append_response::Step::Opened(opened)) = answer.and_then(|answer| answer.step)
        else {
            return Err(Cut::Protocol("it did not say where to resume"));
        };
        let mark = Mark::from_text(&opened.mark);
        let is_first = self.counts.imported == 0;
        if mark != self.spool.mark || is_first {
            self.spool.mark = mark;
            self.catch_up().await?;
        }
        Ok(opened.next_sequence)
    }

    /// Clock and count as of the mark: the store may have taken batches whose
    /// acknowledgement did not arrive.
    async fn catch_up(&mut self) -> Result<(), PredecessorError> {
        let rowid = self.spool.rowid();
        if let Some(row) = self.predecessor.row(rowid).await? {
            self.clock.set(&row.created);
        }
        let new = self.predecessor.count_after(self.start).await?;
        let left = self.predecessor.count_after(rowid).await?;
        self.counts.imported = new.saturating_sub(left);
        Ok(())
    }

    fn taken(&mut self, batch: RowBatch) {
        self.counts.imported += batch.rows;
        self.counts.too_large += batch.too_large;
        self.counts.without_time += batch.without_time;
        self.clock = batch.clock;
        self.spool.mark = Some(batch.mark);
        self.bar.set_position(self.counts.imported);
    }
}

/// The rows that are still to be sent.
struct Rows {
    read_up_to: i64,
    read: std::vec::IntoIter<Row>,
    clock: LocalClock,
}

impl Rows {
    fn after(rowid: i64, clock: LocalClock) -> Self {
        Self {
            read_up_to: rowid,
            read: Vec::new().into_iter(),
            clock,
        }
    }

    /// The next batch; `None` after the last row.
    async fn batch(
        &mut self,
        predecessor: &mut Predecessor,
    ) -> Result<Option<RowBatch>, PredecessorError> {
        if let Some(batch) = batch::next(&mut self.read, &mut self.clock) {
            return Ok(Some(batch));
        }
        let rows = predecessor.rows_after(self.read_up_to, MAX_ROWS).await?;
        if let Some(last) = rows.last() {
            self.read_up_to = last.rowid;
        }
        self.read = rows.into_iter();
        Ok(batch::next(&mut self.read, &mut self.clock))
    }
}

async fn acknowledged(answers: &mut Streaming<AppendResponse>) -> Result<u64, Cut> {
    match answers.message().await.map_err(Box::new)? {
        None => Err(Box::new(Status::unavailable("the store ended the stream")).into()),
        Some(AppendResponse {
            step: Some(append_response::Step::Acknowledged(acknowledged)),
        }) => Ok(acknowledged.next_sequence),
        Some(_) => Err(Cut::Protocol("it answered a batch with something else")),
    }
}

/// Whether trying again may help.
fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Unknown
            | Code::Internal
    )
}
