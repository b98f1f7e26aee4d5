//! A bridge under test.

use std::{net::SocketAddr, path::Path, time::Duration};

use bridge::{Bridge, Config};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::store::Store;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A bridge in this process, with a real spool and real sockets.
#[derive(Debug)]
pub(crate) struct UnderTest {
    pub(crate) address: SocketAddr,
    /// Where other bridges send, if it takes from them.
    pub(crate) ingest: Option<SocketAddr>,
    /// Where programs send encrypted, if it takes that.
    pub(crate) tls: Option<SocketAddr>,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

/// The environment of a bridge with its spool in `folder`.
pub(crate) fn environment(folder: &Path, store_url: &str) -> Vec<(String, String)> {
    [
        ("DEV_STAGE", "TESTING".to_owned()),
        ("BRIDGE_LISTEN", "127.0.0.1:0".to_owned()),
        ("BRIDGE_ADMIN_LISTEN", "127.0.0.1:0".to_owned()),
        ("BRIDGE_STORE_URL", store_url.to_owned()),
        (
            "BRIDGE_SPOOL_DIR",
            folder.join("spool").display().to_string(),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

impl UnderTest {
    pub(crate) async fn start(folder: &Path, store: &Store) -> Self {
        Self::start_with(folder, store, &[]).await
    }

    pub(crate) async fn start_with(folder: &Path, store: &Store, vars: &[(&str, &str)]) -> Self {
        let mut environment = environment(folder, &store.url());
        for (name, value) in vars {
            environment.retain(|(known, _)| known != name);
            environment.push(((*name).to_owned(), (*value).to_owned()));
        }
        let config = Config::from_vars(&environment).expect("a good configuration");
        let bridge = Bridge::bind(config).await.expect("free ports and a folder");
        let address = bridge.address().expect("a port");
        let ingest = bridge.ingest_address().expect("a port");
        let tls = bridge.tls_address().expect("a port");
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(bridge.run(shutdown.clone()));
        Self {
            address,
            ingest,
            tls,
            shutdown,
            task,
        }
    }

    /// A bridge that takes from other bridges, with this routes file.
    pub(crate) async fn start_in_zone(
        folder: &Path,
        store: &Store,
        routes: &str,
        vars: &[(&str, &str)],
    ) -> Self {
        let file = folder.join("routes.toml");
        std::fs::write(&file, routes).expect("a folder");
        let file = file.display().to_string();
        let own = [
            ("BRIDGE_ROUTES", &*file),
            ("BRIDGE_INGEST_LISTEN", "127.0.0.1:0"),
            ("BRIDGE_DRAIN_TIMEOUT", "500ms"),
        ];
        Self::start_with(folder, store, &[&own, vars].concat()).await
    }

    /// URL of its way in for other bridges.
    pub(crate) fn ingest_url(&self) -> String {
        format!("http://{}", self.ingest.expect("it takes from bridges"))
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address)
            .await
            .expect("the bridge listens");
        stream.set_nodelay(true).expect("an open socket");
        stream
    }

    /// A connection from another address of this machine.
    pub(crate) async fn connect_from(&self, address: [u8; 4]) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        let own = SocketAddr::from((address, 0));
        socket.bind(own).expect("an address of this machine");
        let stream = socket.connect(self.address).await;
        stream.expect("the bridge listens")
    }

    /// Sends bytes on a connection of their own and closes it.
    pub(crate) async fn send(&self, bytes: &[u8]) {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("the bridge reads");
        stream.shutdown().await.expect("an open socket");
    }

    /// Shuts it down and waits for its end.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.task.await.expect("the bridge does not panic")
    }
}
