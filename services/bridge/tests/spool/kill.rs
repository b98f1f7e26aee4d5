//! kill -9, at random and at every system call that changes the disk.

use crate::model::{Model, folder};
use crate::program::{self, Ended, Injection};

/// Kills the program at the first, second, ... call, each time with a new spool,
/// until it gets through, and checks what is left each time: at least `least` times.
fn at_every(call: &str, least: usize) {
    let kills = kills(call, false) + kills(call, true);
    assert!(kills >= least, "{call}: only {kills} kills");
}

fn kills(call: &str, after_open: bool) -> usize {
    for when in 1.. {
        let dir = folder();
        let mut model = Model::default();
        let text = format!("{call}:signal=KILL:when={when}");
        let injection = Injection { text, after_open };
        let ended = program::run(&mut model, dir.path(), (1, 40), Some(&injection), None);
        model.settle(dir.path());
        // It also goes on working, as if nothing had been.
        program::finish(&mut model, dir.path(), (2, 9));
        model.settle(dir.path());
        match ended {
            Ended::Killed => {}
            Ended::Finished => {
                assert_eq!(model.synced[&1], 280);
                return when - 1;
            }
            Ended::Failed(why) => panic!("{call} {when}: the spool failed: {why}"),
        }
    }
    unreachable!("the program ends")
}

#[test]
fn at_every_write_to_a_segment_cursor_or_watermark() {
    at_every("pwrite64", 40);
}

#[test]
fn at_every_line_told() {
    at_every("write", 30);
}

#[test]
fn at_every_fdatasync() {
    at_every("fdatasync", 20);
}

#[test]
fn at_every_fsync() {
    at_every("fsync", 6);
}

#[test]
fn at_every_fallocate() {
    at_every("fallocate", 4);
}

#[test]
fn at_every_ftruncate() {
    at_every("ftruncate", 4);
}

#[test]
fn at_every_unlink() {
    at_every("unlink", 3);
}

/// At present it renames nothing; whoever changes that is tested from then on.
#[test]
fn at_every_rename() {
    at_every("rename", 0);
}

/// 50 times, or as often as HERALD_KILLS says, in the life of one spool.
#[test]
fn at_random() {
    let kills: u64 =
        std::env::var("HERALD_KILLS").map_or(50, |kills| kills.parse().expect("a number"));
    let dir = tempfile::tempdir().unwrap();
    let mut model = Model::default();
    for kill in 1..=kills {
        let lines = 1 + (uuid::Uuid::new_v4().as_u128() % 120) as usize;
        let ended = program::run(&mut model, dir.path(), (kill, 100_000), None, Some(lines));
        assert!(matches!(ended, Ended::Killed), "kill {kill}");
        if kill % 5 == 0 {
            model.settle(dir.path());
        }
    }
    model.settle(dir.path());
}
