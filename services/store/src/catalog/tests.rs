//! What the catalog knows after changes.

use std::{ops::Range, sync::Arc};

use domain::Order;

use super::{Catalog, Change, Entry};
use crate::block::{BlockMeta, Facets, Source};

fn meta(first_id: u64, count: u32) -> BlockMeta {
    BlockMeta {
        first_id,
        count,
        min_received_us: 0,
        max_received_us: 0,
        min_created_us: 0,
        max_created_us: 0,
        levels: vec![(20, count)],
    }
}

fn block(first_id: u64, count: u32, system: &str) -> (BlockMeta, Facets) {
    let mut facets = Facets::default();
    facets.fields[0] = Some(vec![(system.to_owned(), count)]);
    (meta(first_id, count), facets)
}

fn catalog() -> Catalog {
    let catalog = Catalog::new();
    catalog.apply(Change {
        removed: Vec::new(),
        added: (0..10).map(|n| block(1 + n * 10, 10, "a")).collect(),
    });
    catalog
}

fn entries(catalog: &Catalog, ids: &Range<u64>, order: Order, limit: usize) -> Vec<Arc<Entry>> {
    let view = catalog.view();
    view.blocks(ids, order).take(limit).cloned().collect()
}

/// How many records of each block have a value of a field.
fn counts(catalog: &Catalog, field: usize, value: &str) -> Vec<Option<u32>> {
    let view = catalog.view();
    let symbol = view.symbols().find(field, value);
    let blocks = view.blocks(&(0..u64::MAX), Order::OldestFirst);
    blocks.map(|entry| entry.count_of(field, symbol)).collect()
}

#[test]
fn blocks_of_a_range_are_found_in_order() {
    let catalog = catalog();
    let check = |ids: Range<u64>, order, limit, expected: &[u64]| {
        let entries = entries(&catalog, &ids, order, limit);
        let found: Vec<u64> = entries.iter().map(|entry| entry.meta.first_id).collect();
        assert_eq!(found, expected, "{ids:?}");
    };
    check(0..u64::MAX, Order::OldestFirst, 2, &[1, 11]);
    check(0..u64::MAX, Order::NewestFirst, 2, &[91, 81]);
    check(15..22, Order::OldestFirst, 9, &[11, 21]);
    check(15..22, Order::NewestFirst, 9, &[21, 11]);
    check(15..15, Order::NewestFirst, 9, &[]);
    check(101..u64::MAX, Order::OldestFirst, 9, &[]);
    check(95..u64::MAX, Order::NewestFirst, 9, &[91]);
}

#[test]
fn a_change_is_seen_as_one() {
    let catalog = catalog();
    let newest = catalog.newest_id();
    assert_eq!(*newest.borrow(), 100);
    catalog.apply(Change {
        removed: vec![(1, 10), (11, 10), (21, 9)],
        added: vec![block(1, 20, "b"), block(101, 1, "c")],
    });
    assert_eq!(*newest.borrow(), 101);
    let kept = entries(&catalog, &(0..u64::MAX), Order::OldestFirst, 2);
    let sizes: Vec<u32> = kept.iter().map(|entry| entry.meta.count).collect();
    assert_eq!(sizes, [20, 10]);
    assert_eq!(counts(&catalog, 0, "a")[..2], [Some(0), Some(10)]);
    assert_eq!(counts(&catalog, 0, "b")[..2], [Some(20), Some(0)]);
    assert_eq!(counts(&catalog, 0, "z")[..2], [Some(0), Some(0)]);
    assert_eq!(counts(&catalog, 1, "a")[..2], [None, None]);
}

#[test]
fn values_that_no_block_has_any_more_are_forgotten() {
    let catalog = Catalog::new();
    for n in 1..400_u64 {
        let value = |v: u64| (format!("{n}-{v}-{}", "x".repeat(1000)), 1);
        let mut facets = Facets::default();
        facets.fields[0] = Some((0..8).map(value).collect());
        facets.fields[1] = Some(vec![("stays".to_owned(), 8)]);
        let removed = if n > 50 {
            vec![(n - 50, 1)]
        } else {
            Vec::new()
        };
        catalog.apply(Change {
            removed,
            added: vec![(meta(n, 1), facets)],
        });
        let newest = entries(&catalog, &(n..n + 1), Order::NewestFirst, 1);
        assert!(newest[0].values[0].is_some(), "{n}");
    }
    assert_eq!(counts(&catalog, 1, "stays"), [Some(8); 50]);
    let view = catalog.view();
    for entry in view.blocks(&(0..u64::MAX), Order::OldestFirst) {
        let values = entry.values[0].as_deref().unwrap();
        let text = view.symbols().text(0, values[0].0);
        assert!(text.starts_with(&format!("{}-", entry.meta.first_id)));
    }
}

#[test]
fn damage_is_remembered() {
    let catalog = catalog();
    let entry = |id| entries(&catalog, &(id..id + 1), Order::OldestFirst, 1).remove(0);
    assert!(entry(15).set_damaged());
    assert!(!entry(15).set_damaged());
    let rows = (0..10).map(|n| (meta(1 + n * 10, 10), None)).collect();
    catalog.replace(rows);
    assert!(entry(15).is_damaged());
    assert!(!entry(25).is_damaged());
}

#[test]
fn sources_are_kept_for_as_many_blocks_as_fit() {
    let catalog = Catalog::new();
    let source = |system| Source {
        system,
        sub_system: 0,
        records: 1,
        first_received_us: 0,
        last_received_us: 0,
        last_row: 0,
    };
    let with_sources = |first_id| {
        let (meta, mut facets) = block(first_id, 10, "a");
        facets.fields[1] = Some(vec![("host".to_owned(), 10)]);
        facets.sources = Some(vec![source(0); 1_024]);
        (meta, facets)
    };
    let known = |catalog: &Catalog| {
        let view = catalog.view();
        let blocks = view.blocks(&(0..u64::MAX), Order::OldestFirst);
        let known: Vec<bool> = blocks.map(|entry| entry.sources.is_some()).collect();
        known
    };
    catalog.apply(Change {
        removed: Vec::new(),
        added: (0..1_025).map(|n| with_sources(1 + n * 10)).collect(),
    });
    let of_all = known(&catalog);
    assert_eq!(of_all.iter().filter(|known| **known).count(), 1_024);
    assert!(!of_all[1_024]);
    // Room that is given back is used again.
    catalog.apply(Change {
        removed: vec![(1, 10)],
        added: vec![with_sources(20_001)],
    });
    assert!(known(&catalog)[1_024]);
}
