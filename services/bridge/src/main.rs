//! The bridge as a process of its own.

use std::process::ExitCode;

use bridge::Cli;
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    runtime::process::main(async move { cli.run(&runtime::config::vars()).await })
}
