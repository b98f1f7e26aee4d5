//! How large the queue's buffers get, and when they are given back.

use super::QUEUE_BYTES;

/// A buffer that stays larger than this after a burst is given back.
const KEPT_BYTES: usize = 256 << 10;

/// Frees what a burst has left in an empty buffer.
pub(super) fn give_back(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEPT_BYTES {
        *buffer = Vec::new();
    }
}

/// Doubles a buffer, but not beyond what the queue may hold.
pub(super) fn make_room(buffer: &mut Vec<u8>, bytes: usize) {
    let needed = buffer.len() + bytes;
    if needed > buffer.capacity() {
        let doubled = (2 * buffer.capacity()).min(QUEUE_BYTES).max(needed);
        buffer.reserve_exact(doubled - buffer.len());
    }
}
