//! Counting as what is taken from records that a walk finds.

use domain::{CountBy, CountQuery, TextField};

use super::{
    known::Known,
    tally::{Levels, Part, Tally, band},
};
use crate::{
    block::{Block, BlockError, Chunk, Coded, FACET_FIELDS},
    catalog::{Entry, Symbols},
    search::Harvest,
    timeline::Timeline,
};

/// What is counted.
#[derive(Debug)]
pub(super) struct Counting {
    timeline: Option<Timeline>,
    fields: Vec<TextField>,
    /// The field that buckets are split by.
    by: Option<TextField>,
    /// Places of the fields in the facets, and that of `by`; none when the
    /// catalog does not have them all.
    facets: Option<(Vec<usize>, Option<usize>)>,
    tally: Tally,
}

/// The field that buckets are split by.
pub(super) fn by_field(query: &CountQuery) -> Option<TextField> {
    match query.by {
        CountBy::Level => None,
        CountBy::Field(field) => Some(field),
    }
}

/// Each field once.
pub(super) fn distinct(fields: &[TextField]) -> Vec<TextField> {
    let mut distinct: Vec<TextField> = Vec::new();
    for field in fields {
        if !distinct.contains(field) {
            distinct.push(*field);
        }
    }
    distinct
}

impl Counting {
    /// What a query asks for, over this time.
    pub(super) fn new(query: &CountQuery, timeline: Option<Timeline>) -> Self {
        let fields = distinct(&query.fields);
        let by = by_field(query).filter(|_| timeline.is_some());
        let place = |field: &TextField| FACET_FIELDS.iter().position(|facet| facet == field);
        let places: Option<Vec<usize>> = fields.iter().map(place).collect();
        let by_place = by.as_ref().and_then(place);
        Self {
            facets: places
                .filter(|_| by.is_some() == by_place.is_some())
                .map(|places| (places, by_place)),
            tally: Tally::new(query, &fields, timeline.clone()),
            timeline,
            fields,
            by,
        }
    }

    /// What has been counted.
    pub(super) fn tally(&self) -> Tally {
        self.tally.clone()
    }
}

impl Harvest for Counting {
    type Yield = ();
    type Sums = Known;

    fn add_entry(&self, sums: &mut Known, entry: &Entry, symbols: &Symbols) -> bool {
        let Some((fields, by)) = &self.facets else {
            return false;
        };
        let is_known = |facet: &usize| entry.values[*facet].is_some();
        if !fields.iter().chain(by).all(is_known) {
            return false;
        }
        let mut bucket = None;
        if let Some(timeline) = &self.timeline {
            bucket = timeline.part_of_block(&entry.meta);
            if bucket.is_none() {
                return false;
            }
        }
        let buckets = self.timeline.as_ref().map_or(0, Timeline::len);
        sums.add_levels(&entry.meta, bucket, buckets);
        sums.add_values(entry, fields, symbols);
        if let (Some(facet), Some(bucket)) = (by, bucket) {
            sums.add_by(entry, *facet, bucket);
        }
        true
    }

    fn is_long(&self, sums: &Known) -> bool {
        sums.is_long()
    }

    fn resolve(&self, sums: &mut Known, symbols: &Symbols) {
        if let Some((fields, by)) = &self.facets {
            sums.resolve(fields, *by, symbols);
        }
    }

    fn of_sums(&self, sums: Known) -> Option<()> {
        (!sums.is_empty()).then(|| self.tally.add_known(&sums))
    }

    fn needs_chunks(&self, block: &Block) -> bool {
        let mut fields = self.fields.iter().chain(&self.by);
        fields.any(|field| block.is_chunked(*field))
    }

    fn wanted(&self, _so_far: &[()]) -> usize {
        usize::MAX
    }

    fn of_rows(
        &self,
        block: &Block,
        chunk: Option<&Chunk>,
        rows: &[u32],
    ) -> Result<(), BlockError> {
        let mut part = Part::default();
        for field in &self.fields {
            let coded = block.coded(*field, chunk)?;
            part.fields.push(values(&coded, rows)?);
        }
        part.levels = levels(block, rows)?;
        if let Some(timeline) = &self.timeline {
            let buckets = buckets(timeline, block, rows)?;
            match self.by {
                Some(field) => split(&block.coded(field, chunk)?, &buckets, &mut part)?,
                None => {
                    for (bucket, rows) in &buckets {
                        part.bars.push((*bucket, levels(block, rows)?));
                    }
                }
            }
        }
        self.tally.add(&part);
        Ok(())
    }
}

/// Rows in runs of the same bucket. Those outside of the timeline, which only a
/// block has whose summary is destroyed, are left out.
fn buckets<'a>(
    timeline: &Timeline,
    block: &Block,
    rows: &'a [u32],
) -> Result<Vec<(usize, &'a [u32])>, BlockError> {
    let received = block.received()?;
    let mut cursor = timeline.cursor();
    let mut runs = Vec::new();
    let mut start = 0;
    let mut current = None;
    for (at, row) in rows.iter().enumerate() {
        let bucket = cursor.part_of(received.get(*row));
        if current != bucket {
            runs.extend(current.map(|current| (current, &rows[start..at])));
            (start, current) = (at, bucket);
        }
    }
    runs.extend(current.map(|current| (current, &rows[start..])));
    Ok(runs)
}

fn levels(block: &Block, rows: &[u32]) -> Result<Levels, BlockError> {
    let severities = block.severities()?;
    let mut levels = Levels::default();
    for row in rows {
        levels[band(severities.get(*row))] += 1;
    }
    Ok(levels)
}

/// The values of rows with their counts.
fn values<'a>(coded: &Coded<'a>, rows: &[u32]) -> Result<Vec<(&'a str, u64)>, BlockError> {
    let mut counts = vec![0_u32; coded.len()];
    for row in rows {
        counts[coded.code(*row)] += 1;
    }
    let some = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    some.map(|(code, count)| Ok((coded.text(code)?, u64::from(*count))))
        .collect()
}

/// Splits buckets by the values of a field.
fn split<'a>(
    coded: &Coded<'a>,
    buckets: &[(usize, &[u32])],
    part: &mut Part<'a>,
) -> Result<(), BlockError> {
    let mut counts = vec![0_u32; coded.len()];
    let mut places: Vec<Option<usize>> = vec![None; coded.len()];
    let mut seen = Vec::new();
    for (bucket, rows) in buckets {
        for row in *rows {
            let code = coded.code(*row);
            if counts[code] == 0 {
                seen.push(code);
            }
            counts[code] += 1;
        }
        for code in seen.drain(..) {
            let place = match places[code] {
                Some(place) => place,
                None => {
                    part.by_texts.push(coded.text(code)?);
                    part.by_texts.len() - 1
                }
            };
            places[code] = Some(place);
            part.by.push((*bucket, place, u64::from(counts[code])));
            counts[code] = 0;
        }
    }
    Ok(())
}
