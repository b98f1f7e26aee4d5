//! Finds what must not leave in a text, and puts something else in its place.
//! Linear time; what is put in place is never found itself, so that masking ends.

use std::borrow::Cow;
use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::preset::Check;

/// How many bytes a compiled expression may take.
const MAX_BYTES: usize = 1 << 20;
/// After so many rounds in which something new was found, nothing of the text is
/// kept.
const ROUNDS: usize = 4;

/// One thing that must not leave.
#[derive(Debug, Clone)]
pub(crate) struct Mask {
    /// What the routes call it.
    pub(crate) name: String,
    regex: Regex,
    /// Whether what the expression finds is really one.
    check: Check,
    /// Bytes of a kind that a text must have for it to be in there.
    needs: Bytes,
    /// A shorter text, in bytes, has none of it.
    least: usize,
    /// A value of `extra` goes as a whole where its key is found by this.
    keys: Option<Regex>,
    replacement: String,
}

/// Kinds of bytes, as a set.
pub(crate) type Bytes = u8;
pub(crate) const AT: Bytes = 1;
pub(crate) const DIGIT: Bytes = 2;
pub(crate) const DOT: Bytes = 4;
pub(crate) const COLON: Bytes = 8;
pub(crate) const EQUALS: Bytes = 16;

/// The kinds of bytes in a text.
fn kinds(text: &str) -> Bytes {
    const KINDS: [Bytes; 256] = {
        let mut kinds = [0; 256];
        kinds[b'@' as usize] = AT;
        kinds[b'.' as usize] = DOT;
        kinds[b':' as usize] = COLON;
        kinds[b'=' as usize] = EQUALS;
        let mut digit = b'0';
        while digit <= b'9' {
            kinds[digit as usize] = DIGIT;
            digit += 1;
        }
        kinds
    };
    let found = text
        .bytes()
        .fold(0, |found, byte| found | KINDS[usize::from(byte)]);
    // An assignment is written either way.
    match found & (COLON | EQUALS) {
        0 => found,
        _ => found | ASSIGNS,
    }
}

/// A colon or an equals sign.
pub(crate) const ASSIGNS: Bytes = 32;

impl Mask {
    /// A mask of the expression `regex`.
    ///
    /// # Errors
    /// When it is no regular expression, finds the empty text, or is too large.
    pub(crate) fn new(name: &str, regex: &str, replacement: &str) -> Result<Self, String> {
        let regex = compile(regex)?;
        if regex.is_match("") {
            return Err("it finds even the empty text".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            regex,
            check: |_, found| Some(found),
            needs: 0,
            least: 1,
            keys: None,
            replacement: replacement.to_owned(),
        })
    }

    /// The same, which counts only what `check` agrees to, in texts of at least
    /// `least` bytes that have bytes of all kinds in `needs`.
    pub(crate) fn with(mut self, needs: Bytes, least: usize, check: Check) -> Self {
        (self.needs, self.least, self.check) = (needs, least, check);
        self
    }

    /// The same, which also takes values with such keys.
    pub(crate) fn with_keys(mut self, keys: &str) -> Result<Self, String> {
        self.keys = Some(compile(keys)?);
        Ok(self)
    }

    /// The first place in `text` from `at` on.
    fn find(&self, text: &str, mut at: usize) -> Option<Range<usize>> {
        while let Some(found) = self.regex.find_at(text, at) {
            if let Some(range) = (self.check)(text, found.range()) {
                return Some(range);
            }
            at = found.end();
        }
        None
    }
}

fn compile(regex: &str) -> Result<Regex, String> {
    RegexBuilder::new(regex)
        .size_limit(MAX_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            error => error.to_string(),
        })
}

/// Masks of one destination, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Masks(Vec<Mask>);

impl Masks {
    /// These masks.
    ///
    /// # Errors
    /// Names a mask whose replacement is found by one of them, and that one.
    pub(crate) fn new(masks: Vec<Mask>) -> Result<Self, (String, String)> {
        for mask in &masks {
            let finder = masks
                .iter()
                .find(|it| it.find(&mask.replacement, 0).is_some());
            if let Some(finder) = finder {
                return Err((mask.name.clone(), finder.name.clone()));
            }
        }
        Ok(Self(masks))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of one of them.
    pub(crate) fn name(&self, index: usize) -> &str {
        self.0.get(index).map_or("", |mask| &mask.name)
    }

    /// The text without what must not leave; tells each mask that has found
    /// something, by its place.
    pub(crate) fn apply<'a>(&self, text: &'a str, hit: &mut impl FnMut(usize)) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for _ in 0..ROUNDS {
            let mut is_clean = true;
            let mut kinds = kinds(&text);
            for (index, mask) in self.0.iter().enumerate() {
                if text.len() < mask.least || mask.needs & !kinds != 0 {
                    continue;
                }
                if let Some(masked) = replaced(mask, &text) {
                    hit(index);
                    kinds |= self::kinds(&masked);
                    text = Cow::Owned(masked);
                    is_clean = false;
                }
            }
            if is_clean {
                return text;
            }
        }
        let last = self.0.last().map_or("", |mask| &mask.replacement);
        Cow::Owned(last.to_owned())
    }

    /// What to put in place of a value with this key, if it has to go as a whole.
    pub(crate) fn whole_value(&self, key: &str) -> Option<(usize, &str)> {
        let takes = |mask: &Mask| mask.keys.as_ref().is_some_and(|keys| keys.is_match(key));
        let index = self.0.iter().position(takes)?;
        Some((index, &self.0[index].replacement))
    }
}

/// The text with something else wherever the mask finds something; `None` when it
/// finds nothing.
fn replaced(mask: &Mask, text: &str) -> Option<String> {
    let mut found = mask.find(text, 0)?;
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    loop {
        out.push_str(&text[kept..found.start]);
        out.push_str(&mask.replacement);
        kept = found.end;
        match mask.find(text, kept) {
            Some(next) => found = next,
            None => break,
        }
    }
    out.push_str(&text[kept..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(list: &[(&str, &str)]) -> Masks {
        let mask =
            |(regex, replacement): &(&str, &str)| Mask::new("own", regex, replacement).unwrap();
        Masks::new(list.iter().map(mask).collect()).unwrap()
    }

    #[test]
    fn every_place_is_replaced_and_the_rest_kept() {
        let check = |regex: &str, text: &str, expected: &str| {
            let mut hits = 0;
            let masked = masks(&[(regex, "#")])
                .apply(text, &mut |_| hits += 1)
                .into_owned();
            assert_eq!((masked.as_str(), hits > 0), (expected, text != expected));
        };
        check("a+", "xaaxa", "x#x#");
        check("ä", "müßigä", "müßig#");
        check("a", "", "");
        check("^b", "bb", "#b");
        check("q", "nothing here", "nothing here");
    }

    #[test]
    fn what_appears_by_masking_is_masked_too() {
        let both = masks(&[("ab", ""), ("x", "a")]);
        assert_eq!(both.apply("xb", &mut |_| ()), "");
        let deep = masks(&[("ab", "")]);
        let text = format!("{}{}", "a".repeat(100), "b".repeat(100));
        assert_eq!(deep.apply(&text, &mut |_| ()), "", "not for ever");
    }

    #[test]
    fn what_would_find_itself_is_refused() {
        let mask = |regex, replacement| Mask::new("own", regex, replacement).unwrap();
        assert!(Masks::new(vec![mask(r"\w+", "hidden")]).is_err());
        assert!(Masks::new(vec![mask("a", "b"), mask("b", "c")]).is_err());
        assert!(Mask::new("own", "x*", "y").is_err());
        assert!(Mask::new("own", "(", "y").is_err());
        assert!(Mask::new("own", r"(\w{1000}){1000}", "y").is_err());
    }
}
