//! How many records pass a filter: told by the catalog where it can, else by
//! the blocks' first parts; texts are read only where nothing else decides.

use std::ops::Range;

use domain::{Condition, NumberField, NumberRange, Order, RecordFilter, TextTest};
use tokio::time::Instant;

use super::looked_at;
use crate::{
    App,
    block::{Block, BlockError, Chunk, FACET_FIELDS},
    catalog::{Entry, Symbols},
    error::StoreError,
    search::{Harvest, Question, Walk},
};

/// Blocks that are looked up at a time: the writer waits for it.
const LOOKED_UP_BLOCKS: usize = 1_024;

/// How many pass.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passing {
    pub(super) records: u64,
    /// The first id that has not been looked at.
    pub(super) end: u64,
}

/// Counts by rising id until the end, or until it is late.
///
/// # Errors
/// [`StoreError::Late`] when nothing has been looked at.
pub(super) async fn count(
    app: &App,
    filter: &RecordFilter,
    ids: Range<u64>,
    deadline: Instant,
) -> Result<Passing, StoreError> {
    let mut records = 0;
    let mut at = ids.start;
    while at < ids.end {
        let known = look_up(app, filter, at..ids.end);
        records += known.records;
        at = known.end;
        if known.unknown.is_empty() {
            continue;
        }
        let question = Question {
            filter: filter.clone(),
            ids: known.unknown.clone(),
            order: Order::OldestFirst,
            deadline,
        };
        let mut walk = Walk::new(app, question, Counting);
        loop {
            match walk.next().await {
                Ok(Some(step)) => records += step.yields.into_iter().sum::<u64>(),
                Ok(None) | Err(StoreError::Late) => break,
                Err(error) => return Err(error),
            }
        }
        let through = looked_at(&walk.rest(), known.unknown.end - 1);
        at = through + 1;
        if at < known.unknown.end {
            break;
        }
    }
    match at == ids.start {
        true => Err(StoreError::Late),
        false => Ok(Passing { records, end: at }),
    }
}

/// What the catalog tells of some ids.
struct Known {
    records: u64,
    /// Where it ends to know.
    end: u64,
    /// The ids behind it that have to be looked at.
    unknown: Range<u64>,
}

fn look_up(app: &App, filter: &RecordFilter, ids: Range<u64>) -> Known {
    let view = app.catalog.view();
    let mut known = Known {
        records: 0,
        end: ids.start,
        unknown: ids.end..ids.end,
    };
    for (place, entry) in view.blocks(&ids, Order::OldestFirst).enumerate() {
        let part = ids.start.max(entry.meta.first_id)..ids.end.min(entry.end());
        let is_unknown = !known.unknown.is_empty();
        match known_of(filter, entry, &part, view.symbols()) {
            // It comes after what has to be looked at first.
            Some(_) if is_unknown => return known,
            _ if place == LOOKED_UP_BLOCKS => return known,
            Some(records) => {
                known.records += records;
                known.end = part.end;
            }
            None if is_unknown => known.unknown.end = part.end,
            None => {
                known.end = part.start;
                known.unknown = part;
            }
        }
    }
    if known.unknown.is_empty() {
        known.end = ids.end;
    }
    known
}

/// How many records of a part of a block pass, if the catalog knows it.
fn known_of(
    filter: &RecordFilter,
    entry: &Entry,
    part: &Range<u64>,
    symbols: &Symbols,
) -> Option<u64> {
    if entry.is_damaged() {
        return Some(0);
    }
    if !entry.is_sure {
        return None;
    }
    let all = u64::from(entry.meta.count);
    let received = NumberRange {
        min: filter.from_us.unwrap_or(i64::MIN),
        max: match filter.to_us {
            Some(to_us) => to_us.checked_sub(1)?,
            None => i64::MAX,
        },
    };
    let in_time = number(NumberField::Received, received, entry);
    let passing = condition(&filter.condition, entry, symbols);
    let passing = both([in_time, passing].into_iter(), all)?;
    let of_part = part.end - part.start;
    match passing {
        0 => Some(0),
        passing if passing == all => Some(of_part),
        passing if of_part == all => Some(passing),
        _ => None,
    }
}

/// The same of a whole block.
fn condition(asked: &Condition, entry: &Entry, symbols: &Symbols) -> Option<u64> {
    let all = u64::from(entry.meta.count);
    let of = |inner: &Condition| condition(inner, entry, symbols);
    match asked {
        Condition::All(parts) => both(parts.iter().map(of), all),
        Condition::Any(parts) => {
            // What passes none of them passes all of their opposites.
            let opposites = parts.iter().map(|part| Some(all - of(part)?));
            Some(all - both(opposites, all)?)
        }
        Condition::Not(inner) => Some(all - of(inner)?),
        Condition::Text(field, TextTest::Is(value)) => {
            let place = FACET_FIELDS.iter().position(|facet| facet == field)?;
            let symbol = symbols.find(place, value);
            entry.count_of(place, symbol).map(u64::from)
        }
        Condition::Number(field, range) => number(*field, *range, entry),
        Condition::Contains(_)
        | Condition::Finds(_)
        | Condition::Text(..)
        | Condition::Extra(..) => None,
    }
}

/// How many pass several conditions: known when none passes one of them, or all
/// pass all but one.
fn both(parts: impl Iterator<Item = Option<u64>>, all: u64) -> Option<u64> {
    let mut passing = Some(all);
    for part in parts {
        passing = match (passing, part) {
            (_, Some(0)) => return Some(0),
            (passing, Some(part)) if part == all => passing,
            (Some(passing), part) if passing == all => part,
            _ => None,
        };
    }
    passing
}

fn number(field: NumberField, range: NumberRange, entry: &Entry) -> Option<u64> {
    let meta = &entry.meta;
    let all = u64::from(meta.count);
    let within = |min: i64, max: i64| match () {
        () if range.min > range.max || max < range.min || min > range.max => Some(0),
        () if range.min <= min && max <= range.max => Some(all),
        () => None,
    };
    match field {
        NumberField::Received => within(meta.min_received_us, meta.max_received_us),
        NumberField::Created => within(meta.min_created_us, meta.max_created_us),
        NumberField::Level => {
            let levels = meta.levels.iter();
            let passing = levels.filter(|(level, _)| range.contains(i64::from(*level)));
            Some(passing.map(|(_, records)| u64::from(*records)).sum())
        }
        NumberField::Id | NumberField::Line | NumberField::Process | NumberField::Thread => None,
    }
}

/// Counting as what is taken from the records that a walk finds. Every block is
/// read, so that a walk that is late has counted up to where it ended and no
/// further.
struct Counting;

impl Harvest for Counting {
    type Yield = u64;
    type Sums = ();

    fn needs_chunks(&self, _block: &Block) -> bool {
        false
    }

    fn wanted(&self, _so_far: &[u64]) -> usize {
        usize::MAX
    }

    fn of_rows(
        &self,
        _block: &Block,
        _chunk: Option<&Chunk>,
        rows: &[u32],
    ) -> Result<u64, BlockError> {
        Ok(rows.len() as u64)
    }
}
