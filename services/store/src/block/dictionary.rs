//! Collects a column's distinct values and each row's code, and gives up when
//! the values are too many or too long to be worth it.

/// Values longer than this together are better off in chunks.
const MAX_BYTES: usize = 64 << 10;
/// Forms of messages may take more: they spare opening chunks.
const MAX_FORM_BYTES: usize = 256 << 10;
/// Blocks up to this long keep everything in dictionaries: no chunks.
pub(super) const SMALL_ROWS: usize = 64;

/// How many rows are taken at once.
pub(super) const GROUP_ROWS: usize = 32;

/// A dictionary in the making.
#[derive(Default)]
pub(super) struct Dictionary {
    codes: Vec<u16>,
    bytes: Vec<u8>,
    ends: Vec<u32>,
    hashes: Vec<u32>,
    /// Open addressing: code + 1, or 0; a power of two, never more than half full.
    table: Vec<u16>,
    max_values: usize,
    max_bytes: usize,
    eager: bool,
    overflown: bool,
}

impl Dictionary {
    /// Starts over, for a column of `rows` values.
    pub(super) fn start(&mut self, rows: usize) {
        self.codes.clear();
        self.bytes.clear();
        self.ends.clear();
        self.hashes.clear();
        self.table.clear();
        self.eager = rows <= SMALL_ROWS;
        self.max_bytes = MAX_BYTES;
        self.max_values = if self.eager {
            rows
        } else {
            (rows / 4).max(SMALL_ROWS)
        };
        self.overflown = false;
    }

    /// Starts over, for a column that takes all of its values.
    pub(super) fn start_unbounded(&mut self, rows: usize) {
        self.start(rows);
        self.eager = true;
        self.max_values = rows;
        self.max_bytes = usize::MAX;
    }

    /// Starts over, for the forms of so many messages.
    pub(super) fn start_forms(&mut self, rows: usize) {
        self.start(rows);
        self.max_bytes = MAX_FORM_BYTES;
    }

    /// Whether the values did not fit: the rest of the dictionary is void.
    pub(super) fn is_overflown(&self) -> bool {
        self.overflown
    }

    pub(super) fn codes(&self) -> &[u16] {
        &self.codes
    }

    /// How many distinct values.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|code| self.value(code))
    }

    fn value(&self, code: usize) -> &[u8] {
        let start = if code == 0 {
            0
        } else {
            self.ends[code - 1] as usize
        };
        &self.bytes[start..self.ends[code] as usize]
    }

    /// Appends the values of the next rows, at most [`GROUP_ROWS`]. All are
    /// hashed before any is looked up: that lets the processor fetch them from
    /// memory side by side.
    pub(super) fn extend<'a>(&mut self, values: impl Iterator<Item = &'a [u8]> + Clone) {
        if self.overflown {
            return;
        }
        let mut hashes = [0; GROUP_ROWS];
        for (hash, value) in hashes.iter_mut().zip(values.clone()) {
            *hash = hash_of(value);
        }
        for (hash, value) in hashes.into_iter().zip(values) {
            let Some(code) = self.code_of(value, hash) else {
                self.overflown = true;
                return;
            };
            self.codes.push(code);
        }
    }

    fn code_of(&mut self, value: &[u8], hash: u32) -> Option<u16> {
        if self.ends.len() * 2 >= self.table.len() {
            self.grow();
        }
        let mask = self.table.len() - 1;
        let mut slot = hash as usize & mask;
        while self.table[slot] != 0 {
            let code = usize::from(self.table[slot] - 1);
            if self.hashes[code] == hash && same(self.value(code), value) {
                return Some(code as u16);
            }
            slot = (slot + 1) & mask;
        }
        let code = self.ends.len();
        // Mostly new values so far: it will not get better, and trying costs.
        let hopeless = !self.eager && code > SMALL_ROWS + self.codes.len() / 2;
        let too_long = code > 0 && self.bytes.len() + value.len() > self.max_bytes;
        if code >= self.max_values || too_long || hopeless {
            return None;
        }
        self.table[slot] = code as u16 + 1;
        self.hashes.push(hash);
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len() as u32);
        Some(code as u16)
    }

    fn grow(&mut self) {
        let len = (self.table.len() * 2).max(16);
        self.table.clear();
        self.table.resize(len, 0);
        for (code, hash) in self.hashes.iter().enumerate() {
            let mut slot = *hash as usize & (len - 1);
            while self.table[slot] != 0 {
                slot = (slot + 1) & (len - 1);
            }
            self.table[slot] = code as u16 + 1;
        }
    }
}

/// Never stored, so it may change.
pub(super) fn hash_of(value: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = (value.len() as u64).wrapping_mul(FACTOR);
    let last = if let Some(last) = value.last_chunk::<8>() {
        for word in value.as_chunks::<8>().0 {
            hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
            hash ^= hash >> 32;
        }
        u64::from_le_bytes(*last)
    } else if let (Some(first), Some(last)) = (value.first_chunk::<4>(), value.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
    } else {
        value
            .iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte))
    };
    ((hash ^ last).wrapping_mul(FACTOR) >> 32) as u32
}

/// Whether two values are equal. Most are short, and for those the C library's
/// comparison that `==` calls takes several times as long.
fn same(left: &[u8], right: &[u8]) -> bool {
    let words = |value: &[u8]| {
        value
            .last_chunk::<8>()
            .map(|last| u64::from_le_bytes(*last))
    };
    match (words(left), words(right)) {
        _ if left.len() != right.len() => false,
        (None, _) | (_, None) => left.iter().zip(right).all(|(left, right)| left == right),
        (Some(left_end), Some(right_end)) => {
            let (left, right) = (left.as_chunks::<8>().0, right.as_chunks::<8>().0);
            left_end == right_end && left.iter().zip(right).all(|(left, right)| left == right)
        }
    }
}

/// The value of `child` that follows from each value of `parent`, if it does
/// in every row.
pub(super) fn derivation(parent: &Dictionary, child: &Dictionary) -> Option<Vec<u16>> {
    let mut map = vec![u16::MAX; parent.len()];
    for (from, to) in parent.codes.iter().zip(&child.codes) {
        let known = &mut map[usize::from(*from)];
        if *known == u16::MAX {
            *known = *to;
        } else if known != to {
            return None;
        }
    }
    Some(map)
}

#[cfg(test)]
mod tests {
    use super::{Dictionary, GROUP_ROWS, derivation};

    fn of(values: &[&str], rows: usize) -> Dictionary {
        let mut dictionary = Dictionary::default();
        dictionary.start(rows);
        for values in values.chunks(GROUP_ROWS) {
            dictionary.extend(values.iter().map(|value| value.as_bytes()));
        }
        dictionary
    }

    #[test]
    fn equal_values_have_equal_codes() {
        let dictionary = of(&["a", "", "a", "b", "b", "", "\0"], 7);
        assert_eq!(dictionary.codes(), [0, 1, 0, 2, 2, 1, 3]);
        let values: Vec<_> = dictionary.values().collect();
        assert_eq!(values, [&b"a"[..], b"", b"b", b"\0"]);
    }

    #[test]
    fn too_many_or_too_long_values_overflow() {
        let check = |distinct: usize, len: usize, rows: usize, overflown| {
            let values: Vec<String> = (0..rows)
                .map(|row| format!("{}{}", row % distinct, "-".repeat(len)))
                .collect();
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            assert_eq!(
                of(&values, rows).is_overflown(),
                overflown,
                "{distinct} {len} {rows}"
            );
        };
        check(1, 70_000, 1, false);
        check(64, 100, 64, false);
        check(64, 2000, 64, true);
        check(100, 10, 8192, false);
        check(8192, 10, 8192, true);
        check(2048, 10, 8192, true);
    }

    #[test]
    fn what_follows_from_another_column_is_found() {
        let host = of(&["a", "b", "a", "c"], 4);
        let zone = of(&["x", "y", "x", "x"], 4);
        assert_eq!(derivation(&host, &zone), Some(vec![0, 1, 0]));
        assert_eq!(derivation(&zone, &host), None);
    }
}
