//! How many stock frames a core splits and decodes per second of its time:
//! `cargo run --release -p bridge --example decode_speed`.
#![expect(clippy::print_stdout, reason = "it reports to its caller")]

use std::{fs, hint::black_box};

use bridge::{
    decode::decode,
    frame::{Limits, Split, Splitter},
};
use domain::Entry;

const FRAMES: usize = 1_000;
const ROUNDS: usize = 1_000;

fn main() {
    let stream = stock_frame().repeat(FRAMES);
    let mut frames = Vec::new();
    let start = processor_seconds();
    for _ in 0..ROUNDS {
        frames.clear();
        let used = Splitter::new(Limits::default()).split(black_box(&stream), &mut frames);
        assert_eq!(used, Ok(stream.len()), "whole frames");
        for frame in &frames {
            let Split::Slice { kind, range } = frame else {
                unreachable!("no frame is above the limit")
            };
            let entry = decode(*kind, &stream[range.clone()], 1, "127.0.0.1:40000");
            assert!(matches!(black_box(entry), Entry::Record(_)), "a record");
        }
    }
    let seconds = processor_seconds() - start;
    let count = (FRAMES * ROUNDS) as f64;
    println!(
        "{:.0} frames of {} bytes per second, {:.0} ns each",
        count / seconds,
        stream.len() / FRAMES,
        seconds * 1e9 / count
    );
}

/// Processor time of this thread so far: others on the machine do not count.
fn processor_seconds() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("readable");
    let first = text.split_whitespace().next().expect("a number");
    first.parse::<f64>().expect("a number") / 1e9
}

/// What Python's `SocketHandler` sends for a record with ps.basic's fields.
fn stock_frame() -> Vec<u8> {
    let texts: [(&str, &str); 14] = [
        ("name", "shop.payment"),
        (
            "msg",
            "order 4711 of customer 815 paid with card in 0.253 s",
        ),
        ("levelname", "INFO"),
        ("pathname", "/srv/shop/lib/shop/payment.py"),
        ("filename", "payment.py"),
        ("module", "payment"),
        ("funcName", "settle"),
        ("threadName", "MainThread"),
        ("processName", "MainProcess"),
        ("package_version", "1.4.2"),
        ("SYSTEM_ID", "shop"),
        ("SUB_SYSTEM_ID", "host-17"),
        ("SUB_SUB_SYSTEM_ID", "None"),
        ("PRODUKT_ID", "None"),
    ];
    let mut pickle = Pickle(b"}q\x00(".to_vec());
    for (key, value) in texts {
        pickle.text(key);
        pickle.text(value);
    }
    for key in ["args", "exc_info", "exc_text", "stack_info", "taskName"] {
        pickle.text(key);
        pickle.0.push(b'N');
    }
    for (key, number) in [("levelno", 20_u16), ("lineno", 117), ("process", 40_211)] {
        pickle.text(key);
        pickle.0.push(b'M');
        pickle.0.extend_from_slice(&number.to_le_bytes());
    }
    for (key, number) in [
        ("created", 1_795_392_000.123_456),
        ("msecs", 123.0),
        ("relativeCreated", 81_255.437),
    ] {
        pickle.text(key);
        pickle.0.push(b'G');
        pickle.0.extend_from_slice(&f64::to_be_bytes(number));
    }
    pickle.text("thread");
    pickle.0.extend_from_slice(b"L140035213432640L\nu.");
    let mut frame = (pickle.0.len() as u32).to_be_bytes().to_vec();
    frame.append(&mut pickle.0);
    frame
}

struct Pickle(Vec<u8>);

impl Pickle {
    /// A text and the memo number that Python gives it.
    fn text(&mut self, text: &str) {
        self.0.push(b'X');
        self.0.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self.0.extend_from_slice(b"q\x01");
    }
}
