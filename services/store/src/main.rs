//! The store's process.

use std::process::ExitCode;

use store::{Config, VERSION, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    runtime::process::main(async {
        let vars = runtime::config::vars();
        let config = Config::from_vars(&vars)?;
        let stop = runtime::shutdown::of_service(&vars)?;
        let telemetry = runtime::telemetry::start("store", VERSION, &vars)?;
        let outcome = run(config, stop).await;
        telemetry.shutdown();
        outcome
    })
}
