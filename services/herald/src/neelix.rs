//! `herald neelix`: one run of neelix beside `herald up`, or its rules tried out.

use runtime::{
    config::{self, Vars},
    shutdown,
};

use crate::up::defaults;

/// Carries out neelix's own command line with the variables of `herald up`.
pub(crate) async fn run(cli: neelix_cronjob::Cli, vars: Vars) -> anyhow::Result<()> {
    let mut vars = vars;
    if let Some(url) = config::optional("HERALD_STORE_URL", &vars)? {
        // As for the other commands.
        defaults::default(&mut vars, "NEELIX_STORE_URL", url);
    }
    let vars = defaults::complete(&vars)?;
    cli.run(&vars, shutdown::on_signal()).await
}
