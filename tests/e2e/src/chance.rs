//! Random numbers that can be had again: a failed run names its seed.

use std::{
    env,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A source of random numbers (splitmix64).
#[derive(Debug)]
pub struct Chance(u64);

impl Chance {
    /// From a seed: always the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From `HERALD_SEED`, or from the clock; says which on stderr.
    ///
    /// # Panics
    /// When `HERALD_SEED` is no number.
    #[must_use]
    #[expect(
        clippy::print_stderr,
        reason = "the test harness shows it for a failed test"
    )]
    pub fn from_environment() -> Self {
        let seed = match env::var("HERALD_SEED") {
            Ok(seed) => seed.parse().expect("HERALD_SEED is a number"),
            Err(_) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(1, |since| since.subsec_nanos().into()),
        };
        eprintln!("HERALD_SEED={seed}");
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// A time between the two.
    pub fn time(&mut self, from: Duration, to: Duration) -> Duration {
        let range = u64::try_from((to - from).as_micros()).expect("a short time");
        from + Duration::from_micros(self.below(range.max(1)))
    }

    /// Random bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256) as u8).collect()
    }
}
