//! Small numbers for the values of fields, so that a block's counts take little
//! room and are added up without looking at texts.

use std::{collections::HashMap, sync::Arc};

use super::SymbolCounts;
use crate::block::FACET_FIELDS;

/// Memory for all values, in bytes: a field of a block whose values do not fit
/// any more is not counted there.
const MAX_BYTES: usize = 12 << 20;
/// Roughly what a value takes beside its text.
const VALUE_BYTES: usize = 96;

/// The values of each field that is counted.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    fields: [Field; FACET_FIELDS.len()],
    bytes: usize,
    /// Below this, tidying is not tried again.
    crowded_bytes: usize,
}

#[derive(Debug, Default)]
struct Field {
    symbols: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Symbols {
    /// A field's counts by rising symbol; none when there is no room for them.
    pub(super) fn enter(&mut self, field: usize, counts: &[(String, u32)]) -> Option<SymbolCounts> {
        let mut entered = Vec::with_capacity(counts.len());
        for (value, count) in counts {
            entered.push((self.symbol(field, value)?, *count));
        }
        entered.sort_unstable();
        Some(entered.into_boxed_slice())
    }

    /// The same counts as another table has them.
    pub(super) fn take_over(
        &mut self,
        former: &Self,
        field: usize,
        counts: &[(u32, u32)],
    ) -> Option<SymbolCounts> {
        let text = |(symbol, count): &(u32, u32)| (former.text(field, *symbol).to_owned(), *count);
        let counts: Vec<(String, u32)> = counts.iter().map(text).collect();
        self.enter(field, &counts)
    }

    /// The symbol of a value; none for a value that no block has.
    pub(crate) fn find(&self, field: usize, value: &str) -> Option<u32> {
        self.fields[field].symbols.get(value).copied()
    }

    /// The value of a symbol.
    pub(crate) fn text(&self, field: usize, symbol: u32) -> &str {
        &self.fields[field].texts[symbol as usize]
    }

    /// The same, to be kept.
    pub(crate) fn shared_text(&self, field: usize, symbol: u32) -> Arc<str> {
        Arc::clone(&self.fields[field].texts[symbol as usize])
    }

    /// How many symbols a field has: they are the numbers below.
    pub(crate) fn len(&self, field: usize) -> usize {
        self.fields[field].texts.len()
    }

    /// Whether it is time to forget what is not used any more.
    pub(super) fn is_crowded(&self) -> bool {
        self.bytes > MAX_BYTES / 2 && self.bytes > self.crowded_bytes
    }

    /// What is in it is in use: tidying would not help before it has grown.
    pub(super) fn settle(&mut self) {
        self.crowded_bytes = self.bytes.saturating_mul(2).min(MAX_BYTES - 1);
    }

    fn symbol(&mut self, field: usize, value: &str) -> Option<u32> {
        let Field { symbols, texts } = &mut self.fields[field];
        if let Some(symbol) = symbols.get(value) {
            return Some(*symbol);
        }
        let bytes = self.bytes + value.len() + VALUE_BYTES;
        if bytes > MAX_BYTES {
            return None;
        }
        self.bytes = bytes;
        let symbol = u32::try_from(texts.len()).ok()?;
        let text: Arc<str> = Arc::from(value);
        texts.push(Arc::clone(&text));
        symbols.insert(text, symbol);
        Some(symbol)
    }
}
