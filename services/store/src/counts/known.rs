//! Counts that the catalog gives, added up by symbol, without a text.

use std::{collections::HashMap, sync::Arc};

use super::tally::{Levels, band};
use crate::{
    block::BlockMeta,
    catalog::{Entry, Symbols},
};

/// So many numbers are added in a millisecond or two.
const MANY: usize = 400_000;

/// Sums over blocks of which all records pass.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) levels: Levels,
    /// By bucket; empty until there is one.
    pub(super) bars: Vec<Levels>,
    /// By place in the fields that are counted, then by symbol.
    fields: Vec<Vec<u64>>,
    /// Bucket, symbol of the field that buckets are split by, records.
    pub(super) by: Vec<(usize, u32, u32)>,
    /// `fields` with texts.
    pub(super) texts: Vec<Vec<(Arc<str>, u64)>>,
    /// How many numbers have been added.
    added: usize,
    /// The texts of the symbols in `by`.
    pub(super) by_texts: HashMap<u32, Arc<str>>,
}

impl Known {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.levels.iter().all(|records| *records == 0)
    }

    /// Whether adding has taken long.
    pub(super) fn is_long(&self) -> bool {
        self.added > MANY
    }

    /// Adds the levels of a block, all of it in this one of so many buckets.
    pub(super) fn add_levels(&mut self, meta: &BlockMeta, bucket: Option<usize>, buckets: usize) {
        let mut bar = None;
        if let Some(bucket) = bucket {
            self.bars.resize(buckets, Levels::default());
            bar = self.bars.get_mut(bucket);
        }
        let mut unused = Levels::default();
        let bar = bar.unwrap_or(&mut unused);
        for (severity, records) in &meta.levels {
            let level = band(i64::from(*severity));
            self.levels[level] += u64::from(*records);
            bar[level] += u64::from(*records);
        }
    }

    /// Adds a block's values of fields, by their places in the facets.
    pub(super) fn add_values(&mut self, entry: &Entry, facets: &[usize], symbols: &Symbols) {
        self.fields.resize(facets.len(), Vec::new());
        for (sums, facet) in self.fields.iter_mut().zip(facets) {
            sums.resize(symbols.len(*facet), 0);
            self.added += entry.values[*facet].as_deref().map_or(0, <[_]>::len);
            for (symbol, records) in entry.values[*facet].iter().flatten() {
                sums[*symbol as usize] += u64::from(*records);
            }
        }
    }

    /// Adds a block's values of the field that buckets are split by.
    pub(super) fn add_by(&mut self, entry: &Entry, facet: usize, bucket: usize) {
        let values = entry.values[facet].iter().flatten();
        let before = self.by.len();
        self.by
            .extend(values.map(|(symbol, records)| (bucket, *symbol, *records)));
        self.added += self.by.len() - before;
    }

    /// Looks up the texts of all symbols.
    pub(super) fn resolve(&mut self, facets: &[usize], by: Option<usize>, symbols: &Symbols) {
        let fields = std::mem::take(&mut self.fields);
        let text = |facet: usize, (symbol, records): (u32, u64)| {
            (records > 0).then(|| (symbols.shared_text(facet, symbol), records))
        };
        let texts = fields.into_iter().zip(facets).map(|(sums, facet)| {
            let counts = (0..).zip(sums);
            counts.filter_map(|count| text(*facet, count)).collect()
        });
        self.texts = texts.collect();
        let Some(facet) = by else {
            return;
        };
        for (_, symbol, _) in &self.by {
            let text = || symbols.shared_text(facet, *symbol);
            self.by_texts.entry(*symbol).or_insert_with(text);
        }
    }
}
