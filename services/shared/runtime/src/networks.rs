//! Lists of addresses and networks: who may connect, who is believed.

use std::{net::IpAddr, str::FromStr};

/// Single addresses, and networks such as `10.0.0.0/8`. An empty list is not written,
/// but the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<Network>);

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

/// A text that is no such list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no address or network: use a list such as 10.0.0.0/8, 192.168.1.5, 2001:db8::/32"
)]
pub struct InvalidNetworks(String);

impl Networks {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These and others.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        Self([&self.0[..], &others.0].concat())
    }

    /// Whether an address is one of these. An IPv4 address is the same however the
    /// system tells it (`::ffff:10.0.0.7`).
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.has(address))
    }
}

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differing = u32::from(own) ^ u32::from(other);
                differing.leading_zeros() >= self.bits
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differing = u128::from(own) ^ u128::from(other);
                differing.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = match address {
            IpAddr::V4(_) => u32::BITS,
            IpAddr::V6(_) => u128::BITS,
        };
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }
}

impl FromStr for Networks {
    type Err = InvalidNetworks;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = |part: &str| {
            let part = part.trim();
            Network::read(part).ok_or_else(|| InvalidNetworks(part.to_owned()))
        };
        text.split(',')
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::Networks;

    #[test]
    fn an_address_is_in_a_network_or_not() {
        let check = |list: &str, address: &str, expected: bool| {
            let list: Networks = list.parse().unwrap();
            let address = address.parse().unwrap();
            assert_eq!(list.contain(address), expected, "{list:?}: {address}");
        };
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("10.0.0.0/8", "::ffff:10.0.0.1", true);
        check("10.1.2.3/8", "10.9.9.9", true);
        check("192.168.1.5, 10.0.0.0/8", "192.168.1.5", true);
        check("192.168.1.5, 10.0.0.0/8", "192.168.1.6", false);
        check("192.168.1.4/31", "192.168.1.5", true);
        check("192.168.1.4/31", "192.168.1.6", false);
        check("0.0.0.0/0", "1.2.3.4", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("2001:db8::/32", "2001:db8:7::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("::1", "::1", true);
        check("10.0.0.0/8, ::1", "::1", true);
        assert!(!Networks::default().contain([1, 2, 3, 4].into()));
    }

    #[test]
    fn what_is_none_is_named() {
        for (list, wrong) in [
            ("", "``"),
            ("10.0.0.0/33", "`10.0.0.0/33`"),
            ("::/129", "`::/129`"),
            ("10.0.0.1,,10.0.0.2", "``"),
            ("localhost", "`localhost`"),
            ("10.0.0.0/-1", "`10.0.0.0/-1`"),
            ("10.0.0", "`10.0.0`"),
            ("10.0.0.1 10.0.0.2", "`10.0.0.1 10.0.0.2`"),
        ] {
            let error = list.parse::<Networks>().unwrap_err().to_string();
            assert!(error.starts_with(wrong), "{error}");
        }
    }
}
