//! Bridges that come and go, in seconds.

use super::{Presence, Uptime, attended_since_us, complete_us, interruptions};
use crate::{db::bridge::Bridge, journal::Contact};
use domain::{Interruption, Micros};
use prost::Message;
use proto::v1::BridgeReport;

const S: Micros = 1_000_000;

/// A store that began at 1,000 s, and ran before until 900 s.
const UPTIME: Uptime = Uptime {
    started_us: 1_000 * S,
    alive_before_us: 900 * S,
};

/// A bridge as its row tells, heard first and last at these times.
fn row(first_s: i64, heard_s: i64) -> Bridge {
    Bridge {
        bridge_id: uuid::Uuid::nil(),
        name: "bridge".to_owned(),
        first_sequence: 1,
        next_sequence: 1,
        first_contact_us: first_s * S,
        contact_us: heard_s * S,
        mark: String::new(),
        report: None,
    }
}

fn with_report(mut bridge: Bridge, lag_s: u64) -> Bridge {
    let report = BridgeReport {
        lag_ms: lag_s * 1_000,
        ..BridgeReport::default()
    };
    bridge.report = Some(report.encode_to_vec());
    bridge
}

/// Its word since the start: streams, its newest contact, and the newest report
/// with the lag.
fn contact(streams: usize, heard_s: i64, reported: Option<(i64, i64)>) -> Contact {
    Contact {
        contact_us: heard_s * S,
        reported: reported.map(|(reported_s, lag_s)| (reported_s * S, lag_s * S)),
        streams,
        ..Contact::default()
    }
}

fn check(bridges: &[(Bridge, Option<Contact>)], now_s: i64, complete_s: i64) {
    let presences: Vec<_> = bridges
        .iter()
        .map(|(bridge, contact)| Presence::new(bridge, contact.as_ref(), now_s * S))
        .collect();
    let complete_us = complete_us(&presences, UPTIME, now_s * S);
    assert_eq!(complete_us / S, complete_s, "{bridges:?} at {now_s}");
}

#[test]
fn without_bridges_everything_is_here() {
    check(&[], 2_000, 2_000);
    let import = Bridge {
        mark: "row 7".to_owned(),
        ..row(1_500, 1_500)
    };
    check(&[(import, None)], 1_600, 1_600);
}

#[test]
fn a_bridge_in_contact_tells_by_its_reports() {
    let of = |reported| vec![(row(500, 890), Some(contact(1, 1_100, reported)))];
    check(&of(None), 1_100, 1_100);
    check(&of(Some((1_100, 0))), 1_101, 1_100);
    check(&of(Some((1_100, 70))), 1_101, 1_030);
}

#[test]
fn the_slowest_bridge_counts() {
    let quick = (row(500, 890), Some(contact(1, 1_100, Some((1_100, 0)))));
    let mut slow = (row(500, 890), Some(contact(1, 1_100, Some((1_099, 40)))));
    slow.0.name = "slow".to_owned();
    check(&[quick, slow], 1_101, 1_059);
}

#[test]
fn a_bridge_that_is_away_is_waited_for_ten_minutes() {
    let gone = vec![(row(500, 890), Some(contact(0, 1_102, Some((1_100, 0)))))];
    check(&gone, 1_150, 1_100);
    check(&gone, 1_702, 1_100);
    check(&gone, 1_703, 1_703);
    let silent = vec![(row(500, 890), Some(contact(1, 1_100, Some((1_100, 0)))))];
    check(&silent, 1_130, 1_100);
    check(&silent, 1_700, 1_100);
    check(&silent, 1_701, 1_701);
}

#[test]
fn after_a_start_bridges_have_time_to_come_back() {
    // In contact until the store stopped: what came since is in its spool.
    let waiting = vec![(with_report(row(500, 900), 0), None)];
    check(&waiting, 1_001, 890);
    check(&waiting, 1_600, 890);
    check(&waiting, 1_601, 1_601);
    let lagging = vec![(with_report(row(500, 900), 60), None)];
    check(&lagging, 1_001, 830);
    // Its stream is open, but it has not said yet how much is in its spool.
    let back = vec![(with_report(row(500, 900), 0), Some(contact(1, 1_002, None)))];
    check(&back, 1_003, 890);
    let told = vec![(
        with_report(row(500, 900), 0),
        Some(contact(1, 1_004, Some((1_004, 100)))),
    )];
    check(&told, 1_004, 904);
}

#[test]
fn a_bridge_that_was_gone_before_the_start_is_given_up_sooner() {
    check(&[(with_report(row(100, 200), 0), None)], 1_001, 1_001);
    check(&[(with_report(row(100, 500), 0), None)], 1_001, 490);
    check(&[(with_report(row(100, 500), 0), None)], 1_201, 1_201);
}

#[test]
fn a_bridge_that_began_anew_is_not_waited_for_under_its_former_identity() {
    let former = (row(500, 1_100), Some(contact(0, 1_100, Some((1_099, 0)))));
    let present = (row(1_200, 1_200), Some(contact(1, 1_210, Some((1_210, 0)))));
    check(std::slice::from_ref(&former), 1_210, 1_099);
    check(&[former.clone(), present.clone()], 1_210, 1_210);
    let mut other = present;
    other.0.name = "other".to_owned();
    check(&[former, other], 1_210, 1_099);
}

#[test]
fn attended_is_since_the_newest_identity() {
    let presence = |bridge: &Bridge| Presence::new(bridge, None, 2_000 * S);
    let import = Bridge {
        mark: "row 7".to_owned(),
        ..row(1_500, 1_500)
    };
    assert_eq!(attended_since_us(&[], 2_000 * S), 0);
    let all = [
        presence(&row(500, 900)),
        presence(&row(700, 900)),
        presence(&import),
    ];
    assert_eq!(attended_since_us(&all, 2_000 * S), 700 * S);
}

/// Guards against a clock that was ahead once muting all heartbeats until that date.
#[test]
fn what_a_clock_noted_that_was_ahead_does_not_count() {
    let ahead = row(9_000, 9_000);
    let presences = [
        Presence::new(&row(500, 1_100), None, 2_000 * S),
        Presence::new(&ahead, None, 2_000 * S),
    ];
    assert_eq!(attended_since_us(&presences, 2_000 * S), 500 * S);
    assert_eq!(interruptions(&presences, Vec::new(), 2_000 * S), []);
    // It went away after its clock was set right: it is not waited for until then.
    let gone = Some(contact(0, 1_102, Some((1_100, 0))));
    let mut known_ahead = row(500, 9_000);
    known_ahead.name = "gone".to_owned();
    check(&[(known_ahead, gone)], 1_703, 1_703);
}

/// Guards against a bridge that lost its network counting as ended because another
/// one with the same name is here.
#[test]
fn a_bridge_is_waited_for_though_another_has_its_name() {
    let older = (row(500, 1_300), Some(contact(0, 1_300, Some((1_300, 0)))));
    let newer = (row(800, 1_310), Some(contact(1, 1_310, Some((1_310, 0)))));
    check(&[older, newer], 1_310, 1_300);
    // Its stream ended some time after the bridge itself.
    let late = (row(500, 1_350), Some(contact(0, 1_350, Some((1_300, 0)))));
    let next = (row(1_305, 1_360), Some(contact(1, 1_360, Some((1_360, 0)))));
    check(&[late, next], 1_360, 1_360);
}

/// Guards against heartbeats with a long AGE never firing, because bridges begin anew
/// more often.
#[test]
fn interruptions_are_when_a_bridge_was_not_there() {
    let of = |name: &str, first_s, heard_s| Bridge {
        name: name.to_owned(),
        ..row(first_s, heard_s)
    };
    let check = |rows: &[Bridge], expected: &[(i64, i64)]| {
        let presence = |row: &Bridge| Presence::new(row, None, 2_000 * S);
        let presences: Vec<_> = rows.iter().map(presence).collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(from_s, to_s)| Interruption {
                from_us: from_s * S,
                to_us: to_s * S,
            })
            .collect();
        assert_eq!(
            interruptions(&presences, Vec::new(), 2_000 * S),
            expected,
            "{rows:?}"
        );
    };
    check(&[], &[]);
    check(&[of("a", 100, 200)], &[]);
    let restarts = [of("a", 900, 950), of("a", 100, 200), of("a", 230, 800)];
    check(&restarts, &[(200, 230), (800, 900)]);
    // Two bridges with one name at the same time, and then a third.
    let twins = [of("a", 100, 500), of("a", 200, 300), of("a", 600, 700)];
    check(&twins, &[(500, 600)]);
    // Times of several bridges are told as one where they overlap.
    let several = [
        of("a", 100, 200),
        of("a", 400, 500),
        of("b", 100, 300),
        of("b", 450, 500),
        of("c", 100, 600),
        of("c", 700, 800),
    ];
    check(&several, &[(200, 450), (600, 700)]);
    let import = Bridge {
        mark: "row 7".to_owned(),
        ..of("a", 1_500, 1_500)
    };
    check(&[of("a", 100, 200), import], &[]);
}

/// Guards against an absence being lost because the spool that was left behind is sent
/// first, under the identity that it had before.
#[test]
fn an_absence_that_was_noted_counts_beside_the_others() {
    let of = |first_s, heard_s| Bridge {
        name: "bridge".to_owned(),
        ..row(first_s, heard_s)
    };
    let presence = |row: &Bridge| Presence::new(row, None, 2_000 * S);
    // The older identity was heard until 310 s, because its spool was sent then.
    let presences: Vec<_> = [of(100, 310), of(312, 900)].iter().map(presence).collect();
    let gap = |from_s: i64, to_s: i64| Interruption {
        from_us: from_s * S,
        to_us: to_s * S,
    };
    let noted = vec![gap(200, 300), gap(1_900, 2_100)];
    let expected = [gap(200, 300), gap(310, 312)];
    assert_eq!(interruptions(&presences, noted, 2_000 * S), expected);
}
