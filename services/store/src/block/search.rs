//! A plan over a block: first what part 0 can decide, for all rows at once,
//! then the texts of single chunks.

use std::ops::Range;

use domain::Order;

use super::chunk::Chunk;
use super::column::{NumberColumn, TextColumn};
use super::decode::{Block, TextValues};
use super::plan::Needle;
use super::select::{Pending, Rows};
use super::{BlockError, Plan, Selection};

/// With fewer rows than one in so many left, they are looked at one by one.
const SPARSE: usize = 16;

impl Block {
    /// The rows with an id in `ids` that pass every condition that part 0 can
    /// decide. [`Block::scan`] decides the rest.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn select(&self, plan: &Plan, ids: Range<u64>) -> Result<Selection, BlockError> {
        let row = |id: u64| {
            let row = id.saturating_sub(self.meta.first_id);
            usize::try_from(row).map_or(self.rows(), |row| row.min(self.rows()))
        };
        let mut selection = Selection {
            rows: Rows::range(self.rows(), row(ids.start)..row(ids.end)),
            pending: Vec::new(),
        };
        self.select_level(plan, &mut selection)?;
        self.select_context(plan, &mut selection)?;
        self.select_time(plan, &mut selection)?;
        self.select_substrings(plan, &mut selection)?;
        Ok(selection)
    }

    fn select_level(&self, plan: &Plan, selection: &mut Selection) -> Result<(), BlockError> {
        let Some(min) = plan.min_level.map(i64::from) else {
            return Ok(());
        };
        if self
            .meta
            .levels
            .first()
            .is_some_and(|(level, _)| i64::from(*level) >= min)
        {
            return Ok(());
        }
        let levels = self.number_column(NumberColumn::Level)?;
        let wanted: Vec<bool> = levels.values.iter().map(|level| *level >= min).collect();
        selection
            .rows
            .intersect(&levels.codes.rows(self.rows(), &wanted));
        Ok(())
    }

    fn select_context(&self, plan: &Plan, selection: &mut Selection) -> Result<(), BlockError> {
        for (index, (column, value)) in plan.context.iter().enumerate() {
            if selection.is_empty() {
                break;
            }
            let Some(texts) = self.text_column(*column)? else {
                selection.pending.push(Pending::Context(index));
                continue;
            };
            let is_value = |code| texts.values.bytes(code) == value.as_bytes();
            let wanted: Vec<bool> = (0..texts.count).map(is_value).collect();
            selection
                .rows
                .intersect(&texts.codes.rows(self.rows(), &wanted));
        }
        Ok(())
    }

    fn select_time(&self, plan: &Plan, selection: &mut Selection) -> Result<(), BlockError> {
        let from = plan
            .from_us
            .filter(|from| self.meta.min_received_us < *from);
        let to = plan.to_us.filter(|to| self.meta.max_received_us >= *to);
        if selection.is_empty() || from.is_none() && to.is_none() {
            return Ok(());
        }
        let received = self.number_column(NumberColumn::Received)?;
        selection.rows.retain(|row| {
            let received = received.get(row);
            Ok(from.is_none_or(|from| received >= from) && to.is_none_or(|to| received < to))
        })
    }

    fn select_substrings(&self, plan: &Plan, selection: &mut Selection) -> Result<(), BlockError> {
        for (index, needle) in plan.needles.iter().enumerate() {
            if selection.is_empty() {
                break;
            }
            let mut found = Rows::range(self.rows(), 0..0);
            let mut in_chunks = false;
            for column in TextColumn::SEARCHED {
                match self.text_column(column)? {
                    Some(texts) => {
                        if let Some(rows) = self.rows_with(texts, needle)? {
                            found.unite(&rows);
                        }
                    }
                    None => in_chunks = true,
                }
            }
            if !in_chunks {
                selection.rows.intersect(&found);
            } else if !selection.rows.is_subset_of(&found) {
                selection.pending.push(Pending::Substring(index, found));
            }
        }
        Ok(())
    }

    /// The rows whose value contains the needle; none for none.
    fn rows_with(&self, texts: &TextValues, needle: &Needle) -> Result<Option<Rows>, BlockError> {
        let mut wanted = vec![false; texts.count];
        let mut any = false;
        texts.values.fold()?.search(&needle.finder, |code| {
            wanted[code] = true;
            any = true;
        });
        Ok(any.then(|| texts.codes.rows(self.rows(), &wanted)))
    }

    /// The selected rows of a chunk that pass every condition, in the order of
    /// the query, at most `limit` of them.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn scan(
        &self,
        plan: &Plan,
        selection: &Selection,
        chunk: &Chunk,
        order: Order,
        limit: usize,
    ) -> Result<Vec<u32>, BlockError> {
        let mut rows = Rows::range(self.rows(), chunk.rows.clone());
        rows.intersect(&selection.rows);
        for pending in &selection.pending {
            match pending {
                Pending::Context(index) => {
                    let (column, value) = &plan.context[*index];
                    if let Some(texts) = chunk.texts(*column)? {
                        let bytes = |row| texts.bytes(row - chunk.rows.start);
                        rows.retain(|row| Ok::<_, BlockError>(bytes(row) == value.as_bytes()))?;
                    }
                }
                Pending::Substring(index, found) => {
                    scan_substring(chunk, &plan.needles[*index], found, &mut rows)?;
                }
            }
        }
        let mut rows: Vec<u32> = rows.iter().map(|row| row as u32).collect();
        if order == Order::NewestFirst {
            rows.reverse();
        }
        rows.truncate(limit);
        Ok(rows)
    }
}

/// Keeps the rows that have the needle in a text of the chunk, or are `found`
/// to have it elsewhere.
fn scan_substring(
    chunk: &Chunk,
    needle: &Needle,
    found: &Rows,
    rows: &mut Rows,
) -> Result<(), BlockError> {
    let first = chunk.rows.start;
    if rows.count() * SPARSE < chunk.rows.len() {
        let mut keep = found.clone();
        for column in TextColumn::SEARCHED {
            if let Some(texts) = chunk.texts(column)? {
                for row in rows.iter() {
                    if needle.is_in(texts.get(row - first)?) {
                        keep.insert(row);
                    }
                }
            }
        }
        rows.intersect(&keep);
        return Ok(());
    }
    let mut keep = found.clone();
    for column in TextColumn::SEARCHED {
        if let Some(folded) = chunk.folded(column)? {
            folded.search(&needle.finder, |index| keep.insert(first + index));
        }
    }
    rows.intersect(&keep);
    Ok(())
}
