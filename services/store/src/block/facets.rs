//! How often each value of the fields that people group by is in a block: kept
//! beside the block, so that counting over everything opens none.

use std::collections::HashMap;

use domain::{Micros, TextField};

use super::bytes::{CHECKSUM_LEN, Cursor, put_varint, seal, unseal, unzigzag, zigzag};
use super::{BlockError, BlockMeta};

/// The fields that are counted.
pub const FACET_FIELDS: [TextField; 7] = [
    TextField::System,
    TextField::SubSystem,
    TextField::SubSubSystem,
    TextField::Produkt,
    TextField::UserSpec1,
    TextField::UserSpec2,
    TextField::Fingerprint,
];

/// A field with more values in a block is not counted there.
const MAX_VALUES: usize = 256;
/// Nor one whose values are longer than this together.
const MAX_BYTES: usize = 8 << 10;
/// Nor are sources when there are more.
const MAX_SOURCES: usize = 1_024;
/// The facets' place in the checksum's sense of place.
const PLACE: u32 = 1 << 17;

/// Values and how many records have them.
pub type Counts = Vec<(String, u32)>;

/// Records of one system on one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// The place of its `system_id` among the counts of that field.
    pub system: u32,
    /// The place of its `sub_system_id` among the counts of that field.
    pub sub_system: u32,
    /// How many records.
    pub records: u32,
    /// Earliest time of receipt.
    pub first_received_us: Micros,
    /// Latest time of receipt.
    pub last_received_us: Micros,
    /// The last of its rows.
    pub last_row: u32,
}

/// The counts of a block's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// By place in [`FACET_FIELDS`]; none when the field has too many values.
    pub fields: [Option<Counts>; FACET_FIELDS.len()],
    /// Where its records come from, in the order of their first rows; none when
    /// there are too many sources, or the counts of `system_id` or
    /// `sub_system_id` are missing.
    pub sources: Option<Vec<Source>>,
}

impl Facets {
    /// Takes a field's counts, if they are few enough.
    pub(super) fn set(&mut self, field: usize, counts: Counts) {
        let bytes: usize = counts.iter().map(|(value, _)| value.len()).sum();
        if counts.len() <= MAX_VALUES && bytes <= MAX_BYTES {
            self.fields[field] = Some(counts);
        }
    }

    /// Takes each row's system and sub system, as places among their counts, and
    /// its time of receipt.
    pub(super) fn set_sources(&mut self, rows: impl Iterator<Item = (u32, u32, Micros)>) {
        let [Some(_), Some(_), ..] = &self.fields else {
            return;
        };
        let mut sources: Vec<Source> = Vec::new();
        let mut places: HashMap<(u32, u32), usize> = HashMap::new();
        let mut before = None;
        for (row, (system, sub_system, received_us)) in (0..).zip(rows) {
            let key = (system, sub_system);
            let place = match before {
                Some((known, place)) if known == key => place,
                _ => *places.entry(key).or_insert(sources.len()),
            };
            before = Some((key, place));
            if place == sources.len() {
                if place == MAX_SOURCES {
                    return;
                }
                sources.push(Source {
                    system,
                    sub_system,
                    records: 0,
                    first_received_us: received_us,
                    last_received_us: received_us,
                    last_row: row,
                });
            }
            let source = &mut sources[place];
            source.records += 1;
            source.first_received_us = source.first_received_us.min(received_us);
            source.last_received_us = source.last_received_us.max(received_us);
            source.last_row = row;
        }
        self.sources = Some(sources);
    }

    /// The counts as they are stored beside a block's summary, with the
    /// summary's checksum.
    #[must_use]
    pub fn to_bytes(&self, meta: &BlockMeta) -> Vec<u8> {
        let mut out = Vec::new();
        for counts in &self.fields {
            let counts = counts.as_deref().unwrap_or_default();
            put_varint(&mut out, counts.len() as u64);
            for (value, count) in counts {
                put_varint(&mut out, value.len() as u64);
                out.extend_from_slice(value.as_bytes());
                put_varint(&mut out, u64::from(*count));
            }
        }
        let sources = self.sources.as_deref().unwrap_or_default();
        put_varint(&mut out, sources.len() as u64);
        let mut before = 0_i64;
        for source in sources {
            put_varint(&mut out, u64::from(source.system));
            put_varint(&mut out, u64::from(source.sub_system));
            put_varint(&mut out, u64::from(source.records));
            let behind = source.first_received_us.wrapping_sub(before);
            put_varint(&mut out, zigzag(behind));
            before = source.first_received_us;
            let later = source
                .last_received_us
                .wrapping_sub(source.first_received_us);
            put_varint(&mut out, later.cast_unsigned());
            put_varint(&mut out, u64::from(source.last_row));
        }
        out.extend_from_slice(&checksum(meta));
        seal(&mut out, meta.first_id, PLACE);
        out
    }

    /// Reads them back, and believes the summary from then on.
    ///
    /// # Errors
    /// When the bytes or the summary are damaged.
    pub fn read(meta: &BlockMeta, bytes: &[u8]) -> Result<Self, BlockError> {
        let body = unseal(bytes, meta.first_id, PLACE)?;
        let Some((body, summary)) = body.split_last_chunk::<CHECKSUM_LEN>() else {
            return Err(BlockError::Damaged("counts are too short"));
        };
        if *summary != checksum(meta) {
            return Err(BlockError::Damaged("its summary differs"));
        }
        let mut cursor = Cursor::new(body);
        let mut facets = Self::default();
        for field in &mut facets.fields {
            let count = cursor.length(MAX_VALUES)?;
            if count == 0 {
                continue;
            }
            let mut counts = Vec::with_capacity(count);
            for _ in 0..count {
                let len = cursor.length(MAX_BYTES)?;
                let value = std::str::from_utf8(cursor.take(len)?)
                    .map_err(|_| BlockError::Damaged("text is not UTF-8"))?;
                let records = cursor.length(super::MAX_RECORDS)? as u32;
                counts.push((value.to_owned(), records));
            }
            *field = Some(counts);
        }
        facets.read_sources(&mut cursor)?;
        if cursor.is_at_end() {
            Ok(facets)
        } else {
            Err(BlockError::Damaged("counts are too long"))
        }
    }

    fn read_sources(&mut self, cursor: &mut Cursor<'_>) -> Result<(), BlockError> {
        let count = cursor.length(MAX_SOURCES)?;
        if count == 0 {
            return Ok(());
        }
        let [Some(systems), Some(sub_systems), ..] = &self.fields else {
            return Err(BlockError::Damaged("sources without their values"));
        };
        let mut sources = Vec::with_capacity(count);
        let mut before = 0_i64;
        for _ in 0..count {
            let system = cursor.length(systems.len() - 1)? as u32;
            let sub_system = cursor.length(sub_systems.len() - 1)? as u32;
            let records = cursor.length(super::MAX_RECORDS)? as u32;
            let first_received_us = before.wrapping_add(unzigzag(cursor.varint()?));
            before = first_received_us;
            let later = cursor.varint()?.cast_signed();
            sources.push(Source {
                system,
                sub_system,
                records,
                first_received_us,
                last_received_us: first_received_us.wrapping_add(later),
                last_row: cursor.length(super::MAX_RECORDS - 1)? as u32,
            });
        }
        self.sources = Some(sources);
        Ok(())
    }
}

/// The checksum of a summary.
fn checksum(meta: &BlockMeta) -> [u8; CHECKSUM_LEN] {
    let mut bytes = meta.count.to_le_bytes().to_vec();
    let times = [
        meta.min_received_us,
        meta.max_received_us,
        meta.min_created_us,
        meta.max_created_us,
    ];
    bytes.extend(times.iter().flat_map(|time| time.to_le_bytes()));
    for (level, count) in &meta.levels {
        bytes.extend_from_slice(&level.to_le_bytes());
        bytes.extend_from_slice(&count.to_le_bytes());
    }
    crc32c::crc32c(&bytes).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::{BlockMeta, Facets, MAX_VALUES, Source};

    fn meta(first_id: u64) -> BlockMeta {
        BlockMeta {
            first_id,
            count: 3,
            min_received_us: 1,
            max_received_us: 2,
            min_created_us: 3,
            max_created_us: 4,
            levels: vec![(20, 1), (30, 2)],
        }
    }

    #[test]
    fn counts_come_back() {
        let mut facets = Facets::default();
        facets.set(0, vec![("a".to_owned(), 3), (String::new(), 8192)]);
        facets.set(1, (0..=MAX_VALUES).map(|n| (n.to_string(), 1)).collect());
        facets.set(2, vec![("x".repeat(9000), 1)]);
        assert_eq!(facets.fields[1], None);
        assert_eq!(facets.fields[2], None);
        facets.set_sources([(0, 1, 5), (1, 1, i64::MAX), (0, 1, i64::MIN)].into_iter());
        assert_eq!(facets.sources, None, "without the counts of a field");
        facets.set(1, vec![("b".to_owned(), 1), ("c".to_owned(), 2)]);
        facets.set_sources([(0, 1, 5), (1, 1, i64::MAX), (0, 1, i64::MIN)].into_iter());
        let sources = facets.sources.as_deref().unwrap();
        assert_eq!(
            sources[0],
            Source {
                system: 0,
                sub_system: 1,
                records: 2,
                first_received_us: i64::MIN,
                last_received_us: 5,
                last_row: 2,
            }
        );
        assert_eq!(sources.len(), 2);
        let bytes = facets.to_bytes(&meta(7));
        assert_eq!(Facets::read(&meta(7), &bytes).unwrap(), facets);
        assert!(Facets::read(&meta(8), &bytes).is_err());
        assert!(Facets::read(&meta(7), &bytes[1..]).is_err());
        assert!(Facets::read(&meta(7), &[]).is_err());
    }

    #[test]
    fn another_summary_is_not_believed() {
        let bytes = Facets::default().to_bytes(&meta(7));
        let check = |change: fn(&mut BlockMeta)| {
            let mut meta = meta(7);
            change(&mut meta);
            assert!(Facets::read(&meta, &bytes).is_err(), "{meta:?}");
        };
        check(|meta| meta.count = 4);
        check(|meta| meta.min_received_us = 0);
        check(|meta| meta.max_received_us = 1);
        check(|meta| meta.min_created_us = 4);
        check(|meta| meta.max_created_us = i64::MAX);
        check(|meta| meta.levels[1] = (40, 2));
        check(|meta| meta.levels.clear());
    }
}
