//! What a provider says of somebody who has signed in there: a name, and groups that
//! give a role.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{OidcError, OidcSettings};
use crate::access::{Rights, forwarded::is_name};

/// All claims that the standard does not name.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(super) struct OtherClaims(Map<String, Value>);

impl AdditionalClaims for OtherClaims {}

/// Somebody whom the provider has let sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) rights: Rights,
}

/// Whether the claims say all that is asked for.
pub(super) fn is_complete(claims: &Value, settings: &OidcSettings) -> bool {
    [&settings.name_claim, &settings.groups_claim]
        .into_iter()
        .all(|name| find(claims, name).is_some())
}

/// Who it is; somebody in none of the groups is nobody here.
///
/// # Errors
/// The claims do not say, or not who may come in.
pub(super) fn identity(claims: &Value, settings: &OidcSettings) -> Result<Identity, OidcError> {
    let name = find(claims, &settings.name_claim).and_then(Value::as_str);
    let name = name.map(str::trim).filter(|name| is_name(name));
    // Whoever registers may call any address theirs until the provider has asked there.
    let is_unproven = settings.name_claim == "email"
        && find(claims, "email_verified").is_some_and(|it| *it != Value::Bool(true));
    let name = name.filter(|_| !is_unproven).ok_or_else(|| {
        let claim = settings.name_claim.clone();
        OidcError::NoName { claim }
    })?;
    let groups = find(claims, &settings.groups_claim).map_or_else(Vec::new, texts);
    let rights = settings.groups.rights(&groups, None);
    Ok(Identity {
        name: name.to_owned(),
        rights: rights.ok_or(OidcError::NoGroup)?,
    })
}

/// A claim by its name, or, where there is none of that name, by the names on the way to
/// it: `realm_access.roles`.
fn find<'c>(claims: &'c Value, name: &str) -> Option<&'c Value> {
    let found = claims.get(name).or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        find(claims.get(outer)?, inner)
    });
    found.filter(|value| !value.is_null())
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Identity, identity, is_complete};
    use crate::access::{
        Groups, Role,
        oidc::{OidcError, OidcSettings, settings::example},
    };

    fn settings(name: &str, groups: &str, viewers: &[&str]) -> OidcSettings {
        OidcSettings {
            name_claim: name.to_owned(),
            groups_claim: groups.to_owned(),
            groups: Groups {
                operators: vec!["/ops".to_owned()],
                viewers: viewers.iter().map(|group| (*group).to_owned()).collect(),
                systems: Vec::new(),
            },
            ..example()
        }
    }

    fn role(claims: &Value, settings: &OidcSettings) -> Option<Role> {
        identity(claims, settings)
            .ok()
            .map(|found| found.rights.role)
    }

    #[test]
    fn nobody_gets_in_without_a_group() {
        let check = |viewers: &[&str], groups: Value, expected: Option<Role>| {
            let claims = json!({"name": "anna", "groups": groups});
            let found = role(&claims, &settings("name", "groups", viewers));
            assert_eq!(found, expected, "{viewers:?} {claims}");
        };
        check(&[], json!([]), None);
        check(&[], Value::Null, None);
        check(&[], json!(["staff", "ops"]), None);
        check(&[], json!({"/ops": true}), None);
        check(&[], json!(["/ops"]), Some(Role::Operator));
        check(&[], json!("/ops"), Some(Role::Operator));
        check(&["staff"], json!(["staff", 7]), Some(Role::Viewer));
        check(&["staff"], json!(["staff", "/ops"]), Some(Role::Operator));
        check(&["staff"], json!(["*"]), None);
        check(&["*"], json!([]), Some(Role::Viewer));
        check(&["*"], Value::Null, Some(Role::Viewer));
    }

    #[test]
    fn claims_are_found_by_their_name_or_their_way() {
        let claims = json!({
            "name": " Jürgen X ",
            "realm_access": {"roles": ["/ops"]},
            "https://example.com/groups": ["/ops"],
        });
        for groups in ["realm_access.roles", "https://example.com/groups"] {
            let settings = settings("name", groups, &[]);
            let expected = Identity {
                name: "Jürgen X".to_owned(),
                rights: Role::Operator.into(),
            };
            assert_eq!(identity(&claims, &settings).unwrap(), expected);
            assert!(is_complete(&claims, &settings));
        }
        assert!(!is_complete(&claims, &settings("name", "groups", &[])));
        assert!(!is_complete(
            &claims,
            &settings("nick", "realm_access", &[])
        ));
    }

    #[test]
    fn a_name_is_somebodys_own() {
        let check = |claims: Value, name: &str, is_taken: bool| {
            let found = identity(&claims, &settings(name, "groups", &["*"]));
            match found {
                Ok(_) => assert!(is_taken, "{claims}"),
                Err(error) => {
                    assert!(matches!(error, OidcError::NoName { .. }), "{error}");
                    assert!(!is_taken, "{claims}");
                }
            }
        };
        check(json!({}), "name", false);
        check(json!({"name": ""}), "name", false);
        check(json!({"name": "a\tb"}), "name", false);
        check(json!({"name": ["a"]}), "name", false);
        check(json!({"name": "x".repeat(101)}), "name", false);
        check(json!({"email": "a@example.com"}), "email", true);
        let proven = |it: bool| json!({"email": "a@example.com", "email_verified": it});
        check(proven(true), "email", true);
        check(proven(false), "email", false);
    }
}
