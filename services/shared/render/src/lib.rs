//! A record as programs and people get it, the same from every part of Herald.
//!
//! * [`JsonRecord`], [`json_line`]: under the names of the HTTP API.
//! * [`csv`]: as a row that is safe to open in a spreadsheet.
//! * [`terminal`]: as text that cannot steer a terminal.
//! * [`Highlights`]: where in its texts stands what was looked for.
//! * [`glyph`]: which characters are shown by others, and how.
//! * [`rfc3339`], [`indent`], [`cut`]: times, JSON and long texts.
//!
//! Pure functions: nothing here reads or writes anything.

pub mod csv;
pub mod cut;
pub mod glyph;
mod highlight;
mod indent;
mod json;
pub mod terminal;
mod time;

pub use highlight::Highlights;
pub use indent::indent;
pub use json::{JsonRecord, json_line};
pub use time::rfc3339;
