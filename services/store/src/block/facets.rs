//! How often each value of the fields that people group by is in a block: kept
//! beside the block, so that counting over everything opens none.

use domain::TextField;

use super::BlockError;
use super::bytes::{Cursor, put_varint, seal, unseal};

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

    /// The counts as they are stored beside the block of this first id.
    #[must_use]
    pub fn to_bytes(&self, first_id: u64) -> Vec<u8> {
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
        seal(&mut out, first_id, PLACE);
        out
    }

    /// Reads them back.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn read(first_id: u64, bytes: &[u8]) -> Result<Self, BlockError> {
        let mut cursor = Cursor::new(unseal(bytes, first_id, PLACE)?);
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

#[cfg(test)]
mod tests {
    use super::{Facets, MAX_VALUES};

    #[test]
    fn counts_come_back() {
        let mut facets = Facets::default();
        facets.set(0, vec![("a".to_owned(), 3), (String::new(), 8192)]);
        facets.set(1, (0..=MAX_VALUES).map(|n| (n.to_string(), 1)).collect());
        facets.set(2, vec![("x".repeat(9000), 1)]);
        assert_eq!(facets.fields[1], None);
        assert_eq!(facets.fields[2], None);
        let bytes = facets.to_bytes(7);
        assert_eq!(Facets::read(7, &bytes).unwrap(), facets);
        assert!(Facets::read(8, &bytes).is_err());
        assert!(Facets::read(7, &bytes[1..]).is_err());
    }
}
