//! What tests need and services must not have: records and frames to send,
//! real service processes to send them to, real Pythons to send them from, and
//! a way to wait that is no sleep.
//!
//! * [`wait_until`], [`wait_for`]: poll with a deadline.
//! * [`record`]: a record like those of real programs; [`frame`]: its frames.
//! * [`Installation`]: a folder and ports for bridge, store and herald-web;
//!   [`Process`]: one of them running, to be watched, stopped and killed.
//! * [`http`]: a client for pages, API and metrics.
//! * [`python::interpreters`]: every CPython of the machine.
//! * [`certificates`]: authorities, and what they sign.
//! * [`MailServer`]: a real one, which misbehaves as it is told.

pub mod binary;
pub mod certificates;
pub mod frame;
pub mod http;
mod installation;
pub mod mail_server;
pub mod port;
mod process;
pub mod python;
mod record;
mod wait;

pub use installation::Installation;
pub use mail_server::MailServer;
pub use process::Process;
pub use record::record;
pub use wait::{wait_for, wait_until};
