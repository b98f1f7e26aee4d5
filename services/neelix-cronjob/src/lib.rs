//! Tells people what rules have found.
//!
//! * [`digest`]: alerts as the texts of a mail and of a webhook.
//! * [`mailer`], [`webhook`]: one attempt to tell one recipient.
//! * [`delivery`]: everything that is due, each attempt reported to the store.
//!
//! Invariants: no text of a record adds a header or markup; the same
//! notification is the same mail, byte by byte, however often it is sent; no
//! address, password or URL of a webhook is in our own logs.

pub mod delivery;
pub mod digest;
pub mod mailer;
pub mod webhook;
