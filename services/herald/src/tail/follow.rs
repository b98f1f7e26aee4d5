//! The stream of a tail, taken up again behind the last id that was looked at.

use std::time::Duration;

use domain::{Micros, Record};
use proto::v1::{
    ExportRecordsRequest, ListRecordsRequest, Order, RecordFilter, TailRecordsRequest,
    TailRecordsResponse, record_service_client::RecordServiceClient,
};
use runtime::grpc::Client;
use tonic::{Code, Status, Streaming};

use crate::{
    connection::{Connection, MAX_MESSAGE_BYTES},
    output::{WriteError, note},
    records::{Printer, tell_partial},
};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is shown before what comes.
#[derive(Debug)]
pub(super) enum History {
    /// So many of the newest records, of those since a time.
    Newest { lines: u32, since: Option<Micros> },
    /// All since this time.
    Since(Micros),
}

/// Follows the records that pass a filter.
pub(super) struct Follower {
    connection: Connection,
    records: RecordServiceClient<Client>,
    filter: RecordFilter,
    printer: Printer,
    /// All ids up to this one have been looked at; none before the first answer.
    through: Option<u64>,
}

/// Why a stream ended.
enum Cut {
    /// By the store or the way to it: worth another try.
    Call(Status),
    /// By us.
    Write(WriteError),
}

impl From<Status> for Cut {
    fn from(status: Status) -> Self {
        Self::Call(status)
    }
}

impl From<WriteError> for Cut {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

/// A stream that has begun, and its first answer.
struct Begun {
    answers: Streaming<TailRecordsResponse>,
    first: TailRecordsResponse,
}

impl Begun {
    /// Where what came before ends: the stream tells of all from this id on.
    fn boundary(&self) -> u64 {
        let first = self.first.records.first().map(|record| record.id);
        first.unwrap_or(self.first.through.saturating_add(1))
    }
}

impl Follower {
    pub(super) fn new(connection: Connection, filter: RecordFilter, printer: Printer) -> Self {
        Self {
            records: RecordServiceClient::new(connection.client.clone())
                .max_decoding_message_size(MAX_MESSAGE_BYTES),
            connection,
            filter,
            printer,
            through: None,
        }
    }

    /// Follows until nobody reads, through every cut but that of the first
    /// connection.
    pub(super) async fn run(mut self, history: History) -> anyhow::Result<()> {
        let mut cut = self.start(history).await;
        if let Err(Cut::Call(status)) = &cut {
            return Err(self.connection.explain(status).into());
        }
        let mut pause = FIRST_PAUSE;
        let mut has_told = false;
        loop {
            match cut {
                Ok(begun) => {
                    if has_told {
                        note("following again");
                        has_told = false;
                    }
                    pause = FIRST_PAUSE;
                    cut = self.follow(begun).await;
                }
                Err(Cut::Call(status)) if is_final(status.code()) => {
                    return Err(self.connection.explain(&status).into());
                }
                Err(Cut::Call(_)) => {
                    if !has_told {
                        note(format_args!(
                            "the store at {} is gone; reconnecting",
                            self.connection.url
                        ));
                        has_told = true;
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    cut = self.begin().await;
                }
                Err(Cut::Write(error)) => return Err(error.into()),
            }
        }
    }

    /// Begins behind what has been looked at, if anything has.
    async fn begin(&mut self) -> Result<Begun, Cut> {
        let request = TailRecordsRequest {
            filter: Some(self.filter.clone()),
            after: self.through,
            max_per_second: 0,
        };
        let mut answers = self.records.tail_records(request).await?.into_inner();
        let first = next(&mut answers).await?;
        Ok(Begun { answers, first })
    }

    /// Begins to follow, and shows what came before.
    async fn start(&mut self, history: History) -> Result<Begun, Cut> {
        let begun = self.begin().await?;
        self.printer.print(&[])?;
        let before = begun.boundary();
        match history {
            History::Newest { lines: 0, .. } => {}
            History::Newest { lines, since } => self.newest(lines, since, before).await?,
            History::Since(since) => self.catch_up(since, before).await?,
        }
        Ok(begun)
    }

    async fn newest(&mut self, lines: u32, since: Option<Micros>, before: u64) -> Result<(), Cut> {
        let request = ListRecordsRequest {
            filter: Some(self.filter_since(since)),
            order: Order::NewestFirst.into(),
            limit: lines,
            before,
            after: 0,
        };
        let page = self.records.list_records(request).await?.into_inner();
        if page.partial {
            tell_partial(page.coverage.as_ref(), Order::NewestFirst, 0);
        }
        self.print(page.records.into_iter().rev())?;
        Ok(())
    }

    async fn catch_up(&mut self, since: Micros, before: u64) -> Result<(), Cut> {
        let request = ExportRecordsRequest {
            filter: Some(self.filter_since(Some(since))),
            order: Order::OldestFirst.into(),
            before,
            after: self.through.unwrap_or(0),
            limit: 0,
        };
        let mut pieces = self.records.export_records(request).await?.into_inner();
        while let Some(piece) = pieces.message().await? {
            self.print(piece.records.into_iter())?;
            self.through = self.through.max(Some(piece.through));
        }
        Ok(())
    }

    /// Shows what comes until the stream is cut.
    async fn follow(&mut self, begun: Begun) -> Result<Begun, Cut> {
        let Begun { mut answers, first } = begun;
        let mut answer = first;
        loop {
            self.print(answer.records.into_iter())?;
            self.through = self.through.max(Some(answer.through));
            answer = next(&mut answers).await?;
        }
    }

    fn print(
        &mut self,
        records: impl Iterator<Item = proto::v1::Record>,
    ) -> Result<(), WriteError> {
        let records: Vec<Record> = records.map(Record::from).collect();
        match records.is_empty() {
            true => Ok(()),
            false => self.printer.print(&records),
        }
    }

    fn filter_since(&self, since: Option<Micros>) -> RecordFilter {
        RecordFilter {
            from_us: since,
            ..self.filter.clone()
        }
    }
}

/// The next answer; a stream that ends without an error was cut, too.
async fn next(answers: &mut Streaming<TailRecordsResponse>) -> Result<TailRecordsResponse, Status> {
    let answer = answers.message().await?;
    answer.ok_or_else(|| Status::unavailable("the stream has ended"))
}

/// Whether another try would be refused as well.
fn is_final(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::Unimplemented
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::OutOfRange
    )
}
