//! The table of systems seen: order, bounds, and what is written.

use super::{Sighting, Table};

fn sighting(number: u64) -> Sighting {
    let time_us = number.cast_signed();
    Sighting {
        first_received_us: time_us,
        last_received_us: time_us,
        last_stored_us: time_us,
        last_id: number,
    }
}

/// Later than all the tests note.
const NOW_US: i64 = 1_000;

fn names(table: &mut Table) -> Vec<String> {
    let (systems, _) = table.list(("", ""), usize::MAX, NOW_US);
    let name = |it: domain::SeenSystem| format!("{}/{}", it.system_id, it.sub_system_id);
    systems.into_iter().map(name).collect()
}

#[test]
fn pages_neither_overlap_nor_leave_gaps() {
    let mut table = Table::new(100, 10);
    for (number, (system, sub_system)) in [("b", "2"), ("a", ""), ("b", "1"), ("c", "x")]
        .into_iter()
        .enumerate()
    {
        table.note(system, sub_system, sighting(number as u64), NOW_US);
    }
    let mut pages = Vec::new();
    let mut after = (String::new(), String::new());
    loop {
        let (page, has_more) = table.list((&after.0, &after.1), 1, NOW_US);
        let last = page.last().unwrap().clone();
        pages.push(format!("{}/{}", last.system_id, last.sub_system_id));
        after = (last.system_id, last.sub_system_id);
        if !has_more {
            break;
        }
    }
    assert_eq!(pages, ["a/", "b/1", "b/2", "c/x"]);
}

#[test]
fn the_least_recently_seen_are_forgotten() {
    let mut table = Table::new(3, 1);
    for number in 1..=4 {
        table.note(&format!("s{number}"), "", sighting(number), NOW_US);
        table.forget_some();
    }
    assert_eq!(table.count, 4, "within the slack");
    table.note("s1", "", sighting(5), NOW_US);
    assert_eq!(names(&mut table), ["s1/", "s3/", "s4/"]);
    table.load(Vec::new(), 5);
    let part = table.take_unwritten(100).unwrap();
    assert_eq!(part.forgotten, [("s2".to_owned(), String::new())]);
    assert_eq!((part.systems.len(), part.through_id), (3, Some(5)));
}

#[test]
fn names_are_bounded() {
    let mut table = Table::new(10, 1);
    table.note("", "host", sighting(1), NOW_US);
    table.note("x", &"y".repeat(512), sighting(2), NOW_US);
    table.note("x", &"y".repeat(511), sighting(3), NOW_US);
    assert_eq!(names(&mut table).len(), 1);
}

#[test]
fn what_changes_is_written_in_parts() {
    let mut table = Table::new(10, 1);
    assert_eq!(
        table.take_unwritten(2),
        None,
        "the database is not known yet"
    );
    table.load(Vec::new(), 0);
    assert_eq!(table.take_unwritten(2), None);
    for number in 1..=3 {
        table.note(&format!("s{number}"), "", sighting(number), NOW_US);
    }
    table.came_to(3);
    let part = table.take_unwritten(2).unwrap();
    assert_eq!((part.systems.len(), part.through_id), (2, None));
    table.note("s4", "", sighting(4), NOW_US);
    table.came_to(4);
    let part = table.take_unwritten(2).unwrap();
    assert_eq!((part.systems.len(), part.through_id), (1, Some(3)));
    let part = table.take_unwritten(2).unwrap();
    assert_eq!((part.systems.len(), part.through_id), (1, Some(4)));
    assert_eq!(table.take_unwritten(2), None);
    table.set_unwritten();
    assert_eq!(table.take_unwritten(9).unwrap().systems.len(), 4);
}

#[test]
fn one_that_was_forgotten_and_comes_back_is_written() {
    let mut table = Table::new(1, 0);
    table.load(Vec::new(), 0);
    table.note("a", "", sighting(1), NOW_US);
    table.note("b", "", sighting(2), NOW_US);
    table.forget_some();
    table.note("a", "", sighting(3), NOW_US);
    table.forget_some();
    table.came_to(3);
    let part = table.take_unwritten(1).unwrap();
    assert_eq!((part.forgotten.len(), part.systems.len()), (1, 0));
    let part = table.take_unwritten(2).unwrap();
    assert_eq!((part.forgotten.len(), part.systems.len()), (1, 1));
    assert_eq!(part.systems[0].system_id, "a");
}

/// Guards against a system that goes on becoming one never seen, because another has
/// a great many sub systems.
#[test]
fn no_system_is_forgotten_while_another_has_several_pairs() {
    let mut table = Table::new(3, 0);
    table.note("quiet", "old", sighting(1), NOW_US);
    table.note("quiet", "new", sighting(2), NOW_US);
    for number in 3..=6 {
        table.note("many", &format!("{number}"), sighting(number), NOW_US);
    }
    assert_eq!(names(&mut table), ["many/5", "many/6", "quiet/new"]);
    for number in 7..=9 {
        table.note(&format!("s{number}"), "", sighting(number), NOW_US);
    }
    assert_eq!(names(&mut table), ["s7/", "s8/", "s9/"]);
}

/// Guards against a store's clock that was ahead once keeping systems alive until that
/// date.
#[test]
fn nothing_was_seen_after_now() {
    let mut table = Table::new(10, 0);
    table.note("a", "", sighting(2_000), NOW_US);
    table.note("b", "", sighting(2_001), 3_000);
    table.load(Vec::new(), 0);
    table.take_unwritten(10).unwrap();
    // Seen again by a clock that was set right.
    table.note("b", "", sighting(500), 600);
    let (systems, _) = table.list(("", ""), 10, 600);
    let times = systems
        .iter()
        .map(|it| (it.last_stored_us, it.last_received_us));
    assert_eq!(times.collect::<Vec<_>>(), [(600, 600), (600, 600)]);
    // It stays silent, and what was corrected is written.
    let (systems, _) = table.list(("", ""), 10, 700);
    assert_eq!(systems[0].last_stored_us, 600);
    assert_eq!(table.take_unwritten(10).unwrap().systems.len(), 2);
}
