//! What a killed bridge had promised: read from the spool it left behind.

use std::{fs, path::Path};

/// The numbers that were synced when the bridge ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// Under which identity.
    pub bridge_id: String,
    /// The first number of this identity.
    pub first: u64,
    /// The first number that was not synced.
    pub durable_next: u64,
}

/// Reads the file `watermark` of a spool; `None` when there is none.
/// `services/bridge/src/spool/watermark.rs` and `slots.rs` say what is where:
/// two copies a page apart, the one with the higher generation is newer.
///
/// # Panics
/// When the file is no watermark.
#[must_use]
pub fn promise(spool: &Path) -> Option<Promise> {
    const MAGIC: &[u8] = b"HRLDWM01";
    const COPY_BYTES: usize = 4096;
    let file = fs::read(spool.join("watermark")).ok()?;
    let number = |copy: &[u8], at: usize| {
        u64::from_le_bytes(copy[at..at + 8].try_into().expect("eight bytes"))
    };
    let newest = file
        .chunks(COPY_BYTES)
        .filter(|copy| copy.starts_with(MAGIC))
        .max_by_key(|copy| number(copy, 16))
        .expect("a watermark");
    let id: Vec<String> = newest[24..40]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let parts = [&id[..4], &id[4..6], &id[6..8], &id[8..10], &id[10..]];
    Some(Promise {
        bridge_id: parts.map(|part| part.concat()).join("-"),
        first: number(newest, 40),
        durable_next: number(newest, 60),
    })
}
