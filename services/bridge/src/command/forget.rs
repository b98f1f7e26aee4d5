//! `bridge forget`: removes the cursor of a former destination.

use std::time::Duration;

use anyhow::bail;
use runtime::config::Vars;

use super::output;
use crate::{
    config::Config,
    routes::STORE,
    spool::{self, Forgotten},
};

/// How long a running bridge may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(super) struct Forget {
    /// The destination's name.
    name: String,
}

impl Forget {
    pub(super) async fn run(self, vars: &Vars) -> anyhow::Result<()> {
        let config = Config::from_vars(vars)?;
        let name = &self.name;
        let is_routed = config.routes.iter().any(|route| route.name == *name);
        if is_routed || (name == STORE && config.store_url.is_some()) {
            bail!(
                "{name} is not forgotten: the bridge sends to it; remove it from the routes file \
                 (`{STORE}`: BRIDGE_STORE_URL=none), start the bridge again, and repeat this"
            );
        }
        match spool::forget(&config.spool.dir, name, PATIENCE).await? {
            Forgotten::Gone => output::line(&format!("{name} is forgotten")),
            Forgotten::Unknown => bail!(
                "the spool in {} knows no destination {name}",
                config.spool.dir.display()
            ),
            Forgotten::Kept => bail!(
                "{name} is not forgotten: the running bridge still sends to it; remove it from \
                 the routes file, start the bridge again, and repeat this"
            ),
        }
    }
}
