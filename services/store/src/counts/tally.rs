//! What has been counted so far, from the catalog and from blocks, by two who
//! count at the same time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use domain::{CountQuery, Level, TextField};

use super::{Bucket, Counts, FieldCounts, Split, counting::by_field, known::Known};
use crate::{
    search::Coverage,
    timeline::Timeline,
    values::{Room, Values},
};

/// Values of all fields together, and their bytes.
const ROOM: Room = Room {
    values: 100_000,
    bytes: 16 << 20,
};
/// Pairs of a bucket and a value.
const MAX_CELLS: usize = 400_000;

/// Records of each of [`Level::ALL`].
pub(super) type Levels = [u64; Level::ALL.len()];

/// The place of a severity number in [`Levels`].
pub(super) fn band(severity: i64) -> usize {
    let severity = i32::try_from(severity).unwrap_or(if severity < 0 { 0 } else { i32::MAX });
    match Level::of(severity) {
        Level::Debug => 0,
        Level::Info => 1,
        Level::Warning => 2,
        Level::Error => 3,
        Level::Critical => 4,
    }
}

/// The counts so far; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    timeline: Option<Timeline>,
    fields: Vec<TextField>,
    limit: usize,
    sums: Mutex<Sums>,
}

#[derive(Debug)]
struct Sums {
    levels: Levels,
    /// By bucket.
    bars: Vec<Levels>,
    /// By place in the fields.
    fields: Vec<Values>,
    by: Option<By>,
}

/// Buckets that are split by a field.
#[derive(Debug)]
struct By {
    values: Values,
    /// By bucket and place in `values`.
    cells: HashMap<(u32, u32), u64>,
    /// By bucket.
    records: Vec<u64>,
}

/// What some rows of a block give.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    pub(super) levels: Levels,
    /// Buckets with records.
    pub(super) bars: Vec<(usize, Levels)>,
    /// By place in the fields.
    pub(super) fields: Vec<Vec<(&'a str, u64)>>,
    /// Values of the field that buckets are split by,
    pub(super) by_texts: Vec<&'a str>,
    /// and bucket, place in these, records.
    pub(super) by: Vec<(usize, usize, u64)>,
}

impl Tally {
    /// Nothing yet.
    pub(super) fn new(
        query: &CountQuery,
        fields: &[TextField],
        timeline: Option<Timeline>,
    ) -> Self {
        let by = by_field(query).filter(|_| timeline.is_some());
        let shares = (fields.len() + usize::from(by.is_some())).max(1);
        let room = Room {
            values: ROOM.values / shares,
            bytes: ROOM.bytes / shares,
        };
        let parts = timeline.as_ref().map_or(0, Timeline::len);
        let sums = Sums {
            levels: Levels::default(),
            bars: vec![Levels::default(); parts],
            fields: fields.iter().map(|_| Values::new(room)).collect(),
            by: by.map(|_| By {
                values: Values::new(room),
                cells: HashMap::new(),
                records: vec![0; parts],
            }),
        };
        Self {
            shared: Arc::new(Shared {
                timeline,
                fields: query.fields.clone(),
                limit: query.values_per_field,
                sums: Mutex::new(sums),
            }),
        }
    }

    /// Adds what rows of a block give.
    pub(super) fn add(&self, part: &Part<'_>) {
        let mut sums = self.sums();
        add_levels(&mut sums.levels, &part.levels);
        for (bucket, levels) in &part.bars {
            add_levels(&mut sums.bars[*bucket], levels);
        }
        for (values, more) in sums.fields.iter_mut().zip(&part.fields) {
            for (value, records) in more {
                values.add(value, *records);
            }
        }
        if let Some(by) = &mut sums.by {
            for (bucket, text, records) in &part.by {
                let place = by.values.add(part.by_texts[*text], *records);
                by.add(*bucket, place, *records);
            }
        }
    }

    /// Adds what the catalog gives.
    pub(super) fn add_known(&self, known: &Known) {
        let mut sums = self.sums();
        add_levels(&mut sums.levels, &known.levels);
        for (bar, levels) in sums.bars.iter_mut().zip(&known.bars) {
            add_levels(bar, levels);
        }
        for (values, more) in sums.fields.iter_mut().zip(&known.texts) {
            for (value, records) in more {
                values.add_shared(value, *records);
            }
        }
        if let Some(by) = &mut sums.by {
            for (bucket, symbol, records) in &known.by {
                let records = u64::from(*records);
                if let Some(text) = known.by_texts.get(symbol) {
                    let place = by.values.add_shared(text, records);
                    by.add(*bucket, place, records);
                }
            }
        }
    }

    /// The counts so far as an answer.
    pub(super) fn counts(&self, coverage: Coverage, is_complete: bool) -> Counts {
        let Shared {
            timeline,
            fields,
            limit,
            ..
        } = &*self.shared;
        let sums = self.sums();
        let parts = timeline.iter().flat_map(Timeline::parts);
        let splits = match &sums.by {
            Some(by) => by.buckets(*limit),
            None => sums.bars.iter().map(by_level).collect(),
        };
        let buckets = parts.zip(splits).map(|((from_us, to_us), split)| Bucket {
            from_us,
            to_us,
            records: split.0,
            split: split.1,
        });
        let distinct = super::counting::distinct(fields);
        let top = |field: &TextField| {
            let place = distinct.iter().position(|known| known == field)?;
            Some(FieldCounts {
                field: *field,
                top: sums.fields[place].top(*limit),
            })
        };
        Counts {
            coverage,
            is_complete,
            records: sums.levels.iter().sum(),
            levels: without_zeros(&sums.levels),
            buckets: buckets.collect(),
            fields: fields.iter().filter_map(top).collect(),
        }
    }

    fn sums(&self) -> std::sync::MutexGuard<'_, Sums> {
        let sums = self.shared.sums.lock();
        sums.expect("nothing panics while it holds this lock")
    }
}

impl By {
    fn add(&mut self, bucket: usize, place: Option<u32>, records: u64) {
        self.records[bucket] += records;
        let Some(place) = place else {
            return;
        };
        *self.cells.entry((bucket as u32, place)).or_default() += records;
        if self.cells.len() > MAX_CELLS {
            self.make_room();
        }
    }

    /// Keeps the most frequent values, as many as can never need too many cells.
    fn make_room(&mut self) {
        let kept = self.values.ranking(MAX_CELLS / 2 / self.records.len());
        let moved = self.values.keep_only(&kept);
        let cells = std::mem::take(&mut self.cells).into_iter();
        self.cells = cells
            .filter_map(|((bucket, place), records)| {
                let place = *moved.get(&place)?;
                Some(((bucket, place), records))
            })
            .collect();
    }

    /// The buckets by the most frequent values.
    fn buckets(&self, limit: usize) -> Vec<(u64, Split)> {
        let ranking = self.values.ranking(limit);
        let ranks: HashMap<u32, usize> = ranking.iter().copied().zip(0..).collect();
        let mut ranked: Vec<Vec<(usize, u64)>> = vec![Vec::new(); self.records.len()];
        for ((bucket, place), records) in &self.cells {
            if let Some(rank) = ranks.get(place) {
                ranked[*bucket as usize].push((*rank, *records));
            }
        }
        let buckets = self.records.iter().zip(ranked);
        buckets
            .map(|(records, mut ranked)| {
                ranked.sort_unstable();
                let text = |rank: usize| self.values.text(ranking[rank]).to_owned();
                let values = ranked
                    .into_iter()
                    .map(|(rank, records)| (text(rank), records));
                (*records, Split::Values(values.collect()))
            })
            .collect()
    }
}

fn by_level(levels: &Levels) -> (u64, Split) {
    (levels.iter().sum(), Split::Levels(without_zeros(levels)))
}

fn without_zeros(levels: &Levels) -> Vec<(Level, u64)> {
    let all = Level::ALL.into_iter().zip(levels.iter().copied());
    all.filter(|(_, records)| *records > 0).collect()
}

fn add_levels(levels: &mut Levels, more: &Levels) {
    for (level, more) in levels.iter_mut().zip(more) {
        *level += more;
    }
}
