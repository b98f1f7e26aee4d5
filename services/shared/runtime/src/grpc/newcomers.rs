//! Connections that have not asked for anything yet: nobody knows who they are, and
//! they must not take the places of those who work. While there are plenty nobody is
//! turned away; when half are taken, an address may have only some of them.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many an address may have when places are getting few.
const MOST_OF_AN_ADDRESS: usize = 64;

/// How many each address has.
#[derive(Debug, Clone, Default)]
pub(super) struct Newcomers(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Newcomers {
    /// Counts one of `address`; none when it has its share, and places are few.
    pub(super) fn admit(&self, address: IpAddr, are_few: bool) -> Option<Newcomer> {
        let address = network(address);
        let mut known = self.lock();
        let held = known.entry(address).or_default();
        if are_few && *held >= MOST_OF_AN_ADDRESS {
            return None;
        }
        *held += 1;
        Some(Newcomer {
            all: self.clone(),
            address,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that has not asked for anything; dropped when it has.
#[derive(Debug)]
pub(super) struct Newcomer {
    all: Newcomers,
    address: IpAddr,
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        let mut known = self.all.lock();
        if let Some(held) = known.get_mut(&self.address) {
            *held -= 1;
            if *held == 0 {
                known.remove(&self.address);
            }
        }
    }
}

/// Whoever has an address of IPv6 has its network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => Ipv6Addr::from_bits(it.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_only_when_places_are_few() {
        let newcomers = Newcomers::default();
        let admit = |address: &str, are_few| newcomers.admit(address.parse().unwrap(), are_few);
        let mut held: Vec<_> = (0..MOST_OF_AN_ADDRESS + 100)
            .map(|_| admit("10.0.0.1", false).unwrap())
            .collect();
        assert!(admit("10.0.0.1", true).is_none());
        assert!(admit("::ffff:10.0.0.1", true).is_none(), "the same");
        let other = admit("10.0.0.2", true).unwrap();
        held.truncate(MOST_OF_AN_ADDRESS - 1);
        assert!(admit("10.0.0.1", true).is_some());
        drop((held, other));
        assert!(newcomers.lock().is_empty());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let newcomers = Newcomers::default();
        let held: Vec<_> = (0..MOST_OF_AN_ADDRESS)
            .map(|last| {
                let address = format!("2001:db8::{last:x}").parse().unwrap();
                newcomers.admit(address, true).unwrap()
            })
            .collect();
        assert_eq!(newcomers.lock().len(), 1);
        let admit = |address: &str| newcomers.admit(address.parse().unwrap(), true);
        assert!(admit("2001:db8::ffff").is_none());
        assert!(admit("2001:db8:0:1::1").is_some());
        drop(held);
    }
}
