//! Judges records and silences by the rules of a file, and tells people.
//!
//! * `rules`: the file, read as its predecessor did. `ini` is its form, `rule` what it
//!   means; `duration`, `schedule`, `scope` and `name` are its values.
//! * `gather`: what the store knows that rules ask about, by `store_client`.
//! * `judge`: rules and what was found become alerts and news of them. Pure.
//! * `evidence`: the records that show it.
//! * [`digest`]: news as the texts of a mail and of a webhook.
//! * [`mailer`], [`webhook`]: one attempt to tell one recipient.
//! * [`delivery`]: everything that is due, each attempt reported to the store.
//! * `outbox`: how much of that one run may hand in.
//! * [`run`]: all that once, in `job`; [`repeat`]: again and again. [`Cli`]: the
//!   command line, with `rehearsal` for rules tried on the past.
//!
//! Invariants: no text of a record adds a header or markup; the same
//! notification is the same mail, byte by byte, however often it is sent; no
//! address, password or URL of a webhook is in our own logs.

mod cli;
mod config;
pub mod delivery;
pub mod digest;
mod duration;
mod evidence;
mod gather;
mod ini;
mod job;
mod judge;
pub mod mailer;
mod name;
mod outbox;
mod output;
mod problem;
mod rehearsal;
mod repeat;
mod rule;
mod rules;
mod schedule;
mod scope;
mod store_client;
pub mod webhook;
mod window;

pub use cli::Cli;
pub use config::Config;
pub use job::{Outcome, Summary, run};
pub use repeat::repeat;
