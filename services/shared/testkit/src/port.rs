//! Ports nobody else uses.

use std::{
    net::{Ipv4Addr, TcpListener},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Below the range from which the kernel takes the local ports of outgoing
/// connections, so that none of those can take a port between two starts of a
/// service.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port that is free on all addresses and was not given out before in this
/// process.
///
/// # Panics
/// When no port is free.
#[must_use]
pub fn free() -> u16 {
    let start = process::id().wrapping_mul(7_919);
    (0..COUNT)
        .map(|_| {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            u16::try_from(FIRST + start.wrapping_add(step) % COUNT).expect("below 65,536")
        })
        .find(|&port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok())
        .expect("one of 22,000 ports is free")
}
