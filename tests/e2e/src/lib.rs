//! What the stories in `tests/` share: reading everything back through the
//! API, numbered records and their account, and programs that log.
//!
//! A story starts real processes ([`testkit::Installation`]), sends bytes or
//! lets a Python program log, and looks at the page, the API or a file.

pub mod account;
pub mod alerts;
pub mod api;
pub mod appender;
pub mod audit;
pub mod bakery;
pub mod browser;
pub mod chance;
pub mod command;
pub mod grpcurl;
pub mod hostile;
pub mod identity;
pub mod otlp;
pub mod program;
pub mod proxy;
pub mod sender;
pub mod site;
pub mod spool;
pub mod visitor;
pub mod zone;
