//! Where a request comes from: what a proxy in front says of it is believed of listed
//! proxies only.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap},
};

/// What proxies add; whoever sends one of these is not somebody at this machine.
const FORWARDED: [&str; 4] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Addresses: single ones, and networks such as `10.0.0.0/8`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

/// A text that is no list of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address and no network: write them as 10.0.0.7 or 10.0.0.0/8, apart by commas"
)]
pub struct InvalidNetworks(String);

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

impl Networks {
    /// These and others.
    pub(super) fn and(&self, others: &Self) -> Self {
        Self([&self.0[..], &others.0].concat())
    }

    /// Whether an address is one of these.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        let differs = match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                let difference = ours.to_bits() ^ other.to_bits();
                difference.checked_shr(32 - self.bits).unwrap_or(0) != 0
            }
            (IpAddr::V6(ours), IpAddr::V6(other)) => {
                let difference = ours.to_bits() ^ other.to_bits();
                difference.checked_shr(128 - self.bits).unwrap_or(0) != 0
            }
            _ => true,
        };
        !differs
    }
}

impl FromStr for Networks {
    type Err = InvalidNetworks;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let networks =
            parts.map(|part| read_network(part).ok_or_else(|| InvalidNetworks(part.to_owned())));
        networks.collect::<Result<_, _>>().map(Self)
    }
}

fn read_network(text: &str) -> Option<Network> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some(Network { address, bits })
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
        let is_forwarded = FORWARDED.iter().any(|name| headers.contains_key(*name));
        Self {
            peer,
            address: peer,
            is_https: false,
            is_here: peer.is_loopback() && !is_forwarded,
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

    use super::{Caller, Networks};

    #[test]
    fn networks_are_told_apart() {
        let check = |list: &str, address: &str, expected: bool| {
            let networks: Networks = list.parse().unwrap();
            assert_eq!(
                networks.contain(address.parse().unwrap()),
                expected,
                "{list} {address}"
            );
        };
        check("", "10.0.0.1", false);
        check("10.0.0.7", "10.0.0.7", true);
        check("10.0.0.7", "::ffff:10.0.0.7", true);
        check("10.0.0.7", "10.0.0.6", false);
        check("10.0.0.0/8, ::1", "10.255.0.1", true);
        check("10.0.0.0/8, ::1", "11.0.0.1", false);
        check("10.0.0.0/8, ::1", "::1", true);
        check("2001:db8::/32", "2001:db8:1::5", true);
        check("2001:db8::/32", "2001:db9::", false);
        check("0.0.0.0/0", "1.2.3.4", true);
        check("0.0.0.0/0", "::1", false);
        for wrong in [
            "proxy.example",
            "10.0.0.0/33",
            "10.0.0.0/",
            "::/129",
            "10.0.0.1 10.0.0.2",
        ] {
            let error = wrong.parse::<Networks>().unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }

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
