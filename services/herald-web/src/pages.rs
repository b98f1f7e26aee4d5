//! The HTML pages. `page` tells how one is added.

pub(crate) mod alerts;
pub(crate) mod badge;
mod columns;
mod coverage;
pub(crate) mod detail;
pub(crate) mod exceptions;
mod figure;
pub(crate) mod form;
pub(crate) mod help;
mod hexdump;
mod layout;
pub(crate) mod log;
mod page;
pub(crate) mod problem;
pub(crate) mod record;
pub(crate) mod rejected;
mod row;
pub(crate) mod rule;
pub(crate) mod saved;
pub(crate) mod signin;
mod span;
mod sparkline;
pub(crate) mod status;
pub(crate) mod systems;
pub(crate) mod tail;
pub(crate) mod values;
mod view;
