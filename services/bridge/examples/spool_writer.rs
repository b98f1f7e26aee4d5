//! Fills a spool and plays two destinations, for tests that kill it: it tells on
//! stdout what is durable and what each destination has got, before it
//! acknowledges. Arguments: folder, number of this run, batches of frames.
//! Stdin: a line `name bridge_id next` for everything that a destination expects,
//! then one that lets it begin with the frames.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bridge::spool::{Chunk, FrameBatch, Item, Reader, Resumed, Spool, SpoolConfig, SpoolError};
use bytes::Bytes;
use uuid::Uuid;

const DESTINATIONS: [&str; 2] = ["store", "other"];
const FRAMES_PER_BATCH: u64 = 7;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, run, batches] = &arguments[..] else {
        return ExitCode::from(2);
    };
    let (Ok(run), Ok(batches)) = (run.parse(), batches.parse()) else {
        return ExitCode::from(2);
    };
    // Where only parents may trace, the test's strace is none. Systems without this
    // rule refuse.
    let _ = rustix::process::set_ptracer(rustix::process::PTracer::Any);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let done = runtime.map(|runtime| runtime.block_on(work(dir.into(), run, batches)));
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            tell(&format!("failed {error}"));
            ExitCode::from(3)
        }
        Err(_) => ExitCode::FAILURE,
    }
}

async fn work(dir: PathBuf, run: u64, batches: u64) -> Result<(), SpoolError> {
    let mut expected = expectations();
    let (spool, recovery) = Spool::open(SpoolConfig {
        dir,
        max_bytes: 64 << 20,
        segment_bytes: 64 << 10,
        sync_interval: Duration::from_millis(1),
        sync_bytes: 32 << 10,
    })?;
    tell(&format!(
        "open {} {}",
        recovery.bridge_id, recovery.next_sequence
    ));
    let mut readers = Vec::new();
    for name in DESTINATIONS {
        let mut reader = spool.reader(name)?;
        connect(name, &mut reader, &mut expected)?;
        readers.push(reader);
    }
    tell("ready");
    let _ = io::stdin().lines().next();
    for batch in 0..batches {
        spool.append(frames(run, batch * FRAMES_PER_BATCH)).await?;
        if batch % 3 == 2 {
            spool.flush().await?;
            tell(&format!("synced {run} {}", (batch + 1) * FRAMES_PER_BATCH));
        }
        if batch % 8 == 7 {
            drain(&spool, &mut readers, &mut expected).await?;
        }
    }
    spool.flush().await?;
    tell(&format!("synced {run} {}", batches * FRAMES_PER_BATCH));
    drain(&spool, &mut readers, &mut expected).await?;
    spool.close().await?;
    tell("closed");
    Ok(())
}

fn frames(run: u64, first: u64) -> FrameBatch {
    let mut buffer = Vec::new();
    let mut ranges = Vec::new();
    for index in first..first + FRAMES_PER_BATCH {
        let begin = buffer.len();
        buffer.extend_from_slice(format!("{run}.{index} ").as_bytes());
        buffer.resize(begin + 200 + (index * 37 % 900) as usize, b'x');
        ranges.push((1, begin..buffer.len()));
    }
    let peer = Some(([127, 0, 0, 1], 4_711).into());
    FrameBatch {
        received_us: 1,
        connection: 1,
        peer,
        buffer: Bytes::from(buffer),
        frames: ranges,
    }
}

type Expected = HashMap<(String, Uuid), u64>;

fn expectations() -> Expected {
    let line = |line: io::Result<String>| {
        let line = line.ok()?;
        let mut words = line.split(' ');
        let (name, id, next) = (words.next()?, words.next()?, words.next()?);
        Some(((name.to_owned(), id.parse().ok()?), next.parse().ok()?))
    };
    io::stdin().lines().map_while(line).collect()
}

/// What a store does when a stream is opened.
fn connect(name: &str, reader: &mut Reader, expected: &mut Expected) -> Result<(), SpoolError> {
    loop {
        let position = reader.position()?;
        let key = (name.to_owned(), position.bridge_id);
        let next = *expected.entry(key).or_insert(position.first_sequence);
        let Resumed::At(position) = reader.resume(next)? else {
            continue;
        };
        let key = (name.to_owned(), position.bridge_id);
        if expected.get(&key) == Some(&position.next_sequence) {
            return Ok(());
        }
    }
}

/// Gives every destination all that is durable.
async fn drain(
    spool: &Spool,
    readers: &mut [Reader],
    expected: &mut Expected,
) -> Result<(), SpoolError> {
    for (name, reader) in DESTINATIONS.iter().zip(readers) {
        while spool.stats().lag(name).entries > 0 {
            let chunk = reader.next(50, 30_000).await?;
            let key = ((*name).to_owned(), chunk.bridge_id);
            let Some(next) = expected.get_mut(&key) else {
                reader.acknowledge(chunk.first_sequence)?;
                connect(name, reader, expected)?;
                continue;
            };
            tell(&format!("got {name} {}", describe(&chunk)));
            *next = chunk.first_sequence + chunk.items.iter().map(Item::width).sum::<u64>();
            reader.acknowledge(*next)?;
        }
    }
    Ok(())
}

fn describe(chunk: &Chunk) -> String {
    let mut line = format!("{} {}", chunk.bridge_id, chunk.first_sequence);
    for item in &chunk.items {
        let text = match item {
            Item::Frame(frame) => {
                let text = String::from_utf8_lossy(&frame.bytes);
                text.split(' ').next().unwrap_or_default().to_owned()
            }
            Item::Gap { count, .. } => format!("gap.{count}"),
        };
        line.push(' ');
        line.push_str(&text);
    }
    line
}

/// One line in one write.
fn tell(line: &str) {
    let mut stdout = io::stdout().lock();
    let told = stdout
        .write_all(format!("{line}\n").as_bytes())
        .and_then(|()| stdout.flush());
    // Whoever started this is gone: nothing that follows would be checked.
    told.expect("stdout is read by the test");
}
