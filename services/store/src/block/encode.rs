//! Records to a block.

use domain::Record;

use super::{BlockMeta, Effort, EncodedBlock, MAX_RECORDS};

/// How many bytes of text one block takes at most, unless one record alone has more.
const BATCH_BYTES: usize = 16 << 20;

/// How many of these records, from the front, one block should take: as many
/// as fit, at least one when there is one.
#[must_use]
pub fn batch_len(records: &[Record]) -> usize {
    let mut bytes = 0;
    let fits = records.iter().take(MAX_RECORDS).take_while(|record| {
        bytes += record.message.len() + record.exception.len() + record.stack.len();
        bytes += record.extra.len();
        bytes <= BATCH_BYTES
    });
    fits.count().max(records.len().min(1))
}

/// Encodes records, whose ids become `first_id`, `first_id + 1`, ...
///
/// # Panics
/// Without records, or with more than [`MAX_RECORDS`].
#[must_use]
pub fn encode(first_id: u64, records: &[Record], _effort: Effort) -> EncodedBlock {
    assert!((1..=MAX_RECORDS).contains(&records.len()));
    let mut levels = std::collections::BTreeMap::new();
    for record in records {
        *levels.entry(record.level).or_insert(0) += 1;
    }
    let received = || records.iter().map(|record| record.received_us);
    let created = || records.iter().map(|record| record.created_us);
    let bound = |value: Option<i64>| value.expect("there are records");
    let meta = BlockMeta {
        first_id,
        count: records.len() as u32,
        min_received_us: bound(received().min()),
        max_received_us: bound(received().max()),
        min_created_us: bound(created().min()),
        max_created_us: bound(created().max()),
        levels: levels.into_iter().collect(),
    };
    let mut part = Vec::new();
    for r in records {
        for n in [
            r.received_us,
            r.created_us,
            i64::from(r.level),
            r.line,
            r.process,
            r.thread,
        ] {
            part.extend_from_slice(&n.to_le_bytes());
        }
        for t in texts(r) {
            part.extend_from_slice(&(t.len() as u32).to_le_bytes());
            part.extend_from_slice(t.as_bytes());
        }
    }
    EncodedBlock {
        meta,
        parts: vec![part],
        filter: Vec::new(),
    }
}

fn texts(r: &Record) -> [&str; 20] {
    [
        &r.level_name,
        &r.logger,
        &r.message,
        &r.system_id,
        &r.sub_system_id,
        &r.sub_sub_system_id,
        &r.produkt_id,
        &r.user_spec_1,
        &r.user_spec_2,
        &r.package_version,
        &r.api_version,
        &r.module,
        &r.function,
        &r.path,
        &r.process_name,
        &r.thread_name,
        &r.exception,
        &r.stack,
        &r.peer,
        &r.extra,
    ]
}
