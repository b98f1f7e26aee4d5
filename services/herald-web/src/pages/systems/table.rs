//! The systems as a table: joined from what there is and what has come lately, found
//! by name, sorted.

use std::{cmp::Ordering, collections::HashMap};

use proto::v1;
use serde::Serialize;

use crate::request::{Parameters, Reader, address};

/// A system, and what it has sent in the span looked at.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) system: &'a v1::System,
    recent: Option<v1::System>,
}

/// Every system of `all`, with its part in `recent`.
pub(super) fn joined(all: &[v1::System], recent: Vec<v1::System>) -> Vec<Entry<'_>> {
    let mut recent: HashMap<(String, String), v1::System> = recent
        .into_iter()
        .map(|system| {
            let key = (system.system_id.clone(), system.sub_system_id.clone());
            (key, system)
        })
        .collect();
    all.iter()
        .map(|system| {
            let key = (system.system_id.clone(), system.sub_system_id.clone());
            Entry {
                system,
                recent: recent.remove(&key),
            }
        })
        .collect()
}

impl Entry<'_> {
    /// Whether each of the words occurs in one of its names, in any case.
    pub(super) fn is_named_like(&self, words: &str) -> bool {
        let names = [&self.system.system_id, &self.system.sub_system_id];
        let names = names.map(|name| name.to_lowercase());
        words
            .to_lowercase()
            .split_whitespace()
            .all(|word| names.iter().any(|name| name.contains(word)))
    }

    /// How many records it has sent in the span.
    pub(super) fn recent_records(&self) -> u64 {
        self.recent.as_ref().map_or(0, |recent| recent.records)
    }

    /// How many in each part of the span.
    pub(super) fn recent_counts(&self) -> &[u64] {
        self.recent.as_ref().map_or(&[], |recent| &recent.recent)
    }
}

/// What the table can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    System,
    SubSystem,
    Last,
    Recent,
    Records,
    First,
}

/// All of them: name in the URL, heading, and whether the largest comes first.
const COLUMNS: [(By, &str, &str, bool); 6] = [
    (By::System, "system", "System", false),
    (By::SubSystem, "sub_system", "Sub-system", false),
    (By::Last, "last", "Last record", true),
    (By::Recent, "recent", "Rate", true),
    (By::Records, "records", "Records", true),
    (By::First, "first", "First seen", true),
];

/// The order of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sorting {
    by: By,
    is_falling: bool,
}

/// A column's heading.
#[derive(Debug, Serialize)]
pub(super) struct Column {
    name: &'static str,
    heading: &'static str,
    /// The table sorted by it, or the other way round when it is already.
    href: String,
    /// As `aria-sort` says it.
    sorted: Option<&'static str>,
}

impl Sorting {
    /// Reads `sort` and `order`; the newest sign of life comes first without them.
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let by = reader.value("sort", |text| {
            let known = COLUMNS.iter().find(|(_, name, ..)| *name == text);
            known.map(|(by, ..)| *by).ok_or_else(|| {
                let names = COLUMNS.map(|(_, name, ..)| name).join(", ");
                format!("`{text}` is no column: use one of {names}")
            })
        });
        let by = by.unwrap_or(By::Last);
        let order = reader.value("order", |text| match text {
            "desc" => Ok(true),
            "asc" => Ok(false),
            _ => Err(format!("`{text}` is no order: use asc or desc")),
        });
        Self {
            by,
            is_falling: order.unwrap_or_else(|| is_first_falling(by)),
        }
    }

    pub(super) fn sort(self, entries: &mut [Entry<'_>]) {
        entries.sort_by(|one, other| {
            let order = self.compare(one, other);
            let order = if self.is_falling {
                order.reverse()
            } else {
                order
            };
            order.then_with(|| names(one).cmp(&names(other)))
        });
    }

    fn compare(self, one: &Entry<'_>, other: &Entry<'_>) -> Ordering {
        let (a, b) = (one.system, other.system);
        match self.by {
            By::System => a.system_id.cmp(&b.system_id),
            By::SubSystem => a.sub_system_id.cmp(&b.sub_system_id),
            By::Last => a.last_id.cmp(&b.last_id),
            By::Recent => one.recent_records().cmp(&other.recent_records()),
            By::Records => a.records.cmp(&b.records),
            By::First => a.first_received_us.cmp(&b.first_received_us),
        }
    }

    /// The headings, each a link that sorts.
    pub(super) fn columns(self, path: &str, parameters: &Parameters) -> Vec<Column> {
        let column = |(by, name, heading, first_falling): (By, _, _, bool)| {
            let is_here = by == self.by;
            let is_falling = if is_here {
                !self.is_falling
            } else {
                first_falling
            };
            let order = (is_falling != first_falling).then_some(match is_falling {
                true => "desc",
                false => "asc",
            });
            let sort = (by != By::Last).then_some(name);
            Column {
                name,
                heading,
                href: address(path, parameters, &[("sort", sort), ("order", order)]),
                sorted: is_here.then_some(match self.is_falling {
                    true => "descending",
                    false => "ascending",
                }),
            }
        };
        COLUMNS.into_iter().map(column).collect()
    }
}

fn is_first_falling(by: By) -> bool {
    COLUMNS
        .iter()
        .any(|(column, _, _, is_falling)| *column == by && *is_falling)
}

fn names<'a>(entry: &'a Entry<'_>) -> (&'a str, &'a str) {
    (&entry.system.system_id, &entry.system.sub_system_id)
}
