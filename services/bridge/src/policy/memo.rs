//! Short texts that are known: names of systems, paths and functions are the same in one
//! record after the other, and need not be looked into again and again.

/// Longer texts are not kept.
const MAX_BYTES: usize = 96;
/// How many are kept: a text takes the place of another of the same hash.
const PLACES: usize = 512;

/// Some texts.
#[derive(Debug)]
pub(super) struct Memo {
    texts: Vec<Box<str>>,
}

impl Default for Memo {
    fn default() -> Self {
        Self {
            texts: vec![Box::default(); PLACES],
        }
    }
}

impl Memo {
    /// Whether this text is one of them.
    pub(super) fn has(&self, text: &str) -> bool {
        text.len() <= MAX_BYTES && *self.texts[place(text)] == *text
    }

    /// Keeps a text.
    pub(super) fn add(&mut self, text: &str) {
        if text.len() <= MAX_BYTES {
            self.texts[place(text)] = text.into();
        }
    }
}

/// By the length, the beginning and the end.
fn place(text: &str) -> usize {
    let bytes = text.as_bytes();
    let eight = |bytes: &[u8]| {
        let mut word = [0; 8];
        let len = bytes.len().min(8);
        word[..len].copy_from_slice(&bytes[..len]);
        u64::from_le_bytes(word)
    };
    let (begin, end) = (eight(bytes), eight(&bytes[bytes.len().saturating_sub(8)..]));
    let mixed =
        (begin ^ end.rotate_left(32) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_added_is_known() {
        let mut memo = Memo::default();
        let texts: Vec<String> = (0..2_000).map(|number| format!("text {number}")).collect();
        for text in &texts {
            memo.add(text);
            assert!(memo.has(text));
        }
        let known = texts.iter().filter(|text| memo.has(text)).count();
        assert!((PLACES / 2..=PLACES).contains(&known), "{known}");
        assert!(!memo.has("text 2000") && !memo.has("text"));
        let long = "x".repeat(MAX_BYTES + 1);
        memo.add(&long);
        assert!(!memo.has(&long));
    }
}
