//! Signing in at the provider is under way: which browser has begun it is in a cookie of
//! that browser alone, and what is to come back is made from it by a key that never
//! leaves this process. So nothing is kept for who begins and never comes back.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::Micros;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::access::secret::{Fingerprint, encoded, fingerprint, random, random_bytes};

/// How long somebody may take at the provider.
pub(in crate::access) const LIFETIME_S: i64 = 600;
/// The most bytes of a way back that a cookie holds.
const MAX_NEXT_BYTES: usize = 2_500;
/// How many that have come back are known, so that none does twice.
const MOST_USED: usize = 10_000;

/// All that are under way.
pub(super) struct Flows {
    key: [u8; 32],
    used: Mutex<VecDeque<(Fingerprint, Micros)>>,
}

/// What somebody begins with.
pub(super) struct Begun {
    /// The value of the cookie.
    pub(super) cookie: String,
    pub(super) flow: Flow,
}

/// What goes to the provider, and must come back.
pub(super) struct Flow {
    pub(super) state: String,
    pub(super) nonce: String,
    /// The code verifier of PKCE.
    pub(super) verifier: String,
    /// Where to go then, as it was asked for.
    pub(super) next: String,
}

/// Why what comes back is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlowError {
    /// This browser has begun nothing, or something else.
    Foreign,
    /// It took too long, or has come back already.
    Over,
}

impl Flows {
    pub(super) fn new() -> Self {
        Self {
            key: random_bytes(),
            used: Mutex::default(),
        }
    }

    /// Begins one that leads to `next`.
    pub(super) fn begin(&self, next: &str, now: Micros) -> Begun {
        let next = match next.len() <= MAX_NEXT_BYTES {
            true => next,
            false => "/",
        };
        let expires_s = now / 1_000_000 + LIFETIME_S;
        let seed = format!(
            "{expires_s}.{}.{}",
            random(),
            BASE64_URL_SAFE_NO_PAD.encode(next)
        );
        Begun {
            cookie: format!("{seed}.{}", self.made("cookie", &seed)),
            flow: self.flow(&seed, next.to_owned()),
        }
    }

    /// What somebody comes back with; taken once.
    ///
    /// # Errors
    /// Another browser has begun it, or none, or it is over.
    pub(super) fn finish(&self, cookie: &str, state: &str, now: Micros) -> Result<Flow, FlowError> {
        let (seed, mac) = cookie.rsplit_once('.').ok_or(FlowError::Foreign)?;
        if fingerprint(mac) != fingerprint(&self.made("cookie", seed)) {
            return Err(FlowError::Foreign);
        }
        let mut parts = seed.split('.');
        let expires_s: Option<i64> = parts.next().and_then(|text| text.parse().ok());
        let next = parts.nth(1).and_then(decoded);
        let (Some(expires_s), Some(next)) = (expires_s, next) else {
            return Err(FlowError::Foreign);
        };
        let flow = self.flow(seed, next);
        // Of the fingerprints nobody learns how far a guess agrees.
        if fingerprint(state) != fingerprint(&flow.state) {
            return Err(FlowError::Foreign);
        }
        let expires = expires_s * 1_000_000;
        match expires > now && self.is_first(fingerprint(seed), expires, now) {
            true => Ok(flow),
            false => Err(FlowError::Over),
        }
    }

    fn is_first(&self, seed: Fingerprint, expires: Micros, now: Micros) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|(_, expires)| *expires > now);
        if used.iter().any(|(known, _)| *known == seed) {
            return false;
        }
        if used.len() >= MOST_USED {
            used.pop_front();
        }
        used.push_back((seed, expires));
        true
    }

    fn flow(&self, seed: &str, next: String) -> Flow {
        Flow {
            state: self.made("state", seed),
            nonce: self.made("nonce", seed),
            verifier: self.made("verifier", seed),
            next,
        }
    }

    /// 43 characters that only this process makes of a seed.
    fn made(&self, what: &str, seed: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length fits");
        let mac = mac.chain_update(what).chain_update([0]).chain_update(seed);
        encoded(&mac.finalize().into_bytes())
    }
}

fn decoded(text: &str) -> Option<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{FlowError, Flows, LIFETIME_S};

    const NOW: i64 = 1_795_393_361_000_000;

    #[test]
    fn what_comes_back_is_taken_once_from_who_began() {
        let flows = Flows::new();
        let begun = flows.begin("/?q=a", NOW);
        let other = flows.begin("/?q=a", NOW);
        let state = begun.flow.state.clone();
        let check = |cookie: &str, state: &str, now, expected: Result<&str, FlowError>| {
            let found = flows.finish(cookie, state, now).map(|flow| flow.next);
            assert_eq!(found.as_deref().map_err(|e| *e), expected, "{cookie}");
        };
        let foreign = Err(FlowError::Foreign);
        check("", &state, NOW, foreign);
        check(&begun.cookie, "", NOW, foreign);
        check(&begun.cookie, &other.flow.state, NOW, foreign);
        check(&other.cookie, &state, NOW, foreign);
        check(&begun.cookie[1..], &state, NOW, foreign);
        let forged = begun.cookie.replace("Lz9xPWE", "L2V2aWw");
        assert_ne!(forged, begun.cookie, "another way back");
        check(&forged, &state, NOW, foreign);
        let late = NOW + LIFETIME_S * 1_000_000;
        check(&begun.cookie, &state, late, Err(FlowError::Over));
        check(&begun.cookie, &state, NOW, Ok("/?q=a"));
        check(&begun.cookie, &state, NOW, Err(FlowError::Over));
        // A Herald that was started anew knows nothing of it.
        let found = Flows::new().finish(&other.cookie, &other.flow.state, NOW);
        assert_eq!(found.err(), Some(FlowError::Foreign));
    }

    #[test]
    fn a_browser_is_told_no_secret() {
        let begun = Flows::new().begin(&"x".repeat(9_000), NOW);
        let flow = begun.flow;
        for secret in [&flow.state, &flow.nonce, &flow.verifier] {
            assert_eq!(secret.len(), 43);
            assert!(!begun.cookie.contains(secret));
        }
        assert_eq!(flow.next, "/");
        let longest = Flows::new().begin(&"x".repeat(2_500), NOW).cookie;
        assert!(longest.len() < 3_600, "browsers keep 4096 bytes");
    }
}
