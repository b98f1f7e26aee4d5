//! The bridge's configuration: environment variables that begin with `BRIDGE_`.

use std::{
    net::SocketAddr,
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::Stage;
use runtime::networks::Networks;
use runtime::{
    config::{self, Age, ByteSize, ConfigError, Vars},
    tls,
};
use serde::Deserialize;

use crate::{
    frame,
    routes::{self, Route},
    spool::SpoolConfig,
    throttle::Rate,
};

/// What stands in BRIDGE_STORE_URL of a bridge that has no store of its own. An empty
/// value cannot say so: everywhere it means that a variable is not set.
const NO_STORE: &str = "none";
const TEN: NonZeroU32 = NonZeroU32::new(10).expect("not 0");
/// The variable that names the routes file.
pub const ROUTES: &str = "BRIDGE_ROUTES";

/// Everything the bridge needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// The stage it belongs to.
    pub stage: Stage,
    /// Where programs send their records.
    pub listen: SocketAddr,
    /// Where health checks and `/metrics` are answered.
    pub admin_listen: SocketAddr,
    /// The gRPC address of its own store; `None` for a bridge that only passes on.
    pub store_url: Option<String>,
    /// Where else records go.
    pub routes: Vec<Route>,
    /// Where other bridges send their records; `None` for nowhere.
    pub ingest_listen: Option<SocketAddr>,
    /// What it shows to the store and to other bridges, and whom it trusts.
    pub tls: tls::Files,
    /// Where programs send their records encrypted; `None` for nowhere.
    pub tls_listen: Option<SocketAddr>,
    /// Who has signed the certificates that programs must show there; `None` when they
    /// need none.
    pub tls_clients: Option<tls::File>,
    /// Who signs the certificates of the bridges that send their records here; by
    /// default who signs those of our own services.
    pub ingest_clients: Option<tls::File>,
    /// The bridge's name on the status page.
    pub name: String,
    /// The folder of accepted frames that the store does not have yet.
    pub spool: SpoolConfig,
    /// From where programs may connect.
    pub allow: Networks,
    /// What a peer may do.
    pub limits: Limits,
    /// How long stopping may take, forwarding included.
    pub drain: Duration,
}

/// What a peer may do, and all of them together.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Sizes of frames.
    pub frame: frame::Limits,
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address.
    pub connections_per_address: usize,
    /// How long a connection may be silent between two frames.
    pub idle: Duration,
    /// How long a frame may take from its first byte to its last, and a new
    /// connection to its first whole frame.
    pub frame_time: Duration,
    /// Memory for large frames that are not whole yet, in bytes.
    pub partial_bytes: usize,
    /// How many records an address may send; `None` for as many as it likes.
    pub rate: Option<Rate>,
}

#[derive(Debug, Deserialize)]
struct Variables {
    listen: Option<SocketAddr>,
    admin_listen: Option<SocketAddr>,
    #[serde(default)]
    store_url: String,
    routes: Option<PathBuf>,
    ingest_listen: Option<SocketAddr>,
    tls_listen: Option<SocketAddr>,
    #[serde(default)]
    name: String,
    spool_dir: Option<PathBuf>,
    #[serde(default = "default_spool_max")]
    spool_max_bytes: ByteSize,
    #[serde(default = "default_segment")]
    segment_bytes: ByteSize,
    #[serde(default = "default_sync_interval")]
    sync_interval: Age,
    #[serde(default = "default_sync_bytes")]
    sync_bytes: ByteSize,
    #[serde(default = "default_frame_max")]
    frame_max_bytes: ByteSize,
    #[serde(default = "default_connections")]
    max_connections: usize,
    #[serde(default = "default_connections_per_address")]
    max_connections_per_address: usize,
    #[serde(default)]
    rate_per_address: u32,
    burst_per_address: Option<u32>,
    #[serde(default = "default_idle")]
    idle_timeout: Age,
    #[serde(default = "default_frame_time")]
    frame_timeout: Age,
    #[serde(default = "default_partial")]
    partial_max_bytes: ByteSize,
    #[serde(default = "default_drain")]
    drain_timeout: Age,
}

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// Names the variable that is missing or means nothing.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let stage: Stage = config::required("DEV_STAGE", vars)?;
        let data_dir: Option<PathBuf> = config::optional("HERALD_DATA_DIR", vars)?;
        let read: Variables = config::read("BRIDGE_", vars)?;
        check(&read)?;
        let rate = rate(&read)?;
        let store_url = match &*read.store_url {
            "" => Some(format!("http://127.0.0.1:{}", stage.store_port())),
            NO_STORE => None,
            url => Some(url.to_owned()),
        };
        let routes = match &read.routes {
            Some(file) => load_routes(file)?,
            None => Vec::new(),
        };
        check_backlogs(&routes, read.segment_bytes)?;
        if store_url.is_none() && routes.is_empty() {
            let problem = "`none` leaves no destination: name some in BRIDGE_ROUTES";
            return Err(ConfigError::new("BRIDGE_STORE_URL", problem));
        }
        Ok(Self {
            stage,
            listen: read
                .listen
                .unwrap_or(([0, 0, 0, 0], stage.bridge_port()).into()),
            admin_listen: read
                .admin_listen
                .unwrap_or(([127, 0, 0, 1], stage.bridge_admin_port()).into()),
            store_url,
            routes,
            ingest_listen: read.ingest_listen,
            tls: tls::Files::from_vars("BRIDGE_TLS_", vars)?,
            tls_listen: read.tls_listen,
            tls_clients: authorities(
                "BRIDGE_TLS_CLIENT_CA",
                "BRIDGE_TLS_LISTEN",
                read.tls_listen,
                vars,
            )?,
            ingest_clients: authorities(
                "BRIDGE_INGEST_CA",
                "BRIDGE_INGEST_LISTEN",
                read.ingest_listen,
                vars,
            )?,
            name: if read.name.is_empty() {
                host_name()
            } else {
                read.name
            },
            spool: SpoolConfig {
                dir: read.spool_dir.unwrap_or_else(|| {
                    data_dir
                        .unwrap_or_else(|| PathBuf::from("herald-data"))
                        .join(format!("spool{}", stage.suffix()))
                }),
                max_bytes: read.spool_max_bytes.0,
                segment_bytes: read.segment_bytes.0,
                sync_interval: read.sync_interval.0,
                sync_bytes: usize_of(read.sync_bytes),
            },
            limits: Limits {
                frame: frame::Limits {
                    frame_bytes: usize_of(read.frame_max_bytes),
                    ..frame::Limits::default()
                },
                connections: read.max_connections,
                connections_per_address: read.max_connections_per_address,
                idle: read.idle_timeout.0,
                frame_time: read.frame_timeout.0,
                partial_bytes: usize_of(read.partial_max_bytes),
                rate,
            },
            allow: config::optional("BRIDGE_ALLOW", vars)?.unwrap_or_default(),
            drain: read.drain_timeout.0,
        })
    }
}

/// A destination that may be behind by less than what is written at a time would lack
/// something all the time.
fn check_backlogs(routes: &[Route], segment: ByteSize) -> Result<(), ConfigError> {
    let least = 2 * segment.0;
    let is_small = |route: &&Route| route.backlog.max_bytes.is_some_and(|most| most < least);
    match routes.iter().find(is_small) {
        None => Ok(()),
        Some(route) => Err(ConfigError::new(
            ROUTES,
            format!(
                "max_backlog of {} is too small: at least twice BRIDGE_SEGMENT_BYTES, {least} bytes",
                route.name
            ),
        )),
    }
}

/// Reads the routes file.
///
/// # Errors
/// Names the variable, and everything that is wrong with the file.
pub fn load_routes(file: &Path) -> Result<Vec<Route>, ConfigError> {
    routes::load(file).map_err(|error| ConfigError::new(ROUTES, error))
}

/// The rate of an address; the burst is what comes in ten seconds, if nobody says
/// otherwise.
fn rate(read: &Variables) -> Result<Option<Rate>, ConfigError> {
    let Some(per_second) = NonZeroU32::new(read.rate_per_address) else {
        return match read.burst_per_address {
            None => Ok(None),
            Some(_) => Err(ConfigError::new(
                "BRIDGE_BURST_PER_ADDRESS",
                "there is no rate that it could go beyond: set BRIDGE_RATE_PER_ADDRESS",
            )),
        };
    };
    let burst = match read.burst_per_address {
        None => per_second.saturating_mul(TEN),
        Some(burst) => NonZeroU32::new(burst).ok_or_else(|| {
            ConfigError::new("BRIDGE_BURST_PER_ADDRESS", "0 is too small: at least 1")
        })?,
    };
    Ok(Some(Rate { per_second, burst }))
}

/// Who may sign for those that come to the port of the variable `port`, as the file
/// that `name` names says.
fn authorities(
    name: &str,
    port: &str,
    listen: Option<SocketAddr>,
    vars: &Vars,
) -> Result<Option<tls::File>, ConfigError> {
    match (tls::File::of_variable(name, vars)?, listen) {
        (Some(_), None) => {
            let problem = format!("there is nobody to ask for a certificate: set {port}, too");
            Err(ConfigError::new(name, problem))
        }
        (file, _) => Ok(file),
    }
}

/// What numbers mean together.
fn check(read: &Variables) -> Result<(), ConfigError> {
    let at_least = |name: &str, value: u64, least: u64| match value < least {
        true => Err(ConfigError::new(
            name,
            format!("{value} is too small: at least {least}"),
        )),
        false => Ok(()),
    };
    let name_bytes = read.name.len();
    if name_bytes > proto::BRIDGE_NAME_BYTES {
        let problem = format!(
            "{name_bytes} bytes are too long: the store takes {}",
            proto::BRIDGE_NAME_BYTES
        );
        return Err(ConfigError::new("BRIDGE_NAME", problem));
    }
    if read.frame_max_bytes.0 > 2 << 20 {
        return Err(ConfigError::new("BRIDGE_FRAME_MAX_BYTES", "at most 2MiB"));
    }
    at_least("BRIDGE_FRAME_MAX_BYTES", read.frame_max_bytes.0, 1024)?;
    at_least("BRIDGE_SEGMENT_BYTES", read.segment_bytes.0, 64 * 1024)?;
    at_least(
        "BRIDGE_SPOOL_MAX_BYTES",
        read.spool_max_bytes.0,
        2 * read.segment_bytes.0,
    )?;
    at_least("BRIDGE_SYNC_BYTES", read.sync_bytes.0, 1)?;
    at_least(
        "BRIDGE_PARTIAL_MAX_BYTES",
        read.partial_max_bytes.0,
        read.frame_max_bytes.0,
    )?;
    at_least("BRIDGE_MAX_CONNECTIONS", read.max_connections as u64, 1)?;
    at_least(
        "BRIDGE_MAX_CONNECTIONS_PER_ADDRESS",
        read.max_connections_per_address as u64,
        1,
    )?;
    Ok(())
}

fn usize_of(size: ByteSize) -> usize {
    usize::try_from(size.0).unwrap_or(usize::MAX)
}

fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

fn default_spool_max() -> ByteSize {
    ByteSize(2 << 30)
}

fn default_segment() -> ByteSize {
    ByteSize(16 << 20)
}

fn default_sync_interval() -> Age {
    Age(Duration::from_millis(5))
}

fn default_sync_bytes() -> ByteSize {
    ByteSize(1 << 20)
}

fn default_frame_max() -> ByteSize {
    ByteSize(1 << 20)
}

fn default_connections() -> usize {
    10_000
}

fn default_connections_per_address() -> usize {
    8_000
}

fn default_idle() -> Age {
    Age(Duration::from_hours(24))
}

fn default_frame_time() -> Age {
    Age(Duration::from_mins(1))
}

fn default_partial() -> ByteSize {
    ByteSize(16 << 20)
}

fn default_drain() -> Age {
    Age(Duration::from_secs(10))
}
