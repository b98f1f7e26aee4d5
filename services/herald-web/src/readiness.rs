//! Whether pages can be served: whether the store answers.

use std::time::Duration;

use runtime::health::Readiness;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::store_client::StoreClient;

/// How often the store is asked.
const PERIOD: Duration = Duration::from_secs(1);

/// Keeps `readiness` true to the store's own until `shutdown`.
pub(crate) async fn follow(store: StoreClient, readiness: Readiness, shutdown: CancellationToken) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let work = async {
        loop {
            ticks.tick().await;
            match store.is_ready().await {
                Ok(true) => readiness.ready(),
                Ok(false) => readiness.not_ready("the store is not ready"),
                Err(_) => readiness.not_ready("the store does not answer"),
            }
        }
    };
    // After `shutdown` the server alone says why it is not ready.
    shutdown.run_until_cancelled(work).await;
}
