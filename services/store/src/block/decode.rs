//! A block back to records.

use std::ops::Range;

use domain::{Order, Record};

use super::{BlockError, BlockMeta, Plan, Selection};

/// A block opened from its part 0.
#[derive(Debug)]
pub struct Block {
    first_id: u64,
    records: Vec<Record>,
}

/// An opened text chunk.
#[derive(Debug)]
pub struct Chunk(());

impl Block {
    /// Opens a block; columns are decoded when they are asked for.
    ///
    /// # Errors
    /// When the bytes are damaged or of an unknown format.
    pub fn open(meta: &BlockMeta, part0: Vec<u8>) -> Result<Self, BlockError> {
        let mut rest = part0.as_slice();
        let mut records = Vec::new();
        for row in 0..u64::from(meta.count) {
            let mut number = || -> Result<i64, BlockError> {
                let (head, tail) = rest
                    .split_first_chunk::<8>()
                    .ok_or(BlockError::Damaged("number"))?;
                rest = tail;
                Ok(i64::from_le_bytes(*head))
            };
            let mut r = Record {
                id: meta.first_id + row,
                received_us: number()?,
                created_us: number()?,
                level: number()? as i32,
                line: number()?,
                process: number()?,
                thread: number()?,
                ..Record::default()
            };
            for t in [
                &mut r.level_name,
                &mut r.logger,
                &mut r.message,
                &mut r.system_id,
                &mut r.sub_system_id,
                &mut r.sub_sub_system_id,
                &mut r.produkt_id,
                &mut r.user_spec_1,
                &mut r.user_spec_2,
                &mut r.package_version,
                &mut r.api_version,
                &mut r.module,
                &mut r.function,
                &mut r.path,
                &mut r.process_name,
                &mut r.thread_name,
                &mut r.exception,
                &mut r.stack,
                &mut r.peer,
                &mut r.extra,
            ] {
                let (head, tail) = rest
                    .split_first_chunk::<4>()
                    .ok_or(BlockError::Damaged("length"))?;
                let (text, tail) = tail
                    .split_at_checked(u32::from_le_bytes(*head) as usize)
                    .ok_or(BlockError::Damaged("text"))?;
                rest = tail;
                *t = String::from_utf8(text.to_vec()).map_err(|_| BlockError::Damaged("text"))?;
            }
            records.push(r);
        }
        Ok(Self {
            first_id: meta.first_id,
            records,
        })
    }

    /// The rows with an id in `ids` that pass every condition that part 0 can
    /// decide. [`Block::scan`] decides the rest.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn select(&self, plan: &Plan, ids: Range<u64>) -> Result<Selection, BlockError> {
        let rows = (0..self.records.len() as u32)
            .filter(|row| ids.contains(&(self.first_id + u64::from(*row))))
            .filter(|row| plan.filter.matches(&self.records[*row as usize]));
        Ok(Selection {
            rows: rows.collect(),
        })
    }

    /// The chunks that hold selected rows, in the order of the query.
    #[must_use]
    pub fn chunks(&self, selection: &Selection, _order: Order) -> Vec<usize> {
        if selection.is_empty() {
            Vec::new()
        } else {
            vec![0]
        }
    }

    /// Which part holds a chunk; none when there is nothing to fetch (pass an
    /// empty `Vec` to [`Block::open_chunk`]).
    #[must_use]
    pub fn part_of(&self, _chunk: usize) -> Option<usize> {
        None
    }

    /// Opens a text chunk from the bytes of its part.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn open_chunk(&self, _chunk: usize, _part: Vec<u8>) -> Result<Chunk, BlockError> {
        Ok(Chunk(()))
    }

    /// The selected rows of a chunk that pass every condition, in the order
    /// of the query, at most `limit` of them.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn scan(
        &self,
        _plan: &Plan,
        selection: &Selection,
        _chunk: &Chunk,
        order: Order,
        limit: usize,
    ) -> Result<Vec<u32>, BlockError> {
        let mut rows = selection.rows.clone();
        if order == Order::NewestFirst {
            rows.reverse();
        }
        rows.truncate(limit);
        Ok(rows)
    }

    /// The records of some rows of a chunk, in the order given.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn records(&self, _chunk: &Chunk, rows: &[u32]) -> Result<Vec<Record>, BlockError> {
        Ok(rows
            .iter()
            .map(|row| self.records[*row as usize].clone())
            .collect())
    }
}

/// All records of a block, from all its parts.
///
/// # Errors
/// When the bytes are damaged or of an unknown format.
pub fn decode(meta: &BlockMeta, parts: Vec<Vec<u8>>) -> Result<Vec<Record>, BlockError> {
    let part0 = parts
        .into_iter()
        .next()
        .ok_or(BlockError::Damaged("part 0 is missing"))?;
    Ok(Block::open(meta, part0)?.records)
}
