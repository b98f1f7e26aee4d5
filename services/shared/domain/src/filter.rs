//! Which records somebody wants to see.

use std::borrow::Cow;

use crate::{Micros, Record};

/// The six fields that say where a record belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContextField {
    /// `system_id`.
    System,
    /// `sub_system_id`.
    SubSystem,
    /// `sub_sub_system_id`.
    SubSubSystem,
    /// `produkt_id`.
    Produkt,
    /// `user_spec_1`.
    UserSpec1,
    /// `user_spec_2`.
    UserSpec2,
}

impl ContextField {
    /// All of them, in the order people read them.
    pub const ALL: [Self; 6] = [
        Self::System,
        Self::SubSystem,
        Self::SubSubSystem,
        Self::Produkt,
        Self::UserSpec1,
        Self::UserSpec2,
    ];

    /// The field's name everywhere: API, page, proto, block.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system_id",
            Self::SubSystem => "sub_system_id",
            Self::SubSubSystem => "sub_sub_system_id",
            Self::Produkt => "produkt_id",
            Self::UserSpec1 => "user_spec_1",
            Self::UserSpec2 => "user_spec_2",
        }
    }

    /// The field's value in a record.
    #[must_use]
    pub fn of(self, record: &Record) -> &str {
        match self {
            Self::System => &record.system_id,
            Self::SubSystem => &record.sub_system_id,
            Self::SubSubSystem => &record.sub_sub_system_id,
            Self::Produkt => &record.produkt_id,
            Self::UserSpec1 => &record.user_spec_1,
            Self::UserSpec2 => &record.user_spec_2,
        }
    }
}

/// What a record must fulfil; every condition must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Texts that message, function, module or exception must contain, each
    /// without regard to case: both sides through [`RecordFilter::fold`].
    pub substrings: Vec<String>,
    /// Exact values of context fields.
    pub context: Vec<(ContextField, String)>,
    /// Only records of at least this severity.
    pub min_level: Option<i32>,
    /// Only records received at or after this time.
    pub from_us: Option<Micros>,
    /// Only records received before this time.
    pub to_us: Option<Micros>,
}

impl RecordFilter {
    /// Whether the record passes: the definition that every faster way of
    /// searching must agree with.
    #[must_use]
    pub fn matches(&self, record: &Record) -> bool {
        self.min_level.is_none_or(|min| record.level >= min)
            && self.from_us.is_none_or(|from| record.received_us >= from)
            && self.to_us.is_none_or(|to| record.received_us < to)
            && self
                .context
                .iter()
                .all(|(field, value)| field.of(record) == value)
            && self.substrings.iter().all(|text| {
                let needle = Self::fold(text);
                [
                    &record.message,
                    &record.function,
                    &record.module,
                    &record.exception,
                ]
                .iter()
                .any(|field| Self::fold(field).contains(&*needle))
            })
    }

    /// A text without its case: the Unicode lower case of each character by
    /// itself, and the final sigma as any other. Since no character looks at
    /// its neighbours (`str::to_lowercase` does, for sigma), every part of a
    /// text is found in that text.
    #[must_use]
    pub fn fold(text: &str) -> Cow<'_, str> {
        let unchanged = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
        if text.bytes().all(unchanged) {
            return Cow::Borrowed(text);
        }
        if text.is_ascii() {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        let sigma = |letter| if letter == 'ς' { 'σ' } else { letter };
        Cow::Owned(
            text.chars()
                .flat_map(char::to_lowercase)
                .map(sigma)
                .collect(),
        )
    }
}

/// In which order records are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Falling ids.
    #[default]
    NewestFirst,
    /// Rising ids.
    OldestFirst,
}

/// A page of records: what, in which order, from where, how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordQuery {
    /// Conditions.
    pub filter: RecordFilter,
    /// Falling or rising ids.
    pub order: Order,
    /// How many at most.
    pub limit: usize,
    /// Only ids below this one.
    pub before: Option<u64>,
    /// Only ids above this one.
    pub after: Option<u64>,
}

impl RecordQuery {
    /// How many records a list has when nobody says.
    pub const DEFAULT_LIMIT: usize = 50;
    /// How many records a list has at most.
    pub const MAX_LIMIT: usize = 10_000;
}

impl Default for RecordQuery {
    fn default() -> Self {
        Self {
            filter: RecordFilter::default(),
            order: Order::NewestFirst,
            limit: Self::DEFAULT_LIMIT,
            before: None,
            after: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RecordFilter;
    use crate::Record;

    #[test]
    fn case_does_not_count() {
        let check = |message: &str, needle: &str, found| {
            let record = Record {
                message: message.to_owned(),
                ..Record::default()
            };
            let filter = RecordFilter {
                substrings: vec![needle.to_owned()],
                ..RecordFilter::default()
            };
            assert_eq!(filter.matches(&record), found, "{message} / {needle}");
        };
        check("Disk FULL", "disk full", true);
        check("disk full", "Disk Full", true);
        check("disk full", "", true);
        check("disk full", "disc", false);
        check("GRÖSSE", "größe", false);
        check("Größe", "GRÖ", true);
        check("ΟΔΟΣ ΑΒ", "οδος", true);
        check("οδος", "ΟΔΟΣ", true);
        check("ΟΔΟΣΑ", "οδος", true);
        check("İstanbul", "i\u{307}s", true);
        check("\u{212a}elvin", "kelvin", true);
        check("nul\0byte", "L\0B", true);
    }
}
