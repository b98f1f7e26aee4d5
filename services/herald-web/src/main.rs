//! The herald-web process.

use herald_web::{Config, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    runtime::process::main(async {
        let vars = runtime::config::vars();
        let config = Config::from_vars(&vars)?;
        let stop = runtime::shutdown::of_service(&vars)?;
        let version = env!("CARGO_PKG_VERSION");
        let telemetry = runtime::telemetry::start("herald-web", version, &vars)?;
        let outcome = run(config, stop).await;
        telemetry.shutdown();
        outcome
    })
}
