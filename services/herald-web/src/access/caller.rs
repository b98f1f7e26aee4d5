//! Where a request comes from: what a proxy in front says of it is believed of listed
//! proxies only.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap},
};
use runtime::networks::Networks;

/// What proxies add; whoever sends one of these is not somebody at this machine.
const FORWARDED: [&str; 7] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
];

/// Whether a proxy has handed a request on, as far as it says so.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// Who asks, as far as the connection tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The other end of the connection.
    pub(super) peer: IpAddr,
    /// Where the request was made.
    pub(crate) address: IpAddr,
    /// The browser's own connection is encrypted.
    pub(crate) is_https: bool,
    /// It was made at this machine, and nothing stands between.
    pub(crate) is_here: bool,
}

impl Caller {
    /// Reads what the connection and, if `proxies` contain the peer, the headers say.
    pub(crate) fn of(extensions: &Extensions, headers: &HeaderMap, proxies: &Networks) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let peer = peer.to_canonical();
        if proxies.contain(peer) {
            let proto = headers.get_all("x-forwarded-proto").iter().next_back();
            return Self {
                peer,
                address: behind(headers, proxies).unwrap_or(peer),
                is_https: proto.is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"https")),
                is_here: false,
            };
        }
        Self {
            peer,
            address: peer,
            is_https: false,
            is_here: peer.is_loopback() && !is_forwarded(headers),
        }
    }
}

/// The last address that a listed proxy has seen and that is none: what is further to the
/// left anybody can have written.
fn behind(headers: &HeaderMap, proxies: &Networks) -> Option<IpAddr> {
    let values = headers.get_all("x-forwarded-for").iter();
    let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    let mut seen = texts.iter().flat_map(|text| text.split(',')).rev();
    seen.find_map(|text| match read_address(text.trim()) {
        Some(address) if proxies.contain(address) => None,
        address => Some(address),
    })?
}

/// Some proxies add a port.
fn read_address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    let address = text.parse().ok().or_else(with_port)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};

    use axum::{
        extract::ConnectInfo,
        http::{Extensions, HeaderMap, HeaderName, HeaderValue},
    };

    use super::Caller;

    #[test]
    fn only_listed_proxies_are_believed() {
        let check =
            |peer: &str, headers: &[(&'static str, &'static str)], expected: (&str, bool, bool)| {
                let mut extensions = Extensions::new();
                let peer = SocketAddr::new(peer.parse().unwrap(), 1);
                extensions.insert(ConnectInfo(peer));
                let mut map = HeaderMap::new();
                for (name, value) in headers {
                    map.append(
                        HeaderName::from_static(name),
                        HeaderValue::from_static(value),
                    );
                }
                let found = Caller::of(&extensions, &map, &"10.0.0.0/8".parse().unwrap());
                let expected = Caller {
                    peer: peer.ip().to_canonical(),
                    address: expected.0.parse::<IpAddr>().unwrap(),
                    is_https: expected.1,
                    is_here: expected.2,
                };
                assert_eq!(found, expected, "{peer} {headers:?}");
            };
        let https = ("x-forwarded-proto", "https");
        check("127.0.0.1", &[], ("127.0.0.1", false, true));
        check("::ffff:127.0.0.1", &[], ("127.0.0.1", false, true));
        check("127.0.0.1", &[https], ("127.0.0.1", false, false));
        for (name, value) in [("via", "1.1 nginx"), ("forwarded", "for=192.0.2.1")] {
            check("127.0.0.1", &[(name, value)], ("127.0.0.1", false, false));
        }
        check("192.0.2.1", &[https], ("192.0.2.1", false, false));
        check("10.0.0.7", &[], ("10.0.0.7", false, false));
        check("10.0.0.7", &[https], ("10.0.0.7", true, false));
        check(
            "10.0.0.7",
            &[https, ("x-forwarded-proto", "http")],
            ("10.0.0.7", false, false),
        );
        let forged = ("x-forwarded-for", "127.0.0.1, 192.0.2.9, 10.0.0.8");
        check("10.0.0.7", &[forged], ("192.0.2.9", false, false));
        check("192.0.2.1", &[forged], ("192.0.2.1", false, false));
        check(
            "10.0.0.7",
            &[("x-forwarded-for", "192.0.2.9:4711")],
            ("192.0.2.9", false, false),
        );
        check(
            "10.0.0.7",
            &[("x-forwarded-for", "192.0.2.9, unknown")],
            ("10.0.0.7", false, false),
        );
    }
}
