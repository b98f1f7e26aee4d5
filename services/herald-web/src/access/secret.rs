//! Texts that nobody guesses, and what is kept of them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// What is kept of a secret: from it nobody gets the secret back.
pub(super) type Fingerprint = [u8; 32];

/// 256 random bits as 43 characters that fit in a header, an address and a form.
///
/// # Panics
/// The system has no random numbers: nothing can be kept secret then.
pub(super) fn random() -> String {
    encoded(&random_bytes::<32>())
}

/// Bytes as a text of the same letters.
pub(super) fn encoded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// So many random bytes.
///
/// # Panics
/// As [`random`].
pub(super) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

/// The SHA-256 of a secret.
pub(super) fn fingerprint(secret: &str) -> Fingerprint {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::{fingerprint, random};

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, other) = (random(), random());
        assert_eq!((one.len(), other.len()), (43, 43));
        assert_ne!(one, other);
        assert_ne!(fingerprint(&one), fingerprint(&other));
        assert_eq!(fingerprint(&one), fingerprint(&one.clone()));
    }
}
