//! Types and invariants of Herald. No I/O, no wire format, nothing of ours
//! below it: everything else may depend on this crate.
//!
//! * [`Record`], [`DeadLetter`], [`Gap`]: what a number of a spool stands for
//!   ([`Entry`]).
//! * [`Condition`], [`RecordFilter`], [`RecordQuery`]: which records somebody
//!   wants to see, [`CountQuery`] to have counted, [`ContextScope`] around one;
//!   [`TextField`] and [`NumberField`] name what they look at.
//! * [`SavedSearch`]: a view of the log with a name.
//! * [`Alert`], [`Heartbeat`], [`Notification`], [`Run`]: what neelix finds by its
//!   [`Rule`]s, and who is told.
//! * [`AuditEntry`]: what somebody has changed; [`Author`]: who.
//! * [`exception`]: what a traceback is about.
//! * [`Stage`]: the four stages with their ports and file names.
//! * [`Level`]: severities by Python's scale.

mod alert;
mod audit_entry;
mod author;
mod condition;
mod count;
mod entry;
pub mod exception;
mod field;
mod filter;
mod fold;
mod heartbeat;
mod level;
mod notification;
mod record;
mod run;
mod saved_search;
mod scope;
mod stage;

pub use alert::{Alert, AlertEvent, AlertEventKind, AlertKind, AlertSubject};
pub use audit_entry::{AuditAction, AuditEntry};
pub use author::{Author, AuthorError, AuthorKind};
pub use condition::{
    Condition, Decimal, ExtraPath, ExtraTest, ExtraValue, Glob, NumberRange, Pattern, PatternError,
    TextTest, entries, items,
};
pub use count::{CountBy, CountQuery};
pub use entry::{BridgeId, DeadLetter, Entry, Gap};
pub use field::{NumberField, TextField};
pub use filter::{Order, RecordFilter, RecordQuery};
pub use fold::{fold, fold_char};
pub use heartbeat::{Heartbeat, HeartbeatState, SeenSystem};
pub use level::{Level, UnknownLevel};
pub use notification::{Delivery, DeliveryChannel, DeliveryState, Notification};
pub use record::{Micros, Record};
pub use run::{Interruption, Rule, Run, RunState};
pub use saved_search::{
    MAX_SAVED_SEARCHES, SavedSearch, SavedSearchError, SearchName, SearchQuery,
};
pub use scope::ContextScope;
pub use stage::{Stage, UnknownStage};
