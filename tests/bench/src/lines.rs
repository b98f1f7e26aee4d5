//! The messages of the load: real log lines where they are, otherwise lines of
//! the same kind.

use std::{fs, path::PathBuf};

/// Log lines and where they come from.
#[derive(Debug)]
pub(crate) struct Lines {
    /// One message each.
    pub(crate) texts: Vec<String>,
    /// For the report.
    pub(crate) origin: &'static str,
}

/// Reads every `*.log` of the folder `HERALD_LOG_LINES`, else of
/// `../shared/data/loghub` beside the project; without either, makes lines.
///
/// # Errors
/// When a folder is there and cannot be read.
pub(crate) fn load() -> std::io::Result<Lines> {
    let folder = std::env::var_os("HERALD_LOG_LINES").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/loghub"),
        PathBuf::from,
    );
    if !folder.is_dir() {
        return Ok(Lines {
            texts: (0..16_000).map(generated).collect(),
            origin: "generated lines",
        });
    }
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::path);
    let mut texts = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.path().extension().is_some_and(|it| it == "log"))
    {
        let bytes = fs::read(file.path())?;
        texts.extend(String::from_utf8_lossy(&bytes).lines().map(str::to_owned));
    }
    Ok(Lines {
        texts,
        origin: "real lines (loghub)",
    })
}

/// A line with a time, a host, a part that repeats and numbers that do not.
fn generated(number: u64) -> String {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (host, block, size) = (mixed % 40, mixed >> 8, mixed % 65_536);
    match number % 4 {
        0 => format!("Received block blk_{block} of size {size} from /10.250.{host}.17:50010"),
        1 => format!(
            "PacketResponder {} for block blk_{block} terminating",
            number % 3
        ),
        2 => format!(
            "GET /v2/{block:016x}/servers/detail HTTP/1.1 status: 200 len: {size} time: 0.{size}"
        ),
        _ => format!(
            "Failed password for invalid user admin{host} from 173.234.{host}.186 port {size} ssh2"
        ),
    }
}
