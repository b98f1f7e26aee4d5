//! How often somebody may try to sign in: after a few failures each further attempt
//! waits longer, by name and by address. What is refused meanwhile counts for nothing,
//! so that nobody is kept out for ever. Who has signed in from somewhere waits there for their
//! own failures only.

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
/// How many pairs of name and address are known that have signed in; a further one
/// displaces the one that did so longest ago.
const MOST_WELCOME: usize = 10_000;

#[derive(Clone, Copy)]
struct Rule {
    free: u32,
    longest: Duration,
}

/// All that failed lately.
#[derive(Default)]
pub(super) struct Attempts {
    table: Mutex<HashMap<Key, Tally>>,
    welcome: Mutex<HashMap<Key, Instant>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Name(Fingerprint),
    Address(IpAddr),
    /// A name where it has signed in.
    Pair(Fingerprint, IpAddr),
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
        let pair = pair_key(name, from);
        let address = (Key::Address(network(from)), OF_ADDRESS);
        // Failures at an address count there, whoever's they are.
        let is_welcome = self.is_welcome(pair);
        let counted = match is_welcome {
            true => [(pair, OF_NAME), address],
            false => [(name_key(name), OF_NAME), address],
        };
        let waited_for = if is_welcome {
            &counted[..1]
        } else {
            &counted[..]
        };
        let mut table = self.lock();
        let wait = waited_for.iter().filter_map(|(key, _)| {
            let tally = table.get(key)?;
            let wait = tally.until.saturating_duration_since(now);
            (!wait.is_zero()).then_some(wait)
        });
        if let Some(wait) = wait.max() {
            return Err(wait);
        }
        for (key, rule) in counted {
            count(&mut table, key, rule, now);
        }
        Ok(())
    }

    /// The attempt was no failure. From now on this name is welcome there.
    pub(super) fn succeeded(&self, name: &str, from: IpAddr, now: Instant) {
        let pair = pair_key(name, from);
        let was_welcome = self.welcome(pair, now);
        let mut table = self.lock();
        table.remove(&pair);
        // What others have tried elsewhere is not forgotten with it.
        if !was_welcome {
            table.remove(&name_key(name));
        }
        // Its other failures stay: who may sign in could else try others' passwords.
        if let Some(tally) = table.get_mut(&Key::Address(network(from))) {
            tally.failures = tally.failures.saturating_sub(1);
            tally.until = tally.last + OF_ADDRESS.wait(tally.failures);
        }
    }

    fn is_welcome(&self, pair: Key) -> bool {
        self.lock_welcome().contains_key(&pair)
    }

    /// Whether it was already.
    fn welcome(&self, pair: Key, now: Instant) -> bool {
        let mut welcome = self.lock_welcome();
        if welcome.len() >= MOST_WELCOME && !welcome.contains_key(&pair) {
            let oldest = welcome.iter().min_by_key(|(_, at)| **at);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                welcome.remove(&oldest);
            }
        }
        welcome.insert(pair, now).is_some()
    }

    fn lock_welcome(&self) -> MutexGuard<'_, HashMap<Key, Instant>> {
        self.welcome.lock().unwrap_or_else(PoisonError::into_inner)
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

fn pair_key(name: &str, from: IpAddr) -> Key {
    Key::Pair(fingerprint(name), network(from))
}

/// Of IPv6 everybody has a whole network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(network.into())
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::IpAddr,
        time::{Duration, Instant},
    };

    use super::{Attempts, MEMORY, MOST, MOST_WELCOME};

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
        attempts.succeeded("anna", address("10.9.9.9"), now);
        assert_eq!(attempts.begin("anna", address("10.9.9.9"), now), Ok(()));
    }

    /// Guards against strangers keeping out who signs in every day.
    #[test]
    fn who_has_signed_in_somewhere_waits_there_for_nobody_else() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let (home, elsewhere) = (address("192.0.2.1"), address("192.0.2.2"));
        attempts.begin("anna", home, now).unwrap();
        attempts.succeeded("anna", home, now);
        for n in 0..40_u32 {
            let _ = attempts.begin("anna", IpAddr::V4((0x0a00_0000 + n).into()), now);
            let _ = attempts.begin(&n.to_string(), home, now);
        }
        assert!(attempts.begin("anna", elsewhere, now).is_err());
        assert!(attempts.begin("bo", home, now).is_err());
        assert_eq!(attempts.begin("anna", home, now), Ok(()));
        attempts.succeeded("anna", home, now);
        assert!(
            attempts.begin("anna", elsewhere, now).is_err(),
            "no free tries"
        );
        for _ in 0..5 {
            attempts.begin("anna", home, now).unwrap();
        }
        assert_eq!(attempts.begin("anna", home, now), Err(SECOND), "their own");
    }

    #[test]
    fn those_who_are_welcome_are_bounded() {
        let attempts = Attempts::default();
        let began = Instant::now();
        for n in 0..=(MOST_WELCOME as u32) {
            let now = began + Duration::from_millis(n.into());
            attempts.succeeded("anna", IpAddr::V4(n.into()), now);
        }
        assert_eq!(attempts.lock_welcome().len(), MOST_WELCOME);
        assert!(!attempts.is_welcome(super::pair_key("anna", address("0.0.0.0"))));
    }

    #[test]
    fn an_address_waits_whatever_the_name() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let begin = |n: u32, from: &str, now| attempts.begin(&n.to_string(), address(from), now);
        for n in 0..20 {
            // Their own account helps nobody.
            attempts.begin("own", address("2001:db8::99"), now).unwrap();
            attempts.succeeded("own", address("2001:db8::99"), now);
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
