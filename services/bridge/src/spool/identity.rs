//! Under which name a range of sequence numbers is given to a destination.

use uuid::Uuid;

use super::fields::Fields;

/// A spool's identity. All numbers from `first` on belong to it, until the next
/// identity begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) bridge_id: Uuid,
    /// The first sequence number ever used under it.
    pub(super) first: u64,
    /// 1 for the first identity of a spool, 2 for the next; the higher one is right.
    pub(super) number: u64,
}

impl Identity {
    pub(super) const BYTES: usize = 32;

    /// A new identity that no destination has heard of.
    pub(super) fn fresh(first: u64, number: u64) -> Self {
        Self {
            bridge_id: Uuid::new_v4(),
            first,
            number,
        }
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.bridge_id.as_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
    }

    pub(super) fn decode(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            bridge_id: Uuid::from_bytes(fields.bytes()?),
            first: fields.u64()?,
            number: fields.u64()?,
        })
    }
}

/// The identities of a spool in the order of their numbers; each ends where the
/// next begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Identities(Vec<Identity>);

impl Identities {
    /// Adds one, unless it is known.
    pub(super) fn insert(&mut self, identity: Identity) {
        if self
            .0
            .iter()
            .any(|known| known.bridge_id == identity.bridge_id)
        {
            return;
        }
        self.0.push(identity);
        self.0.sort_by_key(|known| (known.first, known.number));
    }

    /// The identity of a sequence number and the first number that is not its
    /// own (`u64::MAX` for the newest). Numbers before the oldest count as its own.
    pub(super) fn at(&self, sequence: u64) -> (Identity, u64) {
        let after = self
            .0
            .partition_point(|known| known.first <= sequence)
            .max(1);
        let end = self.0.get(after).map_or(u64::MAX, |next| next.first);
        (self.0[after - 1], end)
    }

    /// The place of the newest one; 0 when there is none.
    pub(super) fn highest_number(&self) -> u64 {
        self.0.iter().map(|known| known.number).max().unwrap_or(0)
    }

    /// The identity that new entries get.
    pub(super) fn newest(&self) -> Identity {
        *self
            .0
            .iter()
            .max_by_key(|known| known.number)
            .expect("a spool has an identity")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(id: u8, first: u64, number: u64) -> Identity {
        Identity {
            bridge_id: Uuid::from_bytes([id; 16]),
            first,
            number,
        }
    }

    #[test]
    fn codec_returns_what_it_was_given() {
        let mut bytes = Vec::new();
        identity(7, 40, 3).encode(&mut bytes);
        assert_eq!(bytes.len(), Identity::BYTES);
        assert_eq!(
            Identity::decode(&mut Fields::of(&bytes)),
            Some(identity(7, 40, 3))
        );
        assert_eq!(Identity::decode(&mut Fields::of(&bytes[1..])), None);
    }

    #[test]
    fn a_number_belongs_to_the_last_identity_that_began_before_it() {
        let mut identities = Identities::default();
        for known in [
            identity(2, 10, 2),
            identity(1, 1, 1),
            identity(3, 10, 3),
            identity(4, 20, 4),
        ] {
            identities.insert(known);
        }
        let check = |sequence, id, end| {
            let (found, found_end) = identities.at(sequence);
            assert_eq!(
                (found.bridge_id, found_end),
                (Uuid::from_bytes([id; 16]), end),
                "{sequence}"
            );
        };
        check(0, 1, 10);
        check(1, 1, 10);
        check(9, 1, 10);
        check(10, 3, 20);
        check(19, 3, 20);
        check(20, 4, u64::MAX);
        assert_eq!(identities.newest(), identity(4, 20, 4));
    }
}
