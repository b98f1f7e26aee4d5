//! Keeps the database small and quick.
use tokio_util::sync::CancellationToken;

use crate::App;

pub(crate) async fn run(_app: App, shutdown: CancellationToken) {
    shutdown.cancelled().await;
}
