//! Who is signed in: in memory only, and of the secret that a browser has, only the
//! fingerprint. A restart signs everybody out.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{
    Rights,
    secret::{Fingerprint, fingerprint, random},
};

/// The most sessions there are, in all and of one name; a further one ends the one
/// that was used longest ago.
const MOST: usize = 10_000;
const MOST_OF_NAME: usize = 50;

/// What a provider has said of somebody is believed for so long: whoever has left a group
/// is to leave here, too.
const LONGEST_BY_PROVIDER: Duration = Duration::from_secs(12 * 3_600);

/// How long somebody stays signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lifetimes {
    /// Without asking for anything.
    pub(super) idle: Duration,
    /// In all.
    pub(super) whole: Duration,
}

/// All sessions.
pub(super) struct Sessions {
    lifetimes: Lifetimes,
    table: Mutex<HashMap<Fingerprint, Session>>,
    shutdown: CancellationToken,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) key: Fingerprint,
    pub(super) name: String,
    pub(super) by: By,
    /// What forms of this session carry.
    pub(super) form_token: String,
    /// Cancelled when the session ends, or all of herald-web does.
    pub(super) ended: CancellationToken,
    began: Instant,
    used: Instant,
}

/// By what somebody has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    /// A password, of which this is kept: another one ends the session.
    Password(Fingerprint),
    /// The provider, which has said what this person may do and see.
    Provider(Rights),
}

impl Sessions {
    pub(super) fn new(lifetimes: Lifetimes, shutdown: CancellationToken) -> Self {
        Self {
            lifetimes,
            table: Mutex::default(),
            shutdown,
        }
    }

    /// Begins one; returns the secret for the browser.
    pub(super) fn begin(&self, name: &str, by: By, now: Instant) -> String {
        let secret = random();
        let key = fingerprint(&secret);
        let mut table = self.lock();
        // Who is called alike elsewhere ends nobody's session here.
        let is_same = |session: &Session| session.name == name && session.by.is_like(&by);
        make_room(&mut table, is_same, MOST_OF_NAME);
        make_room(&mut table, |_| true, MOST);
        let session = Session {
            key,
            name: name.to_owned(),
            by,
            form_token: random(),
            ended: self.shutdown.child_token(),
            began: now,
            used: now,
        };
        table.insert(key, session);
        secret
    }

    /// The session of which a browser has the secret; it has been used now.
    pub(super) fn of(&self, secret: &str, now: Instant) -> Option<Session> {
        let key = fingerprint(secret);
        let mut table = self.lock();
        let session = table.get_mut(&key)?;
        if !self.lifetimes.holds(session, now) {
            end(&mut table, &key);
            return None;
        }
        session.used = now;
        Some(session.clone())
    }

    /// Ends one.
    pub(super) fn end(&self, key: &Fingerprint) {
        end(&mut self.lock(), key);
    }

    /// Ends those that are over, and those that are not to be any longer.
    pub(super) fn sweep(&self, now: Instant, is_wanted: impl Fn(&Session) -> bool) {
        self.lock().retain(|_, session| {
            let stays = self.lifetimes.holds(session, now) && is_wanted(session);
            if !stays {
                session.ended.cancel();
            }
            stays
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Fingerprint, Session>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl By {
    fn is_like(&self, other: &Self) -> bool {
        matches!(self, Self::Password(_)) == matches!(other, Self::Password(_))
    }
}

impl Lifetimes {
    fn holds(self, session: &Session, now: Instant) -> bool {
        let whole = match session.by {
            By::Password(_) => self.whole,
            By::Provider(_) => self.whole.min(LONGEST_BY_PROVIDER),
        };
        now.saturating_duration_since(session.used) < self.idle
            && now.saturating_duration_since(session.began) < whole
    }
}

fn end(table: &mut HashMap<Fingerprint, Session>, key: &Fingerprint) {
    if let Some(session) = table.remove(key) {
        session.ended.cancel();
    }
}

fn make_room(
    table: &mut HashMap<Fingerprint, Session>,
    is_counted: impl Fn(&Session) -> bool,
    most: usize,
) {
    let counted = || table.values().filter(|session| is_counted(session));
    if counted().count() < most {
        return;
    }
    let oldest = counted().min_by_key(|session| session.used);
    if let Some(key) = oldest.map(|session| session.key) {
        end(table, &key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio_util::sync::CancellationToken;

    use super::{By, Lifetimes, MOST, MOST_OF_NAME, Sessions};
    use crate::access::Role;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn sessions() -> Sessions {
        lasting(HOUR, 3 * HOUR)
    }

    fn lasting(idle: Duration, whole: Duration) -> Sessions {
        Sessions::new(Lifetimes { idle, whole }, CancellationToken::new())
    }

    fn provider() -> By {
        By::Provider(Role::Viewer.into())
    }

    fn password(byte: u8) -> By {
        By::Password([byte; 32])
    }

    /// Guards against groups that somebody has left counting for a week.
    #[test]
    fn a_provider_is_asked_again_each_half_day() {
        let sessions = lasting(24 * HOUR, 48 * HOUR);
        let began = Instant::now();
        let check = |by: By, hours: u32, is_there: bool| {
            let secret = sessions.begin("anna", by, began);
            let found = sessions.of(&secret, began + HOUR * hours);
            assert_eq!(found.is_some(), is_there, "{hours}");
        };
        check(provider(), 11, true);
        check(provider(), 12, false);
        check(password(0), 12, true);
    }

    #[test]
    fn a_session_ends_by_itself() {
        let began = Instant::now();
        let check = |used: &[f64], is_there: bool| {
            let sessions = sessions();
            let secret = sessions.begin("anna", password(0), began);
            let ended = sessions.of(&secret, began).unwrap().ended;
            let mut found = None;
            for hours in used {
                found = sessions.of(&secret, began + HOUR.mul_f64(*hours));
            }
            assert_eq!(found.is_some(), is_there, "{used:?}");
            assert_eq!(ended.is_cancelled(), !is_there, "{used:?}");
        };
        check(&[0.0], true);
        check(&[0.9], true);
        check(&[1.0], false);
        check(&[0.9, 1.8, 2.7], true);
        check(&[0.9, 1.8, 2.7, 3.0], false);
        // Once ended it does not come back.
        check(&[1.0, 0.5], false);
    }

    #[test]
    fn a_session_is_ended() {
        let sessions = sessions();
        let now = Instant::now();
        let (one, other) = (
            sessions.begin("anna", password(1), now),
            sessions.begin("anna", password(2), now),
        );
        let session = sessions.of(&one, now).unwrap();
        assert_ne!(
            session.form_token,
            sessions.of(&other, now).unwrap().form_token
        );
        sessions.end(&session.key);
        assert!(session.ended.is_cancelled());
        assert!(sessions.of(&one, now).is_none());
        assert!(sessions.of("", now).is_none());
        assert!(sessions.of(&other, now).is_some());
        sessions.sweep(now, |session| session.by == password(1));
        assert!(sessions.of(&other, now).is_none());
    }

    #[test]
    fn there_are_never_too_many() {
        let sessions = sessions();
        let began = Instant::now();
        let namesake = sessions.begin("anna", provider(), began);
        let secrets: Vec<_> = (0..=MOST_OF_NAME as u64)
            .map(|n| sessions.begin("anna", password(0), began + Duration::from_millis(n)))
            .collect();
        assert!(sessions.of(&secrets[0], began).is_none());
        assert!(sessions.of(&secrets[1], began).is_some());
        assert!(sessions.of(&namesake, began).is_some());
        for n in 0..MOST {
            sessions.begin(&n.to_string(), password(0), began + Duration::from_secs(1));
        }
        assert_eq!(sessions.lock().len(), MOST);
        assert!(sessions.of(&secrets[2], began).is_none());
    }
}
