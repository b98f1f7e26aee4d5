//! The neelix-cronjob process.

use clap::Parser;
use neelix_cronjob::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    runtime::process::main(async {
        let vars = runtime::config::vars();
        let version = env!("CARGO_PKG_VERSION");
        let telemetry = runtime::telemetry::start("neelix-cronjob", version, &vars)?;
        let outcome = cli.run(&vars, runtime::shutdown::on_signal()).await;
        telemetry.shutdown();
        outcome
    })
}
