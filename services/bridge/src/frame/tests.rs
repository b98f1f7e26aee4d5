//! The splitter on streams cut at every place.

use std::ops::Range;

use proptest::prelude::*;

use super::{FrameKind, Limits, NotALog, Oversize, Split, Splitter};

const SMALL: Limits = Limits {
    frame_bytes: 64,
    skip_bytes: 4096,
};

/// What a connection gave: its frames with their bytes, and how it ended.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    frames: Vec<(FrameKind, Vec<u8>)>,
    no_log: Option<NotALog>,
    incomplete: bool,
}

/// Feeds a stream in the given pieces, as a connection would.
fn hear(limits: Limits, pieces: &[&[u8]]) -> Heard {
    let mut splitter = Splitter::new(limits);
    let mut heard = Heard::default();
    let mut buffer = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        let mut frames = Vec::new();
        let used = splitter.split(&buffer, &mut frames);
        keep(&mut heard, &buffer, frames);
        match used {
            Ok(used) => drop(buffer.drain(..used)),
            Err(no_log) => {
                heard.no_log = Some(no_log);
                return heard;
            }
        }
        assert!(splitter.wanted() > 0, "it always wants more");
    }
    let mut frames = Vec::new();
    heard.incomplete = splitter.finish(&buffer, &mut frames);
    keep(&mut heard, &buffer, frames);
    heard
}

fn keep(heard: &mut Heard, buffer: &[u8], frames: Vec<Split>) {
    heard
        .frames
        .extend(frames.into_iter().map(|frame| match frame {
            Split::Slice { kind, range } => (kind, buffer[range].to_vec()),
            Split::Oversize(note) => (FrameKind::Oversize, note),
            Split::Hello(_) => panic!("a hello"),
        }));
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes(), body].concat()
}

#[test]
fn every_form_is_told_apart() {
    let check = |stream: &[u8], expected: &[(FrameKind, &[u8])]| {
        let heard = hear(SMALL, &[stream]);
        let expected: Vec<_> = expected
            .iter()
            .map(|(kind, body)| (*kind, body.to_vec()))
            .collect();
        assert_eq!(heard.frames, expected, "{}", stream.escape_ascii());
        assert_eq!((heard.no_log, heard.incomplete), (None, false));
    };
    let (pickle, json, line) = (FrameKind::Pickle, FrameKind::Json, FrameKind::JsonLine);
    check(b"", &[]);
    check(b"\0\0\0\x02}.", &[(pickle, b"}.")]);
    check(b"\0\0\0\x02{}", &[(json, b"{}")]);
    check(b"\0\0\0\x03 {}", &[(json, b" {}")]);
    check(
        b"\0\0\0\x02}.\0\0\0\x02{}\0\0\0\x01.",
        &[(pickle, b"}."), (json, b"{}"), (pickle, b".")],
    );
    check(b"{}\n", &[(line, b"{}")]);
    check(b"{}", &[(line, b"{}")]);
    check(
        b"\n\n\n\n\n {}\r\n\n{\"a\":1} \nrest",
        &[(line, b"{}"), (line, b"{\"a\":1}"), (line, b"rest")],
    );
    check(b" \n", &[]);
}

#[test]
fn only_the_first_frame_can_be_a_hello_and_nothing_is_split_behind_it() {
    let hello = framed(b"{\"herald_hello\":{}}");
    let check = |before: &[u8], expected: usize| {
        let stream = [before, &hello[..], &hello[..]].concat();
        let mut frames = Vec::new();
        let used = Splitter::new(SMALL).split(&stream, &mut frames).unwrap();
        let hellos = frames.iter().filter(|it| matches!(it, Split::Hello(_)));
        assert_eq!(hellos.count(), expected, "{before:?}");
        let whole = if expected == 1 {
            hello.len()
        } else {
            stream.len()
        };
        assert_eq!(used, whole);
    };
    check(b"", 1);
    check(b"\0\0\0\x02}.", 0);
    check(&framed(&[b'x'; 65]), 0);
    for cut in 0..hello.len() {
        let mut frames = Vec::new();
        let used = Splitter::new(SMALL).split(&hello[..cut], &mut frames);
        assert_eq!((used, frames), (Ok(0), vec![]));
    }
}

#[test]
fn a_half_frame_is_incomplete() {
    let check = |stream: &[u8], expected| {
        assert_eq!(hear(SMALL, &[stream]).incomplete, expected, "{stream:?}");
    };
    check(b"\0", true);
    check(b"\0\0\0\x02}", true);
    check(b"\0\0\0\x02}.\0\0", true);
    check(b"\0\0\0\x02}.\n", true);
    check(b"\0\0\0\xff}.", true);
    check(b"\0\0\0\x02}.", false);
    check(b"{half", false);
}

#[test]
fn what_is_no_log_closes_the_connection() {
    let check = |stream: &[u8], good: usize, what: &'static str| {
        let heard = hear(SMALL, &[stream]);
        assert_eq!(heard.no_log, Some(NotALog(what)), "{stream:?}");
        assert_eq!(heard.frames.len(), good + 1);
        let (kind, start) = &heard.frames[good];
        assert_eq!(*kind, FrameKind::Garbage);
        assert!(stream.ends_with(start), "{start:?}");
    };
    check(b"GET / HTTP/1.1\r\n", 0, "an HTTP request");
    check(b"\x16\x03\x01\x02\0\x01", 0, "the beginning of TLS");
    check(b"SSH-2.0-x", 0, "the beginning of SSH");
    check(b"hello world", 0, "some text");
    check(b"\xff\xff\xff\xff", 0, "some binary data");
    check(b"\0\0\0\x02}.\0\0\0\0", 1, "a frame without content");
    check(b"\0\0\0\x02}.GET / HTTP/1.1", 1, "an HTTP request");
}

#[test]
fn a_frame_above_the_limit_is_noted_and_passed_over() {
    let body: Vec<u8> = (0..200).map(|n| b'a' + n % 26).collect();
    let check = |stream: &[u8]| {
        let whole = hear(SMALL, &[stream]);
        let kinds: Vec<_> = whole.frames.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds[1], FrameKind::Oversize, "{kinds:?}");
        assert_eq!(kinds.len(), 3);
        let note = Oversize::read(&whole.frames[1].1).expect("a note");
        assert_eq!(note.size_bytes, 200);
        assert_eq!(note.head, body);
        let by_byte: Vec<_> = stream.chunks(1).collect();
        assert_eq!(hear(SMALL, &by_byte), whole);
    };
    check(&[&framed(b"}.")[..], &framed(&body), &framed(b"}.")].concat());
    check(&[b"{}\n", &body[..], b"\n{}\n"].concat());

    let last = hear(SMALL, &[b"{}\n", &body]);
    assert_eq!(last.frames[1].0, FrameKind::Oversize);
    assert!(!last.incomplete);

    let endless = hear(SMALL, &[b"{", &[b'x'; 5000]]);
    assert_eq!(endless.no_log, Some(NotALog("a line without end")));
    assert_eq!(endless.frames[0].0, FrameKind::Oversize);
}

#[test]
fn two_frames_cut_anywhere_are_two_frames() {
    let streams = [
        [framed(b"}q\x00."), framed(b"{\"a\":1}")].concat(),
        b"{\"a\":1}\n{\"b\":2}\n".to_vec(),
    ];
    for stream in streams {
        let whole = hear(SMALL, &[&stream]);
        assert_eq!(whole.frames.len(), 2);
        for cut in 0..=stream.len() {
            let (front, back) = stream.split_at(cut);
            assert_eq!(hear(SMALL, &[front, back]), whole, "cut at {cut}");
        }
        let by_byte: Vec<_> = stream.chunks(1).collect();
        assert_eq!(hear(SMALL, &by_byte), whole);
    }
}

#[test]
fn a_burst_of_3000_frames_in_one_buffer_loses_none() {
    let bodies: Vec<Vec<u8>> = (0..3000_u32)
        .map(|n| [b"}q\x00", &n.to_le_bytes()[..]].concat())
        .collect();
    let stream: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
    let heard = hear(Limits::default(), &[&stream]);
    let found: Vec<_> = heard.frames.into_iter().map(|(_, body)| body).collect();
    assert_eq!(found, bodies);
}

#[test]
fn it_says_how_much_is_missing() {
    let mut splitter = Splitter::new(Limits::default());
    let mut frames = Vec::new();
    let mut check = |buffer: &[u8], used, wanted| {
        assert_eq!(splitter.split(buffer, &mut frames), Ok(used));
        assert_eq!(splitter.wanted(), wanted, "{buffer:?}");
    };
    check(b"", 0, 4);
    check(b"\0", 0, 3);
    check(b"\0\0\0\x0a}", 0, 9);
    check(b"\0\0\0\x01}\0", 5, 3);
}

proptest! {
    #[test]
    fn how_a_stream_is_cut_does_not_matter(
        bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..90), 0..8),
        cuts in prop::collection::vec(0..900_usize, 0..12),
    ) {
        let stream: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
        let whole = hear(SMALL, &[&stream]);
        prop_assert_eq!(whole.frames.len(), bodies.len());
        for ((kind, found), body) in whole.frames.iter().zip(&bodies) {
            match kind {
                FrameKind::Oversize => prop_assert!(body.len() > SMALL.frame_bytes),
                _ => prop_assert_eq!(found, body),
            }
        }
        prop_assert_eq!(hear(SMALL, &pieces(&stream, cuts)), whole);
    }

    #[test]
    fn no_bytes_confuse_it(
        stream in prop::collection::vec(prop_oneof![Just(0), Just(b'{'), Just(b'\n'), any::<u8>()], 0..400),
        cuts in prop::collection::vec(0..400_usize, 0..12),
    ) {
        let whole = hear(SMALL, &[&stream]);
        let cut = hear(SMALL, &pieces(&stream, cuts));
        prop_assert_eq!(&cut.no_log.is_some(), &whole.no_log.is_some());
        prop_assert_eq!(cut.incomplete, whole.incomplete);
        prop_assert_eq!(good(&cut), good(&whole));
    }
}

/// The frames without the garbage, of which a cut stream shows less.
fn good(heard: &Heard) -> Vec<&(FrameKind, Vec<u8>)> {
    let is_good = |frame: &&(FrameKind, Vec<u8>)| frame.0 != FrameKind::Garbage;
    heard.frames.iter().filter(is_good).collect()
}

fn pieces(stream: &[u8], mut cuts: Vec<usize>) -> Vec<&[u8]> {
    cuts.retain(|&cut| cut < stream.len());
    cuts.extend([0, stream.len()]);
    cuts.sort_unstable();
    let range = |pair: &[usize]| Range {
        start: pair[0],
        end: pair[1],
    };
    cuts.windows(2).map(|pair| &stream[range(pair)]).collect()
}
