//! What stays the same in messages of one kind.

/// Longest part that is offered, in bytes.
const MAX_BYTES: usize = 120;

/// The longest stretch of the message's first line without anything that is likely
/// to be another one next time: words with digits, and texts in quotes.
pub(super) fn part(message: &str) -> String {
    let line = message.lines().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or_default().trim();
    let mut stretches = Vec::new();
    let mut begin = 0;
    for (start, word) in words(line) {
        if is_variable(word) {
            stretches.push(&line[begin..start]);
            begin = start + word.len();
        }
    }
    stretches.push(&line[begin..]);
    let trim = |text: &&str| -> String {
        let text = text.trim_matches(|c: char| c.is_whitespace() || is_loose(c));
        let (head, _) = render::cut::head(text, MAX_BYTES, 1);
        head.trim_end().to_owned()
    };
    // Of several that are as long the first counts.
    let best = stretches
        .iter()
        .map(trim)
        .rev()
        .max_by_key(|text| text.chars().count());
    best.unwrap_or_default()
}

/// Where words begin, and what they are.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.split_whitespace().map(move |word| {
        let start = word.as_ptr() as usize - line.as_ptr() as usize;
        (start, word)
    })
}

fn is_variable(word: &str) -> bool {
    let is_named = word.len() > 1 && word.contains('=');
    let has_odd = |c: char| c.is_ascii_digit() || matches!(c, '\'' | '"' | '%' | '<' | '>' | '@');
    let is_path = word.matches('/').count() > 1;
    is_named
        || is_path
        || word
            .chars()
            .any(|c| has_odd(c) || c.is_control() || is_turning(c))
}

/// What turns or hides other text belongs in no file that people read.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What says nothing at the edge.
fn is_loose(c: char) -> bool {
    matches!(
        c,
        ':' | ',' | '.' | ';' | '-' | '=' | '#' | '(' | ')' | '[' | ']'
    )
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn what_changes_is_left_out() {
        let check = |message: &str, expected: &str| assert_eq!(part(message), expected);
        check("disk full", "disk full");
        check(
            "order 4711 failed: bank does not answer",
            "failed: bank does not answer",
        );
        check("could not open '/tmp/x' for writing", "could not open");
        check("took 12 ms", "took");
        check("user=anna logged in", "logged in");
        check(
            "\n  \n disk full on /dev/sda1: please clean up\nsecond",
            "please clean up",
        );
        check("[worker] retry, 3 of 5", "worker] retry");
        check("4711", "");
        check("", "");
        check("100 % of it, Grüße", "of it, Grüße");
        check("a\u{202e}b harmless words", "harmless words");
        assert_eq!(part(&"ä".repeat(500)).len(), 120);
    }
}
