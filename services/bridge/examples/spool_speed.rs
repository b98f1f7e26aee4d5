//! How fast the spool takes and gives entries of 600 bytes: writing alone, then
//! reading alone, then both at once; in batches of 64 frames and one by one.
//! Argument: a folder on the disk to measure; it is emptied.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bridge::spool::{FrameBatch, Item, Reader, Spool, SpoolConfig};
use bytes::Bytes;

const FRAME_BYTES: usize = 600;
const ENTRIES: u64 = 2_000_000;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir: PathBuf = std::env::args()
        .nth(1)
        .unwrap_or("spool-speed".to_owned())
        .into();
    for frames in [64, 1] {
        let spool = open(&dir)?;
        let mut reader = spool.reader("store")?;
        let begun = Instant::now();
        write(&spool, frames).await?;
        tell(&format!("write, {frames} a batch"), begun);
        let begun = Instant::now();
        read(&mut reader).await?;
        tell(&format!("read, {frames} a batch"), begun);
        let begun = Instant::now();
        tokio::try_join!(write(&spool, frames), read(&mut reader))?;
        tell(&format!("both, {frames} a batch"), begun);
        spool.close().await?;
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn open(dir: &Path) -> Result<Spool, Box<dyn std::error::Error>> {
    if dir.exists() {
        std::fs::remove_dir_all(dir)?;
    }
    let (spool, _) = Spool::open(SpoolConfig {
        dir: dir.to_owned(),
        max_bytes: 4 << 30,
        segment_bytes: 16 << 20,
        sync_interval: Duration::from_millis(5),
        sync_bytes: 1 << 20,
    })?;
    Ok(spool)
}

async fn write(spool: &Spool, frames: usize) -> Result<(), bridge::spool::SpoolError> {
    let buffer = Bytes::from(vec![b'x'; FRAME_BYTES * frames]);
    let ranges: Vec<_> = (0..frames)
        .map(|at| (0, at * FRAME_BYTES..(at + 1) * FRAME_BYTES))
        .collect();
    for _ in 0..ENTRIES / frames as u64 {
        let batch = FrameBatch {
            received_us: 1,
            connection: 1,
            peer: None,
            buffer: buffer.clone(),
            frames: ranges.clone(),
        };
        spool.append(batch).await?;
    }
    spool.flush().await
}

async fn read(reader: &mut Reader) -> Result<(), bridge::spool::SpoolError> {
    let mut left = ENTRIES;
    while left > 0 {
        let chunk = reader.next(1_000, 1 << 20).await?;
        let width: u64 = chunk.items.iter().map(Item::width).sum();
        reader.acknowledge(chunk.first_sequence + width)?;
        left -= width.min(left);
    }
    Ok(())
}

fn tell(what: &str, begun: Instant) {
    let took = begun.elapsed().as_secs_f64();
    let per_second = ENTRIES as f64 / took;
    let megabytes = per_second * FRAME_BYTES as f64 / 1e6;
    let line = format!("{what}: {per_second:.0} entries/s, {megabytes:.0} MB/s, {took:.2} s\n");
    // A closed pipe ends the measurement early.
    let _ = std::io::stdout().write_all(line.as_bytes());
}
