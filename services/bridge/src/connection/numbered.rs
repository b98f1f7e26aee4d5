//! The connection of a program that numbers its records and keeps them until they are
//! acknowledged. A number is acknowledged when it is as durable as its record, never
//! before, whatever is cut meanwhile; and where there is no room nothing is dropped,
//! but nothing is acknowledged either.

use std::{io, mem, pin::Pin, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use super::{
    Connection, Ended,
    hello::{self, Hello},
};
use crate::{
    clock,
    frame::{
        FrameKind, Split,
        numbered::{Numbered, NumberedSplitter},
    },
    spool::{Forwarded, ForwardedBatch, Intake, Sender, SpoolError, TakenIn},
};

/// While something is not acknowledged, the last acknowledgement is repeated so often:
/// who hears nothing for longer knows that nobody is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// How long a program may take to read what it is told.
const TELLING: Duration = Duration::from_secs(10);
/// How long the rest of a refused program is read, so that it reads why.
const FAREWELL: Duration = Duration::from_secs(1);

type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Answers the hello and serves the connection to its end.
pub(super) async fn run(
    mut connection: Connection,
    hello: &[u8],
    shutdown: CancellationToken,
) -> Ended {
    let hello = match Hello::read(hello) {
        Ok(hello) => hello,
        Err(text) => return refuse(&mut connection, &text, "hello refused").await,
    };
    let intake = match connection.shared.numbered().await {
        Ok(intake) => intake,
        Err(error) => {
            warn!(%error, "programs cannot be acknowledged now");
            let text = "the spool takes nothing now";
            return refuse(&mut connection, text, text).await;
        }
    };
    let mut link = Link::new(connection, intake, hello);
    let ended = match link.open().await {
        Ok(()) => link.serve(&shutdown).await,
        Err(ended) => ended,
    };
    match ended {
        Ended::ByUs(reason) => refuse(&mut link.connection, reason, reason).await,
        ended => ended,
    }
}

/// Tells why the connection ends.
async fn refuse(connection: &mut Connection, text: &str, reason: &'static str) -> Ended {
    let telling = async {
        connection.stream.send(&hello::error(text)).await?;
        connection.stream.end().await?;
        // What is left unread would take the answer with it.
        loop {
            connection.buffer.clear();
            if connection.stream.read(1024, &mut connection.buffer).await? == 0 {
                return io::Result::Ok(());
            }
        }
    };
    let _told = timeout(FAREWELL, telling).await;
    Ended::ByUs(reason)
}

/// A connection after its hello.
struct Link {
    connection: Connection,
    splitter: NumberedSplitter,
    intake: Intake,
    changes: watch::Receiver<u64>,
    stream: Uuid,
    /// The number that has to come next; `None` before the first.
    next: Option<u64>,
    /// The number behind what the spool has taken.
    taken: u64,
    /// The number behind what was acknowledged.
    acknowledged: u64,
    told_at: Instant,
    deadline: Instant,
    is_reading: bool,
    /// Frames that wait for room in the spool, and how many they are.
    taking: Option<(Waiting<Result<TakenIn, SpoolError>>, u64)>,
    /// A large frame that waits for its share of the memory.
    room: Option<Waiting<Option<OwnedSemaphorePermit>>>,
}

impl Link {
    fn new(connection: Connection, intake: Intake, hello: Hello) -> Self {
        let known = intake.expected(hello.stream).unwrap_or(0);
        let taken = known.max(hello.first);
        let now = Instant::now();
        Self {
            splitter: NumberedSplitter::new(connection.shared.limits.frame),
            changes: intake.changes(),
            stream: hello.stream,
            next: None,
            taken,
            acknowledged: taken,
            told_at: now,
            deadline: now + connection.shared.limits.idle,
            is_reading: true,
            taking: None,
            room: None,
            connection,
            intake,
        }
    }

    /// Says which number is expected, and takes what has come behind the hello.
    async fn open(&mut self) -> Result<(), Ended> {
        let at_once = self.connection.stream.send_at_once();
        at_once.map_err(|_| Ended::ByPeer)?;
        let expected = self.intake.expected(self.stream).unwrap_or(0);
        self.tell(&hello::answer(expected)).await?;
        self.split(false)
    }

    async fn serve(&mut self, shutdown: &CancellationToken) -> Ended {
        loop {
            if let Err(ended) = self.acknowledge().await {
                return ended;
            }
            let is_behind = self.acknowledged < self.taken;
            let is_taking = self.taking.is_some();
            if !self.is_reading && !is_behind && !is_taking {
                return match shutdown.is_cancelled() {
                    true => Ended::ByUs("shutdown"),
                    false => Ended::ByPeer,
                };
            }
            let slowed = self.connection.slowed_until;
            let is_ready = !is_taking && self.room.is_none();
            let connection = &mut self.connection;
            let step = tokio::select! {
                biased;
                changed = self.changes.changed(), if is_behind => {
                    changed.map_err(|_| Ended::Spool(SpoolError::Closed))
                }
                taken = wait(self.taking.as_mut().map(|it| &mut it.0)) => self.took(taken).await,
                permit = wait(self.room.as_mut()) => {
                    self.room = None;
                    self.connection.large = permit;
                    Ok(())
                }
                () = sleep_until(self.told_at + SIGN_OF_LIFE), if is_behind || is_taking => {
                    self.tell(&hello::acknowledgement(self.acknowledged - 1)).await
                }
                () = shutdown.cancelled(), if self.is_reading => {
                    // What waits for room is not taken: the program keeps it.
                    self.is_reading = false;
                    self.taking = None;
                    Ok(())
                }
                () = sleep_until(slowed.unwrap_or(self.deadline)), if slowed.is_some() => {
                    self.connection.slowed_until = None;
                    Ok(())
                }
                () = sleep_until(self.deadline), if self.is_reading && !is_taking => {
                    Err(self.connection.timed_out())
                }
                read = connection.stream.read(connection.read_bytes, &mut connection.buffer),
                    if self.is_reading && is_ready && slowed.is_none() => read.map_err(|_| Ended::ByPeer).and_then(|read| self.step(read)),
            };
            if let Err(ended) = step {
                return ended;
            }
        }
    }

    /// What follows from one read.
    fn step(&mut self, read: usize) -> Result<(), Ended> {
        if read == 0 {
            // It may still read what has become of the rest.
            self.is_reading = false;
            return Ok(());
        }
        self.connection.adapt(read);
        let was_partial = self.connection.buffer.len() > read || self.splitter.is_skipping();
        self.split(was_partial)
    }

    fn split(&mut self, was_partial: bool) -> Result<(), Ended> {
        let mut frames = Vec::new();
        let split = self.splitter.split(&self.connection.buffer, &mut frames);
        let used = split.as_ref().map_or(0, |used| *used);
        let whole = !frames.is_empty();
        self.hand_over(used, frames)?;
        split.map_err(|_| Ended::ByUs("a length that no numbered frame has"))?;
        let limits = &self.connection.shared.limits;
        let partial = !self.connection.buffer.is_empty() || self.splitter.is_skipping();
        let from = self.connection.slowed_until.unwrap_or_else(Instant::now);
        match (whole, partial) {
            (true, false) => self.deadline = from + limits.idle,
            (_, true) if whole || !was_partial => self.deadline = from + limits.frame_time,
            // More of the same frame is no reason to wait longer.
            _ => {}
        }
        if let Some(room) = self.connection.room(self.splitter.wanted()) {
            self.room = Some(Box::pin(async { room.await.ok() }));
        }
        Ok(())
    }

    /// Gives whole frames to the spool, and keeps the rest of the buffer.
    fn hand_over(&mut self, used: usize, frames: Vec<Numbered>) -> Result<(), Ended> {
        let connection = &mut self.connection;
        if used > 0 {
            let rest = connection.buffer.split_off(used);
            let rest = bytes::BytesMut::from(&rest[..]);
            let read = mem::replace(&mut connection.buffer, rest).freeze();
            connection.large = None;
            self.take(&read, frames)?;
        }
        Ok(())
    }

    fn take(&mut self, read: &bytes::Bytes, frames: Vec<Numbered>) -> Result<(), Ended> {
        let mut entries = Vec::with_capacity(frames.len());
        let mut first = None;
        for Numbered { number, split } in frames {
            let Some(split) = split else {
                if entries.is_empty() && self.acknowledged == self.taken {
                    self.intake.part(self.stream);
                }
                continue;
            };
            if !hello::is_number(number) || self.next.is_some_and(|next| next != number) {
                return Err(Ended::ByUs("numbers have to follow each other"));
            }
            first.get_or_insert(number);
            self.next = Some(number + 1);
            let (kind, bytes) = match split {
                Split::Slice { kind, range } => (kind, read.slice(range)),
                Split::Oversize(note) => (FrameKind::Oversize, note.into()),
                Split::Hello(_) => continue,
            };
            entries.push(Forwarded {
                next: number + 1,
                kind: kind as u8,
                entry: Some(bytes),
            });
        }
        let Some(first) = first else {
            return Ok(());
        };
        let (connection, received_us) = (&mut self.connection, clock::now_us());
        let (throttle, address) = (&connection.shared.throttle, connection.peer.ip());
        connection.slowed_until =
            throttle.spend(address, entries.len(), Instant::now(), received_us);
        let count = entries.len() as u64;
        let batch = ForwardedBatch {
            sender: Sender::Program,
            upstream: self.stream,
            begin: self.taken,
            first,
            received_us,
            connection: connection.number,
            peer: Some(connection.peer),
            entries,
        };
        let intake = self.intake.clone();
        let taking = Box::pin(async move { intake.take(&batch).await });
        self.taking = Some((taking, count));
        Ok(())
    }

    /// The frames at hand are in the spool's queue, or never will be.
    async fn took(&mut self, taken: Result<TakenIn, SpoolError>) -> Result<(), Ended> {
        let count = self.taking.take().map_or(0, |it| it.1);
        match taken {
            Ok(TakenIn::Queued(new)) => {
                let metrics = &self.connection.shared.metrics;
                metrics.received(usize::try_from(new).unwrap_or(usize::MAX));
                metrics.repeated(count - new);
                self.taken = self.taken.max(self.next.unwrap_or(0));
                self.deadline = self.deadline.max(Instant::now() + self.patience());
                Ok(())
            }
            Ok(TakenIn::Hole(_)) => Err(Ended::ByUs("numbers are missing before the first")),
            Err(error) => Err(Ended::Spool(error)),
        }
    }

    /// How long the next bytes may take.
    fn patience(&self) -> Duration {
        let limits = &self.connection.shared.limits;
        match self.connection.buffer.is_empty() && !self.splitter.is_skipping() {
            true => limits.idle,
            false => limits.frame_time,
        }
    }

    /// Tells what has become durable, if anything.
    async fn acknowledge(&mut self) -> Result<(), Ended> {
        // Changes from here on are seen by the next look.
        self.changes.borrow_and_update();
        let durable = self.intake.expected(self.stream).unwrap_or(0);
        // A former connection of the same stream may have been ahead of this one.
        let next = durable.min(self.taken);
        if next <= self.acknowledged {
            return Ok(());
        }
        self.acknowledged = next;
        self.tell(&hello::acknowledgement(next - 1)).await
    }

    async fn tell(&mut self, frame: &[u8]) -> Result<(), Ended> {
        self.told_at = Instant::now();
        let sending = self.connection.stream.send(frame);
        match timeout(TELLING, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended::ByPeer),
            Err(_) => Err(Ended::ByUs("what it is told is not read")),
        }
    }
}

/// The outcome of a future, which is not polled again; never without one.
async fn wait<T>(waiting: Option<&mut Waiting<T>>) -> T {
    match waiting {
        Some(waiting) => waiting.await,
        None => std::future::pending().await,
    }
}
