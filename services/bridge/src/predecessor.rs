//! A bridge of the predecessor as destination. It takes length-prefixed pickles and
//! never answers; it takes a short read for a whole frame. So frames go out one
//! write each, at an even pace, and in rounds so small that whatever is in between
//! passes each on in one piece; a round ends with our end of the stream, and it is
//! delivered when the other side, which has then read everything, closes too. The
//! published bridge leaves that to chance: with one that was not seen to close, a
//! round also counts when nothing has broken for a while, and rounds are as large as
//! its socket holds. A round that ends in any other way is sent again: nothing is
//! lost, some may be there twice.

mod encode;
mod round;

use std::{sync::Arc, time::Duration};

use domain::{Entry, Record};
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpStream, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    batch::{self, Decoded, Done},
    forward::{back_off::BackOff, pace::Pace},
    frame::FrameKind,
    metrics::{DestinationMetrics, Metrics},
    policy::Policy,
    routes::Route,
    spool::{Chunk, Item, Reader, SpoolError},
};
use round::{End, Frames, RoundSize};

/// The most frames a second: it commits each of them.
const RATE: std::num::NonZeroU32 = std::num::NonZeroU32::new(200).expect("it is not 0");
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// For one write, and for the other side's end of a round.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// For that end of one that was never seen to close.
const QUIET_FOR: Duration = Duration::from_secs(2);

/// Why a round was not delivered.
#[derive(Debug, thiserror::Error)]
enum Broken {
    /// The spool can give nothing any more: fatal.
    #[error("the spool failed")]
    Spool(#[from] SpoolError),
    /// The way there.
    #[error("cannot connect: {0}")]
    Unreachable(std::io::Error),
    /// It ended before it had read everything.
    #[error("the connection broke: {0}")]
    Cut(std::io::Error),
    /// Nothing happened for too long.
    #[error("it does not read")]
    Silent,
}

/// The way to a predecessor's bridge.
#[derive(Debug)]
pub struct Predecessor {
    reader: Reader,
    address: String,
    destination: String,
    policy: Arc<Policy>,
    pace: Pace,
    counts: Arc<DestinationMetrics>,
    metrics: Arc<Metrics>,
    size: RoundSize,
    end: End,
}

impl Predecessor {
    /// Sends what `reader` gives to the bridge at `address`, by the rules of `route`.
    #[must_use]
    pub fn new(route: &Route, address: &str, reader: Reader, metrics: Arc<Metrics>) -> Self {
        Self {
            reader,
            address: address.to_owned(),
            destination: route.name.clone(),
            policy: Arc::clone(&route.policy),
            pace: Pace::evenly(route.rate.unwrap_or(RATE)),
            counts: metrics.destination(&route.name),
            metrics,
            size: RoundSize::default(),
            end: End::Unseen,
        }
    }

    /// Forwards until `stop` is cancelled.
    ///
    /// # Errors
    /// When the spool can give nothing any more.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), SpoolError> {
        let mut back_off = BackOff::default();
        loop {
            let limit = self.size.frames();
            let bytes = self.end.round_bytes();
            let chunk = tokio::select! {
                chunk = self.reader.next(limit, bytes) => chunk?,
                () = stop.cancelled() => return Ok(()),
            };
            let first = chunk.first_sequence;
            let next = first + chunk.items.iter().map(Item::width).sum::<u64>();
            let frames = self.frames(chunk);
            let delivered = tokio::select! {
                delivered = self.deliver(&frames) => delivered,
                () = stop.cancelled() => return Ok(()),
            };
            match delivered {
                Ok(()) => {
                    self.reader.acknowledge(next)?;
                    self.counts.set_connected(true);
                    self.counts.sent(Done {
                        entries: frames.list.len() as u64,
                        dead_letters: 0,
                    });
                    self.size.grow();
                    back_off.reset();
                }
                Err(Broken::Spool(error)) => return Err(error),
                Err(error) => {
                    self.counts.set_connected(false);
                    self.counts.failed();
                    self.reader.resume(first)?;
                    if !matches!(error, Broken::Unreachable(_)) {
                        self.size.shrink();
                    }
                    let wait = back_off.next();
                    let wait_ms = wait.as_millis();
                    warn!(destination = self.destination, %error, wait_ms, "records wait in the spool");
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = stop.cancelled() => return Ok(()),
                    }
                }
            }
        }
    }

    /// What of a chunk goes out.
    fn frames(&self, chunk: Chunk) -> Frames {
        let mut frames = Frames::default();
        for item in chunk.items {
            match item {
                // What came as a pickle goes on as it was.
                Item::Frame(frame)
                    if frame.kind == FrameKind::Pickle as u8 && self.policy.is_open() =>
                {
                    frames.push(&frame.bytes);
                }
                item => self.encode(item, &mut frames),
            }
        }
        if frames.kept > 0 {
            let kept = frames.kept;
            info!(
                destination = self.destination,
                kept, "entries that cannot be sent there"
            );
        }
        frames
    }

    fn encode(&self, item: Item, frames: &mut Frames) {
        let Decoded {
            batches,
            panics,
            tally,
        } = batch::decode(vec![item], &self.policy);
        self.metrics.decoder_panicked(panics);
        self.counts.ruled(tally);
        for outgoing in batches.into_iter().flatten() {
            match outgoing.entry {
                Entry::Record(record) => frames.push(&encode::record(&record)),
                Entry::DeadLetter(_) | Entry::Gap(_) => frames.kept += 1,
                Entry::Skipped(_) => {}
            }
        }
    }

    /// Sends frames and waits until the other side has read them.
    async fn deliver(&mut self, frames: &Frames) -> Result<(), Broken> {
        for round in frames.rounds(self.end.round_bytes()) {
            self.send(round).await?;
        }
        Ok(())
    }

    async fn send(&mut self, round: &[Vec<u8>]) -> Result<(), Broken> {
        let connecting = timeout(CONNECT_WITHIN, TcpStream::connect(&self.address));
        let mut stream = connecting
            .await
            .map_err(|_| Broken::Unreachable(std::io::ErrorKind::TimedOut.into()))?
            .map_err(Broken::Unreachable)?;
        stream.set_nodelay(true).map_err(Broken::Cut)?;
        for frame in round {
            self.pace.free().await;
            self.pace.spend(1);
            still_open(&stream)?;
            let written = timeout(ANSWER_WITHIN, stream.write_all(frame)).await;
            written.map_err(|_| Broken::Silent)?.map_err(Broken::Cut)?;
        }
        still_open(&stream)?;
        let ended = async {
            stream.shutdown().await?;
            let mut answer = [0; 64];
            while stream.read(&mut answer).await? > 0 {}
            stream.take_error()?.map_or(Ok(()), Err)
        };
        let patience = match self.end {
            End::Closes => ANSWER_WITHIN,
            End::Unseen | End::Quiet => QUIET_FOR,
        };
        match (timeout(patience, ended).await, self.end) {
            (Ok(ended), _) => {
                ended.map_err(Broken::Cut)?;
                self.end = End::Closes;
                Ok(())
            }
            (Err(_), End::Closes) => Err(Broken::Silent),
            (Err(_), End::Unseen | End::Quiet) => {
                self.end = End::Quiet;
                Ok(())
            }
        }
    }
}

/// An end that the other side made before ours is none of a round that it has read.
fn still_open(stream: &TcpStream) -> Result<(), Broken> {
    match stream.try_read(&mut [0; 64]) {
        Ok(0) => Err(Broken::Cut(std::io::ErrorKind::UnexpectedEof.into())),
        Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => Err(Broken::Cut(error)),
        _ => Ok(()),
    }
}

/// A record as the pickle that a predecessor's bridge reads, without its length.
#[must_use]
pub fn pickled(record: &Record) -> Vec<u8> {
    encode::record(record)
}
