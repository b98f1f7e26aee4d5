//! Texts from outside, made short and harmless; times and durations in words.

use domain::{Level, Micros, Record};
use render::{cut, rfc3339, terminal};
use sha2::{Digest, Sha256};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// One line of at most so many bytes that can steer nothing; what is cut off is
/// told by `…`.
pub(super) fn line(text: &str, max_bytes: usize) -> String {
    let (front, is_all) = cut::head(text, max_bytes, usize::MAX);
    let shown = terminal::one_line(front);
    let (shown, fits) = cut::head(&shown, max_bytes, usize::MAX);
    match is_all && fits {
        true => shown.to_owned(),
        false => format!("{shown}…"),
    }
}

/// The front of a text, at most so many bytes and lines, that can steer nothing,
/// with a note when there is more.
pub(super) fn front(text: &str, max_bytes: usize, max_lines: usize) -> String {
    let (front, is_all) = cut::head(text.trim_end(), max_bytes, max_lines);
    let shown = terminal::text(front);
    let (shown, fits) = cut::head(&shown, max_bytes, usize::MAX);
    match is_all && fits {
        true => shown.to_owned(),
        false => format!("{shown}… (cut here: {} in all)", size(text.len())),
    }
}

/// The same for the end of a text: of a traceback, what went wrong.
pub(super) fn back(text: &str, max_bytes: usize) -> String {
    let text = text.trim_end();
    let (back, is_all) = cut::tail(text, max_bytes);
    let shown = terminal::text(back);
    let (shown, fits) = cut::tail(&shown, max_bytes);
    match is_all && fits {
        true => shown.to_owned(),
        false => format!("(the end of {})\n…{shown}", size(text.len())),
    }
}

/// System, and sub system where there is one.
pub(super) fn place(system_id: &str, sub_system_id: &str) -> String {
    const MAX_BYTES: usize = 100;
    match sub_system_id {
        "" => line(system_id, MAX_BYTES),
        sub => format!("{}/{}", line(system_id, MAX_BYTES), line(sub, MAX_BYTES)),
    }
}

/// Module, function and line of a record.
pub(super) fn call_site(record: &Record) -> String {
    let mut site = record.module.clone();
    if !record.function.is_empty() {
        site.push('.');
        site.push_str(&record.function);
    }
    if record.line != 0 {
        site.push_str(&format!(":{}", record.line));
    }
    line(&site, 100)
}

/// The colour of a level, dark enough for white text on it.
pub(super) fn level_colour(level: i32) -> &'static str {
    match Level::of(level) {
        Level::Critical => "#8f0d18",
        Level::Error => "#b3261e",
        Level::Warning => "#7a5200",
        Level::Info => "#2f5d80",
        Level::Debug => "#2a6f69",
    }
}

/// `2026-11-23 00:22:41 UTC`.
pub(super) fn time(at_us: Micros) -> String {
    let text = rfc3339(at_us);
    format!("{} {} UTC", &text[..10], &text[11..19])
}

/// `2026-11-23 00:22:41.123`: for lines of records, below a heading that names
/// the zone.
pub(super) fn precise_time(at_us: Micros) -> String {
    let text = rfc3339(at_us);
    format!("{} {}", &text[..10], &text[11..23])
}

/// How long it is between two times, in its two largest units.
pub(super) fn duration(micros: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")];
    let Some(largest) = UNITS.iter().position(|(size, _)| micros >= *size) else {
        return "less than a second".to_owned();
    };
    let (size, unit) = UNITS[largest];
    let whole = format!("{} {unit}", micros / size);
    match UNITS.get(largest + 1) {
        Some((next, next_unit)) if micros % size >= *next => {
            format!("{whole} {} {next_unit}", micros % size / next)
        }
        _ => whole,
    }
}

/// A number with its noun, in groups of three digits.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        grouped(number),
        if number == 1 { one } else { many }
    )
}

/// A number in groups of three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Sixteen characters that stand for a text of any length.
pub(crate) fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn size(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{} bytes", grouped(bytes as u64)),
        10_000..10_000_000 => format!("{} kB", grouped((bytes / 1_000) as u64)),
        _ => format!("{} MB", grouped((bytes / 1_000_000) as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::{back, count, duration, front, line, place, short_hash, time};

    #[test]
    fn texts_are_cut_with_a_note() {
        assert_eq!(line("two\nlines\r\n", 99), "two␊lines");
        assert_eq!(line("abcdef", 3), "abc…");
        assert_eq!(line("\0\0\0\0", 4), "␀…");
        assert_eq!(front("a\nb\nc", 99, 2), "a\nb… (cut here: 5 bytes in all)");
        assert_eq!(front("a\nb\n", 99, 2), "a\nb");
        let long = "x".repeat(1 << 20);
        assert!(front(&long, 10, 9).ends_with("xx… (cut here: 1,048 kB in all)"));
        assert_eq!(back("abcdef", 3), "(the end of 6 bytes)\n…def");
        assert_eq!(back("abc\u{202e}", 99), "abc<U+202E>");
        assert_eq!(place("a", ""), "a");
        assert_eq!(place("a\n", "b"), "a/b");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(time(1_795_393_361_123_456), "2026-11-23 00:22:41 UTC");
        let check = |seconds: i64, expected| assert_eq!(duration(seconds * 1_000_000), expected);
        check(-5, "less than a second");
        check(0, "less than a second");
        check(59, "59 s");
        check(60, "1 min");
        check(7_260, "2 h 1 min");
        check(86_400, "1 d");
        check(90_000, "1 d 1 h");
        assert_eq!(count(1, "record", "records"), "1 record");
        assert_eq!(count(1_234_567, "record", "records"), "1,234,567 records");
        assert_eq!(short_hash("payments").len(), 16);
    }
}
