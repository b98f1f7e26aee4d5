//! The bytes of one spool entry, no I/O. The header has a checksum of its own,
//! so that a damaged frame costs one number and not a search for the next entry.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | CRC32C of the bytes 4..56, begun with the spool's salt |
//! | 4 | 4 | size of the entry, header included; 0 where a segment ends |
//! | 8 | 4 | CRC32C of the frame, begun with the salt |
//! | 12 | 1 | kind of the frame |
//! | 13 | 1 | address family of the peer: 0 none, 4, 6 |
//! | 14 | 2 | port of the peer |
//! | 16 | 8 | sequence number |
//! | 24 | 8 | time of receipt, microseconds since 1970 |
//! | 32 | 8 | connection |
//! | 40 | 16 | address of the peer, left-aligned |
//! | 56 | | the frame |
//!
//! All numbers are little-endian. The salt is a secret of the spool: a frame
//! that carries a copy of an entry cannot pass for one when damage is searched.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

use super::fields::Fields;

/// Size of an entry's header.
pub(super) const HEAD_BYTES: usize = 56;
/// The largest entry, header included.
pub(super) const MAX_ENTRY_BYTES: usize = 64 << 20;

/// Where and when a frame was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) received_us: i64,
    pub(super) connection: u64,
    pub(super) peer: Option<SocketAddr>,
}

/// An entry's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Size of the whole entry.
    pub(super) size: usize,
    pub(super) body_crc: u32,
    pub(super) kind: u8,
    pub(super) sequence: u64,
    pub(super) origin: Origin,
}

impl Head {
    /// Reads the header at the front of `bytes`; `None` when there is no valid one.
    pub(super) fn decode(bytes: &[u8], salt: u32) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        let crc = fields.u32()?;
        let size = fields.u32()? as usize;
        if !(HEAD_BYTES..=MAX_ENTRY_BYTES).contains(&size) {
            return None;
        }
        if crc != crc32c::crc32c_append(salt, bytes.get(4..HEAD_BYTES)?) {
            return None;
        }
        let body_crc = fields.u32()?;
        let kind = fields.u8()?;
        let family = fields.u8()?;
        let port = fields.u16()?;
        let sequence = fields.u64()?;
        let received_us = fields.i64()?;
        let connection = fields.u64()?;
        let peer = address(family, fields.bytes()?).map(|ip| SocketAddr::new(ip, port));
        let origin = Origin {
            received_us,
            connection,
            peer,
        };
        Some(Self {
            size,
            body_crc,
            kind,
            sequence,
            origin,
        })
    }

    /// Whether `body` is the frame this header was written for.
    pub(super) fn fits(&self, body: &[u8], salt: u32) -> bool {
        crc32c::crc32c_append(salt, body) == self.body_crc
    }
}

/// Writes entries of one origin.
pub(super) struct Encoder {
    template: [u8; HEAD_BYTES],
    salt: u32,
}

impl Encoder {
    pub(super) fn new(origin: &Origin, salt: u32) -> Self {
        let mut template = [0; HEAD_BYTES];
        let (family, port, octets) = match origin.peer {
            None => (0, 0, [0; 16]),
            Some(peer) => match peer.ip() {
                IpAddr::V4(ip) => (4, peer.port(), left_aligned(ip)),
                IpAddr::V6(ip) => (6, peer.port(), ip.octets()),
            },
        };
        template[13] = family;
        template[14..16].copy_from_slice(&u16::to_le_bytes(port));
        template[24..32].copy_from_slice(&origin.received_us.to_le_bytes());
        template[32..40].copy_from_slice(&origin.connection.to_le_bytes());
        template[40..56].copy_from_slice(&octets);
        Self { template, salt }
    }

    /// Appends one entry. The frame is at most `MAX_ENTRY_BYTES - HEAD_BYTES` long.
    pub(super) fn push(&mut self, out: &mut Vec<u8>, sequence: u64, kind: u8, frame: &[u8]) {
        let size = u32::try_from(HEAD_BYTES + frame.len()).expect("frame size was checked");
        let head = &mut self.template;
        head[4..8].copy_from_slice(&size.to_le_bytes());
        let body_crc = crc32c::crc32c_append(self.salt, frame);
        head[8..12].copy_from_slice(&body_crc.to_le_bytes());
        head[12] = kind;
        head[16..24].copy_from_slice(&sequence.to_le_bytes());
        let crc = crc32c::crc32c_append(self.salt, &head[4..]);
        head[..4].copy_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(head);
        out.extend_from_slice(frame);
    }
}

/// Size of the entry at the front of `bytes`, which this process encoded.
pub(super) fn size_at(bytes: &[u8]) -> usize {
    let mut fields = Fields::of(&bytes[4..]);
    fields.u32().expect("an encoded entry has a header") as usize
}

/// How many bytes and entries of `bytes` fit into `room`; at least one entry does.
pub(super) fn whole_in(bytes: &[u8], room: u64) -> (usize, u64) {
    let (mut length, mut entries) = (0, 0);
    while length < bytes.len() {
        let size = size_at(&bytes[length..]);
        if (length + size) as u64 > room {
            break;
        }
        length += size;
        entries += 1;
    }
    (length, entries)
}

/// Finds the first header in `bytes` that carries a number of `numbers`.
pub(super) fn find_head(bytes: &[u8], numbers: &Range<u64>, salt: u32) -> Option<usize> {
    bytes.windows(HEAD_BYTES).position(|window| {
        let sequence = u64::from_le_bytes(window[16..24].try_into().expect("8 bytes"));
        numbers.contains(&sequence) && Head::decode(window, salt).is_some()
    })
}

fn left_aligned(ip: Ipv4Addr) -> [u8; 16] {
    let mut octets = [0; 16];
    octets[..4].copy_from_slice(&ip.octets());
    octets
}

fn address(family: u8, octets: [u8; 16]) -> Option<IpAddr> {
    match family {
        4 => Some(Ipv4Addr::new(octets[0], octets[1], octets[2], octets[3]).into()),
        6 => Some(Ipv6Addr::from(octets).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u32 = 0x5eed_cafe;

    fn entry(peer: Option<&str>, sequence: u64, kind: u8, frame: &[u8]) -> Vec<u8> {
        let peer = peer.map(|peer| peer.parse().unwrap());
        let mut out = Vec::new();
        Encoder::new(
            &Origin {
                received_us: -7,
                connection: 9,
                peer,
            },
            SALT,
        )
        .push(&mut out, sequence, kind, frame);
        out
    }

    #[test]
    fn an_entry_comes_back_as_it_was() {
        fn check(peer: Option<&str>, sequence: u64, kind: u8, frame: &[u8]) {
            let bytes = entry(peer, sequence, kind, frame);
            let head = Head::decode(&bytes, SALT).unwrap();
            assert_eq!(
                (head.sequence, head.kind, head.size),
                (sequence, kind, bytes.len())
            );
            assert_eq!(size_at(&bytes), bytes.len());
            assert_eq!((head.origin.received_us, head.origin.connection), (-7, 9));
            assert_eq!(head.origin.peer, peer.map(|peer| peer.parse().unwrap()));
            assert!(head.fits(&bytes[HEAD_BYTES..], SALT));
            assert_eq!(&bytes[HEAD_BYTES..], frame);
        }
        check(None, 1, 0, b"");
        check(Some("127.0.0.1:19122"), u64::MAX, 5, b"frame");
        check(Some("[2001:db8::1]:1"), 77, 255, &[0; 5_000]);
        check(Some("0.0.0.0:0"), 0, 1, &[0]);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let bytes = entry(Some("10.1.2.3:4"), 42, 1, b"some frame");
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let passes = Head::decode(&damaged, SALT)
                .is_some_and(|head| head.fits(&damaged[HEAD_BYTES..], SALT));
            assert!(!passes, "bit {bit}");
        }
    }

    #[test]
    fn no_header_in_zeros_or_short_bytes_or_another_salt() {
        let bytes = entry(None, 42, 1, b"some frame");
        assert_eq!(Head::decode(&[0; 100], SALT), None);
        assert_eq!(Head::decode(&bytes[..HEAD_BYTES - 1], SALT), None);
        assert_eq!(Head::decode(&bytes, SALT + 1), None);
    }

    #[test]
    fn finds_the_next_header_with_a_number_of_the_range() {
        let mut bytes = b"rubbish".to_vec();
        bytes.extend(entry(None, 41, 1, b"before"));
        let wanted = bytes.len();
        bytes.extend(entry(None, 42, 1, b"wanted"));
        assert_eq!(find_head(&bytes, &(42..50), SALT), Some(wanted));
        assert_eq!(find_head(&bytes, &(0..u64::MAX), SALT), Some(7));
        assert_eq!(find_head(&bytes, &(43..50), SALT), None);
        assert_eq!(find_head(&bytes, &(42..50), SALT + 1), None);
        assert_eq!(find_head(&bytes[..20], &(0..50), SALT), None);
    }
}
