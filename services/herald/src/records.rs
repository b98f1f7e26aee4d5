//! What the commands that show records share: which ones are asked for, and
//! how they are written.

mod fields;
mod line;
mod note;
mod paint;
mod printer;
mod selection;

pub(crate) use note::{tell_coverage, tell_partial};
pub(crate) use printer::{Printer, Printing};
pub(crate) use selection::{Selection, now_us, time_ago};
