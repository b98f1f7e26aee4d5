//! For how long somebody is believed who has no session: what they follow ends when that
//! does.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::secret::Fingerprint;

/// For so long it is believed whom a proxy in front has named once. Whoever follows comes
/// back by themselves, and the proxy says again who they are.
const BY_PROXY: Duration = Duration::from_secs(60);

/// Tokens that programs have shown and that hold.
pub(super) struct Leases {
    table: Mutex<HashMap<Fingerprint, CancellationToken>>,
    shutdown: CancellationToken,
}

/// How somebody is believed who has no session.
#[derive(Debug, Clone)]
pub(crate) enum Lease {
    /// Until this is cancelled: their token holds no longer.
    Token(CancellationToken),
    /// For so long after a proxy has named them.
    Proxy(Duration),
}

impl Leases {
    pub(super) fn new(shutdown: CancellationToken) -> Self {
        Self {
            table: Mutex::default(),
            shutdown,
        }
    }

    /// That of a token which holds now.
    pub(super) fn of(&self, token: &Fingerprint) -> Lease {
        let mut table = self.lock();
        let ended = table
            .entry(*token)
            .or_insert_with(|| self.shutdown.child_token());
        Lease::Token(ended.clone())
    }

    /// Ends those of tokens that hold no longer.
    pub(super) fn sweep(&self, holds: impl Fn(&Fingerprint) -> bool) {
        self.lock().retain(|token, ended| {
            let stays = holds(token);
            if !stays {
                ended.cancel();
            }
            stays
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Fingerprint, CancellationToken>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Of whom a proxy names now.
    pub(super) fn by_proxy() -> Self {
        Self::Proxy(BY_PROXY)
    }

    /// Until it ends, or `shutdown` does.
    pub(crate) async fn ended(self, shutdown: CancellationToken) {
        match self {
            Self::Token(ended) => ended.cancelled().await,
            Self::Proxy(lasts) => {
                let time = tokio::time::sleep(lasts);
                shutdown.run_until_cancelled(time).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::{BY_PROXY, Lease, Leases};

    fn token(lease: &Lease) -> &CancellationToken {
        match lease {
            Lease::Token(token) => token,
            Lease::Proxy(_) => panic!("no token"),
        }
    }

    #[test]
    fn a_lease_ends_with_its_token_alone() {
        let shutdown = CancellationToken::new();
        let leases = Leases::new(shutdown.clone());
        let (one, again, other) = (
            leases.of(&[1; 32]),
            leases.of(&[1; 32]),
            leases.of(&[2; 32]),
        );
        leases.sweep(|_| true);
        assert!(!token(&one).is_cancelled());
        leases.sweep(|token| *token == [2; 32]);
        assert!(token(&one).is_cancelled() && token(&again).is_cancelled());
        assert!(!token(&other).is_cancelled());
        assert!(
            !token(&leases.of(&[1; 32])).is_cancelled(),
            "it holds again"
        );
        shutdown.cancel();
        assert!(token(&other).is_cancelled());
    }

    #[tokio::test]
    async fn the_word_of_a_proxy_counts_for_a_while() {
        let lease = |lasts| Lease::Proxy(lasts).ended(CancellationToken::new());
        lease(Duration::ZERO).await;
        let a_moment = Duration::from_millis(20);
        let early = tokio::time::timeout(a_moment, lease(BY_PROXY)).await;
        assert!(early.is_err());
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        Lease::by_proxy().ended(shutdown).await;
    }
}
