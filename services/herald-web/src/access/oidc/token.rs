//! Which ID tokens are believed: of this provider, for this client, signed by one of its
//! keys in a way that a key of the public cannot forge, for who has begun, and not over.

use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IdTokenVerifier, IssuerUrl,
    Nonce, SignatureVerificationError,
    core::{
        CoreGenderClaim, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    },
};
use serde_json::Value;

use super::claims::OtherClaims;

/// Signatures by a key that only the provider has: neither none, nor one by a secret that
/// both sides have.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What says who has signed in.
pub(super) type IdToken = openidconnect::IdToken<
    OtherClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// What a token is held against.
pub(super) struct Trust {
    pub(super) client_id: ClientId,
    pub(super) issuer: IssuerUrl,
    pub(super) keys: CoreJsonWebKeySet,
}

impl Trust {
    /// What a token says that came with `access`.
    ///
    /// # Errors
    /// It is not believed.
    pub(super) fn claims(
        &self,
        token: &IdToken,
        access: &AccessToken,
        nonce: &str,
    ) -> Result<Value, ClaimsVerificationError> {
        // Without the client's secret nothing that is signed by it is ever right.
        let verifier = IdTokenVerifier::new_public_client(
            self.client_id.clone(),
            self.issuer.clone(),
            self.keys.clone(),
        )
        .set_allowed_algs(ALGORITHMS);
        let claims = token.claims(&verifier, &Nonce::new(nonce.to_owned()))?;
        let other = |problem: String| ClaimsVerificationError::Other(problem);
        let party = claims.authorized_party();
        if party.is_some_and(|party| **party != *self.client_id) {
            return Err(other("it was made for another client".to_owned()));
        }
        if let Some(told) = claims.access_token_hash() {
            let algorithm = token.signing_alg();
            let algorithm = algorithm.map_err(ClaimsVerificationError::SignatureVerification)?;
            let key = token.signing_key(&verifier);
            let key = key.map_err(ClaimsVerificationError::SignatureVerification)?;
            let made = AccessTokenHash::from_token(access, algorithm, key);
            if made.map_err(|error| other(error.to_string()))? != *told {
                return Err(other("it is of another access token".to_owned()));
            }
        }
        serde_json::to_value(claims)
            .map_err(|error| ClaimsVerificationError::Other(error.to_string()))
    }
}

/// Whether the provider may have signed by a key that it has not told of before.
pub(super) fn may_be_a_newer_key(failure: &ClaimsVerificationError) -> bool {
    use SignatureVerificationError::{AmbiguousKeyId, CryptoError, NoMatchingKey};
    matches!(
        failure,
        ClaimsVerificationError::SignatureVerification(
            NoMatchingKey | CryptoError(_) | AmbiguousKeyId(_)
        )
    )
}

#[cfg(test)]
mod tests;
