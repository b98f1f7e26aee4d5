//! What of an entry may leave for a destination: which records, which of their
//! fields, and what in their texts has to be masked. No I/O.
//!
//! Everything fails closed. What is let through is copied into an empty record, so
//! that a field nobody has decided about stays here, and what cannot be looked into
//! (frames that are no record) does not leave at all once there is a rule.

mod allow;
mod extra;
pub(crate) mod mask;
mod memo;
pub(crate) mod preset;
mod shape;
#[cfg(test)]
mod tests;

use domain::{Condition, Entry, ExtraPath, Gap, Record};

pub(crate) use allow::{Allowed, FIELDS};
use mask::Masks;

/// The rules of one destination.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Only these records.
    pub(crate) query: Option<Condition>,
    /// Only these fields; `None` for all.
    pub(crate) fields: Option<Allowed>,
    /// Only these paths of `extra`; `None` for all that `fields` lets through.
    pub(crate) extra: Option<Vec<ExtraPath>>,
    /// What is replaced in whatever leaves.
    pub(crate) masks: Masks,
}

/// What becomes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This leaves.
    Passed(Entry),
    /// Nothing leaves but how many numbers it takes, because of this.
    Kept(Why),
}

/// Why an entry does not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The query does not ask for the record.
    Query,
    /// It is no record, so that no rule can be held against it.
    NoRecord,
}

/// A mask that has found something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The mask's place.
    pub(crate) mask: usize,
    /// The field it was found in.
    pub(crate) field: &'static str,
}

impl Policy {
    /// Whether everything leaves as it is.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.query.is_none()
            && self.fields.is_none()
            && self.extra.is_none()
            && self.masks.is_empty()
    }

    /// What of an entry leaves, and how often a mask has found something.
    #[must_use]
    pub fn apply(&self, entry: Entry) -> (Outcome, u64) {
        if self.is_open() {
            return (Outcome::Passed(entry), 0);
        }
        let mut hits = Vec::new();
        let outcome = match entry {
            Entry::Record(record) => match self.judge(&record) {
                Ok(()) => {
                    let redacted = self.redact(*record, &mut hits);
                    Outcome::Passed(Entry::Record(Box::new(redacted)))
                }
                Err(why) => Outcome::Kept(why),
            },
            Entry::DeadLetter(_) => Outcome::Kept(Why::NoRecord),
            Entry::Gap(gap) => Outcome::Passed(Entry::Gap(Gap {
                reason: self.text(&gap.reason, "reason", &mut hits),
                ..gap
            })),
            Entry::Skipped(count) => Outcome::Passed(Entry::Skipped(count)),
        };
        (outcome, hits.len() as u64)
    }

    /// Whether a record is one of those that leave.
    ///
    /// # Errors
    /// Why it is not.
    pub(crate) fn judge(&self, record: &Record) -> Result<(), Why> {
        match &self.query {
            Some(query) if !query.matches(record) => Err(Why::Query),
            _ => Ok(()),
        }
    }

    /// What of a record leaves.
    pub(crate) fn redact(&self, record: Record, hits: &mut Vec<Hit>) -> Record {
        let whole_extra = self.fields.as_ref().is_none_or(Allowed::has_extra);
        let mut record = match &self.fields {
            Some(fields) => fields.only(record),
            None => Record { id: 0, ..record },
        };
        record.extra = match (whole_extra, &self.extra) {
            (_, Some(paths)) => self.extra(&record.extra, Some(paths), hits),
            (true, None) => self.extra(&record.extra, None, hits),
            (false, None) => String::new(),
        };
        if !self.masks.is_empty() {
            for (field, text) in allow::texts(&mut record) {
                self.mask(text, field, hits);
            }
        }
        record
    }

    /// A text of the bridge's own as it leaves, such as its name.
    #[must_use]
    pub fn own_text(&self, text: &str) -> String {
        self.text(text, "", &mut Vec::new())
    }

    fn text(&self, text: &str, field: &'static str, hits: &mut Vec<Hit>) -> String {
        let hit = &mut |mask| hits.push(Hit { mask, field });
        self.masks.apply(text, hit).into_owned()
    }

    fn mask(&self, text: &mut String, field: &'static str, hits: &mut Vec<Hit>) {
        if text.is_empty() {
            return;
        }
        let hit = &mut |mask| hits.push(Hit { mask, field });
        if let std::borrow::Cow::Owned(masked) = self.masks.apply(text, hit) {
            *text = masked;
        }
    }

    fn extra(&self, json: &str, paths: Option<&Vec<ExtraPath>>, hits: &mut Vec<Hit>) -> String {
        if json.is_empty() || paths.is_none() && self.masks.is_empty() {
            return json.to_owned();
        }
        extra::redacted(json, paths.map(Vec::as_slice), &self.masks, hits)
    }
}
