//! Names of systems as alerts and heartbeats have them: whatever a record calls its
//! system, the store takes it.

use domain::{Glob, TextTest};

use crate::digest::short_hash;

/// The store takes no longer names.
const MAX_BYTES: usize = 4 << 10;
/// What is left of the front of a longer one.
const FRONT_BYTES: usize = 4_000;
/// Between the front and a hash of the whole name.
const CUT: char = '…';
/// Letters of the hash.
const HASH_BYTES: usize = 16;

/// A name that the store takes: a longer one becomes its front, and a hash that tells it
/// from others with the same front.
pub(crate) fn bounded(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let front = &name[..name.floor_char_boundary(FRONT_BYTES)];
    format!("{front}{CUT}{}", short_hash(name))
}

/// What names fulfil that [`bounded`] made this one of. Of a name that was cut only the
/// front is known.
pub(crate) fn test(name: &str) -> TextTest {
    match front(name) {
        Some(front) => TextTest::Like(Glob::new(vec![front.to_owned(), String::new()])),
        None => TextTest::Is(name.to_owned()),
    }
}

fn front(name: &str) -> Option<&str> {
    let (front, hash) = name.rsplit_once(CUT)?;
    let is_cut = hash.len() == HASH_BYTES && front.len() > FRONT_BYTES - 4;
    is_cut.then_some(front)
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, bounded, test};

    /// Guards: one record with a long name made the store refuse every later run.
    #[test]
    fn long_names_are_cut_and_still_found() {
        let long = |end: &str| format!("{}{end}", "ä".repeat(3_000));
        let cut = bounded(&long("1"));
        assert!(cut.len() <= MAX_BYTES, "{}", cut.len());
        assert_ne!(cut, bounded(&long("2")));
        assert_eq!(cut, bounded(&cut));
        assert!(test(&cut).passes(&long("1")));
        assert!(!test(&cut).passes("ä"));
        for name in ["", "payments", "a…0123456789abcdef", &"x".repeat(MAX_BYTES)] {
            assert_eq!(bounded(name), name);
            assert!(test(name).passes(name));
            assert!(!test(name).passes(&format!("{name}x")));
        }
    }
}
