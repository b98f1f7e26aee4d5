//! What a URL asks for: parameters read leniently, so that a form can be shown
//! again as it was filled in, and every problem named.

mod address;
mod filter;
mod parameters;
mod records;
mod value;

pub(crate) use address::{address, link_to};
pub(crate) use filter::{BadQuery, FILTER, read_filter, read_time};
pub(crate) use parameters::{KnownName, ParameterError, Parameters};
pub(crate) use records::{PAGE, PARAMETERS, link, read_order, read_records};
pub(crate) use value::{LimitRule, Reader, read_count, read_id, read_lower_bound};
