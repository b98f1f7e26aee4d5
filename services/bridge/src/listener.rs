//! Accepts programs' connections, in plain and encrypted, within limits, and drains
//! them on shutdown.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use runtime::networks::Networks;
use runtime::tls;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OnceCell, Semaphore},
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    config::Limits,
    connection::{Connection, Ended},
    metrics::Metrics,
    spool::{Intake, Sender, Spool, SpoolError},
    stream::Stream,
    throttle::Throttle,
};

/// After shutdown began: how long a peer that never stops sending is read.
const DRAIN_READ: Duration = Duration::from_secs(2);
/// A pause after the system refused a connection, mostly for want of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
#[derive(Debug)]
pub struct Shared {
    /// Where frames go.
    pub spool: Spool,
    /// What a peer may do.
    pub limits: Limits,
    /// Room for large frames that are not whole yet, one permit a KiB.
    pub partial_kib: Arc<Semaphore>,
    /// Who sends more than it may.
    pub throttle: Arc<Throttle>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    allow: Networks,
    numbered: OnceCell<Intake>,
    numbers: AtomicU64,
    addresses: Addresses,
}

impl Shared {
    /// State for connections that feed `spool`.
    #[must_use]
    pub fn new(
        spool: Spool,
        limits: Limits,
        allow: Networks,
        throttle: Arc<Throttle>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            spool,
            allow,
            numbered: OnceCell::new(),
            throttle,
            partial_kib: Arc::new(Semaphore::new(limits.partial_bytes / 1024)),
            limits,
            metrics,
            numbers: AtomicU64::new(1),
            addresses: Addresses::default(),
        }
    }

    /// The way in for programs that number what they send: opened for the first of them.
    ///
    /// # Errors
    /// When the spool's folder cannot be written to now.
    pub async fn numbered(&self) -> Result<Intake, SpoolError> {
        let open = async || {
            let spool = self.spool.clone();
            let opening = tokio::task::spawn_blocking(move || spool.intake(Sender::Program));
            opening.await.unwrap_or(Err(SpoolError::Closed))
        };
        self.numbered.get_or_try_init(open).await.cloned()
    }

    /// Whether a connection from here is taken: without a list, any is.
    fn allows(&self, address: IpAddr) -> bool {
        self.allow.is_empty() || self.allow.contain(address)
    }
}

/// Where programs come in.
#[derive(Debug)]
pub struct Doors {
    /// In plain.
    pub plain: TcpListener,
    /// Encrypted, on a port of its own: a firewall can close the other one, and nobody can
    /// be talked into plain text on this one.
    pub secure: Option<(TcpListener, tls::Server)>,
}

impl Doors {
    /// The next connection, and what it is encrypted with.
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr, Option<&tls::Server>)> {
        let secure = async {
            match &self.secure {
                Some((listener, tls)) => {
                    let accepted = listener.accept().await;
                    accepted.map(|(stream, peer)| (stream, peer, Some(tls)))
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = self.plain.accept() => {
                accepted.map(|(stream, peer)| (stream, peer, None))
            }
            accepted = secure => accepted,
        }
    }
}

/// Accepts until `shutdown`; then takes what waits in the backlogs, reads every
/// socket empty, and returns. What was read is in the spool's queue by then.
///
/// # Errors
/// When the spool can take nothing any more.
pub async fn serve(
    doors: Doors,
    shared: Arc<Shared>,
    shutdown: CancellationToken,
) -> Result<(), SpoolError> {
    let mut peers = Peers {
        shared,
        shutdown: shutdown.clone(),
        tasks: JoinSet::new(),
    };
    loop {
        tokio::select! {
            accepted = doors.accept() => match accepted {
                Ok((stream, peer, tls)) => peers.admit(stream, peer, tls),
                Err(error) => {
                    warn!(%error, "connection not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = peers.tasks.join_next() => outcome(ended)?,
            () = shutdown.cancelled() => break,
        }
    }
    peers.admit_backlog(doors.plain, None);
    if let Some((listener, tls)) = doors.secure {
        peers.admit_backlog(listener, Some(&tls));
    }
    peers.drain().await
}

/// The connections that are open.
struct Peers {
    shared: Arc<Shared>,
    shutdown: CancellationToken,
    tasks: JoinSet<Ended>,
}

impl Peers {
    fn admit(&mut self, stream: TcpStream, peer: SocketAddr, tls: Option<&tls::Server>) {
        if !self.shared.allows(peer.ip()) {
            self.shared.metrics.refused();
            info!(%peer, "connection refused: its address is not in BRIDGE_ALLOW");
            return;
        }
        let Some(place) = Place::take(&self.shared, peer.ip()) else {
            self.shared.metrics.refused();
            return;
        };
        if let Err(error) = keep_alive(&stream) {
            info!(%error, "connection ended before it began");
            return;
        }
        let number = self.shared.numbers.fetch_add(1, Ordering::Relaxed);
        let (shared, tls) = (Arc::clone(&self.shared), tls.cloned());
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let _place = place;
            let stream = match tls {
                None => Stream::Plain(stream),
                // Why a handshake has failed is logged already.
                Some(tls) => match tls.accept(stream, peer).await {
                    Some(stream) => Stream::Secure(Box::new(stream)),
                    None => return Ended::ByPeer,
                },
            };
            let connection = Connection::new(stream, peer, number, shared);
            connection.run(shutdown).await
        });
    }

    /// Takes the connections that the system has accepted but we have not:
    /// their programs believe that they are being heard.
    fn admit_backlog(&mut self, listener: TcpListener, tls: Option<&tls::Server>) {
        let Ok(listener) = listener.into_std() else {
            return;
        };
        while let Ok((stream, peer)) = listener.accept() {
            let stream = stream
                .set_nonblocking(true)
                .and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                self.admit(stream, peer, tls);
            }
        }
    }

    async fn drain(mut self) -> Result<(), SpoolError> {
        let drained = tokio::time::timeout(DRAIN_READ, async {
            while let Some(ended) = self.tasks.join_next().await {
                outcome(ended)?;
            }
            Ok(())
        });
        match drained.await {
            Ok(result) => result,
            Err(_) => {
                info!(
                    connections = self.tasks.len(),
                    "peers still sending were cut off"
                );
                self.tasks.shutdown().await;
                Ok(())
            }
        }
    }
}

fn outcome(ended: Result<Ended, JoinError>) -> Result<(), SpoolError> {
    match ended {
        Ok(Ended::ByPeer) => Ok(()),
        Ok(Ended::ByUs(reason)) => {
            info!(reason, "connection closed");
            Ok(())
        }
        Ok(Ended::Spool(error)) => Err(error),
        Err(error) => {
            warn!(%error, "connection task failed");
            Ok(())
        }
    }
}

/// How many connections each address holds.
type Addresses = Mutex<HashMap<IpAddr, usize>>;

/// A connection's place within the limits; given back when dropped.
struct Place {
    shared: Arc<Shared>,
    address: IpAddr,
}

impl Place {
    fn take(shared: &Arc<Shared>, address: IpAddr) -> Option<Self> {
        let mut addresses = lock(&shared.addresses);
        let held = addresses.get(&address).copied().unwrap_or(0);
        let in_all = shared.metrics.connections();
        if in_all >= shared.limits.connections || held >= shared.limits.connections_per_address {
            return None;
        }
        // Only who has a place has an entry: as many as connections, whoever knocks.
        addresses.insert(address, held + 1);
        shared.metrics.connection_opened();
        Some(Self {
            shared: Arc::clone(shared),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut addresses = lock(&self.shared.addresses);
        if let Some(held) = addresses.get_mut(&self.address) {
            *held -= 1;
            if *held == 0 {
                addresses.remove(&self.address);
            }
        }
        self.shared.metrics.connection_closed();
    }
}

fn lock(addresses: &Addresses) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    addresses
        .lock()
        .expect("no code panics while it holds this lock")
}

/// Finds peers that vanished without a word.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    let keep_alive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(20));
    SockRef::from(stream).set_tcp_keepalive(&keep_alive)
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, sync::Arc, time::Duration};

    use runtime::networks::Networks;

    use super::{Place, Shared, lock};
    use crate::{
        config::Limits,
        frame,
        metrics::Metrics,
        spool::{Spool, SpoolConfig},
        throttle::Throttle,
    };

    #[tokio::test]
    async fn addresses_are_remembered_only_while_they_hold_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let config = SpoolConfig {
            dir: folder.path().to_owned(),
            max_bytes: 1 << 20,
            segment_bytes: 64 << 10,
            sync_interval: Duration::from_millis(5),
            sync_bytes: 1 << 20,
        };
        let (spool, _) = Spool::open(config).unwrap();
        let limits = Limits {
            frame: frame::Limits::default(),
            connections: 3,
            connections_per_address: 2,
            idle: Duration::from_secs(60),
            frame_time: Duration::from_secs(60),
            partial_bytes: 1 << 20,
            rate: None,
        };
        let metrics = Metrics::new(&runtime::telemetry::meter("test"), &spool);
        let throttle = Arc::new(Throttle::new(None));
        let allow = Networks::default();
        let shared = Arc::new(Shared::new(spool, limits, allow, throttle, metrics));
        let take = |number: u32| Place::take(&shared, IpAddr::from(number.to_be_bytes()));
        let known = || lock(&shared.addresses).len();

        let held = [take(1), take(1), take(2)].map(|place| place.expect("there is room"));
        assert_eq!(known(), 2);
        for number in 0..10_000 {
            assert!(take(number).is_none(), "{number}");
        }
        assert_eq!(known(), 2, "the refused leave nothing behind");
        let [first, second, third] = held;
        drop(third);
        assert!(take(1).is_none(), "the address has its share");
        assert_eq!(known(), 1);
        drop((first, second));
        assert_eq!(known(), 0);
        assert!(take(1).is_some());
        assert_eq!(known(), 0);
    }
}
