//! Passwords: kept as argon2id, and held against it a few at a time, because each
//! takes 19 MiB and a core for a while.

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use super::secret::{fingerprint, random_bytes};

/// Fewest and most bytes of a password.
const MIN_BYTES: usize = 10;
const MAX_BYTES: usize = 1_024;
/// How many are checked at a time, and how many wait for it.
const AT_A_TIME: usize = 2;
const WAITING: usize = 32;
/// The most that the check of a password of a file may take: memory in KiB, and rounds.
const MAX_MEMORY_KIB: u32 = 256 << 10;
const MAX_ROUNDS: u32 = 16;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has {MIN_BYTES} to {MAX_BYTES} bytes")]
pub(super) struct InvalidPassword;

/// What is kept of a password: an argon2id PHC text.
///
/// # Errors
/// It is too short or too long.
pub(super) fn hashed(password: &str) -> Result<String, InvalidPassword> {
    if !(MIN_BYTES..=MAX_BYTES).contains(&password.len()) {
        return Err(InvalidPassword);
    }
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &random_bytes::<16>())
        .expect("the standard parameters fit");
    Ok(hash.to_string())
}

/// Whether a text of a file is what [`hashed`] makes, or what others make at a
/// reasonable cost.
///
/// # Errors
/// Why not; without the text.
pub(super) fn check_hash(text: &str) -> Result<(), String> {
    let wrong = || "`password=` is no argon2id hash such as `herald user password` makes";
    let hash = PasswordHash::new(text).map_err(|_| wrong())?;
    let params = argon2::Params::try_from(&hash).map_err(|_| wrong())?;
    if hash.algorithm != argon2::ARGON2ID_IDENT || hash.salt.is_none() || hash.hash.is_none() {
        return Err(wrong().to_owned());
    }
    match params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_ROUNDS {
        true => Ok(()),
        false => Err(format!(
            "`password=` takes more than {} MiB or {MAX_ROUNDS} rounds to check",
            MAX_MEMORY_KIB >> 10
        )),
    }
}

/// Checks passwords.
pub(super) struct Verifier {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// Checked where there is nobody at all.
    decoy: String,
    /// Which name is taken for which of the users there are, where nobody has it.
    key: String,
}

/// Too many are signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Busy;

impl Verifier {
    pub(super) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
            places: Arc::new(Semaphore::new(AT_A_TIME + WAITING)),
            decoy: hashed(&super::secret::random()).expect("43 bytes are a password"),
            key: super::secret::random(),
        }
    }

    /// Which of `all` is checked for a name that nobody has, so that this takes as long as
    /// for one of them: always the same of a name, as users have it.
    pub(super) fn stand_in<'t, T>(&self, name: &str, all: &'t [T]) -> Option<&'t T> {
        let shown = fingerprint(&format!("{}{name}", self.key));
        let number = shown[..8]
            .iter()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let at = number.checked_rem(all.len() as u64)?;
        all.get(usize::try_from(at).ok()?)
    }

    /// Whether this is the password of which that was kept; no without any, which takes as
    /// long as with that of `stand_in`.
    ///
    /// # Errors
    /// Too many wait for an answer.
    pub(super) async fn is_right(
        &self,
        password: &str,
        kept: Option<&str>,
        stand_in: Option<&str>,
    ) -> Result<bool, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.expect("nobody closes the semaphore");
        let hash = kept.or(stand_in).unwrap_or(&self.decoy).to_owned();
        let is_somebodys = kept.is_some() && password.len() <= MAX_BYTES;
        let password = password.to_owned();
        let checked = tokio::task::spawn_blocking(move || {
            // Held to the end also where nobody waits for it any more.
            let _turn = turn;
            let hash = PasswordHash::new(&hash);
            hash.is_ok_and(|hash| {
                Argon2::default()
                    .verify_password(password.as_bytes(), &hash)
                    .is_ok()
            })
        });
        Ok(checked.await.unwrap_or(false) && is_somebodys)
    }
}

#[cfg(test)]
mod tests {
    use argon2::{
        Argon2,
        password_hash::{PasswordHasher, phc::PasswordHash},
    };

    use super::{InvalidPassword, Verifier, check_hash, hashed};

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let kept = hashed("correct horse").unwrap();
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        assert_ne!(kept, hashed("correct horse").unwrap(), "salted");
        let verifier = Verifier::new();
        let check = async |password: &str, kept: Option<&str>, expected: bool| {
            assert_eq!(
                verifier.is_right(password, kept, None).await,
                Ok(expected),
                "{password}"
            );
        };
        check("correct horse", Some(&kept), true).await;
        check("correct horsf", Some(&kept), false).await;
        check("", Some(&kept), false).await;
        check("correct horse", None, false).await;
        check("correct horse", Some("no hash"), false).await;
        let lent = verifier.is_right("correct horse", None, Some(&kept)).await;
        assert_eq!(lent, Ok(false), "it is another one's");
    }

    /// Guards against names told by how long it takes that nobody has them.
    #[tokio::test]
    async fn a_name_that_nobody_has_takes_as_long_as_one_of_the_file() {
        let costly = |memory_kib: u32| {
            let params = argon2::Params::new(memory_kib, 2, 1, None).unwrap();
            let argon = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
            let hash: PasswordHash = argon.hash_password_with_salt(b"x", &[7; 16]).unwrap();
            hash.to_string()
        };
        let verifier = Verifier::new();
        let hashes = [costly(8), costly(16 << 10)];
        let stand_in = |name: &str| verifier.stand_in(name, &hashes).unwrap().clone();
        let names: Vec<_> = (0..64).map(|n| n.to_string()).collect();
        for hash in &hashes {
            let taken = names.iter().filter(|name| stand_in(name) == *hash).count();
            assert!((8..=56).contains(&taken), "{taken} of 64");
        }
        assert!(names.iter().all(|name| stand_in(name) == stand_in(name)));
        assert_eq!(verifier.stand_in("x", &hashes[..0]), None);

        let took = async |kept: Option<&str>, stand_in: Option<&str>| {
            let mut least = std::time::Duration::MAX;
            for _ in 0..5 {
                let began = std::time::Instant::now();
                let right = verifier.is_right("wrong", kept, stand_in).await;
                assert_eq!(right, Ok(false));
                least = least.min(began.elapsed());
            }
            least
        };
        let cheap = took(None, Some(&hashes[0])).await;
        let costly = took(None, Some(&hashes[1])).await;
        assert!(costly > 4 * cheap, "{costly:?} and {cheap:?}");
    }

    #[test]
    fn a_password_is_neither_short_nor_endless() {
        assert_eq!(hashed("123456789"), Err(InvalidPassword));
        assert_eq!(hashed(&"x".repeat(1_025)), Err(InvalidPassword));
        assert!(hashed(&"x".repeat(1_024)).is_ok());
    }

    #[test]
    fn only_hashes_of_a_reasonable_cost_are_taken() {
        let rest = "$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
        let check = |head: &str, is_taken: bool| {
            assert_eq!(
                check_hash(&format!("{head}{rest}")).is_ok(),
                is_taken,
                "{head}"
            );
        };
        check("$argon2id$v=19$m=19456,t=2,p=1", true);
        check("$argon2id$v=19$m=65536,t=3,p=4", true);
        check("$argon2i$v=19$m=19456,t=2,p=1", false);
        check("$argon2id$v=19$m=4194304,t=2,p=1", false);
        check("$argon2id$v=19$m=19456,t=200,p=1", false);
        assert!(check_hash("secret").is_err());
        assert!(check_hash("$argon2id$v=19$m=19456,t=2,p=1").is_err());
    }
}
