//! The query language: texts that people write, read into
//! [`Condition`]s and written back. `docs/query.md` has its
//! grammar and what each form finds.
//!
//! * [`parse`] reads a query, [`print()`] writes one, [`words`] searches for what
//!   is none.
//! * [`parts`] takes a query apart without changing a word of it.
//! * [`QueryError`] says what is wrong, where, and what would be right.
//! * [`simplify()`] gives the form that `parse` gives.
//! * [`time`] reads times, also relative ones.
//!
//! Reading takes linear time, and recursion ends at [`MAX_DEPTH`].

mod cursor;
mod error;
mod name;
mod number;
mod parse;
mod part;
mod print;
mod quote;
mod simplify;
pub mod time;

use domain::{Condition, Micros};

pub use error::QueryError;
pub use part::{Part, join, parts};
pub use print::print;
pub use simplify::simplify;

/// How many bytes a query may have.
pub const MAX_BYTES: usize = 64 << 10;
/// How many words, phrases and values a query may have.
pub const MAX_CONDITIONS: usize = 500;
/// How many parentheses and `NOT`s may be around one word.
pub const MAX_DEPTH: usize = 50;
/// How many bytes the keys behind `extra` may have: each value in parentheses
/// has them for itself.
pub const MAX_PATH_BYTES: usize = 1 << 10;
/// How many regular expressions a query may have.
pub const MAX_PATTERNS: usize = 20;

/// Reads a query; times such as `-1h` are before `now_us`. A blank text asks
/// for nothing, so that every record passes.
///
/// # Errors
/// When the text does not follow the language, or exceeds one of the limits.
pub fn parse(text: &str, now_us: Micros) -> Result<Condition, QueryError> {
    parse::query(text, now_us)
}

/// What a text asks for that is taken for no query: each of its words,
/// separated by blanks, has to occur, with every character as it is. Words
/// beyond [`MAX_CONDITIONS`] are left out.
#[must_use]
pub fn words(text: &str) -> Condition {
    let words = text.split_whitespace().take(MAX_CONDITIONS);
    simplify::all(words.map(|word| Condition::Contains(word.to_owned())))
}

#[cfg(test)]
mod tests;
