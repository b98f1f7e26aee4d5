//! A block back to records.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use domain::{Order, Record};

use super::bytes::{Cursor, unseal, unzigzag};
use super::chunk::Chunk;
use super::codes::{Codes, read_codes};
use super::column::{COLUMNS, NumberColumn, TextColumn};
use super::encode::{kind, source};
use super::frame::Frame;
use super::numbers::read_numbers;
use super::sketch::Sketch;
use super::text::{END, Texts};
use super::{BlockError, BlockMeta, FORMAT, MAX_PARTS, MAX_RECORDS, SKETCH_PART, Selection};

/// A block opened from its part 0.
#[derive(Debug)]
pub struct Block {
    pub(super) meta: BlockMeta,
    part: Vec<u8>,
    /// Where each chunk's rows begin, and where the last one's end.
    starts: Vec<usize>,
    /// Columns whose texts are in the chunks.
    pub(super) chunked: Vec<TextColumn>,
    columns: [Slot; COLUMNS],
    codes: [OnceLock<Arc<Codes>>; COLUMNS],
    numbers: [OnceLock<Numbers>; NumberColumn::ALL.len()],
    texts: [OnceLock<TextValues>; COLUMNS],
    pub(super) sketch: Option<Sketch>,
}

/// Where a column lies in part 0.
#[derive(Debug, Clone, Default)]
struct Slot {
    kind: u8,
    body: Range<usize>,
}

/// An opened column of integers.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) values: Vec<i64>,
    pub(super) codes: Arc<Codes>,
}

/// An opened column of texts.
#[derive(Debug)]
pub(super) struct TextValues {
    /// How many distinct ones.
    pub(super) count: usize,
    pub(super) values: Texts,
    pub(super) codes: Arc<Codes>,
    folded: OnceLock<Texts>,
}

impl TextValues {
    /// Without the codes: they are the column's.
    fn bytes(&self) -> usize {
        self.values.size() + self.folded.get().map_or(0, Texts::size)
    }

    /// The values without their case.
    pub(super) fn folded(&self) -> Result<&Texts, BlockError> {
        if let Some(folded) = self.folded.get() {
            return Ok(folded);
        }
        let folded = self.values.fold()?;
        Ok(self.folded.get_or_init(|| folded))
    }
}

impl Block {
    /// Opens a block; its columns are opened when they are asked for.
    ///
    /// # Errors
    /// When the bytes are damaged or of an unknown format.
    pub fn open(meta: &BlockMeta, part0: Vec<u8>) -> Result<Self, BlockError> {
        let body = unseal(&part0, meta.first_id, 0)?;
        let mut cursor = Cursor::new(body);
        let format = u32::from(cursor.byte()?);
        if format != FORMAT {
            return Err(BlockError::UnknownFormat(format));
        }
        let rows = cursor.length(MAX_RECORDS)?;
        if rows == 0 || rows != meta.count as usize {
            return Err(BlockError::Damaged("block has another number of records"));
        }
        let mut starts = vec![0];
        for _ in 0..cursor.length(MAX_PARTS - 1)? {
            starts.push(starts[starts.len() - 1] + cursor.length(MAX_RECORDS)?);
        }
        let mut columns: [Slot; COLUMNS] = Default::default();
        for slot in &mut columns {
            slot.kind = cursor.byte()?;
            let len = if slot.kind == kind::EMPTY {
                0
            } else {
                cursor.length(body.len())?
            };
            let start = body.len() - cursor.len();
            cursor.take(len)?;
            slot.body = start..start + len;
        }
        let is_chunked = |column: &TextColumn| columns[*column as usize].kind == kind::PLAIN;
        let chunked: Vec<_> = TextColumn::ALL.into_iter().filter(is_chunked).collect();
        if chunked.is_empty() && starts.len() == 1 {
            starts.push(rows);
        }
        if !cursor.is_at_end() || starts.last() != Some(&rows) {
            return Err(BlockError::Damaged("rows are missing"));
        }
        Ok(Self {
            meta: meta.clone(),
            part: part0,
            starts,
            chunked,
            columns,
            codes: Default::default(),
            numbers: Default::default(),
            texts: Default::default(),
            sketch: None,
        })
    }

    /// With what the forms of its messages tell. A sketch that is damaged tells
    /// nothing.
    #[must_use]
    pub fn with_sketch(mut self, part: &[u8]) -> Self {
        let sketch = Sketch::read(part, self.meta.first_id, SKETCH_PART as u32, self.rows());
        self.sketch = sketch.ok();
        self
    }

    /// Without it: it has done its work and takes room.
    #[must_use]
    pub fn without_sketch(mut self) -> Self {
        self.sketch = None;
        self
    }

    /// What it takes in memory, in bytes, with the columns opened so far.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let codes = self.codes.iter().filter_map(OnceLock::get);
        let numbers = self.numbers.iter().filter_map(OnceLock::get);
        let texts = self.texts.iter().filter_map(OnceLock::get);
        size_of::<Self>()
            + self.part.capacity()
            + self.sketch.as_ref().map_or(0, Sketch::bytes)
            + codes.map(|codes| codes.bytes()).sum::<usize>()
            + numbers.map(Numbers::bytes).sum::<usize>()
            + texts.map(TextValues::bytes).sum::<usize>()
    }

    /// Id of its first record.
    #[must_use]
    pub fn first_id(&self) -> u64 {
        self.meta.first_id
    }

    /// How many records.
    pub(super) fn rows(&self) -> usize {
        self.meta.count as usize
    }

    /// The chunks that hold selected rows, in the order of the query.
    #[must_use]
    pub fn chunks(&self, selection: &Selection, order: Order) -> Vec<usize> {
        let mut chunks: Vec<usize> = Vec::new();
        for row in selection.rows.iter() {
            let chunk = self.starts.partition_point(|start| *start <= row) - 1;
            if chunks.last() != Some(&chunk) {
                chunks.push(chunk);
            }
        }
        if order == Order::NewestFirst {
            chunks.reverse();
        }
        chunks
    }

    /// How many rows of a chunk are selected.
    #[must_use]
    pub fn selected(&self, chunk: usize, selection: &Selection) -> usize {
        let rows = self.starts[chunk]..self.starts[chunk + 1];
        selection.rows.count_in(rows)
    }

    /// Which part holds a chunk; none when there is nothing to fetch (pass an
    /// empty `Vec` to [`Block::open_chunk`]).
    #[must_use]
    pub fn part_of(&self, chunk: usize) -> Option<usize> {
        (!self.chunked.is_empty()).then_some(chunk + 1)
    }

    /// Opens a chunk from the bytes of its part.
    ///
    /// # Errors
    /// When the bytes are damaged.
    ///
    /// # Panics
    /// When the block has no such chunk.
    pub fn open_chunk(&self, chunk: usize, part: Vec<u8>) -> Result<Chunk, BlockError> {
        let rows = self.starts[chunk]..self.starts[chunk + 1];
        match self.part_of(chunk) {
            Some(place) => Chunk::open(self.meta.first_id, place, rows, &self.chunked, part),
            None => Ok(Chunk::of_part_0(rows)),
        }
    }

    /// The records of some rows of a chunk, in the order given.
    ///
    /// # Errors
    /// When the bytes are damaged.
    ///
    /// # Panics
    /// When a row is not of this chunk.
    pub fn records(&self, chunk: &Chunk, rows: &[u32]) -> Result<Vec<Record>, BlockError> {
        let mut records = vec![Record::default(); rows.len()];
        let [received, created, level, line, process, thread] = NumberColumn::ALL;
        let received = self.number_column(received)?;
        let created = self.number_column(created)?;
        let level = self.number_column(level)?;
        let line = self.number_column(line)?;
        let process = self.number_column(process)?;
        let thread = self.number_column(thread)?;
        for (record, row) in records.iter_mut().zip(rows) {
            let row = *row as usize;
            record.id = self.meta.first_id + row as u64;
            record.received_us = received.get(row);
            record.created_us = created.get(row);
            record.level = i32::try_from(level.get(row))
                .map_err(|_| BlockError::Damaged("level is out of range"))?;
            record.line = line.get(row);
            record.process = process.get(row);
            record.thread = thread.get(row);
        }
        for column in TextColumn::ALL {
            let place = |record| column.of_mut(record).expect("a column of records");
            let pairs = records.iter_mut().zip(rows.iter().map(|row| *row as usize));
            if let Some(texts) = chunk.texts(column)? {
                for (record, row) in pairs {
                    texts.get(row - chunk.rows.start)?.clone_into(place(record));
                }
            } else if self.columns[column as usize].kind != kind::EMPTY {
                let Some(texts) = self.text_column(column)? else {
                    return Err(BlockError::Damaged("chunk is of another block"));
                };
                for (record, row) in pairs {
                    let text = texts.values.get(texts.codes.get(row))?;
                    text.clone_into(place(record));
                }
            }
        }
        Ok(records)
    }

    /// A column of integers.
    pub(super) fn number_column(&self, column: NumberColumn) -> Result<&Numbers, BlockError> {
        let opened = &self.numbers[column as usize];
        if let Some(numbers) = opened.get() {
            return Ok(numbers);
        }
        let numbers = self.open_numbers(column)?;
        Ok(opened.get_or_init(|| numbers))
    }

    fn open_numbers(&self, column: NumberColumn) -> Result<Numbers, BlockError> {
        let slot = &self.columns[column as usize];
        let mut cursor = Cursor::new(&self.part[slot.body.clone()]);
        let values = match slot.kind {
            kind::EMPTY => vec![0],
            kind::CONSTANT => vec![unzigzag(cursor.varint()?)],
            kind::PLAIN => read_numbers(&mut cursor, self.rows())?,
            kind::RELATIVE if column == NumberColumn::Created => {
                let mut values = read_numbers(&mut cursor, self.rows())?;
                let received = self.number_column(NumberColumn::Received)?;
                for (row, value) in values.iter_mut().enumerate() {
                    *value = value.wrapping_add(received.get(row));
                }
                values
            }
            kind::DICTIONARY => {
                let (count, _) = self.dictionary_head(&mut cursor)?;
                read_numbers(&mut cursor, count)?
            }
            _ => return Err(BlockError::Damaged("column of an unknown kind")),
        };
        let codes = Arc::clone(self.codes(column as usize)?);
        Ok(Numbers { values, codes })
    }

    /// A column of texts; none when its texts are in the chunks.
    pub(super) fn text_column(
        &self,
        column: TextColumn,
    ) -> Result<Option<&TextValues>, BlockError> {
        let opened = &self.texts[column as usize];
        if let Some(texts) = opened.get() {
            return Ok(Some(texts));
        }
        let slot = &self.columns[column as usize];
        let mut cursor = Cursor::new(&self.part[slot.body.clone()]);
        let (count, values) = match slot.kind {
            kind::EMPTY => (1, Texts::default()),
            kind::CONSTANT => {
                let mut value = Frame::read(&mut cursor)?.open()?.into_owned();
                value.push(END);
                (1, Texts::read(value, 1)?)
            }
            kind::DICTIONARY => {
                let (count, _) = self.dictionary_head(&mut cursor)?;
                let values = Frame::read(&mut cursor)?.open()?.into_owned();
                (count, Texts::read(values, count)?)
            }
            kind::PLAIN => return Ok(None),
            _ => return Err(BlockError::Damaged("column of an unknown kind")),
        };
        let codes = Arc::clone(self.codes(column as usize)?);
        let texts = TextValues {
            count,
            values,
            codes,
            folded: OnceLock::new(),
        };
        Ok(Some(opened.get_or_init(|| texts)))
    }

    /// How many values a dictionary has, and its codes as they are stored.
    fn dictionary_head<'a>(
        &self,
        cursor: &mut Cursor<'a>,
    ) -> Result<(usize, Cursor<'a>), BlockError> {
        let count = cursor.length(self.rows())?;
        let len = cursor.length(cursor.len())?;
        Ok((count, Cursor::new(cursor.take(len)?)))
    }

    /// The codes of a column that is not in the chunks.
    fn codes(&self, column: usize) -> Result<&Arc<Codes>, BlockError> {
        if let Some(codes) = self.codes[column].get() {
            return Ok(codes);
        }
        let slot = &self.columns[column];
        let codes = match slot.kind {
            kind::EMPTY | kind::CONSTANT => Codes::One,
            kind::DICTIONARY => self.open_codes(slot)?,
            _ => Codes::Rows,
        };
        Ok(self.codes[column].get_or_init(|| Arc::new(codes)))
    }

    fn open_codes(&self, slot: &Slot) -> Result<Codes, BlockError> {
        let mut body = Cursor::new(&self.part[slot.body.clone()]);
        let (count, mut cursor) = self.dictionary_head(&mut body)?;
        match cursor.byte()? {
            source::ROWS if count == self.rows() => Ok(Codes::Rows),
            source::OWN => read_codes(&mut cursor, self.rows(), count),
            source::DERIVED => {
                let column = usize::from(cursor.byte()?);
                let (parent, values) = self.parent_codes(column)?;
                let table = read_codes(&mut cursor, values, count)?;
                Ok(Codes::Derived(Arc::clone(parent), Box::new(table)))
            }
            _ => Err(BlockError::Damaged("codes of an unknown kind")),
        }
    }

    /// The codes of a dictionary column that has its own, and of how many values.
    fn parent_codes(&self, column: usize) -> Result<(&Arc<Codes>, usize), BlockError> {
        let slot = self.columns.get(column);
        if let Some(slot) = slot.filter(|slot| slot.kind == kind::DICTIONARY) {
            let mut body = Cursor::new(&self.part[slot.body.clone()]);
            let (count, mut codes) = self.dictionary_head(&mut body)?;
            if codes.byte()? == source::OWN {
                return Ok((self.codes(column)?, count));
            }
        }
        Err(BlockError::Damaged("column follows from one without codes"))
    }
}

impl Numbers {
    fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<i64>()
    }

    /// The number of a row.
    pub(super) fn get(&self, row: usize) -> i64 {
        self.values[self.codes.get(row)]
    }
}

/// All records of a block, from all its parts.
///
/// # Errors
/// When the bytes are damaged or of an unknown format, or a part is missing.
pub fn decode(meta: &BlockMeta, parts: Vec<Vec<u8>>) -> Result<Vec<Record>, BlockError> {
    let missing = BlockError::Damaged("part is missing");
    let mut parts = parts.into_iter();
    let Some(part0) = parts.next() else {
        return Err(missing);
    };
    let block = Block::open(meta, part0)?;
    let mut records = Vec::with_capacity(block.rows());
    for chunk in 0..block.starts.len() - 1 {
        let part = match block.part_of(chunk) {
            Some(_) => parts.next().ok_or(BlockError::Damaged("part is missing"))?,
            None => Vec::new(),
        };
        let chunk = block.open_chunk(chunk, part)?;
        let rows: Vec<u32> = chunk.rows.clone().map(|row| row as u32).collect();
        records.extend(block.records(&chunk, &rows)?);
    }
    Ok(records)
}
