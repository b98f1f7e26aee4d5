//! Whether all is well with alerts, for every page: asked for at most every few
//! seconds, and never waited for.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

use crate::store_client::{Glance, StoreClient};

/// How long an answer, or that there was none, is good for.
const FRESH: Duration = Duration::from_secs(3);
/// How long a page waits for a newer one.
const PATIENCE: Duration = Duration::from_millis(100);
/// What is older is not shown any more.
const STALE: Duration = Duration::from_secs(60);

/// The newest answer; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    store: StoreClient,
    known: Arc<Mutex<Known>>,
    /// Nothing is told: it would be of all systems.
    is_blind: bool,
}

#[derive(Debug, Default)]
struct Known {
    glance: Option<(Glance, Instant)>,
    /// When it was asked for last.
    asked: Option<Instant>,
}

impl Watch {
    pub(crate) fn new(store: StoreClient) -> Self {
        Self {
            store,
            known: Arc::default(),
            is_blind: false,
        }
    }

    /// The same for somebody who sees some systems only, and learns nothing of it.
    pub(crate) fn blind(&self) -> Self {
        Self {
            is_blind: true,
            ..self.clone()
        }
    }

    /// What is known, and is not too old.
    pub(crate) fn known(&self) -> Option<Glance> {
        if self.is_blind {
            return None;
        }
        let known = self.lock();
        let (glance, at) = known.glance.as_ref()?;
        (at.elapsed() < STALE).then(|| glance.clone())
    }

    /// The same, asked for anew when it is not fresh: waits for the answer a moment.
    pub(crate) async fn look(&self) -> Option<Glance> {
        if self.is_blind {
            return None;
        }
        if let Some(asking) = self.ask() {
            // It goes on when nobody waits any more.
            let _ = tokio::time::timeout(PATIENCE, asking).await;
        }
        self.known()
    }

    /// After a change the next page asks anew.
    pub(crate) fn forget(&self) {
        self.lock().asked = None;
    }

    /// Asks, unless somebody has done so lately.
    fn ask(&self) -> Option<JoinHandle<()>> {
        {
            let mut known = self.lock();
            if known.asked.is_some_and(|at| at.elapsed() < FRESH) {
                return None;
            }
            known.asked = Some(Instant::now());
        }
        let watch = self.clone();
        Some(tokio::spawn(async move {
            let answer = watch.store.glance().await;
            watch.lock().glance = answer.ok().map(|glance| (glance, Instant::now()));
        }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
