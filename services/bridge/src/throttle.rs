//! How many records a second each address may send. Who sends more is read more
//! slowly, so that its own socket fills up: nothing is dropped here, and nobody
//! else waits.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use domain::Micros;
use tokio::time::Instant;

/// Who has not had to wait for so long is not slowed any more.
const RECOVERED_AFTER: Duration = Duration::from_secs(10);
/// Nobody owes more than this and what was read last: a connection that waits keeps
/// its place, also when the other side has gone.
const MOST_OWED: Duration = Duration::from_secs(10);
/// Above so many addresses those are forgotten that owe nothing.
const TIDY_ABOVE: usize = 1_024;

/// What an address may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Records a second.
    pub per_second: NonZeroU32,
    /// How many may come at once after a silence.
    pub burst: NonZeroU32,
}

/// An address that is read more slowly than it sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slowed {
    /// Which.
    pub address: IpAddr,
    /// Records a second that have been read of it since.
    pub per_second: u64,
    /// Since when.
    pub since_us: Micros,
}

/// What all addresses have spent of their rate.
#[derive(Debug)]
pub struct Throttle {
    rate: Option<Rate>,
    addresses: Mutex<HashMap<IpAddr, Spent>>,
}

#[derive(Debug)]
struct Spent {
    /// When everything that was read would have come at the rate.
    earned_at: Instant,
    slow: Option<Slow>,
}

/// An address that had to wait.
#[derive(Debug)]
struct Slow {
    since: Instant,
    since_us: Micros,
    records: u64,
    until: Instant,
}

impl Throttle {
    /// Without a rate nobody waits.
    #[must_use]
    pub fn new(rate: Option<Rate>) -> Self {
        Self {
            rate,
            addresses: Mutex::default(),
        }
    }

    /// Whether `address` has to be read slowly at present.
    #[must_use]
    pub fn is_slow(&self, address: IpAddr, now: Instant) -> bool {
        self.rate.is_some()
            && self
                .lock()
                .get(&address)
                .and_then(|spent| spent.slow.as_ref())
                .is_some_and(|slow| slow.until + RECOVERED_AFTER > now)
    }

    /// So many records of `address` were read: until when nothing more of it is to be
    /// read, if that is not at once. `now_us` is the same time as `now`.
    pub fn spend(
        &self,
        address: IpAddr,
        records: usize,
        now: Instant,
        now_us: Micros,
    ) -> Option<Instant> {
        let rate = self.rate?;
        let per_second = f64::from(rate.per_second.get());
        let cost = Duration::from_secs_f64(records as f64 / per_second);
        let grace = Duration::from_secs_f64(f64::from(rate.burst.get()) / per_second);
        let mut addresses = self.lock();
        if addresses.len() > TIDY_ABOVE {
            addresses.retain(|_, spent| spent.matters(now));
        }
        let spent = addresses.entry(address).or_insert(Spent {
            earned_at: now,
            slow: None,
        });
        if !spent.matters(now) {
            spent.slow = None;
        }
        let most = now + grace.max(cost) + MOST_OWED;
        spent.earned_at = (spent.earned_at.max(now) + cost).min(most);
        let until = spent.earned_at.checked_sub(grace).filter(|&at| at > now);
        if let Some(until) = until {
            let slow = spent.slow.get_or_insert(Slow {
                since: now,
                since_us: now_us,
                records: 0,
                until,
            });
            slow.until = until;
        }
        if let Some(slow) = &mut spent.slow {
            slow.records += records as u64;
        }
        until
    }

    /// Who is slowed, those first that have been for longest, `most` at most.
    #[must_use]
    pub fn slowed(&self, now: Instant, most: usize) -> Vec<Slowed> {
        let addresses = self.lock();
        let mut slowed: Vec<Slowed> = addresses
            .iter()
            .filter(|(_, spent)| spent.matters(now))
            .filter_map(|(address, spent)| Some((address, spent.slow.as_ref()?)))
            .filter(|(_, slow)| slow.until + RECOVERED_AFTER > now)
            .map(|(address, slow)| Slowed {
                address: *address,
                per_second: slow.records / now.duration_since(slow.since).as_secs().max(1),
                since_us: slow.since_us,
            })
            .collect();
        slowed.sort_by_key(|slowed| (slowed.since_us, slowed.address));
        slowed.truncate(most);
        slowed
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Spent>> {
        self.addresses
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

impl Spent {
    /// Whether there is anything to remember.
    fn matters(&self, now: Instant) -> bool {
        let slow = self.slow.as_ref();
        self.earned_at > now || slow.is_some_and(|slow| slow.until + RECOVERED_AFTER > now)
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, num::NonZeroU32, time::Duration};

    use tokio::time::Instant;

    use super::{Rate, Slowed, TIDY_ABOVE, Throttle};

    const NOISY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn throttle(per_second: u32, burst: u32) -> Throttle {
        let number = |number| NonZeroU32::new(number).unwrap();
        Throttle::new(Some(Rate {
            per_second: number(per_second),
            burst: number(burst),
        }))
    }

    #[test]
    fn a_burst_passes_and_what_is_above_the_rate_waits() {
        let throttle = throttle(100, 50);
        let now = Instant::now();
        assert_eq!(throttle.spend(NOISY, 50, now, 0), None);
        let until = throttle.spend(NOISY, 100, now, 7).unwrap();
        assert_eq!(until - now, Duration::from_secs(1));
        let other = [10, 0, 0, 2].into();
        assert_eq!(throttle.spend(other, 50, now, 0), None, "nobody else waits");
        assert!(throttle.is_slow(NOISY, now) && !throttle.is_slow(other, now));
        let slowed = throttle.slowed(now + Duration::from_secs(2), 9);
        let expected = Slowed {
            address: NOISY,
            per_second: 50,
            since_us: 7,
        };
        assert_eq!(slowed, [expected]);
        // After a silence everything is as before.
        let later = now + Duration::from_secs(60);
        assert!(throttle.slowed(later, 9).is_empty() && !throttle.is_slow(NOISY, later));
        assert_eq!(throttle.spend(NOISY, 50, later, 0), None);
        assert!(throttle.slowed(later, 9).is_empty());
    }

    #[test]
    fn over_a_time_as_much_is_read_as_the_rate_says() {
        let throttle = throttle(200, 20);
        let begun = Instant::now();
        let mut now = begun;
        for _ in 0..1_000 {
            now = throttle.spend(NOISY, 10, now, 0).unwrap_or(now);
        }
        let took = (now - begun).as_secs_f64();
        assert!((49.8..50.1).contains(&took), "{took}");
    }

    #[test]
    fn who_owes_nothing_is_forgotten_and_lists_have_an_end() {
        let throttle = throttle(1_000, 1);
        let now = Instant::now();
        for number in 0..20_000_u32 {
            let at = now + Duration::from_millis(u64::from(number));
            throttle.spend(IpAddr::from(number.to_be_bytes()), 1, at, 0);
        }
        assert!(throttle.lock().len() <= TIDY_ABOVE + 1);
        for number in 0..100_u32 {
            throttle.spend(IpAddr::from(number.to_be_bytes()), 10_000, now, 0);
        }
        assert_eq!(throttle.slowed(now, 20).len(), 20);
        let free = Throttle::new(None);
        assert_eq!(free.spend(NOISY, usize::MAX, now, 0), None);
    }
}
