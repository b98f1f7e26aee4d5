//! The HTML pages. `page` tells how one is added.

mod columns;
pub(crate) mod detail;
mod layout;
pub(crate) mod log;
mod page;
pub(crate) mod problem;
pub(crate) mod record;
mod row;
pub(crate) mod saved;
pub(crate) mod values;
mod view;
