//! Reads pickles of every protocol (0 to 5) as data. Nothing is called or
//! imported: where Python would make an object, the recipe is kept
//! ([`Object`](crate::decode::document::Object)). Opcodes are documented in
//! CPython's `Lib/pickletools.py`.

mod literal;
mod machine;
mod opcode;
mod reader;
mod scalar;

#[cfg(test)]
mod tests;

pub(crate) use literal::push_code;

use crate::decode::{
    document::{Document, Id},
    limit::Exceeded,
};

/// Why bytes are no pickle that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PickleError {
    #[error("it ends too early")]
    Short,
    #[error("unknown instruction {opcode:#04x} at byte {at}")]
    UnknownOpcode { opcode: u8, at: usize },
    #[error("{name} refers to something outside the pickle (byte {at})")]
    Outside { name: &'static str, at: usize },
    #[error("protocol {0} is unknown")]
    Protocol(u8),
    #[error("malformed {name} at byte {at}")]
    Malformed { name: &'static str, at: usize },
    #[error("nothing was remembered under number {0}")]
    Memo(usize),
    #[error("{0}")]
    Exceeded(#[from] Exceeded),
}

/// The document of a pickle and its outermost value. Bytes behind the pickle's
/// end are ignored, as Python does.
///
/// # Errors
/// When the bytes are no pickle, demand too much, or refer to what is not in
/// them.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Document<'_>, Id), PickleError> {
    machine::Machine::new(bytes).run()
}
