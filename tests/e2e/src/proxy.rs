//! A way between two processes that a test can cut.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// Passes every connection on, until it is cut.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    /// Cancelled, it cuts what is open now.
    open: Arc<Mutex<CancellationToken>>,
    connections: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A proxy on a free port to `target`, host and port.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("a port").to_string();
        let open: Arc<Mutex<CancellationToken>> = Arc::default();
        let connections = Arc::new(AtomicU64::new(0));
        let (kept, counted) = (Arc::clone(&open), Arc::clone(&connections));
        let accepting = tokio::spawn(async move {
            while let Ok((inner, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let cut = kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
                tokio::spawn(pass(inner, target.clone(), cut));
            }
        });
        Self {
            address,
            open,
            connections,
            accepting,
        }
    }

    /// Host and port of the near end.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Cuts every connection that is open, wherever its bytes are.
    pub fn cut(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *open).cancel();
    }

    /// Connections passed on so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

/// Ends when either side does; a target that is not there ends it at once. A cut
/// is told to both sides: an orderly end would tell that all has been passed on.
async fn pass(mut inner: TcpStream, target: String, cut: CancellationToken) {
    let Ok(mut outer) = TcpStream::connect(&target).await else {
        return;
    };
    tokio::select! {
        _ended = copy_bidirectional(&mut inner, &mut outer) => {}
        () = cut.cancelled() => {
            let _gone = inner.set_zero_linger();
            let _gone = outer.set_zero_linger();
        }
    }
}
