//! One input is a connection's bytes or a frame: nothing may panic, hang or
//! unfold, and how the bytes are cut must not matter.
#![no_main]

use bridge::{
    decode::decode,
    frame::{FrameKind, Limits, Split, Splitter, numbered::NumberedSplitter},
};
use domain::Entry;
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits {
    frame_bytes: 1024,
    skip_bytes: 1 << 20,
};

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else {
        return;
    };
    match FrameKind::try_from(choice) {
        Ok(kind) => check(kind, bytes),
        Err(_) => connection(bytes, usize::from(choice)),
    }
});

/// Splits a connection's bytes, whole and in pieces, and decodes the frames.
fn connection(bytes: &[u8], piece_bytes: usize) {
    let whole = frames(bytes, bytes.len());
    let cut = frames(bytes, piece_bytes);
    assert_eq!(whole.0, cut.0);
    assert_eq!(whole.1, cut.1);
    for (kind, frame) in whole.0 {
        check(kind, &frame);
    }
}

/// The frames but for garbage, of which a cut stream shows less; and whether
/// the connection is closed.
fn frames(bytes: &[u8], piece_bytes: usize) -> (Vec<(FrameKind, Vec<u8>)>, bool) {
    let mut splitter = Splitter::new(LIMITS);
    let mut buffer = Vec::new();
    let mut found = Vec::new();
    let mut is_closed = false;
    for piece in bytes.chunks(piece_bytes.max(1)) {
        buffer.extend_from_slice(piece);
        let mut splits = Vec::new();
        let used = splitter.split(&buffer, &mut splits);
        if let [Split::Hello(range)] = &splits[..] {
            found.push((FrameKind::Json, buffer[range.clone()].to_vec()));
            return numbered(&bytes[range.end..], piece_bytes, found);
        }
        found.extend(splits.into_iter().map(|split| owned(&buffer, split)));
        match used {
            Ok(used) => drop(buffer.drain(..used)),
            Err(_) => {
                is_closed = true;
                break;
            }
        }
    }
    if !is_closed {
        let mut splits = Vec::new();
        splitter.finish(&buffer, &mut splits);
        found.extend(splits.into_iter().map(|split| owned(&buffer, split)));
    }
    found.retain(|(kind, _)| *kind != FrameKind::Garbage);
    (found, is_closed)
}

/// Adds the frames behind a hello.
fn numbered(
    bytes: &[u8],
    piece_bytes: usize,
    mut found: Vec<(FrameKind, Vec<u8>)>,
) -> (Vec<(FrameKind, Vec<u8>)>, bool) {
    let mut splitter = NumberedSplitter::new(LIMITS);
    let mut buffer = Vec::new();
    for piece in bytes.chunks(piece_bytes.max(1)) {
        buffer.extend_from_slice(piece);
        let mut frames = Vec::new();
        let used = splitter.split(&buffer, &mut frames);
        let splits = frames.into_iter().filter_map(|frame| frame.split);
        found.extend(splits.map(|split| owned(&buffer, split)));
        match used {
            Ok(used) => drop(buffer.drain(..used)),
            Err(_) => return (found, true),
        }
    }
    (found, false)
}

fn owned(buffer: &[u8], split: Split) -> (FrameKind, Vec<u8>) {
    match split {
        Split::Slice { kind, range } => (kind, buffer[range].to_vec()),
        Split::Oversize(note) => (FrameKind::Oversize, note),
        Split::Hello(_) => panic!("there is one at the beginning only"),
    }
}

fn check(kind: FrameKind, bytes: &[u8]) {
    match decode(kind, bytes, 1, "127.0.0.1:1") {
        Entry::Record(record) => {
            let bound = 2 * (64 * 1024 + 8 * bytes.len());
            assert!(record.extra.len() <= bound, "{} bytes", record.extra.len());
            if !record.extra.is_empty() {
                let extra = serde_json::from_str::<serde_json::Value>(&record.extra);
                assert!(extra.is_ok(), "{extra:?}: {}", record.extra);
            }
        }
        Entry::DeadLetter(letter) => assert!(!letter.reason.is_empty()),
        Entry::Gap(_) | Entry::Skipped(_) => panic!("a frame is a record or none"),
    }
}
