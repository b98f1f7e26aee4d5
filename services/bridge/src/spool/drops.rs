//! What was dropped because the spool had no room, and the record that tells
//! the store about it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::entry::{HEAD_BYTES, Head};
use super::fields::Fields;
use super::forwarded::sender_of;
use super::queue::DECLARATION_KIND;

/// More peers than this are counted together.
const MAX_PEERS: usize = 32;

/// Frames dropped since the last declaration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Drops {
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// Time of receipt of the first and the last.
    pub(super) from_us: i64,
    pub(super) to_us: i64,
    /// Kept in memory only.
    pub(super) peers: BTreeMap<Option<IpAddr>, u64>,
}

impl Drops {
    pub(super) fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Counts frames of one peer.
    pub(super) fn count(&mut self, records: u64, bytes: u64, at_us: i64, peer: Option<IpAddr>) {
        self.count_peer(peer, records);
        self.cover(records, bytes, at_us, at_us);
    }

    fn count_peer(&mut self, peer: Option<IpAddr>, records: u64) {
        let known = self.peers.len() < MAX_PEERS || self.peers.contains_key(&peer);
        *self.peers.entry(peer.filter(|_| known)).or_default() += records;
    }

    /// Adds another tally.
    pub(super) fn add(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        for (peer, records) in &other.peers {
            self.count_peer(*peer, *records);
        }
        self.cover(other.records, other.bytes, other.from_us, other.to_us);
    }

    /// Frames of the entries in `bytes` that are numbered `from` or above, without
    /// the spool's own records, and those of bridges and programs that still have them.
    pub(super) fn of_entries(bytes: &[u8], from: u64, salt: u32) -> Self {
        let mut drops = Self::default();
        let mut rest = bytes;
        while let Some(head) = Head::decode(rest, salt) {
            let is_kept = head.kind == DECLARATION_KIND || sender_of(head.kind).is_some();
            if head.sequence >= from && !is_kept {
                let frame_bytes = (head.size - HEAD_BYTES) as u64;
                let peer = head.origin.peer.map(|peer| peer.ip());
                drops.count(1, frame_bytes, head.origin.received_us, peer);
            }
            rest = &rest[head.size..];
        }
        drops
    }

    /// Takes away what a declaration that was found has told already.
    pub(super) fn subtract(&mut self, records: u64, bytes: u64) {
        self.records = self.records.saturating_sub(records);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    fn cover(&mut self, records: u64, bytes: u64, from_us: i64, to_us: i64) {
        let first = self.is_empty();
        self.records += records;
        self.bytes += bytes;
        self.from_us = if first {
            from_us
        } else {
            self.from_us.min(from_us)
        };
        self.to_us = if first { to_us } else { self.to_us.max(to_us) };
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.records.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.from_us.to_le_bytes());
        out.extend_from_slice(&self.to_us.to_le_bytes());
    }

    pub(super) fn decode(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self {
            records: fields.u64()?,
            bytes: fields.u64()?,
            from_us: fields.i64()?,
            to_us: fields.i64()?,
            peers: BTreeMap::new(),
        })
    }

    /// The record that declares them, as a JSON frame.
    pub(super) fn declaration(&self, now_us: i64) -> Vec<u8> {
        let peers: serde_json::Map<String, Value> = self
            .peers
            .iter()
            .map(|(peer, records)| {
                let name = peer.map_or_else(|| "others".to_owned(), |peer| peer.to_string());
                (name, (*records).into())
            })
            .collect();
        let message = format!(
            "bridge dropped {} records: its spool was full",
            self.records
        );
        let mut record = record(now_us, &message);
        record["dropped_records"] = self.records.into();
        record["dropped_bytes"] = self.bytes.into();
        record["dropped_from"] = rfc3339(self.from_us).into();
        record["dropped_to"] = rfc3339(self.to_us).into();
        record["dropped_peers"] = peers.into();
        record.to_string().into_bytes()
    }
}

/// How many records and bytes a declaration tells of; `None` for other records.
pub(super) fn declared(frame: &[u8]) -> Option<(u64, u64)> {
    let record: Value = serde_json::from_slice(frame).ok()?;
    Some((
        record.get("dropped_records")?.as_u64()?,
        record.get("dropped_bytes")?.as_u64()?,
    ))
}

/// The record that warns of a spool that fills up, as a JSON frame.
pub(super) fn alarm(now_us: i64, used_bytes: u64, limit_bytes: u64) -> Vec<u8> {
    let percent = used_bytes.saturating_mul(100) / limit_bytes.max(1);
    let mut record = record(now_us, &format!("bridge's spool is {percent} % full"));
    record["spool_bytes"] = used_bytes.into();
    record["spool_limit_bytes"] = limit_bytes.into();
    record.to_string().into_bytes()
}

fn record(now_us: i64, message: &str) -> Value {
    json!({
        "created": rfc3339(now_us),
        "level": 30,
        "level_name": "WARNING",
        "logger": "herald.bridge.spool",
        "system_id": "herald",
        "sub_system_id": rustix::system::uname().nodename().to_string_lossy(),
        "message": message,
    })
}

fn rfc3339(at_us: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_us) * 1_000)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::entry::{Encoder, Origin};

    fn peer(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn a_declaration_tells_counts_times_and_peers() {
        let mut drops = Drops::default();
        drops.count(3, 300, 2_000_000, peer(1));
        drops.count(1, 50, 1_000_000, peer(2));
        drops.count(2, 20, 3_500_000, peer(1));
        let frame = drops.declaration(4_000_000);
        assert_eq!(declared(&frame), Some((6, 370)));
        let record: Value = serde_json::from_slice(&frame).unwrap();
        assert_eq!(
            record["message"],
            "bridge dropped 6 records: its spool was full"
        );
        assert_eq!(record["level"], 30);
        assert_eq!(record["system_id"], "herald");
        assert_eq!(record["created"], "1970-01-01T00:00:04Z");
        assert_eq!(record["dropped_from"], "1970-01-01T00:00:01Z");
        assert_eq!(record["dropped_to"], "1970-01-01T00:00:03.5Z");
        assert_eq!(
            record["dropped_peers"],
            json!({"10.0.0.1": 5, "10.0.0.2": 1})
        );
    }

    #[test]
    fn many_peers_are_counted_together() {
        let mut drops = Drops::default();
        for last in 0..100 {
            drops.count(1, 1, 1, peer(last));
        }
        assert_eq!(drops.peers.len(), MAX_PEERS + 1);
        assert_eq!(drops.peers[&None], 100 - MAX_PEERS as u64);
        assert_eq!(drops.records, 100);
    }

    #[test]
    fn tallies_that_are_added_stay_small_and_exact() {
        let tally = |from: u8| {
            let mut drops = Drops::default();
            (from..from + 30).for_each(|last| drops.count(2, 10, i64::from(last), peer(last)));
            drops
        };
        let mut sum = Drops::default();
        for from in [0, 40, 80, 120, 160] {
            sum.add(&tally(from));
        }
        assert_eq!((sum.records, sum.bytes), (300, 1_500));
        assert_eq!((sum.from_us, sum.to_us), (0, 189));
        assert_eq!(sum.peers.len(), MAX_PEERS + 1);
        assert_eq!(sum.peers.values().sum::<u64>(), 300);
    }

    #[test]
    fn entries_are_counted_from_a_number_on_without_our_own() {
        let origin = Origin {
            received_us: 5,
            connection: 1,
            peer: Some(([10, 0, 0, 1], 9).into()),
        };
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&origin, 7);
        for (number, kind) in [(10, 1), (11, 1), (12, DECLARATION_KIND), (13, 2)] {
            encoder.push(&mut bytes, number, kind, &[b'x'; 100]);
        }
        let check = |from: u64, records: u64| {
            let drops = Drops::of_entries(&bytes, from, 7);
            assert_eq!(
                (drops.records, drops.bytes),
                (records, records * 100),
                "{from}"
            );
        };
        check(0, 3);
        check(11, 2);
        check(12, 1);
        check(14, 0);
        assert_eq!(Drops::of_entries(&[], 0, 7), Drops::default());
        assert_eq!(Drops::of_entries(&bytes, 0, 7).peers[&peer(1)], 3);
    }

    #[test]
    fn an_alarm_declares_nothing_dropped() {
        let frame = alarm(0, 81, 100);
        assert_eq!(declared(&frame), None);
        assert!(String::from_utf8(frame).unwrap().contains("81 % full"));
        assert_eq!(declared(b"no json"), None);
    }
}
