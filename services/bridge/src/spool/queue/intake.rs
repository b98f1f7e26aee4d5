//! Tagged entries on their way into the queue: numbered like frames, but never
//! dropped, and each number of their sender taken once.

use std::time::Duration;

use std::sync::atomic::Ordering;

use super::{QUEUE_BYTES, Queue, State};
use crate::spool::SpoolError;
use crate::spool::entry::{Encoder, Origin};
use crate::spool::forwarded::{self, ForwardedBatch, Progress, Sender, TakenIn};
use crate::spool::shared::Shared;

/// Forwarded entries leave this much of the queue to the programs' frames.
const INTAKE_BYTES: usize = QUEUE_BYTES / 2;
/// How often is looked whether a full spool has room again.
const ROOM_LOOK: Duration = Duration::from_millis(50);

impl Queue {
    /// Numbers and queues what is new in a batch, once there is room.
    pub(in crate::spool) async fn take_in(
        &self,
        shared: &Shared,
        batch: &ForwardedBatch,
    ) -> Result<TakenIn, SpoolError> {
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            {
                let mut state = self.state();
                if let Some(ended) = &state.ended {
                    return Err(ended.clone());
                }
                if state.closing {
                    return Err(SpoolError::Closed);
                }
                let is_full = shared.full.load(Ordering::Relaxed);
                if state.group.bytes.len() < INTAKE_BYTES && !is_full {
                    return Ok(self.push_forwarded(&mut state, shared, batch));
                }
            }
            let _ = tokio::time::timeout(ROOM_LOOK, room).await;
        }
    }

    fn push_forwarded(
        &self,
        state: &mut State,
        shared: &Shared,
        batch: &ForwardedBatch,
    ) -> TakenIn {
        let (sender, upstream) = (batch.sender, batch.upstream);
        let source = (sender, upstream);
        let queued = state.upstreams.get(&source).copied();
        let known = queued.or_else(|| shared.senders.of(sender).next(upstream));
        let begun = match sender {
            Sender::Bridge => known.unwrap_or(batch.begin),
            // What was acknowledged is nowhere but here, or lost.
            Sender::Program => known.unwrap_or(0).max(batch.begin),
        };
        let mut expected = begun;
        if batch.first > expected {
            return TakenIn::Hole(expected);
        }
        let before = state.group.bytes.len();
        let first = state.group.next;
        let origin = Origin {
            received_us: batch.received_us,
            connection: batch.connection,
            peer: batch.peer,
        };
        let mut encoder = Encoder::new(&origin, self.salt);
        let mut frame = Vec::new();
        for it in batch.entries.iter().filter(|it| it.next > batch.first) {
            if it.next <= expected {
                continue;
            }
            expected = it.next;
            let progress = Progress {
                sender,
                upstream,
                next: expected,
            };
            let Some(entry) = &it.entry else {
                progress.merge_into(&mut state.group.skips);
                continue;
            };
            frame.clear();
            forwarded::encode(&mut frame, &progress, entry);
            let number = state.group.next;
            let kind = forwarded::tagged_kind(sender, it.kind);
            encoder.push(&mut state.group.bytes, number, kind, &frame);
            state.group.next += 1;
            state.group.skips.retain(|skip| skip.source() != source);
        }
        if expected > begun {
            state.upstreams.insert(source, expected);
            self.pushed(state, before, batch.received_us);
        }
        TakenIn::Queued(state.group.next - first)
    }

    /// These are durable: what is expected next is known without the queue.
    pub(in crate::spool) fn settle(&self, progress: &[Progress]) {
        if progress.is_empty() {
            return;
        }
        let mut state = self.state();
        for it in progress {
            if state.upstreams.get(&it.source()) == Some(&it.next) {
                state.upstreams.remove(&it.source());
            }
        }
    }
}
