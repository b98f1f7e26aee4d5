//! The dialect, example by example; what Python makes of them is what is expected.

use super::{MAX_BYTES, read};

/// Sections with keys and values, as `[name] key=value ...`.
fn shape(text: &str) -> String {
    let document = read(text.as_bytes()).expect("a file");
    let sections = document.sections.iter().map(|section| {
        let entries = section.entries.iter();
        let entries = entries.map(|entry| format!(" {}={:?}", entry.key, entry.value));
        format!("[{}]{}", section.name, entries.collect::<String>())
    });
    sections.collect::<Vec<_>>().join(" ")
}

fn faults(text: &str) -> Vec<String> {
    let problems = read(text.as_bytes()).expect_err("a fault");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn files_of_the_predecessor_mean_what_python_reads() {
    let check = |text: &str, expected: &str| assert_eq!(shape(text), expected, "{text}");
    check("", "");
    check(
        "[a]\nMSG=x\n[b]\nAGE = 60*60*2\n",
        "[a] msg=\"x\" [b] age=\"60*60*2\"",
    );
    check("[a]\nmsg: x = y\n", "[a] msg=\"x = y\"");
    check("[a]\nMSG = x # no comment\n", "[a] msg=\"x # no comment\"");
    check("# c\n[a]\n; c\nMSG=x\n  # c\n", "[a] msg=\"x\"");
    check(
        "[a]\nMSG=x\n  y\n\n  z\nAGE=1\n",
        "[a] msg=\"x\\ny\\n\\nz\" age=\"1\"",
    );
    check("[a]\nMSG=x\n  # c\n  y\n", "[a] msg=\"x\\ny\"");
    check("  [a]\n  MSG=x\n  AGE=1\n", "[a] msg=\"x\" age=\"1\"");
    check("\u{feff}[a]\r\nMSG=x\r\n", "[a] msg=\"x\"");
    check("[a]\nMSG=\"x\"\n", "[a] msg=\"\\\"x\\\"\"");
    check("[a]\nMSG=\n", "[a] msg=\"\"");
    check("[a/*]\nMSG=1\nMSG=2\n", "[a/*] msg=\"1\" msg=\"2\"");
}

#[test]
fn keys_stand_for_others() {
    let check = |text: &str, expected: &str| assert_eq!(shape(text), expected, "{text}");
    check(
        "[DEFAULT]\nteam=a@b.c\n[a]\nMAIL_TO=%(team)s, d@e.f\n",
        "[a] mail_to=\"a@b.c, d@e.f\"",
    );
    check("[a]\nMSG=95 %% of 10%\n", "[a] msg=\"95 % of 10%\"");
    assert_eq!(
        faults("[a]\nMSG=%(MSG)s\nAGE=%(b)s\nTIMEZONE=%(c\n"),
        [
            "2: MSG: `%(MSG)s` is too deep, or leads to itself",
            "3: AGE: `%(b)s` stands for a key that is not there; \
             write %% for a percent sign before a parenthesis",
            "4: TIMEZONE: `%(` is not followed by a key and `)s`; \
             write %% for a percent sign before a parenthesis",
        ]
    );
}

#[test]
fn every_fault_of_form_is_told_at_once() {
    assert_eq!(
        faults("AGE=1\n[a]\nhello\n=x\n[a]\nMSG=x\n[b\n"),
        [
            "1: AGE: the key stands before the first section; write the name of a system in \
             brackets above it, such as [payments]",
            "3: `hello` is neither a key nor a section; write KEY=value, or put a # before a \
             comment",
            "4: there is no key before the `=`",
            "5: [a]: the section is there already, in line 2; put the keys of both into one",
            "7: `[b` is neither a key nor a section; a section ends with a `]`",
        ]
    );
}

#[test]
fn a_file_is_bounded_and_utf_8() {
    let told = |bytes: &[u8]| read(bytes).unwrap_err()[0].to_string();
    assert_eq!(
        told(b"[a]\nMSG=\xe4\n"),
        "2: the line is not UTF-8; save the file as UTF-8"
    );
    let large = vec![b'#'; MAX_BYTES + 1];
    assert_eq!(told(&large), "1: the file has more than 1048576 bytes");
    let many: String = (0..=1_000).map(|n| format!("[s{n}]\n")).collect();
    assert_eq!(
        told(many.as_bytes()),
        "1001: [s1000]: more than 1000 sections"
    );
    let keys: String = (0..=200).map(|n| format!("k{n}=1\n")).collect();
    assert_eq!(
        told(format!("[a]\n{keys}").as_bytes()),
        "202: k200: more than 200 keys in a section"
    );
}

#[test]
fn a_section_keeps_its_lines() {
    let text = "# of a\n[a]\nMSG=x\n\n# of b\n[b]\nAGE=1\n[DEFAULT]\nx=y\n";
    let document = read(text.as_bytes()).unwrap();
    let texts: Vec<(usize, &str)> = document
        .sections
        .iter()
        .map(|section| (section.line, section.text.as_str()))
        .collect();
    assert_eq!(
        texts,
        [(2, "# of a\n[a]\nMSG=x"), (6, "# of b\n[b]\nAGE=1")]
    );
}

#[test]
fn a_key_that_is_swallowed_is_pointed_out() {
    let document = read(b"[a]\nMSG=x\n  AGE=1\n  more\n[b] odd\n").unwrap();
    let warnings: Vec<String> = document.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "3: AGE=1: the line is indented and so belongs to MSG above it; \
             begin it where the line above begins, if that is not meant",
            "5: [b]: what stands behind the bracket has no meaning",
        ]
    );
}
