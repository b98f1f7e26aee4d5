//! Tokens that others have made, or for others, are not believed.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use openidconnect::{
    AccessToken, AccessTokenHash, ClientId, IssuerUrl, JsonWebKeyId, JsonWebKeySet,
    PrivateSigningKey,
    core::{CoreEdDsaPrivateSigningKey, CoreHmacKey, CoreJwsSigningAlgorithm},
};
use serde_json::{Value, json};

use super::{IdToken, Trust};

const CLIENT: &str = "herald";
const ISSUER: &str = "https://login.example.com";
const NONCE: &str = "of this very sign-in";
const ACCESS: &str = "access";
const IN_2100: i64 = 4_102_444_800;

/// A private key of these 32 bytes.
fn key(seed: u8) -> CoreEdDsaPrivateSigningKey {
    let head = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
    let der = [&head[..], &[seed; 32]].concat();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        BASE64_STANDARD.encode(der)
    );
    let id = JsonWebKeyId::new(format!("key-{seed}"));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(id)).unwrap()
}

fn trust() -> Trust {
    Trust {
        client_id: ClientId::new(CLIENT.to_owned()),
        issuer: IssuerUrl::new(ISSUER.to_owned()).unwrap(),
        keys: JsonWebKeySet::new(vec![key(1).as_verification_key()]),
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "7", "exp": IN_2100, "iat": 1, "nonce": NONCE,
        "groups": ["ops"],
    })
}

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token of these parts, signed by whatever `sign` does.
fn token(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn signed(seed: u8, claims: &Value) -> String {
    let header = json!({"alg": "EdDSA", "kid": format!("key-{seed}")});
    token(&header, claims, |text| {
        key(seed)
            .sign(&CoreJwsSigningAlgorithm::EdDsa, text)
            .unwrap()
    })
}

fn outcome(token: &str) -> Result<Value, String> {
    let token: IdToken = token.parse().map_err(|_| "no token".to_owned())?;
    let access = AccessToken::new(ACCESS.to_owned());
    let claims = trust().claims(&token, &access, NONCE);
    claims.map_err(|error| match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })
}

#[test]
fn a_token_of_the_provider_is_believed() {
    let found = outcome(&signed(1, &claims())).unwrap();
    assert_eq!(found["sub"], "7");
    assert_eq!(found["groups"], json!(["ops"]));
}

#[test]
fn tokens_of_and_for_others_are_not_believed() {
    let check = |changed: Value, part: &str| {
        let mut claims = claims();
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let error = outcome(&signed(1, &claims)).unwrap_err();
        assert!(error.contains(part), "{changed}: {error}");
    };
    check(json!({"iss": "https://evil.example"}), "Invalid issuer");
    check(json!({"iss": format!("{ISSUER}/")}), "Invalid issuer");
    check(json!({"aud": "another"}), "Invalid audiences");
    check(json!({"aud": []}), "Invalid audiences");
    check(
        json!({"aud": [CLIENT, "another"]}),
        "not a trusted audience",
    );
    check(json!({"exp": 1}), "Expired");
    check(json!({"nonce": "of another"}), "Invalid nonce");
    check(json!({"nonce": null}), "Invalid nonce");
    check(json!({"azp": "another"}), "made for another client");
    check(
        json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
        "another access token",
    );
}

#[test]
fn the_access_token_is_held_against_its_hash() {
    let hash = AccessTokenHash::from_token(
        &AccessToken::new(ACCESS.to_owned()),
        &CoreJwsSigningAlgorithm::EdDsa,
        &key(1).as_verification_key(),
    );
    let mut claims = claims();
    claims["at_hash"] = serde_json::to_value(hash.unwrap()).unwrap();
    outcome(&signed(1, &claims)).unwrap();
}

#[test]
fn signatures_of_others_are_not_believed() {
    let claims = claims();
    let error = outcome(&signed(2, &claims)).unwrap_err();
    assert!(error.contains("No matching key"), "{error}");
    // By another key, but of the name of the right one.
    let header = json!({"alg": "EdDSA", "kid": "key-1"});
    let forged = token(&header, &claims, |text| {
        key(2).sign(&CoreJwsSigningAlgorithm::EdDsa, text).unwrap()
    });
    let error = outcome(&forged).unwrap_err();
    assert!(error.contains("Signature verification failed"), "{error}");
    // Other claims below the right signature.
    let right = signed(1, &claims);
    let parts: Vec<&str> = right.split('.').collect();
    let mut more = claims;
    more["groups"] = json!(["admins"]);
    let error = outcome(&format!("{}.{}.{}", parts[0], encoded(&more), parts[2])).unwrap_err();
    assert!(error.contains("Signature verification failed"), "{error}");
}

#[test]
fn neither_no_signature_nor_one_by_a_shared_secret_is_believed() {
    let check = |algorithm: &str, signature: Vec<u8>| {
        for header in [
            json!({"alg": algorithm}),
            json!({"alg": algorithm, "kid": "key-1"}),
        ] {
            let error = outcome(&token(&header, &claims(), |_| signature.clone())).unwrap_err();
            let is_refused = ["Disallowed", "No signature", "no token"];
            assert!(
                is_refused.iter().any(|it| error.contains(it)),
                "{algorithm}: {error}"
            );
        }
    };
    for algorithm in [
        "none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "",
    ] {
        check(algorithm, Vec::new());
        check(algorithm, vec![0; 32]);
    }
    // The public key, which everybody has, taken for a secret.
    let public = serde_json::to_value(key(1).as_verification_key()).unwrap();
    let public = BASE64_URL_SAFE_NO_PAD
        .decode(public["x"].as_str().unwrap())
        .unwrap();
    for secret in [public, b"client secret".to_vec()] {
        let signing = CoreHmacKey::new(secret);
        let header = json!({"alg": "HS256", "kid": "key-1"});
        let forged = token(&header, &claims(), |text| {
            signing
                .sign(&CoreJwsSigningAlgorithm::HmacSha256, text)
                .unwrap()
        });
        let error = outcome(&forged).unwrap_err();
        assert!(error.contains("Disallowed signature algorithm"), "{error}");
    }
}
