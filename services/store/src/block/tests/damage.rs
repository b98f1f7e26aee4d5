//! Other bytes are told from a block: an error, never a panic, never a record
//! that was not put in, and no memory for absurd lengths.

use std::sync::LazyLock;

use domain::{Condition, Record, RecordFilter};
use proptest::prelude::*;

use super::generate::records;
use crate::block::bytes::{CHECKSUM_LEN, seal};
use crate::block::{Block, BlockMeta, Effort, EncodedBlock, Looks, Plan, decode, encode};

/// A block with every kind of column and several chunks.
fn sample() -> EncodedBlock {
    static SAMPLE: LazyLock<EncodedBlock> = LazyLock::new(|| encode(1, &lines(), Effort::Fast));
    SAMPLE.clone()
}

fn lines() -> Vec<Record> {
    let record = |id: u64| Record {
        id,
        received_us: 1_700_000_000_000_000 + id as i64 * 10,
        created_us: 1_700_000_000_000_000 + id as i64 * 9,
        level: 20,
        line: (id * id % 23) as i64,
        process: 7,
        thread: id as i64,
        message: format!("message {id}"),
        module: format!("module{}", id * id % 23 % 5),
        function: format!("function{}", id % 3),
        user_spec_1: format!("{}", id % 4),
        ..Record::default()
    };
    (1..=3000).map(record).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_flipped_bit_is_told(part in 0usize..4, at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut block = sample();
        let bytes = &mut block.parts[part];
        let at = at.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        prop_assert!(decode(&block.meta, block.parts).is_err());
    }

    #[test]
    fn a_cut_is_told(part in 0usize..4, at in any::<prop::sample::Index>()) {
        let mut block = sample();
        let len = block.parts[part].len();
        block.parts[part].truncate(at.index(len));
        prop_assert!(decode(&block.meta, block.parts).is_err());
    }

    /// With a checksum that fits, what is inside has to be right by itself, or
    /// at least to do no harm.
    #[test]
    fn bytes_made_to_fit_do_no_harm(
        records in records(),
        part in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut block = encode(1000, &records, Effort::Fast);
        let index = part.index(block.parts.len());
        let part = &mut block.parts[index];
        part.truncate(part.len() - CHECKSUM_LEN);
        for (at, byte) in changes {
            let at = at.index(part.len());
            part[at] = byte;
        }
        seal(part, 1000, index as u32);
        read_all(&block.meta, block.parts);
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0u32..9000) {
        let meta = BlockMeta { count, ..encode(1, &[Record::default()], Effort::Fast).meta };
        let mut part = vec![1];
        part.extend(bytes);
        seal(&mut part, 1, 0);
        read_all(&meta, vec![part]);
    }
}

fn read_all(meta: &BlockMeta, parts: Vec<Vec<u8>>) {
    let filter = RecordFilter {
        condition: Condition::Contains("a".to_owned()).and(Condition::at_least(30)),
        from_us: Some(1),
        ..RecordFilter::default()
    };
    let plan = Plan::new(&filter);
    if let Some(part0) = parts.first()
        && let Ok(block) = Block::open(meta, part0.clone())
        && let Ok(selection) = block.select(&plan, 0..u64::MAX)
    {
        for chunk in block.chunks(&selection, domain::Order::OldestFirst) {
            let part = block
                .part_of(chunk)
                .and_then(|part| parts.get(part))
                .cloned();
            if let Ok(chunk) = block.open_chunk(chunk, part.unwrap_or_default()) {
                let order = domain::Order::OldestFirst;
                let _rows = block.scan(&plan, &selection, &chunk, order, 100);
            }
        }
    }
    let _records = decode(meta, parts);
}

#[test]
fn a_damaged_slice_rules_nothing_out() {
    let mut block = sample();
    let filter = RecordFilter {
        condition: Condition::Contains("zebrafish".to_owned()),
        ..Default::default()
    };
    let plan = Plan::new(&filter);
    let look = |slice: &usize, filter: &[Vec<u8>]| {
        plan.look(*slice, &filter[*slice], &mut Looks::default())
    };
    assert!(
        plan.slices()
            .iter()
            .any(|slice| !look(slice, &block.filter))
    );
    for slice in &mut block.filter {
        slice[5] ^= 1;
    }
    assert!(plan.slices().iter().all(|slice| look(slice, &block.filter)));
}

#[test]
fn a_later_format_is_told_apart() {
    let mut block = sample();
    let part = &mut block.parts[0];
    part.truncate(part.len() - CHECKSUM_LEN);
    part[0] = 2;
    seal(part, 1, 0);
    let error = decode(&block.meta, block.parts).unwrap_err();
    assert_eq!(error.to_string(), "format 2 of a block is not known");
}
