//! The machine, instruction by instruction, on programs written by hand.

use super::{PickleError, parse};
use crate::decode::{limit::Exceeded, shown_as_json};

fn check(pickle: &[u8], expected: &str) {
    let (document, outermost) = parse(pickle).expect("a pickle");
    let shown = shown_as_json(&document, outermost, 4096).expect("within limits");
    assert_eq!(shown, expected, "{}", pickle.escape_ascii());
}

fn refuse(pickle: &[u8], expected: &PickleError) {
    let found = parse(pickle).expect_err("no pickle");
    assert_eq!(found, *expected, "{}", pickle.escape_ascii());
}

#[test]
fn values_without_parts() {
    check(b"N.", "null");
    check(b"\x88.", "true");
    check(b"\x89.", "false");
    check(b"I01\n.", "true");
    check(b"I00\n.", "false");
    check(b"I1\n.", "1");
    check(b"I-9223372036854775809\n.", "\"-9223372036854775809\"");
    check(b"L17L\n.", "17");
    check(b"L17\n.", "17");
    check(b"L18446744073709551615L\n.", "18446744073709551615");
    check(b"L18446744073709551616L\n.", "\"18446744073709551616\"");
    check(b"J\xff\xff\xff\xff.", "-1");
    check(b"K\xff.", "255");
    check(b"M\xff\xff.", "65535");
    check(b"\x8a\x00.", "0");
    check(b"\x8a\x01\xff.", "-1");
    check(b"\x8b\x02\0\0\0\xff\0.", "255");
    check(b"F1.5\n.", "1.5");
    check(b"F1e+16\n.", "1e+16");
    check(b"Fnan\n.", "\"nan\"");
    check(b"F-inf\n.", "\"-inf\"");
    check(b"G\x3f\xf0\0\0\0\0\0\0.", "1.0");
}

#[test]
fn texts_and_bytes() {
    check(b"X\x02\0\0\0\xc3\xbc.", "\"ü\"");
    check(b"\x8c\x01a.", "\"a\"");
    check(b"\x8d\x01\0\0\0\0\0\0\0a.", "\"a\"");
    check(b"X\x03\0\0\0\xed\xb3\xbf.", r#""\\udcff""#);
    check(b"X\x01\0\0\0\xff.", r#""\\xff""#);
    check(b"Va\\u20ac\\U0001f600\xfc\n.", "\"a€😀ü\"");
    check(b"Vplain\n.", "\"plain\"");
    check(b"S'a\\n\\xff'\n.", r#""a\n\\xff""#);
    check(b"S\"it's\"\n.", "\"it's\"");
    check(b"U\x01a.", "\"a\"");
    check(b"T\x01\0\0\0a.", "\"a\"");
    check(b"C\x02\xc3\xbc.", "\"ü\"");
    check(b"B\x01\0\0\0\xff.", r#""\\xff""#);
    check(b"\x8e\x01\0\0\0\0\0\0\0a.", "\"a\"");
    check(b"\x96\x01\0\0\0\0\0\0\0a.", "\"a\"");
    check(
        b"c_codecs\nencode\n(X\x02\0\0\0\xc3\xbcX\x06\0\0\0latin1tR.",
        r#""\\xfc""#,
    );
    check(b"c__builtin__\nbytes\n)R.", "\"\"");
}

#[test]
fn containers() {
    check(b"].", "[]");
    check(b").", "[]");
    check(b"}.", "{}");
    check(b"\x8f.", "[]");
    check(b"(l.", "[]");
    check(b"(d.", "{}");
    check(b"(t.", "[]");
    check(b"]K\x01a.", "[1]");
    check(b"](K\x01K\x02e.", "[1,2]");
    check(b"](e.", "[]");
    check(b"(K\x01K\x02l.", "[1,2]");
    check(b"K\x01\x85.", "[1]");
    check(b"K\x01K\x02\x86.", "[1,2]");
    check(b"K\x01K\x02K\x03\x87.", "[1,2,3]");
    check(b"\x8f(K\x01K\x02\x90.", "[1,2]");
    check(b"(K\x01K\x02\x91.", "[1,2]");
    check(b"}U\x01aK\x01s.", r#"{"a":1}"#);
    check(b"(U\x01aK\x01d.", r#"{"a":1}"#);
    check(b"}(U\x01aK\x01U\x01bNu.", r#"{"a":1,"b":null}"#);
    check(
        b"}(K\x01NNNG\x3f\xf0\0\0\0\0\0\0NK\x02\x85Nu.",
        r#"{"1":null,"None":null,"1.0":null,"(2,)":null}"#,
    );
    check(b"}((K\x01U\x01'tNu.", r#"{"(1, \"'\")":null}"#);
}

#[test]
fn memory_and_stack() {
    check(b"]q\x00K\x01ah\x00a.", r#"[1,"<cycle>"]"#);
    check(b"]r\x05\0\0\0j\x05\0\0\0a.", r#"["<cycle>"]"#);
    check(b"]p0\ng0\na.", r#"["<cycle>"]"#);
    check(
        b"\x80\x04\x95\x03\0\0\0\0\0\0\0]\x94h\x00a.",
        r#"["<cycle>"]"#,
    );
    check(b"K\x01K\x020.", "1");
    check(b"K\x01(K\x02K\x031.", "1");
    check(b"K\x01(0.", "1");
    check(b"](K\x012e.", "[1,1]");
    check(b"K\x05q\x07](h\x07h\x07e.", "[5,5]");
    check(b"N.trailing bytes", "null");
}

#[test]
fn objects_are_shown_and_not_made() {
    check(b"cposix\nsystem\n(S'id'\ntR.", r#""posix.system('id')""#);
    check(b"c__builtin__\neval\n(U\x011tR.", r#""eval('1')""#);
    check(b"(iapp\nOld\n.", r#""<app.Old>""#);
    check(b"(capp\nOld\nK\x01o.", r#""app.Old(1)""#);
    check(b"capp\nThing\n)\x81}b.", r#""<app.Thing>""#);
    check(b"capp\nThing\n)}\x92.", r#""<app.Thing>""#);
    check(b"\x8c\x03app\x8c\x05Thing\x93.", r#""<app.Thing>""#);
    check(b"capp\nList\n)\x81(K\x01K\x02e.", "[1,2]");
    check(b"capp\nDict\n)\x81(U\x01aK\x01u.", r#"{"a":1}"#);
    check(b"capp\nE\n(capp\nE\n(K\x01tRtR.", r#""app.E(app.E(1))""#);
    check(b"NNR.", r#""?()""#);
    check(b"NN\x93.", r#""<>""#);
}

#[test]
fn an_object_within_itself_ends() {
    check(
        b"capp\nE\n(]q\x00tRq\x010h\x00h\x01ah\x01.",
        r#""app.E([<cycle>])""#,
    );
    check(b"]q\x00c__builtin__\nset\n(h\x00tRa.", r#"[["<cycle>"]]"#);
}

#[test]
fn broken_programs_are_refused() {
    let malformed = |name, at| PickleError::Malformed { name, at };
    refuse(b"", &PickleError::Short);
    refuse(b"X\x05\0\0\0abc", &PickleError::Short);
    refuse(b"X\xff\xff\xff\xff.", &PickleError::Short);
    refuse(
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
        &PickleError::Short,
    );
    refuse(b"Vno line feed", &PickleError::Short);
    refuse(b"N", &PickleError::Short);
    refuse(b".", &malformed("stack", 0));
    refuse(b"0.", &malformed("mark", 0));
    refuse(b"(N0..", &malformed("stack", 3));
    refuse(b"Na.", &malformed("stack", 1));
    refuse(b"NNa.", &malformed("container", 2));
    refuse(b"](NNa.", &malformed("container", 4));
    refuse(b"}Ns.", &malformed("stack", 2));
    refuse(b"}(Nu.", &malformed("SETITEMS", 3));
    refuse(b"(Nd.", &malformed("DICT", 2));
    refuse(b"e.", &malformed("mark", 0));
    refuse(b"(e.", &malformed("stack", 1));
    refuse(b"NNb.", &malformed("BUILD", 2));
    refuse(
        &[b"cm\n", &[b'n'; 1000][..], b"\n."].concat(),
        &malformed("GLOBAL", 0),
    );
    refuse(b"(o.", &malformed("OBJ", 1));
    refuse(b"N(\x85.", &malformed("stack", 2));
    refuse(b"Ix\n.", &malformed("INT", 0));
    refuse(b"Fx\n.", &malformed("FLOAT", 0));
    refuse(b"Sx\n.", &malformed("STRING", 0));
    refuse(b"V\\u1\n.", &malformed("UNICODE", 0));
    refuse(b"Np-1\n.", &malformed("memo number", 1));
    refuse(b"h\x00.", &PickleError::Memo(0));
    refuse(b"Nq\x02h\x01.", &PickleError::Memo(1));
    refuse(b"\x80\x06N.", &PickleError::Protocol(6));
    refuse(
        b"\xff.",
        &PickleError::UnknownOpcode {
            opcode: 0xff,
            at: 0,
        },
    );
}

#[test]
fn what_is_outside_the_pickle_is_refused_by_name() {
    let outside = |name| PickleError::Outside { name, at: 0 };
    refuse(b"Pid\n.", &outside("PERSID"));
    refuse(b"Q.", &outside("BINPERSID"));
    refuse(b"\x82\x01.", &outside("EXT1"));
    refuse(b"\x83\x01\0.", &outside("EXT2"));
    refuse(b"\x84\x01\0\0\0.", &outside("EXT4"));
    refuse(b"\x97.", &outside("NEXT_BUFFER"));
    refuse(b"\x98.", &outside("READONLY_BUFFER"));
}

#[test]
fn limits_are_kept() {
    let nodes = PickleError::Exceeded(Exceeded::Nodes);
    let digits = PickleError::Exceeded(Exceeded::Digits);
    refuse(&[b'N'; 100_001], &nodes);
    refuse(&[b'('; 100_001], &nodes);
    refuse(&[b"N".as_slice(), &[b'2'; 100_001]].concat(), &nodes);
    refuse(b"Nr\xff\xff\xff\xff.", &nodes);
    refuse(b"Np99999999999\n.", &nodes);
    refuse(
        &[b"L1".as_slice(), &[b'0'; 4300], b"L\n."].concat(),
        &digits,
    );
    refuse(
        &[b"\x8b\xfb\x06\0\0".as_slice(), &[1; 1787], b"."].concat(),
        &digits,
    );

    let nested = |depth: usize| [vec![b']'; depth], vec![b'a'; depth - 1], b".".to_vec()].concat();
    check(&nested(64), &("[".repeat(64) + &"]".repeat(64)));
    let too_deep = nested(65);
    let (document, outermost) = parse(&too_deep).expect("a pickle");
    assert_eq!(
        shown_as_json(&document, outermost, 4096),
        Err(Exceeded::Depth)
    );
}
