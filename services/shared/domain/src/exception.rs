//! What a formatted Python traceback is about: its type, its last line, and a
//! fingerprint that is the same wherever the same code fails in the same way.

/// 16 hexadecimal digits that tracebacks of the same origin share: types and
/// frames (file name with its folder, function) in order, without line numbers,
/// source lines and messages. Empty for an empty text.
///
/// The digits are FNV-1a (64 bits) of `type`, 0, and for each frame `file`, 0,
/// `function`, 0; chained exceptions one after the other. They are stored, so
/// they never change for the same text.
#[must_use]
pub fn fingerprint(exception: &str) -> String {
    if exception.is_empty() {
        return String::new();
    }
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    let mut frames = 0;
    for line in lines(exception) {
        match line {
            Line::Frame { file, function } => {
                frames += 1;
                add(file);
                add(function);
            }
            Line::Raised(text) => add(type_of(text)),
            Line::Other => {}
        }
    }
    if frames == 0 {
        add(kind(exception));
    }
    format!("{hash:016x}")
}

/// The type of the exception that ended the traceback, such as
/// `requests.exceptions.ConnectionError`; empty when the text names none.
#[must_use]
pub fn kind(exception: &str) -> &str {
    type_of(summary(exception))
}

/// The line that says what happened: `ValueError: no such port`. The first line
/// of its message when that has several; empty for an empty text.
#[must_use]
pub fn summary(exception: &str) -> &str {
    let raised = lines(exception).filter_map(|line| match line {
        Line::Raised(text) => Some(text),
        _ => None,
    });
    raised
        .last()
        .or_else(|| {
            exception
                .lines()
                .map(str::trim)
                .find(|line| !line.is_empty())
        })
        .unwrap_or_default()
}

enum Line<'a> {
    Frame {
        file: &'a str,
        function: &'a str,
    },
    /// The first line after frames that is not indented.
    Raised(&'a str),
    Other,
}

fn lines(exception: &str) -> impl Iterator<Item = Line<'_>> {
    let mut in_frames = false;
    exception.lines().map(move |line| {
        // Groups of exceptions draw a tree before each line.
        let line = line
            .trim_start_matches(' ')
            .strip_prefix("| ")
            .map_or(line, |rest| rest);
        if let Some((file, function)) = frame(line) {
            in_frames = true;
            return Line::Frame { file, function };
        }
        if in_frames && !line.starts_with(' ') && !line.is_empty() {
            in_frames = false;
            return Line::Raised(line);
        }
        Line::Other
    })
}

/// `  File "folder/file.py", line 7, in function`.
fn frame(line: &str) -> Option<(&str, &str)> {
    let rest = line.trim_start_matches(' ').strip_prefix("File \"")?;
    let (path, rest) = rest.split_once("\", line ")?;
    let function = rest
        .split_once(", in ")
        .map_or("", |(_, function)| function);
    let is_separator = |letter| matches!(letter, '/' | '\\');
    let file = match path.rmatch_indices(is_separator).nth(1) {
        Some((at, _)) => &path[at + 1..],
        None => path,
    };
    Some((file, function.trim_end()))
}

/// What stands before the colon, when it can be the name of a class.
fn type_of(line: &str) -> &str {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    let is_name = name
        .chars()
        .all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '<' | '>'));
    if is_name { name } else { "" }
}

#[cfg(test)]
mod tests {
    use super::{fingerprint, kind, summary};

    const PLAIN: &str = "Traceback (most recent call last):\n  \
        File \"/srv/app/shop/cart.py\", line 12, in add\n    self.save()\n  \
        File \"/srv/app/shop/db.py\", line 40, in save\n    raise DbError(\"no: disk\")\n    ^^^^^\n\
        shop.db.DbError: no: disk\nmore of it";

    #[test]
    fn a_traceback_tells_its_type_and_last_line() {
        let check = |text: &str, expected_kind, expected_summary| {
            assert_eq!(kind(text), expected_kind, "{text}");
            assert_eq!(summary(text), expected_summary, "{text}");
        };
        check(PLAIN, "shop.db.DbError", "shop.db.DbError: no: disk");
        check("KeyError: 'a'", "KeyError", "KeyError: 'a'");
        check("", "", "");
        check("\n  something, went wrong", "", "something, went wrong");
        let chained = format!(
            "{PLAIN}\n\nDuring handling of the above exception, another exception occurred:\n\n\
             Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\nOSError"
        );
        check(&chained, "OSError", "OSError");
        let group = "  + Exception Group Traceback (most recent call last):\n  \
            |   File \"/x/y/z.py\", line 3, in main\n  |     go()\n  \
            | ExceptionGroup: two (2 sub-exceptions)\n";
        check(
            group,
            "ExceptionGroup",
            "ExceptionGroup: two (2 sub-exceptions)",
        );
    }

    #[test]
    fn the_fingerprint_is_of_types_and_frames() {
        let same = |changed: &str, expected: bool| {
            assert_eq!(
                fingerprint(PLAIN) == fingerprint(changed),
                expected,
                "{changed}"
            );
        };
        same(&PLAIN.replace("line 12", "line 13"), true);
        same(&PLAIN.replace("no: disk", "another message"), true);
        same(&PLAIN.replace("/srv/app", "/opt/other"), true);
        same(&PLAIN.replace("in save", "in store"), false);
        same(&PLAIN.replace("DbError", "Error"), false);
        same(&PLAIN.replace("db.py", "sql.py"), false);
        assert_eq!(fingerprint(""), "");
        assert_eq!(fingerprint(PLAIN), "b7f8877656c80e0b");
    }
}
