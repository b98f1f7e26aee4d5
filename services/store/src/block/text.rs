//! A sequence of texts as it lies in a frame: one after the other, each ended
//! by the byte 0xff, which UTF-8 does not use; no bytes at all when every text
//! is empty. Searching runs over all texts at once.

use domain::fold;
use memchr::{memchr_iter, memmem::Finder};

use super::BlockError;

/// Ends each text.
pub(super) const END: u8 = 0xff;

/// Some texts.
#[derive(Debug, Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// Where each text ends; empty when all texts are empty.
    ends: Vec<u32>,
}

impl Texts {
    /// The texts of a frame, which must be this many.
    pub(super) fn read(bytes: Vec<u8>, count: usize) -> Result<Self, BlockError> {
        let mut ends = Vec::with_capacity(if bytes.is_empty() { 0 } else { count });
        ends.extend(memchr_iter(END, &bytes).map(|end| end as u32));
        let complete = bytes.last().is_none_or(|last| *last == END);
        if complete && (bytes.is_empty() || ends.len() == count) {
            Ok(Self { bytes, ends })
        } else {
            Err(BlockError::Damaged("texts are not as many as rows"))
        }
    }

    /// The bytes of a text; the caller knows that there are so many.
    pub(super) fn bytes(&self, index: usize) -> &[u8] {
        if self.ends.is_empty() {
            return &[];
        }
        let start = if index == 0 {
            0
        } else {
            self.ends[index - 1] as usize + 1
        };
        &self.bytes[start..self.ends[index] as usize]
    }

    /// What they take in memory, in bytes.
    pub(super) fn size(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<u32>()
    }

    /// A text.
    pub(super) fn get(&self, index: usize) -> Result<&str, BlockError> {
        as_text(self.bytes(index))
    }

    /// The same texts without their case.
    pub(super) fn fold(&self) -> Result<Texts, BlockError> {
        let mut bytes = Vec::new();
        if fold_joined(&self.bytes, self.ends.len(), &mut bytes)? {
            let ends = self.ends.clone();
            return Ok(Self { bytes, ends });
        }
        Self::read(bytes, self.ends.len())
    }

    /// Calls `found` with each text that contains what `finder` looks for,
    /// which must not be empty.
    pub(super) fn search(&self, finder: &Finder<'_>, mut found: impl FnMut(usize)) {
        let (mut from, mut index) = (0, 0);
        while let Some(at) = finder.find(&self.bytes[from..]) {
            let at = (from + at) as u32;
            while self.ends[index] < at {
                index += 1;
            }
            found(index);
            from = self.ends[index] as usize + 1;
        }
    }
}

/// Folds texts that each end with [`END`], and of which there are `ends`.
/// Whether each stays in its place: when they are all ASCII, which is fast.
pub(super) fn fold_joined(
    joined: &[u8],
    ends: usize,
    folded: &mut Vec<u8>,
) -> Result<bool, BlockError> {
    folded.clear();
    folded.extend_from_slice(joined);
    folded.make_ascii_lowercase();
    if folded.iter().filter(|byte| !byte.is_ascii()).count() == ends {
        return Ok(true);
    }
    folded.clear();
    for text in joined.split_inclusive(|byte| *byte == END) {
        folded.extend_from_slice(fold(as_text(&text[..text.len() - 1])?).as_bytes());
        folded.push(END);
    }
    Ok(false)
}

fn as_text(bytes: &[u8]) -> Result<&str, BlockError> {
    std::str::from_utf8(bytes).map_err(|_| BlockError::Damaged("text is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use memchr::memmem::Finder;

    use super::Texts;

    #[test]
    fn texts_are_searched_without_case() {
        let check = |texts: &[&str], needle: &str, expected: &[usize]| {
            let joined: Vec<u8> = texts
                .iter()
                .flat_map(|text| [text.as_bytes(), &[0xff]].concat())
                .collect();
            let texts = Texts::read(joined, texts.len()).unwrap();
            let mut found = Vec::new();
            texts
                .fold()
                .unwrap()
                .search(&Finder::new(needle), |index| found.push(index));
            assert_eq!(found, expected, "{needle}");
        };
        check(&["Abc", "", "cab", "ABCABC"], "abc", &[0, 3]);
        check(&["ab", "c"], "abc", &[]);
        check(&["ÄÖ", "äö", "İx", "ix"], "äö", &[0, 1]);
        check(&["İx", "\u{212a}y", "z"], "z", &[2]);
        check(&[], "a", &[]);
    }

    #[test]
    fn other_bytes_are_damaged() {
        assert!(Texts::read(b"a\xffb".to_vec(), 1).is_err());
        assert!(Texts::read(b"a\xff".to_vec(), 2).is_err());
        assert!(
            Texts::read(b"\xc3\xff".to_vec(), 1)
                .unwrap()
                .fold()
                .is_err()
        );
        assert!(
            Texts::read(b"\xc3\xff".to_vec(), 1)
                .unwrap()
                .get(0)
                .is_err()
        );
        assert_eq!(Texts::read(Vec::new(), 3).unwrap().get(2).unwrap(), "");
    }
}
