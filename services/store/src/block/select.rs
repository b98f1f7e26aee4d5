//! Which rows of a block are still wanted.

use std::ops::Range;
use std::sync::OnceLock;

/// Rows of a block, as [`super::Block::select`] leaves them.
#[derive(Debug)]
pub struct Selection {
    /// Those that may pass.
    pub(super) rows: Rows,
    /// Rows that pass, whatever the chunks hold.
    pub(super) sure: Rows,
    /// What part 0 decides of each leaf, as far as somebody asked.
    pub(super) leaves: Vec<OnceLock<Sets>>,
}

/// What is known of a condition.
#[derive(Debug, Clone)]
pub(super) struct Sets {
    /// Rows that pass.
    pub(super) sure: Rows,
    /// Rows that may pass, the sure ones among them.
    pub(super) possible: Rows,
}

impl Sets {
    pub(super) fn all(count: usize) -> Self {
        Self::decided(Rows::all(count))
    }

    pub(super) fn none(count: usize) -> Self {
        Self::decided(Rows::none(count))
    }

    /// Nothing is open.
    pub(super) fn decided(rows: Rows) -> Self {
        Self {
            sure: rows.clone(),
            possible: rows,
        }
    }

    /// The same rows are possible, and none of so many is sure.
    pub(super) fn unsure(self, count: usize) -> Self {
        Self {
            sure: Rows::none(count),
            possible: self.possible,
        }
    }
}

impl Selection {
    /// Whether no row is left: nothing of the block need be fetched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows are left; how many match when [`Selection::is_exact`].
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows.count()
    }

    /// The rows left, rising.
    #[must_use]
    pub fn rows(&self) -> Vec<u32> {
        self.rows.iter().map(|row| row as u32).collect()
    }

    /// Whether all rows left match: no chunk need be read to count them.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.rows.is_subset_of(&self.sure)
    }
}

/// A set of rows, one bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rows {
    words: Vec<u64>,
}

impl Rows {
    /// These rows of `count`.
    pub(super) fn range(count: usize, rows: Range<usize>) -> Self {
        let below = |row: usize, word: usize| match row.saturating_sub(word * 64) {
            bits @ 0..64 => (1 << bits) - 1,
            _ => u64::MAX,
        };
        let word = |word| below(rows.end, word) & !below(rows.start, word);
        Self {
            words: (0..count.div_ceil(64)).map(word).collect(),
        }
    }

    /// All of `count` rows.
    pub(super) fn all(count: usize) -> Self {
        Self::range(count, 0..count)
    }

    /// None of `count` rows.
    pub(super) fn none(count: usize) -> Self {
        Self {
            words: vec![0; count.div_ceil(64)],
        }
    }

    /// The others of `count` rows.
    pub(super) fn complement(&self, count: usize) -> Self {
        let mut rows = Self::all(count);
        rows.subtract(self);
        rows
    }

    /// The rows whose bit is set.
    pub(super) fn from_bits(bits: impl ExactSizeIterator<Item = bool>) -> Self {
        let mut words = vec![0; bits.len().div_ceil(64)];
        for (row, bit) in bits.enumerate() {
            words[row / 64] |= u64::from(bit) << (row % 64);
        }
        Self { words }
    }

    pub(super) fn insert(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    /// Keeps what is in both.
    pub(super) fn intersect(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Removes what is in the other.
    pub(super) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Whether nothing is in both.
    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        let mut pairs = self.words.iter().zip(&other.words);
        pairs.all(|(word, other)| word & other == 0)
    }

    /// Adds what is in the other.
    pub(super) fn unite(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(super) fn is_subset_of(&self, other: &Self) -> bool {
        let mut pairs = self.words.iter().zip(&other.words);
        pairs.all(|(word, other)| word & !other == 0)
    }

    pub(super) fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// How many of these rows are in it.
    pub(super) fn count_in(&self, rows: Range<usize>) -> usize {
        let mut some = Self::range(self.words.len() * 64, rows);
        some.intersect(self);
        some.count()
    }

    /// Rising.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
                word &= word - 1;
                Some(index * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn a_range_holds_its_rows() {
        for count in [1, 63, 64, 65, 200] {
            for start in 0..count {
                for end in start..=count {
                    let rows: Vec<usize> = Rows::range(count, start..end).iter().collect();
                    assert_eq!(rows, (start..end).collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn sets_behave_as_sets() {
        let thirds = Rows::from_bits((0..200).map(|row| row % 3 == 0));
        let mut both = Rows::from_bits((0..200).map(|row| row % 2 == 0));
        both.intersect(&thirds);
        assert_eq!(both, Rows::from_bits((0..200).map(|row| row % 6 == 0)));
        assert_eq!(both.count(), 34);
        assert!(both.is_subset_of(&thirds) && !thirds.is_subset_of(&both));
        both.insert(1);
        both.subtract(&thirds);
        assert_eq!(both.iter().collect::<Vec<_>>(), [1]);
        assert!(both.is_disjoint(&thirds));
        both.unite(&thirds);
        assert_eq!(both.count(), 68);
        assert_eq!(both.complement(200).count(), 132);
        assert_eq!(thirds.count_in(0..7), 3);
        assert_eq!(thirds.count_in(63..130), 23);
    }
}
