//! A disk that refuses single calls.

use crate::model::{Model, folder};
use crate::program::{self, Ended, Injection};

/// How often the program gave up, and how often it got over the fault.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    failed: usize,
    finished: usize,
}

/// Lets the first, second, ... call fail, as many as there are, each time with a
/// new spool; checks what is left and that it goes on.
fn at_every(call: &str, error: &str) -> Outcome {
    let mut outcome = Outcome::default();
    for after_open in [false, true] {
        for when in 1..=calls(call, after_open) {
            let dir = folder();
            let mut model = Model::default();
            let text = format!("{call}:error={error}:when={when}");
            let injection = Injection { text, after_open };
            match program::run(&mut model, dir.path(), (1, 40), Some(&injection), None) {
                Ended::Failed(_) => outcome.failed += 1,
                Ended::Finished => outcome.finished += 1,
                Ended::Killed => panic!("{call} {when}: killed"),
            }
            model.settle(dir.path());
            program::finish(&mut model, dir.path(), (2, 9));
            model.settle(dir.path());
        }
    }
    outcome
}

/// How often one thread makes a call, a little less because that varies.
fn calls(call: &str, after_open: bool) -> usize {
    let killed = |when: &usize| {
        let dir = folder();
        let injection = Injection {
            text: format!("{call}:signal=KILL:when={when}"),
            after_open,
        };
        let run = (1, 40);
        let ended = program::run(
            &mut Model::default(),
            dir.path(),
            run,
            Some(&injection),
            None,
        );
        if let Ended::Failed(why) = &ended {
            panic!("{call} {when}: failed without a fault: {why}");
        }
        matches!(ended, Ended::Killed)
    };
    let too_many = (0..)
        .map(|power| 1 << power)
        .find(|when| !killed(when))
        .expect("an end");
    // A number that was met once may not be met again, so that none may be found here.
    let met = too_many / 2;
    let most = (met..too_many)
        .rev()
        .find(|when| killed(when))
        .unwrap_or(met);
    most - most / 10
}

#[test]
fn eio_on_fdatasync_ends_the_spool_and_costs_nothing_synced() {
    let outcome = at_every("fdatasync", "EIO");
    assert!(
        outcome.failed > 15 && outcome.finished <= outcome.failed / 4,
        "{outcome:?}"
    );
}

#[test]
fn enospc_on_fdatasync_ends_the_spool_and_costs_nothing_synced() {
    let outcome = at_every("fdatasync", "ENOSPC");
    assert!(
        outcome.failed > 15 && outcome.finished <= outcome.failed / 4,
        "{outcome:?}"
    );
}

#[test]
fn eio_on_a_write_ends_the_spool_and_costs_nothing_synced() {
    let outcome = at_every("pwrite64", "EIO");
    assert!(
        outcome.failed > 30 && outcome.finished <= outcome.failed / 4,
        "{outcome:?}"
    );
}

#[test]
fn enospc_on_a_write_is_waited_out() {
    let outcome = at_every("pwrite64", "ENOSPC");
    assert!(outcome.failed == 0 && outcome.finished > 30, "{outcome:?}");
}

#[test]
fn enospc_on_fallocate_is_waited_out() {
    let outcome = at_every("fallocate", "ENOSPC");
    assert!(outcome.failed == 0 && outcome.finished > 3, "{outcome:?}");
}

#[test]
fn a_file_system_without_fallocate_will_do() {
    let outcome = at_every("fallocate", "EOPNOTSUPP");
    assert!(outcome.failed == 0 && outcome.finished > 3, "{outcome:?}");
}
