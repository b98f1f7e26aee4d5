//! How far a destination has got: one small file per destination.

use std::path::PathBuf;

use super::error::SpoolError;
use super::fields::Fields;
use super::folder::Folder;
use super::identity::Identity;
use super::slots::{self, Slots};

const MAGIC: [u8; 8] = *b"HRLDCU01";
const PREFIX: &str = "cursor.";
const MAX_NAME_BYTES: usize = 200;

/// A destination's place in the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The first number that it has not acknowledged.
    pub(super) next: u64,
    /// The first number it was ever to get.
    pub(super) floor: u64,
    /// The identity of `next`.
    pub(super) identity: Identity,
}

impl Cursor {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + Identity::BYTES);
        out.extend_from_slice(&self.next.to_le_bytes());
        out.extend_from_slice(&self.floor.to_le_bytes());
        self.identity.encode(&mut out);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::of(bytes);
        Some(Self {
            next: fields.u64()?,
            floor: fields.u64()?,
            identity: Identity::decode(&mut fields)?,
        })
    }
}

/// A cursor's file.
#[derive(Debug)]
pub(super) struct CursorFile {
    path: PathBuf,
    slots: Slots,
}

impl CursorFile {
    /// Opens a cursor's file and reads what it says.
    pub(super) fn load(
        folder: &Folder,
        file_name: &str,
    ) -> Result<(Self, Option<Cursor>), SpoolError> {
        let path = folder.path().join(file_name);
        let (slots, loaded) =
            Slots::load(&path, MAGIC, slots::PAGE, |path| folder.move_aside(path))
                .map_err(SpoolError::io("read cursor", &path))?;
        let cursor = loaded.newest.as_deref().and_then(Cursor::decode);
        Ok((Self { path, slots }, cursor))
    }

    /// Writes the cursor: safe against the death of this process. `false` when
    /// there was no room for a new file even without the reserve.
    pub(super) fn write(&mut self, folder: &Folder, cursor: &Cursor) -> Result<bool, SpoolError> {
        match folder.with_reserve(|| self.slots.write(&cursor.encode())) {
            Ok(()) => Ok(true),
            Err(error) if super::error::no_room(&error) => Ok(false),
            Err(error) => Err(SpoolError::io("write cursor", &self.path)(error)),
        }
    }

    /// Makes what was written safe against the death of the machine.
    pub(super) fn sync(&self) -> Result<(), SpoolError> {
        self.slots
            .sync()
            .map_err(SpoolError::io("sync cursor", &self.path))
    }
}

/// The file's name: the destination with everything but letters, digits, `-` and
/// `_` as `%XX`; a long one is cut and told apart by a hash.
pub(super) fn file_name(destination: &str) -> String {
    let mut name = PREFIX.to_owned();
    for byte in destination.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    if name.len() > MAX_NAME_BYTES {
        let hash = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, destination.as_bytes());
        name.truncate(MAX_NAME_BYTES - 40);
        name = format!("{name}~{}", hash.simple());
    }
    name
}

/// The destination that a file's name was made of, as far as it tells.
pub(super) fn shown(file_name: &str) -> String {
    let encoded = file_name.strip_prefix(PREFIX).unwrap_or(file_name);
    let (mut bytes, mut rest) = (Vec::new(), encoded.as_bytes());
    while let Some((&byte, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|hex| str::from_utf8(hex).ok());
        let decoded = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, decoded) {
            (b'%', Some(decoded)) => {
                bytes.push(decoded);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether a file of the spool's folder is a cursor.
pub(super) fn is_cursor(file_name: &str) -> bool {
    file_name.starts_with(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_returns_what_it_was_given() {
        let cursor = Cursor {
            next: 10,
            floor: 4,
            identity: Identity::fresh(1, 1),
        };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        assert_eq!(Cursor::decode(&cursor.encode()[1..]), None);
    }

    #[test]
    fn file_names_are_safe_and_differ() {
        fn check(given: &str, expected: &str) {
            assert_eq!(file_name(given), expected);
            assert!(is_cursor(expected));
            assert_eq!(shown(expected), given);
        }
        check("store", "cursor.store");
        check("http://h:1/x", "cursor.http%3A%2F%2Fh%3A1%2Fx");
        check("../up", "cursor.%2E%2E%2Fup");
        check("", "cursor.");
        check("ä", "cursor.%C3%A4");
        assert!(!is_cursor("watermark"));
        let (one, other) = (file_name(&"x".repeat(400)), file_name(&"x".repeat(401)));
        assert!(one.len() < 255 && one != other);
    }
}
