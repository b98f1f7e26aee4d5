//! Frames made to cost as much as they can.

use bridge::frame::FrameKind;

const FRAME_BYTES: usize = 1024 * 1024;
/// One less than the limit leaves room for what surrounds it.
const NODES: usize = 99_900;

type Attack = (&'static str, FrameKind, Vec<u8>);

/// All of them, by name.
pub(crate) fn frames() -> Vec<Attack> {
    let mut frames = vec![
        ("laughs", laughs()),
        (
            "empty lists",
            value(&[b"](", &b"]".repeat(NODES)[..], b"e"]),
        ),
        (
            "lists of one",
            value(&[b"](", &b"]Na".repeat(NODES / 2)[..], b"e"]),
        ),
        ("nested tuples", value(&[b")", &b"\x85".repeat(NODES)[..]])),
        ("marks", b"(".repeat(FRAME_BYTES)),
        ("nulls", value(&[b"](", &b"N".repeat(NODES)[..], b"e"])),
        (
            "appends in turns",
            value(&[b"]q\x00]q\x01", &b"h\x00Na0h\x01Na0".repeat(NODES / 4)[..]]),
        ),
        (
            "memo",
            value(&[b"N", &b"\x94".repeat(FRAME_BYTES - 99)[..]]),
        ),
        ("long", value(&[b"](", &long().repeat(580)[..], b"e"])),
        ("one long often", shared(&long())),
        ("one text often", shared(&text(900_000, b'x'))),
        ("one text of controls often", shared(&text(900_000, 1))),
        ("invalid text", value(&[&text(FRAME_BYTES - 99, 0xff)])),
        ("text of controls", value(&[&text(FRAME_BYTES - 99, 1)])),
        (
            "text of surrogates",
            value(&[&header(999_999), &b"\xed\xb3\xbf".repeat(333_333)[..]]),
        ),
        (
            "latin-1",
            value(&[
                b"c_codecs\nencode\n(",
                &header(1_000_000),
                &b"\xc3\xbf".repeat(500_000)[..],
                b"NtR",
            ]),
        ),
        (
            "escapes",
            value(&[b"S'", &b"\\xff".repeat(260_000)[..], b"'\n"]),
        ),
        (
            "unicode escapes",
            value(&[b"V", &b"\\udcff".repeat(170_000)[..], b"\n"]),
        ),
        (
            "raw unicode",
            value(&[b"V", &b"\xff".repeat(FRAME_BYTES - 99)[..], b"\n"]),
        ),
        ("message in every field", every_field()),
        ("short", b"}U\x03msg".to_vec()),
        (
            "tuple keys",
            value(&[b"}(", &b"K\x01K\x02K\x03\x87N".repeat(NODES / 5)[..], b"u"]),
        ),
    ];
    frames.extend(objects());
    let mut attacks: Vec<Attack> = frames
        .into_iter()
        .map(|(name, frame)| (name, FrameKind::Pickle, frame))
        .collect();
    attacks.extend(json());
    attacks
}

/// A record whose only extra value is what the program makes.
fn value(program: &[&[u8]]) -> Vec<u8> {
    [b"}(U\x03msgNU\x01x", &program.concat()[..], b"u."].concat()
}

/// A list that holds a value as often as may be.
fn shared(part: &[u8]) -> Vec<u8> {
    let times = (NODES - 50).min((FRAME_BYTES - part.len() - 99) / 2);
    value(&[b"](", part, b"q\x00", &b"h\x00".repeat(times)[..], b"e"])
}

/// Calls of a class with the same argument, as many as may be.
fn calls(class: &str, arg: &[u8]) -> Vec<u8> {
    let class = format!("c{}\n", class.replace('.', "\n"));
    let times = 33_000.min((FRAME_BYTES - class.len() - arg.len() - 99) / 5);
    value(&[
        b"](",
        class.as_bytes(),
        b"q\x00",
        arg,
        b"q\x01",
        &b"h\x00h\x01R".repeat(times)[..],
        b"e",
    ])
}

fn objects() -> Vec<(&'static str, Vec<u8>)> {
    let empty_parts = [b"(U\x00q\x02", &b"h\x02".repeat(500)[..], b"t"].concat();
    let pairs = [
        &b"]("[..],
        b"]NaN\x86q\x02",
        &b"h\x02".repeat(300),
        b"e\x85",
    ]
    .concat();
    let state = [b"}(", &b"K\x01N".repeat(300)[..], b"u"].concat();
    let identities = [
        b"](cuuid\nUUID\nq\x00",
        &state[..],
        b"q\x01",
        &b"h\x00)Rh\x01b".repeat(24_000)[..],
        b"e",
    ];
    let long_name = [b"(".as_slice(), &text(900_000, b'n'), b"t"].concat();
    vec![
        ("paths of nothing", calls("pathlib.PosixPath", &empty_parts)),
        (
            "paths",
            calls(
                "pathlib.PosixPath",
                &[b"(", &b"U\x01a".repeat(500)[..], b"t"].concat(),
            ),
        ),
        ("times", calls("datetime.datetime", b"(U\x0a0123456789t")),
        (
            "times that are none",
            calls("datetime.datetime", &long_name),
        ),
        ("decimals", calls("decimal.Decimal", &long_name)),
        ("ordered", calls("collections.OrderedDict", &pairs)),
        ("sets", calls("__builtin__.set", b"](NNe\x85")),
        ("calls", calls("app.Thing", b"(NNNt")),
        ("identities", value(&identities)),
        (
            "long class names",
            calls(&format!("{}.{}", "m".repeat(500), "n".repeat(499)), b")"),
        ),
        ("long names of stacks", stack_names()),
        ("attributes", calls("__builtin__.getattr", &long_name)),
    ]
}

/// Classes named by the same two long texts.
fn stack_names() -> Vec<u8> {
    value(&[
        b"](",
        &text(400_000, 0xff),
        b"q\x00",
        &text(400_000, 1),
        b"q\x01\x93",
        &b"h\x00h\x01\x93".repeat(30_000)[..],
        b"e",
    ])
}

fn json() -> Vec<Attack> {
    let json = |name, value: &str| {
        let text = format!("{{\"msg\":null,\"x\":{value}}}");
        (name, FrameKind::Json, text.into_bytes())
    };
    vec![
        json("JSON: nested", &"[".repeat(1_000_000)),
        json("JSON: nulls", &format!("[{}0]", "0,".repeat(NODES))),
        json("JSON: objects", &format!("[{}0]", "{},".repeat(NODES / 2))),
        json(
            "JSON: controls",
            &format!("\"{}\"", "\\u0000".repeat(170_000)),
        ),
        json(
            "JSON: surrogates",
            &format!("\"{}\"", "\\udcff".repeat(170_000)),
        ),
        json(
            "JSON: digits",
            &format!("[{}0]", format!("{},", "1".repeat(4_300)).repeat(240)),
        ),
        json("JSON: floats", &format!("[{}0]", "1e308,".repeat(NODES))),
        json("JSON: blanks", &" ".repeat(1_000_000)),
    ]
}

fn laughs() -> Vec<u8> {
    let mut program = b"](U\x03lolU\x03lole".to_vec();
    for level in 0..200_u8 {
        program.extend_from_slice(&[b'q', level, b'0', b']', b'(']);
        program.extend_from_slice(&[b'h', level].repeat(10));
        program.push(b'e');
        if level == 60 {
            break;
        }
    }
    value(&[&program])
}

/// The longest message, and every other text field the same by reference.
fn every_field() -> Vec<u8> {
    let fields = [
        "name",
        "levelname",
        "pathname",
        "module",
        "exc_text",
        "stack_info",
        "funcName",
        "threadName",
        "processName",
        "SYSTEM_ID",
        "SUB_SYSTEM_ID",
        "PRODUKT_ID",
        "x",
        "y",
    ];
    let mut program = b"}(U\x03msg".to_vec();
    program.extend_from_slice(&text(FRAME_BYTES - 999, b'm'));
    program.extend_from_slice(b"q\x00");
    for field in fields {
        program.extend_from_slice(&[b'U', field.len() as u8]);
        program.extend_from_slice(field.as_bytes());
        program.extend_from_slice(b"h\x00");
    }
    program.extend_from_slice(b"u.");
    program
}

/// An integer of just under 4,300 digits.
fn long() -> Vec<u8> {
    [b"\x8b\xf9\x06\0\0".as_slice(), &[0x7f; 1785]].concat()
}

fn text(length: usize, byte: u8) -> Vec<u8> {
    [&header(length)[..], &vec![byte; length]].concat()
}

fn header(length: usize) -> Vec<u8> {
    [b"X".as_slice(), &(length as u32).to_le_bytes()].concat()
}
