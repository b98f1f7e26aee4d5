//! How often each value of the fields that people group by is in a block: kept
//! beside the block, so that counting over everything opens none.

use domain::TextField;

use super::bytes::{CHECKSUM_LEN, Cursor, put_varint, seal, unseal};
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
/// The facets' place in the checksum's sense of place.
const PLACE: u32 = 1 << 17;

/// Values and how many records have them.
pub type Counts = Vec<(String, u32)>;

/// The counts of a block's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// By place in [`FACET_FIELDS`]; none when the field has too many values.
    pub fields: [Option<Counts>; FACET_FIELDS.len()],
}

impl Facets {
    /// Takes a field's counts, if they are few enough.
    pub(super) fn set(&mut self, field: usize, counts: Counts) {
        let bytes: usize = counts.iter().map(|(value, _)| value.len()).sum();
        if counts.len() <= MAX_VALUES && bytes <= MAX_BYTES {
            self.fields[field] = Some(counts);
        }
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
        if cursor.is_at_end() {
            Ok(facets)
        } else {
            Err(BlockError::Damaged("counts are too long"))
        }
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
    use super::{BlockMeta, Facets, MAX_VALUES};

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
