//! How often somebody may try to sign in: after a few failures each further attempt
//! waits longer, by name and by address. What is refused meanwhile counts for nothing,
//! so that nobody is kept out for ever.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::secret::{Fingerprint, fingerprint};

/// Failures without a wait, and the longest wait. Of a name it is short, because others
/// can make it wait; behind an address there may be many people.
const OF_NAME: Rule = Rule {
    free: 5,
    longest: Duration::from_secs(60),
};
const OF_ADDRESS: Rule = Rule {
    free: 20,
    longest: Duration::from_secs(900),
};
/// After so long without a failure all is forgotten.
const MEMORY: Duration = Duration::from_secs(3_600);
/// How many names and addresses are known; a further one displaces the one that
/// failed longest ago.
const MOST: usize = 10_000;

#[derive(Clone, Copy)]
struct Rule {
    free: u32,
    longest: Duration,
}

/// All that failed lately.
#[derive(Default)]
pub(super) struct Attempts {
    table: Mutex<HashMap<Key, Tally>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Name(Fingerprint),
    Address(IpAddr),
}

struct Tally {
    failures: u32,
    last: Instant,
    /// Until then nothing is tried.
    until: Instant,
}

impl Attempts {
    /// Begins an attempt, which counts as a failure until it has [`succeeded`](Self::succeeded):
    /// so that many at a time are not free.
    ///
    /// # Errors
    /// How long to wait first.
    pub(super) fn begin(&self, name: &str, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let keys = [(name_key(name), OF_NAME), (address_key(from), OF_ADDRESS)];
        let mut table = self.lock();
        let wait = keys.iter().filter_map(|(key, _)| {
            let tally = table.get(key)?;
            let wait = tally.until.saturating_duration_since(now);
            (!wait.is_zero()).then_some(wait)
        });
        if let Some(wait) = wait.max() {
            return Err(wait);
        }
        for (key, rule) in keys {
            count(&mut table, key, rule, now);
        }
        Ok(())
    }

    /// The attempt was no failure.
    pub(super) fn succeeded(&self, name: &str, from: IpAddr) {
        let mut table = self.lock();
        table.remove(&name_key(name));
        // Its other failures stay: who may sign in could else try others' passwords.
        if let Some(tally) = table.get_mut(&address_key(from)) {
            tally.failures = tally.failures.saturating_sub(1);
            tally.until = tally.last + OF_ADDRESS.wait(tally.failures);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Tally>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn wait(self, failures: u32) -> Duration {
        match failures.checked_sub(self.free) {
            None => Duration::ZERO,
            Some(further) => Duration::from_secs(1 << further.min(16)).min(self.longest),
        }
    }
}

fn count(table: &mut HashMap<Key, Tally>, key: Key, rule: Rule, now: Instant) {
    if table.len() >= MOST && !table.contains_key(&key) {
        table.retain(|_, tally| now.saturating_duration_since(tally.last) < MEMORY);
        let oldest = table.iter().min_by_key(|(_, tally)| tally.last);
        if let Some(oldest) = oldest.map(|(key, _)| *key).filter(|_| table.len() >= MOST) {
            table.remove(&oldest);
        }
    }
    let fresh = Tally {
        failures: 0,
        last: now,
        until: now,
    };
    let tally = table.entry(key).or_insert(fresh);
    if now.saturating_duration_since(tally.last) >= MEMORY {
        tally.failures = 0;
    }
    tally.failures = tally.failures.saturating_add(1);
    tally.last = now;
    tally.until = now + rule.wait(tally.failures);
}

/// Names may be of any length, and passwords by mistake.
fn name_key(name: &str) -> Key {
    Key::Name(fingerprint(name))
}

/// Of IPv6 everybody has a whole network.
fn address_key(address: IpAddr) -> Key {
    Key::Address(match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(network.into())
        }
        address => address,
    })
}

#[cfg(test)]
mod tests {
    use std::{
        net::IpAddr,
        time::{Duration, Instant},
    };

    use super::{Attempts, MEMORY, MOST};

    const SECOND: Duration = Duration::from_secs(1);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn waits_of_a_name_grow_to_a_minute() {
        let attempts = Attempts::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for n in 0..13_u32 {
            let from = IpAddr::V4((0x0a00_0000 + n).into());
            if let Err(wait) = attempts.begin("anna", from, now) {
                assert_eq!(attempts.begin("anna", from, now), Err(wait), "no longer");
                waits.push(wait.as_secs());
                now += wait;
                attempts.begin("anna", from, now).unwrap();
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(attempts.begin("bo", address("10.9.9.9"), now), Ok(()));
        attempts.succeeded("anna", address("10.9.9.9"));
        assert_eq!(attempts.begin("anna", address("10.9.9.9"), now), Ok(()));
    }

    #[test]
    fn an_address_waits_whatever_the_name() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let begin = |n: u32, from: &str, now| attempts.begin(&n.to_string(), address(from), now);
        for n in 0..20 {
            // Their own account helps nobody.
            attempts.begin("own", address("2001:db8::99"), now).unwrap();
            attempts.succeeded("own", address("2001:db8::99"));
            begin(n, "2001:db8::1", now).unwrap();
        }
        assert_eq!(
            begin(999, "2001:db8::2", now),
            Err(SECOND),
            "the same network"
        );
        assert_eq!(begin(999, "2001:db8:0:1::2", now), Ok(()));
        assert_eq!(begin(999, "2001:db8::2", now + MEMORY), Ok(()));
    }

    #[test]
    fn the_table_is_bounded() {
        let attempts = Attempts::default();
        let now = Instant::now();
        for n in 0..(MOST as u32) {
            let from = IpAddr::V4(n.into());
            attempts.begin(&n.to_string(), from, now).unwrap();
        }
        assert_eq!(attempts.lock().len(), MOST);
    }
}
