//! Measures appending without a network: encode, insert, commit, sync.
//!
//! `cargo run --release -p store --example append_speed -- [RECORDS] [FOLDER OF LOG FILES] [FOLDER OF THE DATABASE]`

#![expect(clippy::print_stdout, reason = "the numbers are what it is for")]

use std::{env, fs, path::PathBuf, time::Instant};

use domain::{Entry, Level, Record};
use store::direct::Direct;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH_RECORDS: u64 = 1_000;

fn main() -> anyhow::Result<()> {
    let mut arguments = env::args().skip(1);
    let records = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let lines = lines(arguments.next().map(PathBuf::from))?;
    let place = arguments.next().map_or_else(env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(place)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure(
        records,
        &lines,
        &folder.path().join("herald.sqlite"),
    ))
}

async fn measure(records: u64, lines: &[String], path: &std::path::Path) -> anyhow::Result<()> {
    let direct = Direct::open(path).await?;
    let made = Instant::now();
    for number in 0..records.min(100_000) {
        std::hint::black_box(record(number, lines));
    }
    let making = made.elapsed().as_secs_f64() / records.min(100_000) as f64;
    let started = Instant::now();
    let cpu_before = cpu_seconds();
    let batches = (0..records.div_ceil(BATCH_RECORDS)).map(|batch| {
        let first = batch * BATCH_RECORDS;
        (first..records.min(first + BATCH_RECORDS))
            .map(|number| Entry::Record(Box::new(record(number, lines))))
            .collect()
    });
    direct.append(Uuid::new_v4(), batches).await?;
    let took = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds() - cpu_before - making * records as f64;
    direct.close().await?;
    let bytes = fs::metadata(path)?.len();
    println!(
        "{records} records in {took:.2} s: {:.0} records/s, {:.1} bytes per record, \
         {:.2} CPU s per million (making them left out)",
        records as f64 / took,
        bytes as f64 / records as f64,
        cpu / records as f64 * 1e6,
    );
    Ok(())
}

/// Lines of the files of a folder, or generated ones.
fn lines(folder: Option<PathBuf>) -> anyhow::Result<Vec<String>> {
    let Some(folder) = folder else {
        let line = |n: u64| format!("request {n} to /api/v1/items/{} took {} ms", n * 7, n % 97);
        return Ok((0..20_000).map(line).collect());
    };
    let mut lines = Vec::new();
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let text = fs::read(path)?;
            let text = String::from_utf8_lossy(&text);
            lines.extend(text.lines().map(str::to_owned));
        }
    }
    Ok(lines)
}

fn record(number: u64, lines: &[String]) -> Record {
    let noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let level = Level::ALL[(noise % 100 / 24) as usize];
    let site = noise % 300;
    let line = &lines[(number % lines.len() as u64) as usize];
    let now = 1_790_000_000_000_000 + number.cast_signed() * 100;
    Record {
        received_us: now + (noise % 900).cast_signed(),
        created_us: now,
        level: level.number(),
        level_name: level.name().to_owned(),
        logger: format!("shop.module_{}", site / 8),
        message: format!("{line} id={noise:016x}"),
        system_id: format!("system_{}", noise % 12),
        sub_system_id: format!("host_{}", noise % 31),
        sub_sub_system_id: "worker".to_owned(),
        produkt_id: format!("product_{}", noise % 5),
        user_spec_1: format!("job_{}", number / 500),
        user_spec_2: "north".to_owned(),
        package_version: "1.2.19".to_owned(),
        api_version: "7".to_owned(),
        module: format!("module_{}", site / 8),
        function: format!("function_{site}"),
        path: format!("/srv/shop/module_{}.py", site / 8),
        line: 10 + site.cast_signed(),
        process: 4_321 + (noise % 12).cast_signed(),
        process_name: "MainProcess".to_owned(),
        thread: 139_637_976_000_000,
        thread_name: "MainThread".to_owned(),
        peer: "127.0.0.1:50000".to_owned(),
        ..Record::default()
    }
}

/// User and system time of this process so far.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = fields.split(' ').skip(11).take(2);
    ticks
        .filter_map(|field| field.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
