//! Everything `herald up` is going to do, checked as far as that can be done
//! beforehand.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
};

use domain::Stage;
use runtime::{
    config::{ConfigError, Vars},
    grpc,
};
use rustix::fs::Access;

use super::defaults::{self, is_set};

/// The configuration of the services, made to fit each other.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) stage: Stage,
    pub(super) bridge: bridge::Config,
    pub(super) store: store::Config,
    pub(super) web: herald_web::Config,
    pub(super) neelix: neelix_cronjob::Config,
    data_dir_variables: DataDirVariables,
}

/// Which variables say where data is.
#[derive(Debug, Clone, Copy)]
struct DataDirVariables {
    spool: &'static str,
    database: &'static str,
}

impl Plan {
    /// Reads the environment with the defaults of a Herald on one machine: stage
    /// DEVELOPMENT, and a store that is where `STORE_LISTEN` puts it.
    pub(super) fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let vars = defaults::complete(vars)?;
        let store = store::Config::from_vars(&vars)?;
        let either = |own| {
            if is_set(&vars, own) {
                own
            } else {
                "HERALD_DATA_DIR"
            }
        };
        Ok(Self {
            stage: store.stage,
            data_dir_variables: DataDirVariables {
                spool: either("BRIDGE_SPOOL_DIR"),
                database: either("STORE_DATA_DIR"),
            },
            bridge: bridge::Config::from_vars(&vars)?,
            store,
            web: herald_web::Config::from_vars(&vars)?,
            neelix: neelix_cronjob::Config::from_vars(&vars)?,
        })
    }

    /// Tries ports, folders and files, so that a wrong one is told before anything
    /// starts.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.check_ports()?;
        self.web.sign_in.check()?;
        check_folder(self.data_dir_variables.database, &self.store.data_dir)?;
        check_folder(self.data_dir_variables.spool, &self.bridge.spool.dir)?;
        // A bridge may be told to have no store.
        let bridge_url = self
            .bridge
            .store_url
            .as_ref()
            .unwrap_or(&self.web.store_url);
        for (variable, url) in [
            ("BRIDGE_STORE_URL", bridge_url),
            ("WEB_STORE_URL", &self.web.store_url),
            ("NEELIX_STORE_URL", &self.neelix.store_url),
        ] {
            grpc::check_url(url).map_err(|error| ConfigError::new(variable, error))?;
        }
        Ok(())
    }

    /// The folder that people look for.
    pub(super) fn data_dir(&self) -> PathBuf {
        fs::canonicalize(&self.store.data_dir).unwrap_or_else(|_| self.store.data_dir.clone())
    }

    fn check_ports(&self) -> Result<(), ConfigError> {
        // All at once, so that two of ours on one port are found too.
        let mut bound = Vec::new();
        let further = [
            ("BRIDGE_INGEST_LISTEN", self.bridge.ingest_listen),
            ("BRIDGE_TLS_LISTEN", self.bridge.tls_listen),
            ("STORE_ADMIN_LISTEN", self.store.admin_listen),
        ];
        let further = further
            .into_iter()
            .filter_map(|(variable, address)| Some((variable, address?)));
        for (variable, address) in [
            ("BRIDGE_LISTEN", self.bridge.listen),
            ("BRIDGE_ADMIN_LISTEN", self.bridge.admin_listen),
            ("STORE_LISTEN", self.store.listen),
            ("WEB_LISTEN", self.web.listen),
        ]
        .into_iter()
        .chain(further)
        {
            if address.port() == 0 {
                let problem = "port 0 would be another port at every start";
                return Err(ConfigError::new(variable, problem));
            }
            bound.push(TcpListener::bind(address).map_err(|error| {
                let problem = format!(
                    "cannot listen on {address}: {error}; is another Herald or the predecessor's \
                     ps_bridge running?"
                );
                ConfigError::new(variable, problem)
            })?);
        }
        Ok(())
    }
}

fn check_folder(variable: &str, folder: &Path) -> Result<(), ConfigError> {
    let cannot = |what: &str, error: &dyn std::fmt::Display| {
        ConfigError::new(
            variable,
            format!("cannot {what} `{}`: {error}", folder.display()),
        )
    };
    fs::create_dir_all(folder).map_err(|error| cannot("create the folder", &error))?;
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| cannot("write to", &error))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::Plan;

    fn plan(vars: &[(&str, &str)]) -> Result<Plan, String> {
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Plan::from_vars(&vars).map_err(|error| error.to_string())
    }

    #[test]
    fn services_find_each_other_by_default() {
        let plan = plan(&[
            ("STORE_LISTEN", "0.0.0.0:7777"),
            ("WEB_LISTEN", "[::]:7778"),
        ])
        .unwrap();
        assert_eq!(plan.stage.name(), "DEVELOPMENT");
        assert_eq!(plan.bridge.listen.to_string(), "0.0.0.0:9020");
        assert_eq!(
            plan.bridge.store_url.as_deref(),
            Some("http://127.0.0.1:7777")
        );
        assert_eq!(plan.web.store_url, "http://127.0.0.1:7777");
        assert_eq!(plan.neelix.store_url, "http://127.0.0.1:7777");
        assert_eq!(plan.neelix.url, "http://localhost:7778");
    }

    #[test]
    fn any_wrong_variable_is_named() {
        let check = |name: &str, value: &str| {
            let error = plan(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{name}: ")), "{error}");
        };
        check("DEV_STAGE", "LIVE");
        check("DEV_STAGE", "");
        check("BRIDGE_LISTEN", "9020");
        check("STORE_RETENTION", "soon");
        check("WEB_LISTEN", "here");
        check("NEELIX_INTERVAL", "often");
        check("NEELIX_SMTP_URL", "a mail server");
    }

    #[tokio::test]
    async fn ports_and_folders_are_tried() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = taken.local_addr().unwrap().to_string();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let below_a_file = file.join("folder").display().to_string();
        let free: Vec<String> = (0..4)
            .map(|_| format!("127.0.0.1:{}", testkit::port::free()))
            .collect();
        let data = folder.path().join("data").display().to_string();
        let fine = [
            ("BRIDGE_LISTEN", free[0].as_str()),
            ("BRIDGE_ADMIN_LISTEN", &free[1]),
            ("STORE_LISTEN", &free[2]),
            ("WEB_LISTEN", &free[3]),
            ("HERALD_DATA_DIR", &data),
        ];
        plan(&fine).unwrap().check().unwrap();
        let check = |name: &str, value: &str| {
            let mut vars = fine.to_vec();
            vars.retain(|(other, _)| *other != name);
            vars.push((name, value));
            let error = plan(&vars).unwrap().check().unwrap_err();
            assert_eq!(error.variable(), name, "{error}");
        };
        check("BRIDGE_LISTEN", &taken);
        check("BRIDGE_ADMIN_LISTEN", &taken);
        check("STORE_LISTEN", &taken);
        check("WEB_LISTEN", &taken);
        check("WEB_LISTEN", &free[2]);
        check("WEB_LISTEN", "127.0.0.1:0");
        check("HERALD_DATA_DIR", &below_a_file);
        check("STORE_DATA_DIR", &below_a_file);
        check("BRIDGE_SPOOL_DIR", &below_a_file);
        check("BRIDGE_STORE_URL", "localhost");
        check("WEB_STORE_URL", "localhost");
        check("NEELIX_STORE_URL", "localhost");
    }
}
