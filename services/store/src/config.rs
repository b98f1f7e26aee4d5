//! The store's configuration: `STORE_*` variables, with the stage's defaults.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use domain::Stage;
use runtime::{
    config::{Age, ByteSize, ConfigError, Vars, optional, read, required},
    tls,
};
use serde::Deserialize;

/// How a store runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `DEV_STAGE`: gives the port and the file's name; in PRODUCTION there is
    /// no gRPC reflection.
    pub stage: Stage,
    /// `STORE_LISTEN`: address for gRPC and HTTP; 127.0.0.1 and the stage's port.
    pub listen: SocketAddr,
    /// `STORE_ADMIN_LISTEN`: a second address, never encrypted, for health and
    /// `/metrics` only; none.
    pub admin_listen: Option<SocketAddr>,
    /// `STORE_TLS_CERT`, `STORE_TLS_KEY`: what `listen` is encrypted with.
    /// `STORE_TLS_CA`: who has signed the certificates that clients must show then.
    pub tls: tls::Files,
    /// `STORE_DATA_DIR`: folder of the database; `HERALD_DATA_DIR`, or
    /// `./herald-data`.
    pub data_dir: PathBuf,
    /// `STORE_RETENTION`: records received longer ago are removed; never.
    pub retention: Duration,
    /// `STORE_MAX_BYTES`: above this size of the database the oldest records
    /// are removed; no limit.
    pub max_bytes: Option<u64>,
    /// `STORE_ALERT_RETENTION`: alerts that ended longer ago are removed, with who
    /// was told of them, and runs of neelix that began longer ago; 90 d.
    pub alert_retention: Duration,
    /// `STORE_AUDIT_RETENTION`: for how long it is kept who has changed what.
    pub audit_retention: Duration,
    /// `STORE_READERS`: how many reads run at a time; 3.
    pub readers: u32,
    /// `STORE_QUERY_TIMEOUT`: after this long a search answers with what it
    /// has found; 10 s.
    pub query_timeout: Duration,
    /// `STORE_COMMIT_INTERVAL`: under load, what comes in for this long is
    /// committed together; a lone batch does not wait; 20 ms.
    pub commit_interval: Duration,
    /// `STORE_QUEUE_BYTES`: memory for batches that wait for their commit; 32 MiB.
    pub queue_bytes: u64,
    /// `STORE_CACHE_BYTES`: memory for opened blocks that are asked again and again; 24 MiB.
    pub cache_bytes: u64,
    /// `STORE_WAL_BYTES`: the write-ahead log is cut back above a quarter of
    /// this size, and a backup that keeps it from being cut ends at this size; 256 MiB.
    pub wal_bytes: u64,
}

#[derive(Deserialize)]
struct Raw {
    listen: Option<SocketAddr>,
    admin_listen: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    retention: Option<Age>,
    max_bytes: Option<ByteSize>,
    alert_retention: Option<Age>,
    audit_retention: Option<Age>,
    readers: Option<u32>,
    query_timeout: Option<Age>,
    commit_interval: Option<Age>,
    queue_bytes: Option<ByteSize>,
    cache_bytes: Option<ByteSize>,
    wal_bytes: Option<ByteSize>,
}

const MIB: u64 = 1 << 20;

impl Config {
    /// Reads the variables.
    ///
    /// # Errors
    /// The first one that is wrong.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let stage: Stage = required("DEV_STAGE", vars)?;
        let raw: Raw = read("STORE_", vars)?;
        let data_dir = match raw.data_dir {
            Some(folder) => folder,
            None => optional("HERALD_DATA_DIR", vars)?.unwrap_or_else(|| "herald-data".into()),
        };
        let config = Self {
            stage,
            listen: raw
                .listen
                .unwrap_or_else(|| (Ipv4Addr::LOCALHOST, stage.store_port()).into()),
            admin_listen: raw.admin_listen,
            tls: tls::Files::from_vars("STORE_TLS_", vars)?,
            data_dir,
            retention: raw.retention.map_or(Duration::MAX, |age| age.0),
            max_bytes: raw.max_bytes.map(|size| size.0),
            alert_retention: raw
                .alert_retention
                .map_or(Duration::from_hours(90 * 24), |age| age.0),
            audit_retention: raw
                .audit_retention
                .map_or(Duration::from_hours(365 * 24), |age| age.0),
            readers: raw.readers.unwrap_or(3),
            query_timeout: raw
                .query_timeout
                .map_or(Duration::from_secs(10), |age| age.0),
            commit_interval: raw
                .commit_interval
                .map_or(Duration::from_millis(20), |age| age.0),
            queue_bytes: raw.queue_bytes.map_or(32 * MIB, |size| size.0),
            cache_bytes: raw.cache_bytes.map_or(24 * MIB, |size| size.0),
            wal_bytes: raw.wal_bytes.map_or(256 * MIB, |size| size.0),
        };
        config.check()?;
        Ok(config)
    }

    /// The database file.
    #[must_use]
    pub fn database_path(&self) -> PathBuf {
        self.data_dir
            .join(format!("herald.sqlite{}", self.stage.suffix()))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let at_least = |holds: bool, name: &str, least: &str| match holds {
            true => Ok(()),
            false => Err(ConfigError::new(name, format!("must be at least {least}"))),
        };
        let max_bytes = self.max_bytes.unwrap_or(u64::MAX);
        at_least(
            self.retention >= Duration::from_secs(1),
            "STORE_RETENTION",
            "1s",
        )?;
        at_least(
            self.alert_retention >= Duration::from_secs(1),
            "STORE_ALERT_RETENTION",
            "1s",
        )?;
        at_least(
            self.audit_retention >= Duration::from_secs(1),
            "STORE_AUDIT_RETENTION",
            "1s",
        )?;
        at_least(max_bytes >= 4 * MIB, "STORE_MAX_BYTES", "4MiB")?;
        at_least(
            (1..=64).contains(&self.readers),
            "STORE_READERS",
            "1, and at most 64",
        )?;
        at_least(
            self.query_timeout >= Duration::from_millis(10),
            "STORE_QUERY_TIMEOUT",
            "10ms",
        )?;
        at_least(
            self.commit_interval <= Duration::from_secs(10),
            "STORE_COMMIT_INTERVAL",
            "0ms, and at most 10s",
        )?;
        at_least(self.queue_bytes >= 8 * MIB, "STORE_QUEUE_BYTES", "8MiB")?;
        at_least(self.wal_bytes >= 16 * MIB, "STORE_WAL_BYTES", "16MiB")
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::Config;

    fn config(vars: &[(&str, &str)]) -> Result<Config, String> {
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Config::from_vars(&vars).map_err(|error| error.to_string())
    }

    #[test]
    fn the_stage_gives_the_defaults() {
        let config = config(&[("DEV_STAGE", "DEVELOPMENT")]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:9120");
        assert_eq!(
            config.database_path(),
            Path::new("herald-data/herald.sqlite_d")
        );
        assert_eq!(config.retention, Duration::MAX);
        assert_eq!(config.max_bytes, None);
        assert_eq!(config.alert_retention, Duration::from_hours(2_160));
        assert_eq!(config.audit_retention, Duration::from_hours(8_760));
    }

    #[test]
    fn every_one_can_be_overridden() {
        let config = config(&[
            ("DEV_STAGE", "PRODUCTION"),
            ("STORE_LISTEN", "[::1]:7"),
            ("HERALD_DATA_DIR", "/unused"),
            ("STORE_DATA_DIR", "/data"),
            ("STORE_RETENTION", "12h"),
            ("STORE_MAX_BYTES", "5GiB"),
            ("STORE_SERVICE_HOST", "set by Kubernetes"),
        ])
        .unwrap();
        assert_eq!(config.listen.to_string(), "[::1]:7");
        assert_eq!(config.database_path(), Path::new("/data/herald.sqlite"));
        assert_eq!(config.retention, Duration::from_hours(12));
        assert_eq!(config.max_bytes, Some(5 << 30));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |name: &str, value: &str| {
            let mut vars = vec![("DEV_STAGE", "TESTING")];
            vars.retain(|(other, _)| *other != name);
            vars.push((name, value));
            let error = config(&vars).unwrap_err();
            assert!(error.starts_with(&format!("{name}: ")), "{error}");
        };
        check("DEV_STAGE", "");
        check("DEV_STAGE", "LIVE");
        check("STORE_LISTEN", "localhost");
        check("STORE_RETENTION", "30");
        check("STORE_RETENTION", "0s");
        check("STORE_ALERT_RETENTION", "0s");
        check("STORE_AUDIT_RETENTION", "0s");
        check("STORE_MAX_BYTES", "much");
        check("STORE_MAX_BYTES", "1B");
        check("STORE_READERS", "0");
        check("STORE_QUERY_TIMEOUT", "1ms");
        check("STORE_COMMIT_INTERVAL", "1h");
        check("STORE_QUEUE_BYTES", "1KiB");
        check("STORE_WAL_BYTES", "1KiB");
    }
}
