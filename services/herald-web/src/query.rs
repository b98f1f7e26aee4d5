//! What a URL asks for: parameters read leniently, so that a form can be shown
//! again as it was filled in, and every problem named.

mod parameters;
mod records;

pub(crate) use parameters::{ParameterError, Parameters};
pub(crate) use records::{LimitRule, PARAMETERS, link, read_count, read_id, read_records};
