//! Text chunks: the columns whose values are too many or too long for a
//! dictionary, cut by rows, so that showing a few records opens little.

use std::ops::Range;
use std::sync::OnceLock;

use domain::{Order, Record};

use super::bytes::{Cursor, seal, unseal};
use super::column::TextColumn;
use super::filter::Grams;
use super::frame::{Frame, Press};
use super::sketch::Sketcher;
use super::text::{END, Texts};
use super::{BlockError, CHUNK_ROWS};

/// A chunk ends early when its texts reach this length.
const CHUNK_BYTES: usize = 1 << 20;
/// But a block never has more than about this many chunks for that.
const LONG_CHUNKS: usize = 40;

/// What is made of searched texts besides the chunks.
pub(super) struct Fragments<'a> {
    pub(super) grams: &'a mut Grams,
    pub(super) sketcher: &'a mut Sketcher,
}

/// Appends the chunks of some columns; gives how many rows each has.
pub(super) fn put_chunks(
    first_id: u64,
    records: &[Record],
    columns: &[TextColumn],
    press: &mut Press,
    fragments: &mut Option<Fragments<'_>>,
    parts: &mut Vec<Vec<u8>>,
) -> Vec<usize> {
    let len = |record: &Record| -> usize { columns.iter().map(|c| c.of(record).len()).sum() };
    let total: usize = records.iter().map(len).sum();
    let max_bytes = CHUNK_BYTES.max(total / LONG_CHUNKS);
    let mut rows = Vec::new();
    let mut rest = records;
    let mut joined = Vec::new();
    while !rest.is_empty() {
        let mut bytes = 0;
        let within = rest.iter().take(CHUNK_ROWS).take_while(|record| {
            let fits = bytes < max_bytes;
            bytes += len(record);
            fits
        });
        let (chunk, after) = rest.split_at(within.count());
        let mut part = Vec::new();
        for column in columns {
            join(chunk.iter().map(|record| column.of(record)), &mut joined);
            if let Some(Fragments { grams, sketcher }) = fragments
                && TextColumn::SEARCHED.contains(column)
            {
                grams.add_texts(&joined, chunk.len());
                if *column == TextColumn::Message {
                    sketcher.add(&joined);
                }
            }
            let empty = joined.len() == chunk.len();
            press.put(&mut part, if empty { &[] } else { &joined });
        }
        seal(&mut part, first_id, parts.len() as u32);
        parts.push(part);
        rows.push(chunk.len());
        rest = after;
    }
    rows
}

/// Puts texts one after the other, as [`Texts::read`] takes them.
pub(super) fn join<'a>(texts: impl Iterator<Item = &'a str>, joined: &mut Vec<u8>) {
    joined.clear();
    for text in texts {
        joined.extend_from_slice(text.as_bytes());
        joined.push(END);
    }
}

/// An opened text chunk.
#[derive(Debug)]
pub struct Chunk {
    pub(super) rows: Range<usize>,
    part: Vec<u8>,
    columns: Vec<ChunkColumn>,
}

#[derive(Debug)]
struct ChunkColumn {
    column: TextColumn,
    frame: Range<usize>,
    texts: OnceLock<Texts>,
    folded: OnceLock<Texts>,
}

impl Chunk {
    /// Opens the part of a chunk that has these columns.
    pub(super) fn open(
        first_id: u64,
        place: usize,
        rows: Range<usize>,
        columns: &[TextColumn],
        part: Vec<u8>,
    ) -> Result<Self, BlockError> {
        let body = unseal(&part, first_id, place as u32)?;
        let mut cursor = Cursor::new(body);
        let mut read = |column: &TextColumn| {
            let start = body.len() - cursor.len();
            Frame::read(&mut cursor)?;
            Ok(ChunkColumn {
                column: *column,
                frame: start..body.len() - cursor.len(),
                texts: OnceLock::new(),
                folded: OnceLock::new(),
            })
        };
        let columns = columns
            .iter()
            .map(&mut read)
            .collect::<Result<_, BlockError>>()?;
        if !cursor.is_at_end() {
            return Err(BlockError::Damaged("chunk is too long"));
        }
        Ok(Self {
            rows,
            part,
            columns,
        })
    }

    /// The chunk of a block that has none: all its columns are in part 0.
    pub(super) fn of_part_0(rows: Range<usize>) -> Self {
        Self {
            rows,
            part: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// Its last row in this order.
    #[must_use]
    pub fn far_row(&self, order: Order) -> u32 {
        match order {
            Order::NewestFirst => self.rows.start as u32,
            Order::OldestFirst => (self.rows.end - 1) as u32,
        }
    }

    /// The texts of a column; none when the column is in part 0.
    pub(super) fn texts(&self, column: TextColumn) -> Result<Option<&Texts>, BlockError> {
        let Some(found) = self.columns.iter().find(|known| known.column == column) else {
            return Ok(None);
        };
        if let Some(texts) = found.texts.get() {
            return Ok(Some(texts));
        }
        let frame = Frame::read(&mut Cursor::new(&self.part[found.frame.clone()]))?;
        let texts = Texts::read(frame.open()?.into_owned(), self.rows.len())?;
        Ok(Some(found.texts.get_or_init(|| texts)))
    }

    /// The texts of a column without their case; none when it is in part 0.
    pub(super) fn folded(&self, column: TextColumn) -> Result<Option<&Texts>, BlockError> {
        let Some(found) = self.columns.iter().find(|known| known.column == column) else {
            return Ok(None);
        };
        if let Some(folded) = found.folded.get() {
            return Ok(Some(folded));
        }
        let folded = match self.texts(column)? {
            Some(texts) => texts.fold()?,
            None => return Ok(None),
        };
        Ok(Some(found.folded.get_or_init(|| folded)))
    }
}
