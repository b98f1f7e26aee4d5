//! Texts that want to be more than text.

use domain::{Entry, Micros, Record};
use serde_json::json;

/// What each is about, and the text. Where markup would become an element, it
/// has the attribute `data-x`.
#[must_use]
pub fn texts() -> Vec<(&'static str, String)> {
    let plain: [(&str, &str); 17] = [
        ("an image", "<img data-x src=x onerror=alert('img')>"),
        ("a script", "<script data-x>alert('script')</script>"),
        (
            "an end",
            "</td></table></main></body></html><b data-x>free</b>",
        ),
        (
            "an attribute",
            "\" data-x onmouseover=alert('over') autofocus onfocus=alert('focus') x=\"",
        ),
        ("an apostrophe", "' data-x onclick='alert(1)"),
        ("a comment", "<!-- <b data-x>"),
        (
            "a title",
            "</title></textarea></style></script><svg data-x onload=alert('svg')>",
        ),
        (
            "entities",
            "&lt;b data-x&gt; &#60;b data-x&#62; &amp;amp; &quot;",
        ),
        ("an address", "javascript:alert('address')"),
        ("a template", "{{ 7 * 7 }} {% include 'x' %} ${7*7} #{7*7}"),
        ("a formula", "=HYPERLINK(\"http://evil.example\",\"x\")"),
        (
            "a terminal",
            "\u{1b}[2J\u{1b}]0;owned\u{7}\u{1b}[31mred\u{9b}1m",
        ),
        (
            "an event",
            "data: x\n\nevent: problem\nid: 9\n\ndata: <b data-x>",
        ),
        (
            "the other direction",
            "\u{202e}gnp.exe\u{2066}\u{200f}\u{202b} שלום عليكم",
        ),
        ("zero width", "z\u{200b}e\u{200d}r\u{2060}o\u{feff}\u{ad}"),
        (
            "marks",
            "Z\u{34f}\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}a\u{489}\u{489}\u{489}",
        ),
        ("a NUL", "before\0after\u{fffe}\u{85}\u{2028}\u{2029}end"),
    ];
    let mut texts: Vec<_> = plain
        .into_iter()
        .map(|(what, text)| (what, text.to_owned()))
        .collect();
    texts.push(("a long word", "W".repeat(3_000)));
    texts.push(("many lines", "line\n".repeat(2_000)));
    texts
}

/// A record for each text, which is in every field that takes one, and two of a
/// megabyte.
#[must_use]
pub fn entries(received_us: Micros) -> Vec<Entry> {
    let mut records: Vec<Record> = texts()
        .into_iter()
        .enumerate()
        .map(|(number, (what, text))| full_of(number, what, &text))
        .collect();
    for (what, message) in [
        ("a megabyte of one word", "M".repeat(1_000_000)),
        ("a megabyte of markup", "<b data-x>".repeat(100_000)),
    ] {
        records.push(Record {
            message: format!("{what} {message}"),
            ..testkit::record(99)
        });
    }
    let entry = |(number, record): (usize, Record)| {
        Entry::Record(Box::new(Record {
            received_us: received_us + number as Micros,
            created_us: received_us,
            ..record
        }))
    };
    records.into_iter().enumerate().map(entry).collect()
}

fn full_of(number: usize, what: &str, text: &str) -> Record {
    let short: String = text.chars().take(200).collect();
    let extra = json!({text: text, "inside": {"deep": [text, {"deeper": text}]}});
    Record {
        level: [5, 10, 25, 30, 40, 55][number % 6],
        level_name: short.clone(),
        logger: short.clone(),
        message: format!("{what}: {text}"),
        system_id: short.clone(),
        sub_system_id: short.clone(),
        sub_sub_system_id: short.clone(),
        produkt_id: short.clone(),
        user_spec_1: short.clone(),
        user_spec_2: short.clone(),
        package_version: short.clone(),
        api_version: short.clone(),
        module: short.clone(),
        function: short.clone(),
        path: short.clone(),
        process_name: short.clone(),
        thread_name: short.clone(),
        exception: format!(
            "Traceback (most recent call last):\n  File \"{short}\", line 1, in {short}\n    \
             {text}\nEvil{number}: {text}"
        ),
        stack: format!("Stack (most recent call last):\n{text}"),
        peer: short,
        extra: extra.to_string(),
        ..testkit::record(number as u64)
    }
}
