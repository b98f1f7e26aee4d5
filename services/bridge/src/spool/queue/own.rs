//! What the spool itself has to say: records of its own among the frames, and
//! the account of what was dropped.

use super::{Group, QUEUE_BYTES, Queue, State};
use crate::spool::drops::{self, Drops};
use crate::spool::entry::{Encoder, Origin};

/// The kind of frames that the spool writes itself.
pub(in crate::spool) const DECLARATION_KIND: u8 = 5;

impl Queue {
    /// Queues a record of the spool itself, whatever the room.
    pub(in crate::spool) fn push_own(&self, frame: &[u8], now_us: i64) {
        let mut state = self.state();
        self.push_declaration(&mut state, frame, now_us);
    }

    /// Queues the declaration of what was dropped, if there is room again.
    /// Returns its number and what it tells.
    pub(in crate::spool) fn declare_drops(&self, now_us: i64) -> Option<(u64, Drops)> {
        let mut state = self.state();
        if state.drops.is_empty() || state.group.bytes.len() >= QUEUE_BYTES {
            return None;
        }
        let drops = std::mem::take(&mut state.drops);
        let sequence = state.group.next;
        self.push_declaration(&mut state, &drops.declaration(now_us), now_us);
        Some((sequence, drops))
    }

    /// Counts entries of `group` from the number `next` on, and all that came
    /// since, as dropped: they will never be written. Returns how many frames
    /// these are.
    pub(in crate::spool) fn drop_unwritten(&self, group: &Group, next: u64) -> u64 {
        let mut state = self.state();
        let mut drops = Drops::of_entries(&group.bytes, next, self.salt);
        drops.add(&Drops::of_entries(&state.group.bytes, next, self.salt));
        state.group.bytes.clear();
        state.dropped_total += drops.records;
        state.drops.add(&drops);
        drops.records
    }

    fn push_declaration(&self, state: &mut State, frame: &[u8], now_us: i64) {
        let origin = Origin {
            received_us: now_us,
            connection: 0,
            peer: None,
        };
        let before = state.group.bytes.len();
        Encoder::new(&origin, self.salt).push(
            &mut state.group.bytes,
            state.group.next,
            DECLARATION_KIND,
            frame,
        );
        state.group.next += 1;
        self.pushed(state, before, now_us);
    }

    /// What was dropped and is not declared.
    pub(in crate::spool) fn drops(&self) -> Drops {
        self.state().drops.clone()
    }
}

/// Whether a spooled frame declares drops, and how many records and bytes.
pub(in crate::spool) fn declared_drops(kind: u8, frame: &[u8]) -> Option<(u64, u64)> {
    (kind == DECLARATION_KIND)
        .then(|| drops::declared(frame))
        .flatten()
}
