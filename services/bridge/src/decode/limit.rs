//! What a frame may demand of us, whoever sent it.

/// How deep containers may lie in one another, the record itself not counted.
pub(crate) const DEPTH: usize = 64;
/// How many values a frame may have.
pub(crate) const NODES: usize = 100_000;
/// How many decimal digits an integer may have (CPython's own limit).
pub(crate) const DIGITS: usize = 4_300;
/// How many bytes an integer of [`DIGITS`] digits takes at most.
pub(crate) const LONG_BYTES: usize = 1_786;

/// How long the name of a class may be.
pub(crate) const NAME_BYTES: usize = 1_000;

/// A limit that a frame exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exceeded {
    #[error("containers nested more than {DEPTH} deep")]
    Depth,
    #[error("more than {NODES} values")]
    Nodes,
    #[error("an integer of more than {DIGITS} digits")]
    Digits,
}

/// How many bytes may be made of a frame of so many: enough for every escape
/// and for honest sharing, not for a small frame that unfolds to gigabytes.
pub(crate) fn rendered_bytes(frame_bytes: usize) -> usize {
    const FLOOR: usize = 64 * 1024;
    const CEILING: usize = 4 * 1024 * 1024 - FLOOR;
    (FLOOR + 8 * frame_bytes).min(CEILING)
}
