//! Which spools are remembered, and that a file tells of them.

use super::*;
use crate::spool::Sender;

fn progress(number: u128, next: u64) -> Progress {
    Progress {
        sender: Sender::Bridge,
        upstream: Uuid::from_u128(number),
        next,
    }
}

#[test]
fn a_number_only_rises() {
    let mut table = Table::default();
    for (next, expected) in [(5, 5), (9, 9), (7, 9)] {
        table.advance(&progress(1, next), 0);
        assert_eq!(table.next(Uuid::from_u128(1)), Some(expected));
    }
    assert_eq!(table.next(Uuid::from_u128(2)), None);
}

#[test]
fn what_was_heard_of_longest_ago_is_forgotten_and_the_rest_fits_the_file() {
    for book in [UPSTREAMS, STREAMS] {
        let mut table = Table::default();
        for number in 0..=book.most {
            assert_eq!(table.forget(&book), 0);
            let at_us = if number == 17 { -1 } else { number as i64 };
            table.advance(&progress(number as u128, 3), at_us);
        }
        assert_eq!(table.forget(&book), book.forgotten as u64);
        assert_eq!(table.heard.len(), book.most + 1 - book.forgotten);
        assert_eq!(table.next(Uuid::from_u128(17)), None);
        assert_eq!(table.next(Uuid::from_u128(book.most as u128)), Some(3));
        let bytes = table.encode(44);
        assert!(book.most * 48 + 8 < book.copy_bytes - 24);
        assert_eq!(Table::decode(&bytes, false), Some((table, 44)));
    }
}

#[test]
fn those_that_have_ended_go_first_and_are_not_missed() {
    let mut table = Table::default();
    let first = STREAMS.most / 2;
    for number in 0..=STREAMS.most {
        table.advance(&progress(number as u128, 3), number as i64);
        if number >= first {
            let heard = table
                .heard
                .get_mut(&Uuid::from_u128(number as u128))
                .unwrap();
            heard.parted = true;
        }
    }
    assert_eq!(table.forget(&STREAMS), 0);
    assert_eq!(table.next(Uuid::from_u128(0)), Some(3));
    assert_eq!(table.next(Uuid::from_u128(first as u128)), None);
}

#[test]
fn the_file_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::lock(dir.path()).unwrap();
    let load = || Upstreams::load(&folder, UPSTREAMS).unwrap();
    let upstreams = load();
    assert_eq!(upstreams.covers(), None);
    upstreams.advance(&[progress(1, 5), progress(2, 8)], 1);
    assert!(upstreams.save(&folder, 30).unwrap());
    let again = load();
    assert_eq!(again.covers(), Some(30));
    assert_eq!(again.next(Uuid::from_u128(2)), Some(8));
    std::fs::write(dir.path().join("upstreams"), b"rubbish").unwrap();
    assert_eq!(load().covers(), Some(0));
}

/// More of a caller's spools than there is room for, heard of after all others.
fn begin_anew(table: &mut Table, caller: impl Fn(u128) -> Caller) {
    for number in 0..UPSTREAMS.most as u128 + 500 {
        let spool = progress(1_000_000 + number, 3);
        table.introduce(spool.upstream, caller(number));
        table.advance(&spool, 1_000);
        table.forget(&UPSTREAMS);
    }
}

#[test]
fn who_begins_anew_all_the_time_pushes_out_nobody_else() {
    let quiet = [(1, 1), (2, 7), (2, 8), (0, 0)];
    let check = |caller: fn(u128) -> Caller| {
        let mut table = Table::default();
        for (number, (from, name)) in (1..).zip(quiet) {
            // The last is one of which only entries tell.
            if from > 0 {
                table.introduce(Uuid::from_u128(number), Caller { from, name });
            }
            table.advance(&progress(number, 3), number as i64);
        }
        begin_anew(&mut table, caller);
        assert_eq!(table.heard.len(), UPSTREAMS.most);
        for number in 1..=quiet.len() as u128 {
            assert_eq!(table.next(Uuid::from_u128(number)), Some(3), "{number}");
        }
        let last = 1_000_000 + UPSTREAMS.most as u128 + 499;
        assert_eq!(
            table.next(Uuid::from_u128(last)),
            Some(3),
            "the newest stays"
        );
        assert!(table.introduced.is_empty());
    };
    check(|_| Caller { from: 9, name: 9 });
    // Whatever it calls itself; and beside others that call from the same place.
    check(|number| Caller {
        from: 9,
        name: number as u64,
    });
    check(|_| Caller { from: 2, name: 9 });
}

#[test]
fn who_introduces_spools_and_sends_nothing_takes_no_room() {
    let mut table = Table::default();
    for number in 0..10 * MOST_INTRODUCED as u128 {
        table.introduce(Uuid::from_u128(number), Caller { from: 9, name: 9 });
    }
    assert!(table.heard.is_empty() && table.introduced.len() <= MOST_INTRODUCED);
}

#[test]
fn a_file_from_before_callers_were_kept_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::lock(dir.path()).unwrap();
    let path = dir.path().join(UPSTREAMS.file);
    let former = UPSTREAMS.former.unwrap();
    let (mut slots, _) = Slots::load(&path, former, UPSTREAMS.copy_bytes, |_| {
        panic!("nothing there")
    })
    .unwrap();
    let mut bytes = 30_u64.to_le_bytes().to_vec();
    bytes.extend_from_slice(Uuid::from_u128(7).as_bytes());
    bytes.extend_from_slice(&5_u64.to_le_bytes());
    bytes.extend_from_slice(&1_i64.to_le_bytes());
    slots.write(&bytes).unwrap();
    let load = || Upstreams::load(&folder, UPSTREAMS).unwrap();
    let upstreams = load();
    assert_eq!(upstreams.covers(), Some(30));
    assert_eq!(upstreams.next(Uuid::from_u128(7)), Some(5));
    for covers in 40..43 {
        assert!(upstreams.save(&folder, covers).unwrap());
        assert_eq!(load().covers(), Some(covers));
        assert_eq!(load().next(Uuid::from_u128(7)), Some(5));
    }
}
