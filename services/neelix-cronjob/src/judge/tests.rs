//! Verdicts: single ones here, whole histories in `history`, and nights on which
//! clocks change in `clocks`.

mod clocks;
mod history;
mod world;

use domain::{AlertKind, HeartbeatState, Interruption, SeenSystem};
use world::{HOUR, MINUTE, World};

use super::{Mark, Sighting, sort};
use crate::digest::News;

/// New records of `a` that the first watch of the first rule is for.
fn matching(records: u64, first_us: i64, last_us: i64) -> Sighting {
    Sighting {
        rule: 0,
        watch: 0,
        system_id: "a".to_owned(),
        sub_system_id: String::new(),
        records,
        first: Mark {
            id: 1,
            received_us: first_us,
        },
        last: Mark {
            id: records,
            received_us: last_us,
        },
        most: records,
        recent: records,
    }
}

fn seen(system_id: &str, at_us: i64, last_id: u64) -> SeenSystem {
    SeenSystem {
        system_id: system_id.to_owned(),
        sub_system_id: "host".to_owned(),
        first_received_us: 0,
        last_received_us: at_us,
        last_stored_us: at_us,
        last_id,
    }
}

#[test]
fn a_match_is_told_at_once_then_counted_then_told_again() {
    let mut world = World::new("[a]\nMSG=x\nCOOLDOWN=1h\n");
    world.sightings = vec![matching(3, 9 * HOUR, 9 * HOUR)];
    assert_eq!(world.run(10 * HOUR), ["Fired a 3"]);
    world.sightings = vec![matching(2, 10 * HOUR, 10 * HOUR)];
    assert_eq!(world.run(10 * HOUR + 30 * MINUTE), [""; 0]);
    world.sightings = vec![matching(4, 11 * HOUR, 11 * HOUR)];
    assert_eq!(world.run(11 * HOUR), ["Reminder a 6"]);
    world.sightings.clear();
    assert_eq!(world.run(11 * HOUR + 30 * MINUTE), [""; 0]);
    assert!(world.firing("a").is_some());
    assert_eq!(world.run(12 * HOUR), [""; 0]);
    assert!(world.firing("a").is_none(), "it ends without a word");
}

#[test]
fn a_quota_fires_and_ends_with_a_word() {
    let mut world = World::new("[a]\nMSG=x\nCOUNT=5\nWITHIN=10m\n");
    world.sightings = vec![matching(4, HOUR, HOUR)];
    assert_eq!(world.run(HOUR), [""; 0]);
    world.sightings = vec![matching(6, HOUR, HOUR)];
    assert_eq!(world.run(HOUR + MINUTE), ["Fired a 6"]);
    assert_eq!(world.firing("a").unwrap().kind, AlertKind::Count);
    // The window is not known as a whole: nothing is said of it.
    world.sightings = vec![Sighting {
        records: 0,
        most: 0,
        recent: 0,
        ..matching(0, 0, 0)
    }];
    world.attended_since_us = HOUR + 5 * MINUTE;
    assert_eq!(world.run(HOUR + 11 * MINUTE), [""; 0]);
    assert!(world.firing("a").is_some());
    assert_eq!(world.run(HOUR + 20 * MINUTE), ["Resolved a 0"]);
    assert!(world.firing("a").is_none());
}

#[test]
fn a_silence_is_told_once_and_so_is_its_end() {
    let mut world = World::new("[a]\nAGE=1h\n");
    world.systems = vec![seen("a", HOUR, 7)];
    assert_eq!(world.run(2 * HOUR), [""; 0]);
    assert_eq!(world.run(2 * HOUR + 1), ["Fired a 0"]);
    let alert = world.firing("a").unwrap().clone();
    assert_eq!(
        (alert.since_us, alert.first_record_id, alert.last_us),
        (HOUR, 7, 0)
    );
    assert_eq!(world.run(9 * HOUR), [""; 0]);
    // Herald was away, which is no sign of life.
    world.attended_since_us = 9 * HOUR;
    assert_eq!(world.run(9 * HOUR + MINUTE), [""; 0]);
    assert_eq!(world.state_of("a"), HeartbeatState::Down);
    world.systems = vec![seen("a", 10 * HOUR, 8)];
    assert_eq!(world.run(10 * HOUR), ["Resolved a 0"]);
    assert_eq!(world.state_of("a"), HeartbeatState::Up);
    // Back for a moment between two runs, and gone again.
    assert_eq!(world.run(12 * HOUR), ["Fired a 0"]);
    world.systems = vec![seen("a", 12 * HOUR + MINUTE, 9)];
    assert_eq!(world.run(15 * HOUR), ["Resolved a 0", "Fired a 0"]);
}

#[test]
fn a_system_that_was_never_seen_is_missed_from_when_it_was_named() {
    let mut world = World::new("[a]\nAGE=1h\nGRACE=10m\n");
    assert_eq!(world.run(5 * HOUR), [""; 0]);
    assert_eq!(world.run(6 * HOUR + MINUTE), [""; 0]);
    assert_eq!(world.state_of("a"), HeartbeatState::Late);
    assert_eq!(world.run(6 * HOUR + 11 * MINUTE), ["Fired a 0"]);
    assert_eq!(world.state_of("a"), HeartbeatState::NeverSeen);
    world.systems = vec![seen("a", 7 * HOUR, 1)];
    assert_eq!(world.run(7 * HOUR), ["Resolved a 0"]);
}

#[test]
fn imports_of_old_records_are_no_sign_of_life() {
    let mut world = World::new("[a]\nAGE=1h\n");
    world.systems = vec![seen("a", 2 * HOUR, 7)];
    assert_eq!(world.run(4 * HOUR), ["Fired a 0"]);
    world.systems = vec![seen("a", 2 * HOUR, 99)];
    assert_eq!(world.run(5 * HOUR), [""; 0]);
    assert!(world.firing("a").is_some());
}

/// Guards: receiving comes before taking, so that an import looked like a return.
#[test]
fn an_import_ends_no_silence_of_a_system_that_was_live() {
    let mut world = World::new("[a]\nAGE=1h\n");
    let live = |stored_us, last_id| SeenSystem {
        last_received_us: stored_us - 5_000,
        ..seen("a", stored_us, last_id)
    };
    world.systems = vec![live(2 * HOUR, 7)];
    assert_eq!(world.run(4 * HOUR), ["Fired a 0"]);
    for import in 1..4 {
        world.systems = vec![live(2 * HOUR, 7 + import)];
        assert_eq!(world.run(4 * HOUR + MINUTE), [""; 0]);
    }
    // Back for a moment between two runs, and gone again.
    world.systems = vec![live(4 * HOUR + 2 * MINUTE, 11)];
    assert_eq!(world.run(9 * HOUR), ["Resolved a 0", "Fired a 0"]);
    // Taken just before the silence was found, but seen by the next run only.
    world.systems = vec![live(9 * HOUR - 1, 12)];
    assert_eq!(world.run(9 * HOUR + MINUTE), ["Resolved a 0"]);
}

#[test]
fn who_knows_is_told_only_of_the_end() {
    let mut world = World::new("[a]\nAGE=1h\nCOOLDOWN=1h\n");
    world.systems = vec![seen("a", HOUR, 7)];
    assert_eq!(world.run(3 * HOUR), ["Fired a 0"]);
    assert_eq!(world.run(4 * HOUR), ["Reminder a 0"]);
    world.change("a", |alert| alert.acknowledged_us = Some(4 * HOUR));
    assert_eq!(world.run(8 * HOUR), [""; 0]);
    world.systems = vec![seen("a", 9 * HOUR, 8)];
    assert_eq!(world.run(9 * HOUR), ["Resolved a 0"]);
}

#[test]
fn a_silenced_subject_stays_so_over_its_end_and_is_told_once_after() {
    let mut world = World::new("[a]\nAGE=1h\n");
    world.systems = vec![seen("a", HOUR, 7)];
    assert_eq!(world.run(3 * HOUR), ["Fired a 0"]);
    world.change("a", |alert| alert.silenced_until_us = Some(8 * HOUR));
    world.systems = vec![seen("a", 4 * HOUR, 8)];
    assert_eq!(world.run(4 * HOUR), [""; 0]);
    assert_eq!(world.run(7 * HOUR), [""; 0]);
    assert_eq!(world.firing("a").unwrap().silenced_until_us, Some(8 * HOUR));
    assert_eq!(world.run(8 * HOUR), ["Fired a 0"]);
    assert_eq!(world.run(9 * HOUR), [""; 0]);
    world.change("a", |alert| alert.silenced_until_us = Some(11 * HOUR));
    assert_eq!(world.run(10 * HOUR), [""; 0]);
    assert_eq!(world.run(12 * HOUR), ["Reminder a 0"]);
    assert_eq!(world.run(13 * HOUR), [""; 0]);
}

#[test]
fn alerts_without_a_rule_end_without_a_word() {
    let mut world = World::new("[a]\nAGE=1h\n[b]\nAGE=1h\n");
    world.systems = vec![seen("a", HOUR, 7), seen("b", HOUR, 8)];
    assert_eq!(world.run(3 * HOUR), ["Fired a 0", "Fired b 0"]);
    world.rules("[a]\nAGE=60*60\n");
    assert_eq!(world.run(4 * HOUR), [""; 0]);
    assert!(
        world.firing("a").is_some(),
        "the same written in another way"
    );
    assert!(world.firing("b").is_none());
}

#[test]
fn a_pattern_is_for_each_system_by_itself() {
    let mut world = World::new("[job_*]\nAGE=1h\n[x/*]\nAGE=2h\n");
    world.systems = vec![
        seen("job_1", HOUR, 7),
        seen("job_2", 3 * HOUR, 8),
        seen("x", HOUR, 9),
    ];
    assert_eq!(world.run(3 * HOUR), ["Fired job_1 0"]);
    assert_eq!(world.run(4 * HOUR), ["Fired x/host 0"]);
    assert_eq!(world.heartbeats.len(), 3);
}

#[test]
fn a_storm_is_one_letter_and_so_is_its_end() {
    let mut world = World::new("[job_*]\nAGE=1h\n[b]\nAGE=1h\n[c]\nMSG=x\n");
    let jobs = |at_us, id| (0..9).map(move |job| seen(&format!("job_{job}"), at_us, id));
    world.systems = jobs(HOUR, 7).collect();
    world.run(3 * HOUR);
    let post = sort(world.told.clone());
    assert_eq!(
        (post.letters.len(), post.storms.len()),
        (1, 0),
        "nine are none"
    );

    let mut world = World::new("[job_*]\nAGE=1h\n[b]\nAGE=1h\n[c]\nMSG=x\n");
    world.systems = jobs(HOUR, 7).chain([seen("b", HOUR, 8)]).collect();
    world.sightings = vec![Sighting {
        rule: 2,
        system_id: "c".to_owned(),
        ..matching(1, HOUR, HOUR)
    }];
    world.run(3 * HOUR);
    let post = sort(world.told.clone());
    assert_eq!(
        (post.letters.len(), post.storms.len(), post.storms[0].len()),
        (1, 1, 10)
    );
    assert_eq!(post.letters[0][0].rule, 2);
    world.sightings.clear();
    world.systems = jobs(4 * HOUR, 17)
        .chain([seen("b", 4 * HOUR, 18)])
        .collect();
    world.run(4 * HOUR);
    let post = sort(world.told.clone());
    assert_eq!((post.letters.len(), post.storms.len()), (0, 1));
    assert!(
        post.storms[0]
            .iter()
            .all(|told| told.news == News::Resolved)
    );
}

/// Guards: each of many silences was looked for among all others.
#[test]
fn thousands_of_silences_are_each_judged_by_their_own_past() {
    let mut world = World::new("[*]\nAGE=1h\n");
    let silent = |job| seen(&format!("job_{job}"), HOUR, 7);
    world.systems = (0..3_000).map(silent).collect();
    assert_eq!(world.run(3 * HOUR).len(), 3_000);
    let opened = world.alerts.clone();
    world.systems[1_234] = seen("job_1234", 4 * HOUR, 9);
    assert_eq!(world.run(4 * HOUR), ["Resolved job_1234 0"]);
    let changed = world.alerts.iter().zip(&opened);
    assert_eq!(
        changed.filter(|(now, before)| now.id != before.id).count(),
        0
    );
}

/// Guards: reminders of a storm came as one mail for each rule.
#[test]
fn reminders_of_a_storm_are_one_letter() {
    let rules: String = (0..12)
        .map(|n| format!("[job_{n}]\nAGE=1h\nCOOLDOWN=1h\n"))
        .collect();
    let mut world = World::new(&rules);
    world.systems = (0..12)
        .map(|n| seen(&format!("job_{n}"), HOUR, 7))
        .collect();
    world.run(3 * HOUR);
    world.run(4 * HOUR);
    let post = sort(world.told.clone());
    assert_eq!((post.letters.len(), post.storms.len()), (0, 1));
    assert!(
        post.storms[0]
            .iter()
            .all(|told| told.news == News::Reminder)
    );
}

/// Guards: a job whose clock is a few seconds ahead was missed every day.
#[test]
fn a_record_a_little_before_its_time_is_in_time() {
    let check = |grace: &str, early_us: i64, expected: &[&str]| {
        let mut world = World::new(&format!("[a]\nSCHEDULE=0 2 * * *\nGRACE={grace}\n"));
        let mut told = Vec::new();
        for day in 1..5 {
            let due = day * 24 * HOUR + 2 * HOUR;
            world.systems = vec![seen("a", due - early_us, day as u64)];
            told.extend(world.run(due + HOUR));
        }
        assert_eq!(told, expected, "{grace} {early_us}");
    };
    check("5m", 3_000_000, &[]);
    check("5m", MINUTE - 1, &[]);
    check("10s", 10_000_000 - 1, &[]);
    check("5m", -MINUTE, &[]);
    let daily = ["Fired a 0", "Resolved a 0"].repeat(4);
    let daily = [&daily[..1], &["Resolved a 0", "Fired a 0"].repeat(3)].concat();
    check("5m", 2 * MINUTE, &daily);
    check("10s", 11_000_000, &daily);
}

/// Guards: another AGE while a silence went on ended it without a word, and told of it
/// once more.
#[test]
fn a_silence_outlives_another_time_in_its_rule() {
    let mut world = World::new("[a]\nAGE=1h\n");
    world.systems = vec![seen("a", HOUR, 7)];
    assert_eq!(world.run(3 * HOUR), ["Fired a 0"]);
    world.change("a", |alert| alert.acknowledged_us = Some(3 * HOUR));
    world.rules("[a]\nMSG=x\nAGE=90m\n");
    assert_eq!(world.run(4 * HOUR), [""; 0]);
    world.rules("[a]\nSCHEDULE=0 * * * *\n");
    assert_eq!(world.run(5 * HOUR), [""; 0]);
    let alert = world.firing("a").unwrap();
    assert_eq!((alert.id, alert.acknowledged_us), (1, Some(3 * HOUR)));
    assert_eq!(world.state_of("a"), HeartbeatState::Down);
    world.systems = vec![seen("a", 6 * HOUR, 8)];
    assert_eq!(world.run(6 * HOUR + MINUTE), ["Resolved a 0"]);
    assert_eq!(world.run(9 * HOUR), ["Fired a 0"]);
}

#[test]
fn a_silence_that_nothing_is_expected_of_any_more_ends_as_it_is() {
    let check = |back_us: Option<i64>, expected: &[&str]| {
        let mut world = World::new("[a]\nAGE=1h\n");
        world.systems = vec![seen("a", HOUR, 7)];
        assert_eq!(world.run(3 * HOUR), ["Fired a 0"]);
        world.rules("[a]\nMSG=x\n");
        world.systems = vec![seen("a", back_us.unwrap_or(HOUR), 8)];
        assert_eq!(world.run(5 * HOUR), expected);
        assert!(world.firing("a").is_none());
    };
    check(None, &[]);
    check(Some(4 * HOUR), &["Resolved a 0"]);
}

/// Guards: who is expected less often than bridges begin anew was never missed.
#[test]
fn a_silence_over_many_interruptions_is_found() {
    let check = |rule: &str, last: i64, hours: i64, expected: &[&str]| {
        let mut world = World::new(rule);
        world.systems = vec![seen("a", last * HOUR, 7)];
        let mut told = Vec::new();
        for hour in last..=last + hours {
            // A new bridge every three hours, ten minutes after the one before.
            if hour % 3 == 0 {
                let (from_us, to_us) = (hour * HOUR, hour * HOUR + 10 * MINUTE);
                world.interruptions.push(Interruption { from_us, to_us });
                world.attended_since_us = to_us;
            }
            told.extend(world.run(hour * HOUR + 20 * MINUTE));
        }
        assert_eq!(told, expected, "{rule} {hours}");
    };
    check("[a]\nAGE=5h\n", 1, 9, &[]);
    check("[a]\nAGE=5h\n", 1, 11, &["Fired a 0"]);
    // A new bridge each time before anybody has looked.
    check("[a]\nSCHEDULE=30 5 * * *\n", 5, 24, &[]);
    check("[a]\nSCHEDULE=30 5 * * *\n", 5, 25, &["Fired a 0"]);
    // At a time at which they never are, nobody can say.
    check("[a]\nSCHEDULE=5 3 * * *\n", 5, 100, &[]);
}

/// Guards: a clock that was ahead once muted everything until that date.
#[test]
fn a_clock_that_was_ahead_mutes_nobody() {
    const AHEAD: i64 = 1_000 * HOUR;
    let mut world = World::new("[a]\nAGE=1h\nCOOLDOWN=1h\n[b]\nMSG=x\n");
    world.systems = vec![SeenSystem {
        last_stored_us: AHEAD,
        ..seen("a", HOUR, 7)
    }];
    world.attended_since_us = AHEAD;
    assert_eq!(world.run(3 * HOUR), ["Fired a 0"]);
    world.change("a", |alert| alert.notified_us = AHEAD);
    assert_eq!(world.run(4 * HOUR), ["Reminder a 0"]);
    world.systems = vec![seen("a", 5 * HOUR, 8)];
    assert_eq!(world.run(5 * HOUR), ["Resolved a 0"]);

    let of_b = Sighting {
        rule: 1,
        system_id: "b".to_owned(),
        ..matching(1, 5 * HOUR, AHEAD)
    };
    world.sightings = vec![of_b];
    world.systems = vec![seen("a", 6 * HOUR, 9)];
    assert_eq!(world.run(6 * HOUR), ["Fired b 1"]);
    world.sightings.clear();
    world.systems = vec![seen("a", 8 * HOUR, 10)];
    assert_eq!(world.run(8 * HOUR), [""; 0]);
    assert!(world.firing("b").is_none());
}

/// Guards: a system that the store had forgotten among many was told never to have been
/// seen.
#[test]
fn a_forgotten_system_was_seen() {
    let mut world = World::new("[a]\nAGE=1h\n");
    world.systems = vec![seen("a", 2 * HOUR, 7)];
    assert_eq!(world.run(2 * HOUR), [""; 0]);
    world.systems.clear();
    assert_eq!(world.run(2 * HOUR + 30 * MINUTE), [""; 0]);
    assert_eq!(world.run(4 * HOUR), ["Fired a 0"]);
    assert_eq!(world.state_of("a"), HeartbeatState::Down);
    assert_eq!(world.firing("a").unwrap().since_us, 2 * HOUR);
    world.systems = vec![seen("a", 5 * HOUR, 8)];
    assert_eq!(world.run(5 * HOUR), ["Resolved a 0"]);
}
