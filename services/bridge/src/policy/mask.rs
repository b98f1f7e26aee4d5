//! Finds what must not leave in a text, and puts something else in its place.
//! Linear time; what is put in place is never found itself, so that masking ends.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

use regex::{Regex, RegexBuilder};

use super::memo::Memo;
use super::preset::Check;
use super::shape::Shape;

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
    /// What a text must have for it to be in there.
    needs: Shape,
    /// A shorter text, in bytes, has none of it.
    least: usize,
    /// A value of `extra` goes as a whole where its key is found by this.
    keys: Option<Regex>,
    replacement: String,
}

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
            needs: Shape::default(),
            least: 1,
            keys: None,
            replacement: replacement.to_owned(),
        })
    }

    /// The same, which counts only what `check` agrees to, in texts of at least
    /// `least` bytes that have what it `needs`.
    pub(crate) fn with(mut self, needs: Shape, least: usize, check: Check) -> Self {
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
#[derive(Debug, Default)]
pub(crate) struct Masks {
    list: Vec<Mask>,
    /// What some of them need.
    needs: Shape,
    known: Mutex<Known>,
}

/// What masks have looked into before.
#[derive(Debug, Default)]
struct Known {
    /// Texts in which none finds anything.
    clean: Memo,
    /// Keys of `extra` whose values need not go as a whole.
    keys: Memo,
}

impl Clone for Masks {
    fn clone(&self) -> Self {
        Self {
            list: self.list.clone(),
            needs: self.needs,
            known: Mutex::default(),
        }
    }
}

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
        Ok(Self {
            needs: masks
                .iter()
                .fold(Shape::default(), |all, it| all | it.needs),
            list: masks,
            known: Mutex::default(),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The name of one of them.
    pub(crate) fn name(&self, index: usize) -> &str {
        self.list.get(index).map_or("", |mask| &mask.name)
    }

    /// The text without what must not leave; tells each mask that has found
    /// something, by its place.
    pub(crate) fn apply<'a>(&self, text: &'a str, hit: &mut impl FnMut(usize)) -> Cow<'a, str> {
        if self.known().clean.has(text) {
            return Cow::Borrowed(text);
        }
        let masked = self.masked(text, hit);
        if let Cow::Borrowed(text) = masked {
            self.known().clean.add(text);
        }
        masked
    }

    fn masked<'a>(&self, text: &'a str, hit: &mut impl FnMut(usize)) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        let mut shape = Shape::of(&text, self.needs);
        // How many masks in a row have found nothing in the text as it is.
        let mut content = 0;
        let rounds = (0..ROUNDS).flat_map(|_| self.list.iter().enumerate());
        for (index, mask) in rounds {
            if content == self.list.len() {
                break;
            }
            content += 1;
            if text.len() < mask.least || !shape.has(mask.needs) {
                continue;
            }
            if let Some(masked) = replaced(mask, &text) {
                hit(index);
                shape = Shape::of(&masked, self.needs);
                text = Cow::Owned(masked);
                content = 0;
            }
        }
        if content == self.list.len() {
            return text;
        }
        let last = self.list.last().map_or("", |mask| &mask.replacement);
        Cow::Owned(last.to_owned())
    }

    /// What to put in place of a value with this key, if it has to go as a whole.
    pub(crate) fn whole_value(&self, key: &str) -> Option<(usize, &str)> {
        if self.known().keys.has(key) {
            return None;
        }
        let takes = |mask: &Mask| mask.keys.as_ref().is_some_and(|keys| keys.is_match(key));
        let Some(index) = self.list.iter().position(takes) else {
            self.known().keys.add(key);
            return None;
        };
        Some((index, &self.list[index].replacement))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        let known = self.known.lock();
        known.expect("nothing panics while it holds this lock")
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
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::super::preset;
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

    static PRESETS: LazyLock<Vec<Mask>> = LazyLock::new(|| {
        let names = preset::NAMES.iter();
        names
            .flat_map(|name| preset::masks(name).unwrap())
            .collect()
    });

    proptest! {
        #[test]
        fn what_a_mask_finds_is_never_ruled_out(
            parts in prop::collection::vec(prop_oneof![
                "[a-zA-Z0-9 .:=@_/-]{0,3}",
                "[0-9]{1,13}",
                prop::sample::select(vec![
                    "token", "API-key", "accessKey", "Signature", "AUTHORIZATION", "passwd",
                    "passphrase", "Passwort", "pwd", "secret", "=x", ": y", "eyJhbGciOiJu.e",
                    "AKIAABCDEFGHIJKLMNOP", "ghp_", "github_pat_", "abcdefghijklmnopqrstu",
                    "glpat-", "sk-", "xoxb-", "bearer ", "Basic ", "://", "::1", "fe80:", "10.",
                    "2001:db8:1:2:3:4:5:6", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00",
                    "de89370400440532013000", "a@b.c", "\u{17f}ecret", "\u{212a}", "\u{660}",
                ]).prop_map(str::to_owned),
            ], 0..8),
        ) {
            let text = parts.concat();
            for mask in PRESETS.iter() {
                let shape = Shape::of(&text, mask.needs);
                let is_ruled_out = text.len() < mask.least || !shape.has(mask.needs);
                let found = mask.find(&text, 0);
                prop_assert!(!is_ruled_out || found.is_none(), "{text:?} {}", mask.name);
            }
        }
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
