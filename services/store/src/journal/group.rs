//! What one commit takes: the new entries of the batches that have gathered, in
//! their order. Here duplicates are skipped and holes refused.

use std::{collections::HashMap, ops::Range};

use domain::{BridgeId, DeadLetter, Entry, Gap, Record};

use super::Batch;
use crate::error::StoreError;

/// New entries, and what their batches wait for.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) slots: Vec<Slot>,
    /// The records of all slots, in their order.
    pub(super) records: Vec<Record>,
    /// Marks, each with the slot after which it holds.
    marks: Vec<(usize, BridgeId, String)>,
    /// Next numbers as they will be after the commit.
    next: HashMap<BridgeId, u64>,
    pub(super) duplicates: u64,
    /// Records that came with a mark: they were read in from elsewhere.
    imported: Vec<Range<usize>>,
}

/// One entry with its number.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) bridge_id: BridgeId,
    pub(super) sequence: u64,
    pub(super) body: Body,
}

/// What stands in a slot.
#[derive(Debug)]
pub(super) enum Body {
    /// Index into [`Group::records`].
    Record(usize),
    Letter(Box<DeadLetter>),
    Gap(Gap),
    /// So many numbers that stand for nothing.
    Skipped(u64),
}

impl Slot {
    /// The number after this one.
    pub(super) fn next_sequence(&self) -> u64 {
        match &self.body {
            Body::Gap(gap) => self.sequence + gap.count,
            Body::Skipped(count) => self.sequence + count,
            Body::Record(_) | Body::Letter(_) => self.sequence + 1,
        }
    }
}

/// How far a bridge comes with a range of slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Advance {
    pub(super) bridge_id: BridgeId,
    pub(super) next_sequence: u64,
    pub(super) mark: Option<String>,
}

impl Group {
    /// Takes what is new in a batch; `next_sequence` is the spool's committed
    /// number, none when the store does not know it. Returns how many slots
    /// there are now: the batch is safe when all of them are.
    ///
    /// A refused batch leaves nothing behind.
    pub(super) fn take(
        &mut self,
        batch: Batch,
        next_sequence: Option<u64>,
    ) -> Result<usize, StoreError> {
        let bridge_id = batch.bridge_id;
        let mut expected = match self.next.get(&bridge_id).copied().or(next_sequence) {
            Some(expected) => expected,
            None => return Err(StoreError::UnknownBridge(bridge_id)),
        };
        check_numbers(&batch)?;
        if batch.first_sequence > expected {
            return Err(StoreError::Hole {
                bridge_id,
                expected,
                got: batch.first_sequence,
            });
        }
        let mut sequence = batch.first_sequence;
        let slots_before = self.slots.len();
        let records_before = self.records.len();
        for entry in batch.entries {
            let end = sequence + entry.width();
            if end > expected {
                self.push(bridge_id, sequence.max(expected), end, entry);
                expected = end;
            } else {
                self.duplicates += entry.width();
            }
            sequence = end;
        }
        self.next.insert(bridge_id, expected);
        if !batch.mark.is_empty() && self.slots.len() > slots_before {
            let last = self.slots.len() - 1;
            self.marks.push((last, bridge_id, batch.mark));
            self.imported.push(records_before..self.records.len());
        }
        Ok(self.slots.len())
    }

    /// A group of one slot that stands in for the one at `at`.
    pub(super) fn alone(&self, at: usize, slot: Slot) -> Self {
        let marks = self.marks.iter().filter(|(mark_at, ..)| *mark_at == at);
        Self {
            slots: vec![slot],
            marks: marks
                .map(|(_, bridge_id, mark)| (0, *bridge_id, mark.clone()))
                .collect(),
            ..Self::default()
        }
    }

    /// How far each bridge comes when `slots` are committed.
    pub(super) fn advances(&self, slots: &Range<usize>) -> Vec<Advance> {
        let mut advances: Vec<Advance> = Vec::new();
        for slot in &self.slots[slots.clone()] {
            let next_sequence = slot.next_sequence();
            match advances
                .iter_mut()
                .find(|advance| advance.bridge_id == slot.bridge_id)
            {
                Some(advance) => advance.next_sequence = next_sequence,
                None => advances.push(Advance {
                    bridge_id: slot.bridge_id,
                    next_sequence,
                    mark: None,
                }),
            }
        }
        for (_, bridge_id, mark) in self.marks.iter().filter(|(at, ..)| slots.contains(at)) {
            for advance in advances
                .iter_mut()
                .filter(|advance| advance.bridge_id == *bridge_id)
            {
                advance.mark = Some(mark.clone());
            }
        }
        advances
    }

    /// The records of some slots, as a range of [`Group::records`].
    pub(super) fn records_of(&self, slots: &Range<usize>) -> Range<usize> {
        let mut indexes = self.slots[slots.clone()]
            .iter()
            .filter_map(|slot| match slot.body {
                Body::Record(index) => Some(index),
                Body::Letter(_) | Body::Gap(_) | Body::Skipped(_) => None,
            });
        match indexes.next() {
            Some(first) => first..first + 1 + indexes.count(),
            None => 0..0,
        }
    }

    /// Whether a record was read in from elsewhere.
    pub(super) fn is_imported(&self, record: usize) -> bool {
        self.imported.iter().any(|range| range.contains(&record))
    }

    fn push(&mut self, bridge_id: BridgeId, sequence: u64, end: u64, entry: Entry) {
        let body = match entry {
            Entry::Record(record) => {
                self.records.push(*record);
                Body::Record(self.records.len() - 1)
            }
            Entry::DeadLetter(letter) => Body::Letter(letter),
            Entry::Gap(gap) => Body::Gap(Gap {
                count: end - sequence,
                ..gap
            }),
            Entry::Skipped(_) => Body::Skipped(end - sequence),
        };
        self.slots.push(Slot {
            bridge_id,
            sequence,
            body,
        });
    }
}

/// Numbers begin at 1 and stay within what the database can keep.
fn check_numbers(batch: &Batch) -> Result<(), StoreError> {
    let end = batch
        .entries
        .iter()
        .try_fold(batch.first_sequence, |end, entry| {
            end.checked_add(entry.width())
        });
    match end {
        Some(end) if batch.first_sequence > 0 && i64::try_from(end).is_ok() => Ok(()),
        _ => Err(StoreError::Invalid(
            "the numbers of a batch are out of range".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests;
