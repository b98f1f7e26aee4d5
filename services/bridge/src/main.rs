//! The bridge as a process of its own.

use std::process::ExitCode;

use runtime::{config, shutdown, telemetry};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    runtime::process::main(async {
        let vars = config::vars();
        let config = bridge::Config::from_vars(&vars)?;
        let telemetry = telemetry::start("bridge", env!("CARGO_PKG_VERSION"), &vars)?;
        let outcome = bridge::run(config, shutdown::on_signal()).await;
        telemetry.shutdown();
        outcome
    })
}
