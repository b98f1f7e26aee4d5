//! A sequence of texts as it lies in a frame: one after the other, each ended
//! by the byte 0xff, which UTF-8 does not use; no bytes at all when every text
//! is empty. Searching runs over all texts at once.

use domain::RecordFilter;
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

    /// A text.
    pub(super) fn get(&self, index: usize) -> Result<&str, BlockError> {
        std::str::from_utf8(self.bytes(index)).map_err(|_| BlockError::Damaged("text is not UTF-8"))
    }

    /// The same texts without their case.
    pub(super) fn fold(&self) -> Result<Texts, BlockError> {
        let mut bytes = self.bytes.clone();
        if fold_ascii(&mut bytes, self.ends.len()) {
            let ends = self.ends.clone();
            return Ok(Self { bytes, ends });
        }
        bytes.clear();
        let mut ends = Vec::with_capacity(self.ends.len());
        for index in 0..self.ends.len() {
            bytes.extend_from_slice(RecordFilter::fold(self.get(index)?).as_bytes());
            ends.push(bytes.len() as u32);
            bytes.push(END);
        }
        Ok(Self { bytes, ends })
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

/// Folds texts in place when that is a matter of ASCII alone: when no byte but
/// the `ends` that end them is beyond ASCII. Otherwise only the ASCII letters
/// are folded, and the answer is false.
fn fold_ascii(bytes: &mut [u8], ends: usize) -> bool {
    bytes.make_ascii_lowercase();
    bytes.iter().filter(|byte| !byte.is_ascii()).count() == ends
}

/// Folds texts that each end with [`END`], and of which there are `ends`.
pub(super) fn fold_joined(joined: &[u8], ends: usize, folded: &mut Vec<u8>) {
    folded.clear();
    folded.extend_from_slice(joined);
    if fold_ascii(folded, ends) {
        return;
    }
    folded.clear();
    for text in joined.split_inclusive(|byte| *byte == END) {
        let text = std::str::from_utf8(&text[..text.len() - 1]).expect("texts are UTF-8");
        folded.extend_from_slice(RecordFilter::fold(text).as_bytes());
        folded.push(END);
    }
}
