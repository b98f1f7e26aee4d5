//! Makes of every frame what it stands for: a record, or a dead letter that
//! says why it is none. Total: no bytes make it fail, panic or recurse, and
//! time and memory stay in proportion to the frame.

mod calendar;
mod container;
pub(crate) mod document;
mod field;
pub(crate) mod integer;
pub(crate) mod limit;
mod object;
mod record;
mod render;
mod writer;

#[cfg(test)]
mod tests;

use domain::{DeadLetter, Entry, Micros, Record};
use sha2::{Digest, Sha256};

use crate::{
    frame::{self, FrameKind, Oversize},
    json, pickle,
};
use record::Keys;

/// What a frame stands for. `bytes` are the frame as the splitter gave it:
/// without length prefix or line feed.
#[must_use]
pub fn decode(kind: FrameKind, bytes: &[u8], received_us: Micros, peer: &str) -> Entry {
    let reason = match kind {
        FrameKind::Pickle => match pickle_record(bytes, received_us) {
            Ok(record) => return entry(record, peer),
            Err(reason) => reason,
        },
        FrameKind::Json | FrameKind::JsonLine | FrameKind::Declaration => {
            match json_record(bytes, received_us) {
                Ok(record) => return entry(record, peer),
                Err(reason) => reason,
            }
        }
        FrameKind::Garbage => format!("not log records but {}", frame::looks_like(bytes)),
        FrameKind::Oversize => match Oversize::read(bytes) {
            Some(oversize) => return oversize_letter(&oversize, received_us, peer),
            None => "the note about a frame above the size limit is incomplete".to_owned(),
        },
    };
    Entry::DeadLetter(Box::new(dead_letter(bytes, received_us, peer, reason)))
}

/// What is kept of a frame that is no record, for `reason`.
#[must_use]
pub fn dead_letter(bytes: &[u8], received_us: Micros, peer: &str, reason: String) -> DeadLetter {
    DeadLetter {
        id: 0,
        received_us,
        peer: peer.to_owned(),
        reason,
        size_bytes: bytes.len() as u64,
        sha256: Sha256::digest(bytes).into(),
        head: bytes[..bytes.len().min(DeadLetter::HEAD_BYTES)].to_vec(),
    }
}

fn entry(mut record: Record, peer: &str) -> Entry {
    peer.clone_into(&mut record.peer);
    Entry::Record(Box::new(record))
}

fn pickle_record(bytes: &[u8], received_us: Micros) -> Result<Record, String> {
    let (document, outermost) =
        pickle::parse(bytes).map_err(|error| format!("unreadable pickle: {error}"))?;
    record::record(
        &document,
        outermost,
        Keys::Attributes,
        bytes.len(),
        received_us,
    )
    .map_err(|error| format!("a pickle, but no log record: {error}"))
}

fn json_record(bytes: &[u8], received_us: Micros) -> Result<Record, String> {
    let (document, outermost) =
        json::parse(bytes).map_err(|error| format!("unreadable JSON: {error}"))?;
    record::record(&document, outermost, Keys::Json, bytes.len(), received_us)
        .map_err(|error| format!("JSON, but no log record: {error}"))
}

/// A value as JSON, for the tests of those who read values.
#[cfg(test)]
pub(crate) fn shown_as_json(
    document: &document::Document<'_>,
    id: document::Id,
    budget_bytes: usize,
) -> Result<String, limit::Exceeded> {
    let mut writer = writer::Writer::new(budget_bytes);
    render::json(document, id, &mut writer)?;
    Ok(writer.finish().0)
}

fn oversize_letter(oversize: &Oversize<'_>, received_us: Micros, peer: &str) -> Entry {
    Entry::DeadLetter(Box::new(DeadLetter {
        id: 0,
        received_us,
        peer: peer.to_owned(),
        reason: format!(
            "a frame of {} bytes, above the size limit",
            oversize.size_bytes
        ),
        size_bytes: oversize.size_bytes,
        sha256: oversize.sha256,
        head: oversize.head.to_vec(),
    }))
}
