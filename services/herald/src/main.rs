//! The `herald` command.

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = herald::Cli::parse();
    let vars = runtime::config::vars();
    runtime::process::main(herald::run(cli, vars))
}
