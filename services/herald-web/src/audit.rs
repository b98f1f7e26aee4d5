//! What herald-web tells the store for its audit log: for whom something is changed, and
//! who signs in and out. The latter waits here until the store takes it, and no page
//! waits for it.

mod limit;

use std::{
    collections::VecDeque,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use domain::{AuditAction, Author, AuthorKind};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::{
    access::{OidcError, SignInError, Way, Who},
    store_client::{ChangeFailure, StoreClient, StoreError},
};
use limit::Limit;

/// How much waits for a store that does not answer; what is more is lost.
const MOST_WAITING: usize = 1_000;
/// Before the store is asked again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the number is told of those who were not let in and are not listed.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// At the end, for what waits.
const LAST_TIME: Duration = Duration::from_secs(2);
/// Why there is no more to say of many.
const UNLISTED: &str = "too many at a time to list each";

/// What has happened and is not told yet; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Audit(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Happened>,
    /// Of those who are known by their name, and of all others: who tries names at
    /// random hides nobody who tries a user's.
    known: Limit,
    unknown: Limit,
}

/// Something that has happened here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happened {
    pub(crate) action: AuditAction,
    pub(crate) object: String,
    pub(crate) detail: String,
    pub(crate) count: u64,
    pub(crate) author: Author,
    at: Instant,
}

impl Happened {
    fn new(action: AuditAction, author: Author) -> Self {
        Self {
            action,
            object: String::new(),
            detail: String::new(),
            count: 1,
            author,
            at: Instant::now(),
        }
    }

    /// How long ago that was.
    pub(crate) fn ago(&self) -> Duration {
        self.at.elapsed()
    }
}

impl Audit {
    /// Somebody has signed in; `way`: with what, where it is no password.
    pub(crate) fn signed_in(&self, name: &str, way: &str, address: IpAddr) {
        let author = Author::cut(AuthorKind::User, name, "", Some(address));
        self.lock().add(Happened {
            detail: way.to_owned(),
            ..Happened::new(AuditAction::SignedIn, author)
        });
        self.0.wake.notify_one();
    }

    /// Somebody was not let in. The name is told where it is a user's only: people type
    /// their password there.
    pub(crate) fn refused(&self, user: Option<&str>, error: SignInError, address: IpAddr) {
        self.add_refused(user, reason(error, user.is_some()), address);
    }

    /// Somebody has come from the provider and was not let in.
    pub(crate) fn refused_from_provider(&self, error: &OidcError, address: IpAddr) {
        self.add_refused(None, &format!("at the provider: {error}"), address);
    }

    fn add_refused(&self, user: Option<&str>, detail: &str, address: IpAddr) {
        let now = Instant::now();
        let mut queue = self.lock();
        let limit = match user {
            Some(_) => &mut queue.known,
            None => &mut queue.unknown,
        };
        if !limit.take(now) {
            return;
        }
        let author = Author::cut(AuthorKind::Unsigned, "", "", Some(address));
        queue.add(Happened {
            object: user.unwrap_or_default().to_owned(),
            detail: detail.to_owned(),
            ..Happened::new(AuditAction::SignInRefused, author)
        });
        drop(queue);
        self.0.wake.notify_one();
    }

    /// Somebody has signed out.
    pub(crate) fn signed_out(&self, author: Author) {
        self.lock()
            .add(Happened::new(AuditAction::SignedOut, author));
        self.0.wake.notify_one();
    }

    /// Tells the store, until nobody asks any more (`served`); then what is left.
    pub(crate) async fn follow(self, store: StoreClient, served: CancellationToken) {
        served.run_until_cancelled(self.tell(&store)).await;
        self.lock().add_unlisted();
        if timeout(LAST_TIME, self.tell_waiting(&store)).await.is_err() {
            let lost = self.lock().waiting.len();
            warn!(
                lost,
                "who signed in or out is not in the audit log: the store did not take it"
            );
        }
    }

    async fn tell(&self, store: &StoreClient) {
        let mut ticks = interval(TELL_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.0.wake.notified() => {}
                _ = ticks.tick() => self.lock().add_unlisted(),
            }
            self.tell_waiting(store).await;
        }
    }

    async fn tell_waiting(&self, store: &StoreClient) {
        loop {
            let Some(next) = self.lock().waiting.front().cloned() else {
                return;
            };
            match store.add_audit_entry(&next).await {
                Err(ChangeFailure::Store(StoreError::NoAnswer)) => {
                    sleep(PAUSE).await;
                    continue;
                }
                Err(failure) => warn!(%failure, "not taken into the audit log"),
                Ok(()) => {}
            }
            self.lock().told(&next);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn add(&mut self, happened: Happened) {
        if self.waiting.len() >= MOST_WAITING {
            warn!("not taken into the audit log: the store has not answered for long");
            return;
        }
        self.waiting.push_back(happened);
    }

    fn told(&mut self, happened: &Happened) {
        if self.waiting.front() == Some(happened) {
            self.waiting.pop_front();
        }
    }

    /// Tells how many there were that are not listed.
    fn add_unlisted(&mut self) {
        let (known, unknown) = (self.known.take_passed(), self.unknown.take_passed());
        for (count, detail) in [(known, "names of users"), (unknown, "other names")] {
            if count > 0 {
                let author = Author::cut(AuthorKind::Unsigned, "", "", None);
                self.add(Happened {
                    detail: format!("{detail}: {UNLISTED}"),
                    count,
                    ..Happened::new(AuditAction::SignInRefused, author)
                });
            }
        }
    }
}

/// Who asks, as the store is told with a change; `said`: for whom a program says that it
/// asks.
pub(crate) fn author_of(who: &Who, said: &str, address: Option<IpAddr>) -> Author {
    let Some(known) = who.known() else {
        return Author::cut(AuthorKind::Unsigned, "", said, address);
    };
    match known.way {
        Way::Session(_) => Author::cut(AuthorKind::User, &known.name, "", address),
        Way::Proxy { .. } => Author::cut(AuthorKind::Proxy, &known.name, "", address),
        Way::Token { .. } => Author::cut(AuthorKind::Token, &known.name, said, address),
    }
}

fn reason(error: SignInError, is_user: bool) -> &'static str {
    match error {
        SignInError::Wrong if is_user => "wrong password",
        SignInError::Wrong => "a name that nobody has",
        SignInError::Wait(_) => "tried too often",
        SignInError::Busy => "too many at a time",
        SignInError::Plain => "over a connection that is not encrypted",
        SignInError::Off => "nobody signs in by a password here",
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use domain::{AuditAction, AuthorKind};

    use super::{Audit, MOST_WAITING, author_of};
    use crate::access::{Role, SignInError, Who, known};

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// Guards against a disk that strangers fill, and against their noise.
    #[test]
    fn who_is_refused_is_listed_up_to_a_limit_and_then_counted() {
        let audit = Audit::default();
        for _ in 0..1_000 {
            audit.refused(None, SignInError::Wrong, ADDRESS);
        }
        audit.refused(Some("anna"), SignInError::Wrong, ADDRESS);
        audit.lock().add_unlisted();
        audit.lock().add_unlisted();
        let queue = audit.lock();
        let listed = queue.waiting.len();
        assert!(listed < 110, "{listed}");
        let sum: u64 = queue.waiting.iter().map(|happened| happened.count).sum();
        assert_eq!(sum, 1_001);
        let (last, named) = (&queue.waiting[listed - 1], &queue.waiting[listed - 2]);
        assert_eq!((named.object.as_str(), named.count), ("anna", 1));
        assert_eq!(last.detail, "other names: too many at a time to list each");
    }

    #[test]
    fn what_waits_is_bounded() {
        let audit = Audit::default();
        for _ in 0..2 * MOST_WAITING {
            audit.signed_in("anna", "", ADDRESS);
        }
        let queue = audit.lock();
        assert_eq!(queue.waiting.len(), MOST_WAITING);
        assert_eq!(queue.waiting[0].action, AuditAction::SignedIn);
    }

    #[test]
    fn everybody_is_told_as_they_are_known() {
        let check = |who: &Who, kind: AuthorKind, name: &str, said: &str| {
            let author = author_of(who, "bo", Some(ADDRESS));
            assert_eq!(
                (author.kind, &*author.name, &*author.said),
                (kind, name, said)
            );
        };
        check(&Who::Anybody, AuthorKind::Unsigned, "", "bo");
        let anna = known("anna", Role::Operator, Some("token"));
        check(&anna, AuthorKind::User, "anna", "");
        let chat = known("chat", Role::Operator, None);
        check(&chat, AuthorKind::Token, "chat", "bo");
    }
}
