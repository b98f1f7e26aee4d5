//! Types and invariants of Herald. No I/O, no wire format, nothing of ours
//! below it: everything else may depend on this crate.
//!
//! * [`Record`], [`DeadLetter`], [`Gap`]: what a number of a spool stands for
//!   ([`Entry`]).
//! * [`RecordFilter`], [`RecordQuery`]: which records somebody wants to see.
//! * [`Stage`]: the four stages with their ports and file names.
//! * [`Level`]: severities by Python's scale.

mod entry;
mod filter;
mod level;
mod record;
mod stage;

pub use entry::{BridgeId, DeadLetter, Entry, Gap};
pub use filter::{ContextField, Order, RecordFilter, RecordQuery};
pub use level::{Level, UnknownLevel};
pub use record::{Micros, Record};
pub use stage::{Stage, UnknownStage};
