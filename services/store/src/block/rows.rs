//! Rows of a block for those who count them: codes first, texts only once per
//! value.

use domain::{Micros, TextField};

use super::chunk::Chunk;
use super::column::{NumberColumn, TextColumn};
use super::decode::{Block, Numbers, TextValues};
use super::text::Texts;
use super::{BlockError, BlockMeta};

/// The values of a text field and which one each row has.
#[derive(Debug, Clone, Copy)]
pub struct Coded<'a> {
    source: Source<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    /// A dictionary in part 0.
    Values(&'a TextValues),
    /// The texts of a chunk whose rows begin here: each row has its own.
    Chunk(&'a Texts, usize, usize),
}

/// A column of numbers.
#[derive(Debug, Clone, Copy)]
pub struct NumbersOf<'a> {
    numbers: &'a Numbers,
}

impl Block {
    /// What is known of it without reading it.
    #[must_use]
    pub fn meta(&self) -> &BlockMeta {
        &self.meta
    }

    /// Whether a field's texts are in the chunks.
    #[must_use]
    pub fn is_chunked(&self, field: TextField) -> bool {
        self.chunked.contains(&TextColumn::of_field(field))
    }

    /// A field's values; of the rows of the chunk alone when they are in chunks.
    ///
    /// # Errors
    /// When the bytes are damaged, or the chunk is missing.
    pub fn coded<'a>(
        &'a self,
        field: TextField,
        chunk: Option<&'a Chunk>,
    ) -> Result<Coded<'a>, BlockError> {
        let column = TextColumn::of_field(field);
        if let Some(values) = self.text_column(column)? {
            return Ok(Coded {
                source: Source::Values(values),
            });
        }
        let chunk = chunk.ok_or(BlockError::Damaged("a part is missing"))?;
        let texts = chunk.texts(column)?;
        let texts = texts.ok_or(BlockError::Damaged("chunk is of another block"))?;
        Ok(Coded {
            source: Source::Chunk(texts, chunk.rows.start, chunk.rows.len()),
        })
    }

    /// Times of receipt.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn received(&self) -> Result<NumbersOf<'_>, BlockError> {
        self.numbers_of(NumberColumn::Received)
    }

    /// Severity numbers.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn severities(&self) -> Result<NumbersOf<'_>, BlockError> {
        self.numbers_of(NumberColumn::Level)
    }

    fn numbers_of(&self, column: NumberColumn) -> Result<NumbersOf<'_>, BlockError> {
        let numbers = self.number_column(column)?;
        Ok(NumbersOf { numbers })
    }
}

impl<'a> Coded<'a> {
    /// How many codes there are: they are the numbers below.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.source {
            Source::Values(values) => values.count,
            Source::Chunk(_, _, rows) => rows,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The code of a row, which must be of the chunk.
    #[must_use]
    pub fn code(&self, row: u32) -> usize {
        match self.source {
            Source::Values(values) => values.codes.get(row as usize),
            Source::Chunk(_, start, _) => row as usize - start,
        }
    }

    /// The text of a code.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn text(&self, code: usize) -> Result<&'a str, BlockError> {
        match self.source {
            Source::Values(values) => values.values.get(code),
            Source::Chunk(texts, ..) => texts.get(code),
        }
    }
}

impl NumbersOf<'_> {
    /// The number of a row: for times, microseconds since the epoch
    /// ([`Micros`]).
    #[must_use]
    pub fn get(&self, row: u32) -> Micros {
        self.numbers.get(row as usize)
    }
}
