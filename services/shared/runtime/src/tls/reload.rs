//! What was made of files, and is made anew when they change.

use std::{fs, os::unix::fs::MetadataExt, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, MissedTickBehavior, interval_at},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{error, info};

use super::Files;
use crate::config::ConfigError;

/// How often is looked whether a file has changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What a file was when it was looked at: when it or who may read it changed, its
/// size, and which one it is. `None` when there is none.
type Stamp = Vec<Option<(i64, i64, u64, u64)>>;

/// The newest that could be made of the files; clones share it. When the last one
/// is dropped, nothing is looked at any more.
#[derive(Debug)]
pub(super) struct Reloading<T> {
    current: watch::Receiver<Arc<T>>,
    watching: Arc<AbortOnDropHandle<()>>,
}

impl<T> Clone for Reloading<T> {
    fn clone(&self) -> Self {
        Self {
            current: self.current.clone(),
            watching: Arc::clone(&self.watching),
        }
    }
}

impl<T: Send + Sync + 'static> Reloading<T> {
    /// Makes the first, and goes on to look. Call it within a tokio runtime.
    ///
    /// # Errors
    /// The first cannot be made.
    pub(super) fn start(
        files: &Files,
        make: fn(&Files) -> Result<T, ConfigError>,
    ) -> Result<Self, ConfigError> {
        let seen = stamp(files);
        let (sender, current) = watch::channel(Arc::new(make(files)?));
        let watching = tokio::spawn(follow(files.clone(), seen, make, sender));
        Ok(Self {
            current,
            watching: Arc::new(AbortOnDropHandle::new(watching)),
        })
    }

    /// The newest.
    pub(super) fn current(&self) -> Arc<T> {
        Arc::clone(&self.current.borrow())
    }
}

async fn follow<T: Send + Sync + 'static>(
    files: Files,
    mut seen: Stamp,
    make: fn(&Files) -> Result<T, ConfigError>,
    sender: watch::Sender<Arc<T>>,
) {
    let mut looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told = String::new();
    loop {
        looks.tick().await;
        let (files, before) = (files.clone(), seen.clone());
        // The stamp is older than what is read: a file that changes meanwhile is
        // read again.
        let looked = spawn_blocking(move || {
            let now = stamp(&files);
            (now != before).then(|| (make(&files), now))
        });
        let Ok(Some((made, now))) = looked.await else {
            continue;
        };
        match made {
            Ok(made) => {
                seen = now;
                told.clear();
                sender.send_replace(Arc::new(made));
                info!("certificates have changed and were read again");
            }
            // They are tried again, but told of once.
            Err(error) => {
                let problem = error.to_string();
                if problem != told {
                    error!(%error, "new certificates cannot be used: the old ones stay");
                    told = problem;
                }
            }
        }
    }
}

fn stamp(files: &Files) -> Stamp {
    let stamp = |path| {
        let about = fs::metadata(path).ok()?;
        Some((about.ctime(), about.ctime_nsec(), about.size(), about.ino()))
    };
    files.paths().into_iter().map(stamp).collect()
}
