//! Judges records and silences by the rules of a file, and tells people.
//!
//! * `rules`: the file, read as its predecessor did. `ini` is its form, `rule` what it
//!   means; `duration`, `schedule` and `scope` are its values.
//! * `judge`: rules and what was found become alerts and news of them. Pure.
//! * [`digest`]: news as the texts of a mail and of a webhook.
//! * [`mailer`], [`webhook`]: one attempt to tell one recipient.
//! * [`delivery`]: everything that is due, each attempt reported to the store.
//!
//! Invariants: no text of a record adds a header or markup; the same
//! notification is the same mail, byte by byte, however often it is sent; no
//! address, password or URL of a webhook is in our own logs.

pub mod delivery;
pub mod digest;
mod duration;
mod ini;
mod judge;
pub mod mailer;
mod problem;
mod rule;
mod rules;
mod schedule;
mod scope;
pub mod webhook;
