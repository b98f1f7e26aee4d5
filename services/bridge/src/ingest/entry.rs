//! One entry of another bridge: from the wire into the spool, and back out of it.

use bytes::Bytes;
use domain::Entry;
use prost::Message;
use proto::{
    MAX_HOPS,
    v1::{self, Origin, entry::Kind},
};
use uuid::Uuid;

use crate::spool;

/// Whose entries come over a stream.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The spool that numbers them.
    pub(super) upstream: Uuid,
    /// The first number that is expected if nothing was ever taken of it.
    pub(super) begin: u64,
    /// What the sender calls itself in paths; empty for one that is no bridge.
    pub(super) hop: Bytes,
}

/// An entry of the wire, looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Looked {
    /// To be kept, encoded for the spool.
    Kept(Bytes),
    /// Stands for nothing.
    Skipped,
    /// It was here before, or on too many bridges.
    GoesRound,
}

/// Whether what tells of the way of an entry is no longer than it may be.
pub(super) fn is_sound(entry: &v1::Entry) -> bool {
    entry.origin.as_ref().is_none_or(|origin| {
        origin.bridge_id.len() == 16 && origin.path.iter().all(|hop| hop.len() == 16)
    })
}

/// How many numbers an entry takes; `None` for what is none.
pub(super) fn width(entry: &v1::Entry) -> Option<u64> {
    let width = match entry.kind.as_ref()? {
        Kind::Record(_) | Kind::DeadLetter(_) => 1,
        Kind::Gap(gap) => gap.count,
        Kind::Skipped(skipped) => skipped.count,
    };
    (width > 0).then_some(width)
}

/// What becomes of the entry numbered `sequence` by its source at the bridge that
/// calls itself `own`.
pub(super) fn look(mut entry: v1::Entry, sequence: u64, source: &Source, own: Uuid) -> Looked {
    let mut origin = entry.origin.take().unwrap_or_else(|| Origin {
        bridge_id: Bytes::copy_from_slice(source.upstream.as_bytes()),
        sequence,
        path: Vec::new(),
    });
    if !source.hop.is_empty() {
        origin.path.push(source.hop.clone());
    }
    match &mut entry.kind {
        Some(Kind::Skipped(_)) | None => return Looked::Skipped,
        Some(Kind::Gap(gap)) => {
            // Here it takes one number, whatever it stands for.
            gap.lost = if gap.lost == 0 { gap.count } else { gap.lost };
            gap.count = 1;
        }
        Some(Kind::Record(_) | Kind::DeadLetter(_)) => {}
    }
    let is_own = |hop: &Bytes| hop[..] == own.as_bytes()[..];
    if origin.path.len() > MAX_HOPS || origin.path.iter().any(is_own) {
        return Looked::GoesRound;
    }
    entry.origin = Some(origin);
    Looked::Kept(entry.encode_to_vec().into())
}

/// What a forwarded frame of the spool stands for, and where it comes from.
///
/// # Errors
/// For people, when it cannot be read: another version has written it.
pub(crate) fn unpack(frame: &[u8]) -> Result<(Entry, Origin), String> {
    let (_, _, bytes) = spool::parts(frame).ok_or("a forwarded entry without its tag")?;
    let mut entry = v1::Entry::decode(bytes)
        .map_err(|error| format!("a forwarded entry that is unreadable: {error}"))?;
    let origin = entry.origin.take().unwrap_or_default();
    let entry = Entry::try_from(entry).map_err(|error| format!("a forwarded entry: {error}"))?;
    Ok((entry, origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Uuid = Uuid::from_u128(99);

    fn source() -> Source {
        Source {
            upstream: Uuid::from_u128(1),
            begin: 1,
            hop: hop(1),
        }
    }

    fn hop(number: u128) -> Bytes {
        Bytes::copy_from_slice(Uuid::from_u128(number).as_bytes())
    }

    fn came_over(hops: impl IntoIterator<Item = u128>) -> v1::Entry {
        v1::Entry {
            kind: Some(Kind::Record(v1::Record::default())),
            origin: Some(Origin {
                bridge_id: hop(7),
                sequence: 70,
                path: hops.into_iter().map(hop).collect(),
            }),
        }
    }

    fn kept(entry: v1::Entry) -> (Entry, Origin) {
        let Looked::Kept(bytes) = look(entry, 5, &source(), OWN) else {
            panic!("it is kept");
        };
        unpack(&[&[0; 24], &bytes[..]].concat()).unwrap()
    }

    #[test]
    fn the_path_grows_by_the_sender_and_the_origin_stays() {
        let (_, origin) = kept(came_over([3, 4]));
        assert_eq!(origin.path, [hop(3), hop(4), hop(1)]);
        assert_eq!((origin.bridge_id, origin.sequence), (hop(7), 70));
        let first = v1::Entry {
            origin: None,
            ..came_over([])
        };
        let (_, origin) = kept(first);
        assert_eq!((origin.bridge_id, origin.sequence), (hop(1), 5));
        assert_eq!(origin.path, [hop(1)]);
    }

    #[test]
    fn what_goes_round_is_dropped() {
        let check = |hops: Vec<u128>, expected: bool| {
            let looked = look(came_over(hops.clone()), 5, &source(), OWN);
            assert_eq!(looked == Looked::GoesRound, expected, "{hops:?}");
        };
        check(vec![], false);
        check(vec![99], true);
        check(vec![3, 99, 4], true);
        check((10..17).collect(), false);
        check((10..18).collect(), true);
        let itself = Source {
            hop: hop(99),
            ..source()
        };
        assert_eq!(look(came_over([]), 5, &itself, OWN), Looked::GoesRound);
    }

    #[test]
    fn a_gap_takes_one_number_and_stands_for_as_many() {
        let gap = |count, lost| v1::Entry {
            kind: Some(Kind::Gap(v1::Gap {
                count,
                lost,
                ..v1::Gap::default()
            })),
            origin: None,
        };
        for (count, lost, frames) in [(40, 0, 40), (1, 40, 40), (1, 0, 1)] {
            assert_eq!(width(&gap(count, lost)), Some(count));
            let (entry, _) = kept(gap(count, lost));
            let Entry::Gap(gap) = &entry else {
                panic!("{entry:?}");
            };
            assert_eq!((entry.width(), gap.frames()), (1, frames));
        }
        assert_eq!(width(&gap(0, 5)), None);
        assert_eq!(width(&v1::Entry::default()), None);
    }
}
