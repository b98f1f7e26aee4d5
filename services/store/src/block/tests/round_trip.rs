//! What goes in comes out.

use domain::Record;
use proptest::prelude::*;

use super::generate::records;
use crate::block::column::TextColumn;
use crate::block::{Block, Effort, MAX_PARTS, batch_len, decode, encode};

fn check(records: &[Record]) {
    let first_id = records[0].id;
    for effort in [Effort::Fast, Effort::Tight] {
        let block = encode(first_id, records, effort);
        assert!(block.parts.len() <= MAX_PARTS);
        assert_eq!(block.meta.count as usize, records.len());
        let counted: u32 = block.meta.levels.iter().map(|(_, count)| count).sum();
        assert_eq!(counted, block.meta.count);
        assert!(decode(&block.meta, block.parts).unwrap() == records);
    }
}

fn numbered(count: u64, mut record: impl FnMut(u64) -> Record) -> Vec<Record> {
    (1..=count).map(|id| Record { id, ..record(id) }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn records_come_back(records in records()) {
        check(&records);
    }

    #[test]
    fn merged_blocks_hold_the_same(records in records(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(records.len());
        let mut merged = Vec::new();
        for records in [&records[..cut], &records[cut..]] {
            if !records.is_empty() {
                let block = encode(records[0].id, records, Effort::Fast);
                merged.extend(decode(&block.meta, block.parts).unwrap());
            }
        }
        prop_assert!(merged == records);
        prop_assert_eq!(
            encode(1000, &merged, Effort::Tight),
            encode(1000, &records, Effort::Tight)
        );
    }
}

#[test]
fn a_whole_block_of_distinct_values_comes_back() {
    check(&numbered(8192, |id| {
        let mut record = Record {
            received_us: (id as i64).wrapping_mul(0x5851_f42d_4c95_7f2d),
            created_us: i64::MIN + id as i64,
            level: id as i32 - 4096,
            line: id as i64,
            process: -(id as i64),
            thread: (id as i64) << 40,
            ..Record::default()
        };
        for column in TextColumn::ALL {
            *column.of_mut(&mut record).unwrap() = format!("{column:?} {id}");
        }
        record
    }));
}

#[test]
fn extremes_come_back() {
    let long = "Zeile mit Ümlaut\n\0".repeat(60_000);
    check(&numbered(1, |_| Record::default()));
    check(&numbered(3, |_| Record {
        message: long.clone(),
        ..Record::default()
    }));
    check(&numbered(100, |id| {
        let value = if id % 2 == 0 { i64::MIN } else { i64::MAX };
        Record {
            received_us: value,
            created_us: !value,
            line: value,
            process: value,
            thread: value,
            level: if id % 3 == 0 { i32::MIN } else { i32::MAX },
            message: if id % 50 == 0 {
                long.clone()
            } else {
                id.to_string()
            },
            exception: if id % 7 == 0 {
                format!("E{id}")
            } else {
                String::new()
            },
            ..Record::default()
        }
    }));
}

#[test]
fn long_texts_end_a_chunk_and_a_batch_early() {
    let records = numbered(200, |id| Record {
        message: format!("{id}").repeat(100_000),
        ..Record::default()
    });
    let block = encode(1, &records, Effort::Fast);
    assert!(
        (20..MAX_PARTS).contains(&block.parts.len()),
        "{}",
        block.parts.len()
    );
    check(&records);
    assert!(
        (50..100).contains(&batch_len(&records)),
        "{}",
        batch_len(&records)
    );
    assert_eq!(batch_len(&records[..1]), 1);
    assert_eq!(batch_len(&[]), 0);
    let short = numbered(9000, |_| Record::default());
    assert_eq!(batch_len(&short), 8192);
}

#[test]
fn a_single_record_is_small_and_in_one_part() {
    let record = Record {
        id: 5,
        message: "disk 93 % full".to_owned(),
        system_id: "backup".to_owned(),
        level: 30,
        level_name: "WARNING".to_owned(),
        received_us: 1_700_000_000_000_000,
        created_us: 1_700_000_000_000_000,
        thread: 140_000_000_000_000,
        process: 4711,
        line: 12,
        ..Record::default()
    };
    let values: usize = TextColumn::ALL
        .iter()
        .map(|column| column.of(&record).len())
        .sum();
    let block = encode(5, &[record], Effort::Fast);
    assert_eq!((block.parts.len(), block.filter.len()), (1, 0));
    let overhead = block.parts[0].len() - values - 6 * 8;
    assert!(overhead < 60, "{overhead}");
    let opened = Block::open(&block.meta, block.parts[0].clone()).unwrap();
    assert_eq!(opened.part_of(0), None);
}

#[test]
fn columns_that_follow_from_others_cost_nothing() {
    let records = |named: bool| {
        numbered(4096, |id| {
            let thread = (id * id % 61) as i64;
            let name = |text: &str| {
                if named {
                    format!("{text}-{thread}")
                } else {
                    String::new()
                }
            };
            Record {
                thread,
                thread_name: name("Thread"),
                sub_system_id: name("host"),
                peer: name("10.0.0.1"),
                ..Record::default()
            }
        })
    };
    let size = |records: &[Record]| encode(1, records, Effort::Fast).parts.concat().len();
    let (plain, named) = (size(&records(false)), size(&records(true)));
    assert!(named < plain + 1200, "{plain} {named}");
    check(&records(true));
}
