//! Stories across processes: bytes in, page out.
