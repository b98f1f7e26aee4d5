//! The worst frames we can think of, a mebibyte each, against the bounds of a
//! single frame: 50 ms and 16 MiB. An unoptimised build gets more time, but no
//! more memory.

mod attack;

use std::{
    fs,
    io::{Read, Write},
    process::{Command, Stdio},
};

use bridge::{decode::decode, frame::FrameKind};
use domain::Entry;

const MEMORY_LIMIT_BYTES: u64 = 16 * 1024 * 1024;
const TIME_LIMIT_MS: u64 = if cfg!(debug_assertions) { 1_500 } else { 50 };
const FRAME_BYTES: usize = 1024 * 1024;

/// Says to a child process that a frame of this kind comes over its input.
const KIND: &str = "HERALD_ATTACK_KIND";

/// Each attack has a process of its own: memory that an earlier one has freed
/// would hide what a later one takes.
#[test]
fn no_frame_takes_more_than_its_share_of_time_and_memory() {
    if let Ok(kind) = std::env::var(KIND) {
        let kind: u8 = kind.parse().expect("a number");
        let (taken_ms, used_bytes) = cost(FrameKind::try_from(kind).expect("a kind"));
        println!("\n{taken_ms} ms, {} KiB", used_bytes / 1024);
        assert!(
            used_bytes <= MEMORY_LIMIT_BYTES,
            "it takes {used_bytes} bytes"
        );
        assert!(taken_ms <= TIME_LIMIT_MS, "it takes {taken_ms} ms");
        return;
    }
    for (name, kind, frame) in attack::frames() {
        assert!(
            frame.len() <= FRAME_BYTES,
            "{name} is {} bytes",
            frame.len()
        );
        let mut child = Command::new(std::env::current_exe().expect("it runs"))
            .args(["--nocapture", "--test-threads=1"])
            .env(KIND, (kind as u8).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut input = child.stdin.take().expect("it is piped");
        input.write_all(&frame).expect("it listens");
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}{complaint}");
        let cost = said.lines().find(|line| line.ends_with("KiB"));
        println!("{name}: {}", cost.expect("the cost"));
    }
}

/// Processor time in ms and memory in bytes for the frame on our input.
fn cost(kind: FrameKind) -> (u64, u64) {
    let mut frame = Vec::with_capacity(FRAME_BYTES);
    std::io::stdin().read_to_end(&mut frame).expect("readable");
    let before = reset_peak();
    let entry = decode(kind, &frame, 0, "10.0.0.1:5000");
    let used_bytes = peak_bytes().saturating_sub(before);
    if let Entry::Record(record) = &entry
        && !record.extra.is_empty()
    {
        serde_json::from_str::<serde_json::Value>(&record.extra).expect("JSON");
    }
    drop(entry);
    let taken_ms = (0..3).map(|_| taken_ms(kind, &frame)).min().expect("three");
    (taken_ms, used_bytes)
}

/// Processor time, with that of dropping what was made.
fn taken_ms(kind: FrameKind, frame: &[u8]) -> u64 {
    let start = processor_ns();
    drop(decode(kind, frame, 0, "10.0.0.1:5000"));
    (processor_ns() - start) / 1_000_000
}

/// Forgets the peak of resident memory; returns what is resident now.
fn reset_peak() -> u64 {
    fs::write("/proc/self/clear_refs", "5").expect("the kernel takes it");
    status("VmRSS:")
}

fn peak_bytes() -> u64 {
    status("VmHWM:")
}

fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").expect("readable");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.expect("a line").parse::<u64>().expect("a number") * 1024
}

/// Processor time of this thread so far.
fn processor_ns() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("readable");
    let first = text.split_whitespace().next().expect("a number");
    first.parse().expect("a number")
}
