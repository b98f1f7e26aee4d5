//! How many alerts and heartbeats there may be: the store takes no more from one run.

use domain::AlertSubject;

/// The most of either.
const MAX_ENTRIES: usize = 100_000;
/// The most bytes of either.
const MAX_BYTES: usize = 20 << 20;
/// What an entry has besides names.
const ENTRY_BYTES: usize = 150;

/// Room for entries.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Room {
    entries: usize,
    bytes: usize,
    /// How many there was no room for.
    pub(super) left_out: u64,
}

impl Room {
    /// Takes room for one whether or not there is any.
    pub(super) fn fill(&mut self, subject: &AlertSubject) {
        self.entries += 1;
        self.bytes += size(subject);
    }

    /// Takes room for one; false when there is none.
    pub(super) fn take(&mut self, subject: &AlertSubject) -> bool {
        if self.entries >= MAX_ENTRIES || self.bytes + size(subject) > MAX_BYTES {
            self.left_out += 1;
            return false;
        }
        self.fill(subject);
        true
    }
}

fn size(subject: &AlertSubject) -> usize {
    let AlertSubject {
        rule,
        condition,
        system_id,
        sub_system_id,
    } = subject;
    ENTRY_BYTES + rule.len() + condition.len() + system_id.len() + sub_system_id.len()
}

#[cfg(test)]
mod tests {
    use domain::AlertSubject;

    use super::{MAX_BYTES, MAX_ENTRIES, Room};

    /// Guards: more heartbeats than the store takes made every run fail.
    #[test]
    fn there_is_room_for_so_many_and_so_much() {
        let subject = |bytes: usize| AlertSubject {
            rule: "a".to_owned(),
            condition: "AGE=1h".to_owned(),
            system_id: "x".repeat(bytes),
            sub_system_id: String::new(),
        };
        let mut room = Room::default();
        let small = subject(20);
        assert_eq!(
            (0..MAX_ENTRIES + 7).filter(|_| room.take(&small)).count(),
            MAX_ENTRIES
        );
        assert_eq!(room.left_out, 7);
        let mut room = Room::default();
        assert!(!room.take(&subject(MAX_BYTES)));
        assert!(room.take(&small));
    }
}
