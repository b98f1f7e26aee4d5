//! The HTML pages. `page` tells how one is added.

pub(crate) mod detail;
mod fold;
mod layout;
pub(crate) mod log;
mod page;
pub(crate) mod problem;
pub(crate) mod record;
mod row;
