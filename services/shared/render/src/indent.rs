//! JSON laid out for people without reading its values: numbers, texts and the
//! order of keys stay as they were written.

/// Deeper levels stay on one line: nesting must not square the size.
const MAX_DEPTH: usize = 8;

/// One value a line, indented by depth. Expects valid JSON and leaves anything
/// else readable.
#[must_use]
pub fn indent(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                copy_string(&mut chars, &mut out);
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                if let Some(end) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                if depth <= MAX_DEPTH {
                    new_line(&mut out, depth.saturating_sub(1));
                }
                depth = depth.saturating_sub(1);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

fn copy_string(chars: &mut impl Iterator<Item = char>, out: &mut String) {
    while let Some(c) = chars.next() {
        out.push(c);
        match c {
            '"' => return,
            '\\' => out.extend(chars.next()),
            _ => {}
        }
    }
}

fn new_line(out: &mut String, depth: usize) {
    if depth <= MAX_DEPTH {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    }
}

#[cfg(test)]
mod tests {
    use super::indent;

    #[test]
    fn json_is_laid_out_and_not_changed() {
        let check = |json: &str, expected: &str| assert_eq!(indent(json), expected);
        check(
            r#"{"b":12345678901234567890.10,"a":[1,{}, [ ]],"s":"x\",{:"}"#,
            "{\n  \"b\": 12345678901234567890.10,\n  \"a\": [\n    1,\n    {},\n    []\n  ],\n  \"s\": \"x\\\",{:\"\n}",
        );
        check("\"a", "\"a");
        check("]]", "\n]\n]");
    }

    #[test]
    fn deep_nesting_stays_small() {
        let json = "[".repeat(10_000) + "1";
        assert!(indent(&json).len() < json.len() + 200);
    }
}
