//! Takes log records over TCP, spools them, and passes them on exactly once.

pub mod decode;
pub mod frame;
mod json;
mod pickle;
