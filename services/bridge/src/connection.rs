//! One program's connection: bytes in, whole frames to the spool. Who begins with a
//! hello waits for acknowledgements (`numbered`).

mod hello;
mod numbered;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    sync::{AcquireError, OwnedSemaphorePermit},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    frame::{FrameKind, Split, Splitter},
    listener::Shared,
    spool::{FrameBatch, SpoolError},
    stream::Stream,
};

/// The least and the most that one read takes, in bytes.
const READ_BYTES: std::ops::RangeInclusive<usize> = 16 * 1024..=256 * 1024;
/// A frame above this size needs room of the memory that all large frames
/// share, before it is read on.
const LARGE_BYTES: usize = 64 * 1024;
/// While draining: a socket silent for so long counts as read empty.
const DRAIN_QUIET: Duration = Duration::from_millis(50);

/// Why a connection ended.
#[derive(Debug)]
pub enum Ended {
    /// The peer closed it, or the network did.
    ByPeer,
    /// A limit, or what came was no log.
    ByUs(&'static str),
    /// The spool can take nothing any more.
    Spool(SpoolError),
}

/// A connection and what has been read of its unfinished frame.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    peer: SocketAddr,
    number: u64,
    shared: Arc<Shared>,
    splitter: Splitter,
    buffer: BytesMut,
    read_bytes: usize,
    large: Option<OwnedSemaphorePermit>,
    slowed_until: Option<Instant>,
    hello: Option<Bytes>,
}

impl Connection {
    /// A connection with its number within this run of the bridge.
    #[must_use]
    pub fn new(stream: Stream, peer: SocketAddr, number: u64, shared: Arc<Shared>) -> Self {
        let splitter = Splitter::new(shared.limits.frame);
        Self {
            stream,
            peer,
            number,
            shared,
            splitter,
            buffer: BytesMut::new(),
            read_bytes: *READ_BYTES.start(),
            large: None,
            slowed_until: None,
            hello: None,
        }
    }

    /// Reads until the peer ends, a limit is met, or, after `shutdown`, until
    /// the socket is empty.
    pub async fn run(mut self, shutdown: CancellationToken) -> Ended {
        let mut deadline = Instant::now() + self.shared.limits.frame_time;
        while !shutdown.is_cancelled() {
            self.wait_for_its_turn(&mut deadline, &shutdown).await;
            tokio::select! {
                read = self.stream.read(self.read_bytes, &mut self.buffer) => {
                    if let Some(ended) = self.step(read, &mut deadline).await {
                        return ended;
                    }
                    if let Some(hello) = self.hello.take() {
                        return numbered::run(self, &hello, shutdown).await;
                    }
                }
                () = tokio::time::sleep_until(deadline) => {
                    return self.timed_out();
                }
                () = shutdown.cancelled() => {}
            }
        }
        loop {
            let reading = self.stream.read(self.read_bytes, &mut self.buffer);
            let Ok(read) = tokio::time::timeout(DRAIN_QUIET, reading).await else {
                break;
            };
            if let Some(ended) = self.step(read, &mut deadline).await {
                return ended;
            }
            if self.hello.is_some() {
                // It has everything still, and comes again.
                return Ended::ByUs("shutdown");
            }
        }
        if !self.buffer.is_empty() {
            self.shared.metrics.incomplete();
        }
        Ended::ByUs("shutdown")
    }

    /// Reads nothing more for a while, if the address has sent more than it may: its own
    /// socket fills up, and it has to wait. A drain does not wait for it.
    async fn wait_for_its_turn(&mut self, deadline: &mut Instant, shutdown: &CancellationToken) {
        let Some(until) = self.slowed_until.take() else {
            return;
        };
        let begun = Instant::now();
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = shutdown.cancelled() => {}
        }
        *deadline += begun.elapsed();
    }

    /// What follows from one read; `Some` when the connection is over.
    async fn step(&mut self, read: io::Result<usize>, deadline: &mut Instant) -> Option<Ended> {
        let read = match read {
            Ok(0) | Err(_) => return Some(self.finish().await),
            Ok(read) => read,
        };
        self.adapt(read);
        let was_partial = self.buffer.len() > read || self.splitter.is_skipping();
        let mut splits = Vec::new();
        let split = self.splitter.split(&self.buffer, &mut splits);
        let used = split.as_ref().map_or(self.buffer.len(), |used| *used);
        let whole = !splits.is_empty();
        if let [Split::Hello(range)] = &splits[..] {
            let rest = self.buffer.split_off(used);
            let read = std::mem::replace(&mut self.buffer, rest).freeze();
            self.hello = Some(read.slice(range.clone()));
            return None;
        }
        if let Err(error) = self.spool(used, splits).await {
            return Some(Ended::Spool(error));
        }
        if let Err(reason) = split {
            return Some(Ended::ByUs(reason.0));
        }
        let partial = !self.buffer.is_empty() || self.splitter.is_skipping();
        let limits = &self.shared.limits;
        match (whole, partial) {
            (true, false) => *deadline = Instant::now() + limits.idle,
            (_, true) if whole || !was_partial => *deadline = Instant::now() + limits.frame_time,
            // More of the same frame, or blanks between two: no reason to wait longer.
            _ => {}
        }
        let room = self.room(self.splitter.wanted())?;
        match tokio::time::timeout_at(*deadline, room).await {
            Ok(permit) => {
                self.large = permit.ok();
                None
            }
            Err(_) => Some(self.timed_out()),
        }
    }

    /// Busy connections read in large pieces, quiet ones hold little memory.
    fn adapt(&mut self, read: usize) {
        if self.shared.throttle.is_slow(self.peer.ip(), Instant::now()) {
            // Little and often, so that a peer does not wait for long at a time.
            self.read_bytes = *READ_BYTES.start();
        } else if read >= self.read_bytes {
            self.read_bytes = (self.read_bytes * 2).min(*READ_BYTES.end());
        } else if read < self.read_bytes / 4 {
            self.read_bytes = (self.read_bytes / 2).max(*READ_BYTES.start());
        }
    }

    /// Hands whole frames to the spool and keeps the rest in a buffer of its
    /// own size, so that the big one can go.
    async fn spool(&mut self, used: usize, splits: Vec<Split>) -> Result<(), SpoolError> {
        if used == 0 && self.buffer.capacity() <= 4 * self.buffer.len() {
            return Ok(());
        }
        let rest = self.buffer.split_off(used);
        let read = std::mem::take(&mut self.buffer).freeze();
        self.buffer = BytesMut::from(&rest[..]);
        if splits.is_empty() {
            return Ok(());
        }
        self.large = None;
        self.shared.metrics.received(splits.len());
        let received_us = clock::now_us();
        let throttle = &self.shared.throttle;
        let address = self.peer.ip();
        self.slowed_until = throttle.spend(address, splits.len(), Instant::now(), received_us);
        let mut in_place = Vec::with_capacity(splits.len());
        for split in splits {
            match split {
                Split::Slice { kind, range } => in_place.push((kind as u8, range)),
                // Ends a split, and is looked for there.
                Split::Hello(_) => {}
                Split::Oversize(note) => {
                    let frames = std::mem::take(&mut in_place);
                    self.append(received_us, read.clone(), frames).await?;
                    let frames = vec![(FrameKind::Oversize as u8, 0..note.len())];
                    self.append(received_us, note.into(), frames).await?;
                }
            }
        }
        self.append(received_us, read, in_place).await
    }

    async fn append(
        &self,
        received_us: i64,
        buffer: Bytes,
        frames: Vec<(u8, std::ops::Range<usize>)>,
    ) -> Result<(), SpoolError> {
        if frames.is_empty() {
            return Ok(());
        }
        let batch = FrameBatch {
            received_us,
            connection: self.number,
            peer: Some(self.peer),
            buffer,
            frames,
        };
        // What a full spool drops is counted and declared by the spool itself.
        self.shared.spool.append(batch).await.map(|_appended| ())
    }

    /// The wait for a share of the memory for large frames, if the frame at hand, which
    /// wants so many bytes more, is one.
    fn room(
        &self,
        wanted: usize,
    ) -> Option<impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send + 'static>
    {
        let need = self.buffer.len() + wanted;
        if need <= LARGE_BYTES || self.large.is_some() {
            return None;
        }
        let kib = u32::try_from(self.shared.limits.frame.frame_bytes / 1024).unwrap_or(u32::MAX);
        Some(Arc::clone(&self.shared.partial_kib).acquire_many_owned(kib))
    }

    /// The peer has ended: a last line may still be whole.
    async fn finish(&mut self) -> Ended {
        let mut splits = Vec::new();
        if self.splitter.finish(&self.buffer, &mut splits) {
            self.shared.metrics.incomplete();
        }
        match self.spool(self.buffer.len(), splits).await {
            Ok(()) => Ended::ByPeer,
            Err(error) => Ended::Spool(error),
        }
    }

    fn timed_out(&self) -> Ended {
        if self.buffer.is_empty() && !self.splitter.is_skipping() {
            return Ended::ByUs("idle for too long");
        }
        self.shared.metrics.incomplete();
        Ended::ByUs("frame not completed in time")
    }
}
