//! The tables of both kinds of senders, which know nothing of each other: however many
//! programs there are, they push out no bridge.

use super::{STREAMS, UPSTREAMS, Upstreams};
use crate::spool::error::SpoolError;
use crate::spool::folder::Folder;
use crate::spool::forwarded::{Progress, Sender};

/// How far all those have come who number what they send.
#[derive(Debug)]
pub(in crate::spool) struct Senders {
    bridges: Upstreams,
    programs: Upstreams,
}

impl Senders {
    /// Reads the files. What entries from `covers` on tell is still to be added.
    pub(in crate::spool) fn load(folder: &Folder) -> Result<Self, SpoolError> {
        Ok(Self {
            bridges: Upstreams::load(folder, UPSTREAMS)?,
            programs: Upstreams::load(folder, STREAMS)?,
        })
    }

    /// The table of one kind.
    pub(in crate::spool) fn of(&self, sender: Sender) -> &Upstreams {
        match sender {
            Sender::Bridge => &self.bridges,
            Sender::Program => &self.programs,
        }
    }

    /// The first number that a file does not tell of; `None` when there cannot be an
    /// entry with a tag.
    pub(in crate::spool) fn covers(&self) -> Option<u64> {
        let both = [self.bridges.covers(), self.programs.covers()];
        both.into_iter().flatten().min()
    }

    /// What is told became durable.
    pub(in crate::spool) fn advance(&self, progress: &[Progress], at_us: i64) {
        for sender in [Sender::Bridge, Sender::Program] {
            let own = progress.iter().filter(|it| it.sender == sender);
            self.of(sender).advance(own, at_us);
        }
    }

    /// Makes the files that are there tell of everything below `covers`, durably.
    /// Where there was no room, what a file told before still holds.
    pub(in crate::spool) fn save(&self, folder: &Folder, covers: u64) -> Result<(), SpoolError> {
        for table in [&self.bridges, &self.programs] {
            if table.covers().is_some_and(|told| told < covers) {
                table.save(folder, covers)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn however_many_programs_there_are_no_bridge_is_forgotten_nor_one_that_has_not_ended() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::lock(dir.path()).unwrap();
        let senders = Senders::load(&folder).unwrap();
        assert_eq!(senders.covers(), None);
        let progress = |sender, number| Progress {
            sender,
            upstream: Uuid::from_u128(number),
            next: 3,
        };
        let quiet = [
            progress(Sender::Bridge, 1),
            progress(Sender::Program, 1),
            progress(Sender::Program, 2),
        ];
        senders.advance(&quiet, 0);
        for table in [&senders.bridges, &senders.programs] {
            assert!(table.save(&folder, 10).unwrap());
        }
        let programs = senders.of(Sender::Program);
        // Short-lived ones, each of which says farewell.
        for number in 10..40_000 {
            senders.advance(&[progress(Sender::Program, number)], 1);
            programs.part(Uuid::from_u128(number));
        }
        for it in &quiet {
            assert_eq!(senders.of(it.sender).next(it.upstream), Some(3), "{it:?}");
        }
        assert_eq!(programs.forgotten(), 0);
        // Without a farewell those heard of longest ago go, are counted, and no bridge is
        // one of them.
        for number in 100_000..140_000 {
            senders.advance(&[progress(Sender::Program, number)], 2);
        }
        assert_eq!(programs.next(Uuid::from_u128(1)), None);
        assert!(programs.forgotten() > 20_000);
        let bridges = senders.of(Sender::Bridge);
        assert_eq!(bridges.next(Uuid::from_u128(1)), Some(3));
        assert_eq!(bridges.forgotten(), 0);
        senders.save(&folder, 50).unwrap();
        let again = Senders::load(&folder).unwrap();
        assert_eq!(again.covers(), Some(50));
        let last = Uuid::from_u128(139_999);
        assert_eq!(again.of(Sender::Program).next(last), Some(3));
        assert_eq!(again.of(Sender::Bridge).next(last), None);
    }
}
