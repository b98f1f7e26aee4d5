//! Who asks, as a proxy in front says that has let them sign in: believed of listed
//! proxies only, and of nobody else.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    Groups, Networks, Rights, Role,
    secret::{encoded, random_bytes},
};

/// Longest name that a proxy or a provider may give somebody, in bytes: the store takes no longer one
/// of who has changed something.
const MAX_NAME_BYTES: usize = 100;

/// What a proxy says, and of which proxies it is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyAuth {
    /// The proxies.
    pub from: Networks,
    /// The header with the name of who asks.
    pub user_header: HeaderName,
    /// The header with the groups, apart by commas.
    pub groups_header: HeaderName,
    /// What groups give; without any of viewers, everybody whom a proxy names reads.
    pub groups: Groups,
}

/// Who asks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Forwarded {
    pub(super) name: String,
    pub(super) rights: Rights,
}

/// What forms carry of those who have no session here.
pub(super) struct FormTokens {
    key: [u8; 32],
}

impl ProxyAuth {
    /// Whom a proxy names. Somebody in none of the groups is nobody here.
    pub(super) fn read(&self, peer: IpAddr, headers: &HeaderMap) -> Option<Forwarded> {
        if !self.from.contain(peer) {
            return None;
        }
        let name = only(headers, &self.user_header)?;
        if !is_name(name) {
            return None;
        }
        Some(Forwarded {
            rights: self.rights(headers)?,
            name: name.to_owned(),
        })
    }

    fn rights(&self, headers: &HeaderMap) -> Option<Rights> {
        let text = match headers.contains_key(&self.groups_header) {
            true => only(headers, &self.groups_header)?,
            false => "",
        };
        let groups: Vec<&str> = text.split(',').map(str::trim).collect();
        let default = self.groups.viewers.is_empty().then_some(Role::Viewer);
        self.groups.rights(&groups, default)
    }
}

/// Whether others may call somebody so.
pub(super) fn is_name(name: &str) -> bool {
    let is_short = (1..=MAX_NAME_BYTES).contains(&name.len());
    is_short && !name.chars().any(char::is_control)
}

/// The value of a header that is there once: of two, one may be somebody else's.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    match values.next() {
        None => Some(std::str::from_utf8(value.as_bytes()).ok()?.trim()),
        Some(_) => None,
    }
}

impl FormTokens {
    pub(super) fn new() -> Self {
        Self {
            key: random_bytes(),
        }
    }

    /// The token of somebody's forms, until herald-web stops.
    pub(super) fn of(&self, name: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length fits");
        encoded(&mac.chain_update(name.as_bytes()).finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{FormTokens, Forwarded, Groups, ProxyAuth};
    use crate::access::Role;

    fn proxies(viewers: &[&str]) -> ProxyAuth {
        let owned = |groups: &[&str]| groups.iter().map(|group| (*group).to_owned()).collect();
        ProxyAuth {
            from: "10.0.0.0/8".parse().unwrap(),
            user_header: HeaderName::from_static("x-remote-user"),
            groups_header: HeaderName::from_static("x-remote-groups"),
            groups: Groups {
                viewers: owned(viewers),
                operators: owned(&["ops", "on call"]),
                systems: Vec::new(),
            },
        }
    }

    fn read(
        viewers: &[&str],
        peer: &str,
        headers: &[(&'static str, &'static str)],
    ) -> Option<Forwarded> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            map.append(HeaderName::from_static(name), value);
        }
        proxies(viewers).read(peer.parse().unwrap(), &map)
    }

    const ANNA: (&str, &str) = ("x-remote-user", "anna");

    #[test]
    fn only_listed_proxies_name_somebody() {
        let check =
            |peer: &str, headers: &[(&'static str, &'static str)], expected: Option<&str>| {
                let found = read(&[], peer, headers);
                let name = found.as_ref().map(|found| found.name.as_str());
                assert_eq!(name, expected, "{peer} {headers:?}");
            };
        check("10.0.0.7", &[ANNA], Some("anna"));
        check("::ffff:10.0.0.7", &[ANNA], Some("anna"));
        check(
            "10.0.0.7",
            &[("x-remote-user", " Jürgen X ")],
            Some("Jürgen X"),
        );
        check("192.0.2.1", &[ANNA], None);
        check("127.0.0.1", &[ANNA], None);
        check("10.0.0.7", &[], None);
        check("10.0.0.7", &[("x-remote-user", "")], None);
        check("10.0.0.7", &[("x-remote-user", "a\tb")], None);
        check("10.0.0.7", &[ANNA, ("x-remote-user", "bo")], None);
    }

    #[test]
    fn groups_give_roles() {
        let check = |viewers: &[&str], groups: &'static str, expected: Option<Role>| {
            let headers = [ANNA, ("x-remote-groups", groups)];
            let found = read(viewers, "10.0.0.7", &headers).map(|found| found.rights.role);
            assert_eq!(found, expected, "{viewers:?} {groups}");
        };
        check(&[], "", Some(Role::Viewer));
        check(&[], "staff", Some(Role::Viewer));
        check(&[], "staff, ops", Some(Role::Operator));
        check(&[], "on call,staff", Some(Role::Operator));
        check(&[], "opsx", Some(Role::Viewer));
        check(&["staff"], "guests", None);
        check(&["staff"], "", None);
        check(&["staff"], "guests,staff", Some(Role::Viewer));
        check(&["staff"], "ops", Some(Role::Operator));
        let twice = [
            ANNA,
            ("x-remote-groups", "staff"),
            ("x-remote-groups", "ops"),
        ];
        assert_eq!(read(&[], "10.0.0.7", &twice), None);
        let none = read(&[], "10.0.0.7", &[ANNA]).map(|found| found.rights.role);
        assert_eq!(none, Some(Role::Viewer));
    }

    #[test]
    fn tokens_of_forms_are_somebodys_own() {
        let (tokens, others) = (FormTokens::new(), FormTokens::new());
        assert_eq!(tokens.of("anna"), tokens.of("anna"));
        assert_ne!(tokens.of("anna"), tokens.of("bo"));
        assert_ne!(tokens.of("anna"), others.of("anna"));
    }
}
