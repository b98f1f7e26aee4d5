//! How a text that is looked for may lie in the forms of messages.

use memchr::memmem::Finder;

use super::{
    HOLE, OPAQUE,
    piece::{Piece, pieces},
};

/// A text to be looked for in forms.
#[derive(Debug, Clone)]
pub(in crate::block) struct Outline {
    /// How it looks with its first word, its last word, or both, in a hole; and
    /// the words that must fit there, in lower case.
    pub(super) holed: Vec<(Finder<'static>, Vec<String>)>,
    pub(super) opaque: Box<Finder<'static>>,
}

impl Outline {
    /// None for a text that forms tell little of: no more than a word with a
    /// digit, letters that are not ASCII, or the sign of a hole.
    pub(in crate::block) fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !bytes.iter().all(|byte| byte.is_ascii() && *byte != HOLE) {
            return None;
        }
        let pieces: Vec<Piece<'_>> = pieces(bytes).collect();
        let last = pieces.len().checked_sub(1)?;
        if pieces.iter().all(|piece| piece.has_digit) {
            return None;
        }
        let mut outline = Self {
            holed: Vec::new(),
            opaque: Box::new(Finder::new(&OPAQUE).into_owned()),
        };
        // The words at its edges may go on in the message.
        for holes in 0..4_u8 {
            for are_kept in [true, false] {
                outline.add(text, &pieces, |place, piece| {
                    let at_edge = [place == 0, place == last];
                    let is_put = at_edge[0] && holes & 1 == 1 || at_edge[1] && holes & 2 == 2;
                    match at_edge {
                        [false, false] => piece.has_digit && !(are_kept && piece.is_kept()),
                        _ => piece.is_word && is_put,
                    }
                });
            }
        }
        Some(outline)
    }

    /// Adds a way in which the text may be in a form that does not hold it.
    fn add(
        &mut self,
        text: &str,
        pieces: &[Piece<'_>],
        is_hole: impl Fn(usize, &Piece<'_>) -> bool,
    ) {
        let (mut form, mut words) = (Vec::new(), Vec::new());
        for (place, piece) in pieces.iter().enumerate() {
            match is_hole(place, piece) {
                true => {
                    form.push(HOLE);
                    words.push(String::from_utf8_lossy(piece.bytes).to_ascii_lowercase());
                }
                false => form.extend_from_slice(piece.bytes),
            }
        }
        let is_known = self.holed.iter().any(|(finder, _)| finder.needle() == form);
        if form != text.as_bytes() && !is_known {
            self.holed.push((Finder::new(&form).into_owned(), words));
        }
    }
}
