//! Compiles `herald/v1/*.proto` without a system protoc.

use std::{env, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 11] = [
    "herald/v1/record.proto",
    "herald/v1/filter.proto",
    "herald/v1/counts.proto",
    "herald/v1/ingest.proto",
    "herald/v1/records.proto",
    "herald/v1/saved_searches.proto",
    "herald/v1/status.proto",
    "herald/v1/audit.proto",
    "herald/v1/alert.proto",
    "herald/v1/alerts.proto",
    "herald/v1/runs.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=herald");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("herald.v1.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".")
        .codec_path("crate::codec::Bounded")
        .compile_fds(descriptors)?;
    Ok(())
}
