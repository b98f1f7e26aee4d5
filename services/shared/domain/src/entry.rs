//! What one number of a spool stands for.

use uuid::Uuid;

use crate::{Micros, Record};

/// Identity of a spool. A spool numbers its entries from 1 and never uses a
/// number twice; a spool that might would take a new identity.
pub type BridgeId = Uuid;

/// What one number (or, for a gap, several) of a spool stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A record.
    Record(Box<Record>),
    /// A frame that is no record.
    DeadLetter(Box<DeadLetter>),
    /// Frames that were destroyed.
    Gap(Gap),
    /// So many numbers, at least one, that are not for whoever is told.
    Skipped(u64),
}

impl Entry {
    /// How many numbers of the spool it takes.
    #[must_use]
    pub fn width(&self) -> u64 {
        match self {
            Self::Record(_) | Self::DeadLetter(_) => 1,
            Self::Gap(gap) => gap.count,
            Self::Skipped(count) => *count,
        }
    }
}

/// A frame that could not become a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetter {
    /// Given by the store; 0 before.
    pub id: u64,
    /// When the bridge read the frame.
    pub received_us: Micros,
    /// Address and port the frame came from.
    pub peer: String,
    /// Why it is no record, for people.
    pub reason: String,
    /// Length of the whole frame in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the whole frame.
    pub sha256: [u8; 32],
    /// The first bytes of the frame, at most [`DeadLetter::HEAD_BYTES`].
    pub head: Vec<u8>,
}

impl DeadLetter {
    /// How much of a frame a dead letter keeps.
    pub const HEAD_BYTES: usize = 64 * 1024;
}

/// Numbers whose frames were destroyed before the store had them. It begins
/// where the entry before it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gap {
    /// How many consecutive numbers it takes, at least 1.
    pub count: u64,
    /// How many frames are lost, where a spool further up has declared it and one
    /// number stands for them; 0 for as many as there are numbers.
    pub lost: u64,
    /// Why, for people.
    pub reason: String,
}

impl Gap {
    /// How many frames are lost.
    #[must_use]
    pub fn frames(&self) -> u64 {
        match self.lost {
            0 => self.count,
            lost => lost,
        }
    }
}
