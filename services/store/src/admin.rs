//! Health and metrics on a port of their own, for those who have no certificate:
//! the kubelet and Prometheus.

use std::{io, net::SocketAddr, time::Duration};

use anyhow::Context;
use runtime::{config::ConfigError, grpc, health::Readiness};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// How long an answer at hand may take.
const DRAIN: Duration = Duration::from_secs(1);

/// The port, if there is one. It answers until it is stopped: as long as the store
/// drains it still tells that it does.
#[derive(Debug)]
pub(crate) struct Admin {
    stop: CancellationToken,
    task: Option<JoinHandle<io::Result<()>>>,
}

impl Admin {
    pub(crate) async fn start(
        listen: Option<SocketAddr>,
        readiness: &Readiness,
    ) -> Result<Self, ConfigError> {
        let stop = CancellationToken::new();
        let task = match listen {
            Some(address) => {
                let listener = crate::bind("STORE_ADMIN_LISTEN", address).await?;
                Some(tokio::spawn(grpc::serve(
                    listener,
                    Routes::default(),
                    runtime::health::router(readiness.clone()),
                    readiness.clone(),
                    stop.clone(),
                    DRAIN,
                )))
            }
            None => None,
        };
        Ok(Self { stop, task })
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        match self.task {
            Some(task) => task.await?.context("cannot serve health and metrics"),
            None => Ok(()),
        }
    }
}
