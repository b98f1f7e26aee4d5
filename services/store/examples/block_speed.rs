//! Measures blocks on real log lines (a folder of `*.log` files, one line a
//! message) with all fields, each line with and without a random id:
//! `cargo run --release -p store --example block_speed -- FOLDER`.
//! One core; prints the best of several runs.

#![allow(clippy::print_stdout, reason = "this is what it is for")]

use std::hint::black_box;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use domain::{Order, Record, RecordFilter};
use store::block::{Block, Effort, EncodedBlock, Looks, MAX_RECORDS, Plan, decode, encode};

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let lines = read_lines(Path::new(&folder))?;
    if lines.is_empty() {
        println!("no *.log files in {folder}");
        return Ok(());
    }
    let bytes: usize = lines.iter().map(String::len).sum();
    println!("{} lines, {} bytes each", lines.len(), bytes / lines.len());
    for with_id in [false, true] {
        println!(
            "\nlines {} a random id",
            if with_id { "with" } else { "without" }
        );
        let blocks = records(&lines, with_id);
        for effort in [Effort::Fast, Effort::Tight] {
            encoding(&blocks, effort);
        }
        reading(&blocks);
    }
    println!();
    single(&records(&lines, true)[0]);
    Ok(())
}

fn read_lines(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::path);
    let mut systems = Vec::new();
    for file in files
        .into_iter()
        .filter(|file| file.path().extension().is_some_and(|e| e == "log"))
    {
        let text = String::from_utf8_lossy(&std::fs::read(file.path())?).into_owned();
        systems.push(text.lines().map(str::to_owned).collect::<Vec<_>>());
    }
    // Several programs log at the same time.
    let longest = systems.iter().map(Vec::len).max().unwrap_or(0);
    let interleaved = (0..longest).flat_map(|at| systems.iter().filter_map(move |s| s.get(at)));
    Ok(interleaved.cloned().collect())
}

/// A number that looks random.
fn random(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Eight blocks.
fn records(lines: &[String], with_id: bool) -> Vec<Vec<Record>> {
    let count = 8 * MAX_RECORDS as u64;
    let mut received_us = 1_790_000_000_000_000;
    let all: Vec<Record> = (1..=count)
        .map(|id| {
            received_us += (random(id) % 150) as i64;
            let at = (id as usize - 1) % lines.len();
            let dice = random(id * 7919);
            let program = at % 8;
            let process = program as u64 * 4 + dice % 4;
            let site = dice >> 8 & 15;
            let (level, level_name) = match dice >> 16 & 63 {
                0 => (40, "ERROR"),
                1..4 => (30, "WARNING"),
                4..12 => (10, "DEBUG"),
                _ => (20, "INFO"),
            };
            let id_text = if with_id {
                format!(" {:016x}", random(id + (1 << 40)))
            } else {
                String::new()
            };
            let text = |start: &str, number: u64| format!("{start}{number}");
            Record {
                id,
                received_us,
                created_us: received_us - 200 - (dice >> 32 & 1023) as i64,
                level,
                level_name: level_name.to_owned(),
                logger: text("app.worker", site % 5),
                message: format!("{}{id_text}", lines[at]),
                system_id: text("service-", program as u64),
                sub_system_id: text("host-", process % 12),
                sub_sub_system_id: text("unit-", site % 3),
                produkt_id: text("product-", dice >> 24 & 7),
                user_spec_1: text("job-", id / 300),
                user_spec_2: String::new(),
                package_version: text("2.4.", program as u64),
                api_version: String::new(),
                module: text("module_", site),
                function: text("handle_", site),
                path: format!("/opt/app/service-{program}/module_{site}.py"),
                line: 20 + site as i64 * 13,
                process: 1000 + process as i64,
                process_name: "MainProcess".to_owned(),
                thread: 140_000_000_000_000 + (process as i64 * 8 + (dice >> 40 & 7) as i64) * 8192,
                thread_name: text("Thread-", dice >> 40 & 7),
                exception: String::new(),
                stack: String::new(),
                peer: format!("10.0.0.{}:{}", process % 12, 40_000 + process),
                extra: String::new(),
            }
        })
        .collect();
    all.chunks(MAX_RECORDS).map(<[Record]>::to_vec).collect()
}

/// How long this thread has been running, where the system tells: other
/// programs then count less.
fn processor_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ns = told.and_then(|text| text.split(' ').next().and_then(|ns| ns.parse().ok()));
    ns.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// The time that the work takes when nothing else runs: the machine may be busy.
fn best(times: &[Duration]) -> Duration {
    times.iter().copied().min().unwrap_or_default()
}

fn encoding(blocks: &[Vec<Record>], effort: Effort) {
    let mut times = Vec::new();
    let (mut parts, mut filter) = (0, 0);
    for round in 0..4 {
        for records in blocks {
            // In the cache as they are after they came in.
            let records = &records.clone();
            let start = processor_time();
            let block = black_box(encode(records[0].id, records, effort));
            times.push(processor_time() - start);
            if round == 0 {
                parts += block.parts.iter().map(Vec::len).sum::<usize>();
                filter += block.filter.iter().map(Vec::len).sum::<usize>();
            }
        }
    }
    let count = (blocks.len() * MAX_RECORDS) as f64;
    let per_second = MAX_RECORDS as f64 / best(&times).as_secs_f64();
    println!(
        "  encode {effort:?}: {per_second:.0} records/s, {:.1} bytes/record + filter {:.1}",
        parts as f64 / count,
        filter as f64 / count
    );
}

fn reading(blocks: &[Vec<Record>]) {
    let records = &blocks[0];
    let block = encode(records[0].id, records, Effort::Tight);
    println!(
        "  part 0 is {} bytes, a chunk {}",
        block.parts[0].len(),
        block.parts[1].len()
    );
    let level = plan("level>=error");
    let context = plan("system_id:service-3 sub_system_id:host-1");
    let time = Plan::new(&RecordFilter {
        from_us: Some(records[MAX_RECORDS / 2].received_us),
        ..RecordFilter::default()
    });
    measure("open", || {
        open(&block).chunks(&all(&block), Order::OldestFirst).len()
    });
    for (name, plan) in [
        ("level", &level),
        ("2 context fields", &context),
        ("time", &time),
    ] {
        measure(&format!("open and select by {name}"), || {
            open(&block)
                .select(plan, 0..u64::MAX)
                .expect("not damaged")
                .count()
        });
    }
    for text in ["\"absent word\"", "connection", "e", "/fail(ed|ure)/"] {
        let plan = plan(text);
        measure(
            &format!("open, select and scan all chunks for `{text}`"),
            || scan(&block, &plan),
        );
    }
    measure("newest 50 as records", || newest(&block, &plan("")));
    measure("newest 50 with `connection`", || {
        newest(&block, &plan("connection"))
    });
    measure("decode all", || {
        decode(&block.meta, block.parts.clone())
            .expect("not damaged")
            .len()
    });
    ruling_out(blocks);
}

fn plan(query: &str) -> Plan {
    let condition = query::parse(query, 0).expect("a query");
    Plan::new(&RecordFilter::new(condition))
}

fn open(block: &EncodedBlock) -> Block {
    Block::open(&block.meta, block.parts[0].clone()).expect("not damaged")
}

fn all(block: &EncodedBlock) -> store::block::Selection {
    let plan = Plan::new(&RecordFilter::default());
    open(block).select(&plan, 0..u64::MAX).expect("not damaged")
}

fn scan(block: &EncodedBlock, plan: &Plan) -> usize {
    let opened = open(block);
    let selection = opened.select(plan, 0..u64::MAX).expect("not damaged");
    let chunks = opened.chunks(&selection, Order::NewestFirst).into_iter();
    chunks
        .map(|chunk| {
            let part = opened
                .part_of(chunk)
                .map_or(Vec::new(), |part| block.parts[part].clone());
            let chunk = opened.open_chunk(chunk, part).expect("not damaged");
            let rows = opened.scan(plan, &selection, &chunk, Order::NewestFirst, usize::MAX);
            rows.expect("not damaged").len()
        })
        .sum()
}

fn newest(block: &EncodedBlock, plan: &Plan) -> usize {
    let opened = open(block);
    let selection = opened.select(plan, 0..u64::MAX).expect("not damaged");
    let mut found = Vec::new();
    for chunk in opened.chunks(&selection, Order::NewestFirst) {
        let part = opened
            .part_of(chunk)
            .map_or(Vec::new(), |part| block.parts[part].clone());
        let chunk = opened.open_chunk(chunk, part).expect("not damaged");
        let left = 50 - found.len();
        let rows = opened.scan(plan, &selection, &chunk, Order::NewestFirst, left);
        found.extend(
            opened
                .records(&chunk, &rows.expect("not damaged"))
                .expect("not damaged"),
        );
        if found.len() == 50 {
            break;
        }
    }
    found.len()
}

fn measure(what: &str, mut work: impl FnMut() -> usize) {
    let mut times = Vec::new();
    let mut result = 0;
    for _ in 0..50 {
        let start = Instant::now();
        result = black_box(work());
        times.push(start.elapsed());
    }
    println!("  {what}: {} us ({result})", best(&times).as_micros());
}

/// Of many searches for what is in no block, how many blocks the filter lets
/// through, and how many slices it took.
fn ruling_out(blocks: &[Vec<Record>]) {
    let blocks: Vec<EncodedBlock> = blocks
        .iter()
        .map(|records| encode(records[0].id, records, Effort::Fast))
        .collect();
    let words = [
        "zebrafish",
        "kernel oops",
        "quota exceeded",
        "segfault",
        "unreachable host",
        "overflow",
    ];
    let words: Vec<String> = words.map(str::to_owned).to_vec();
    let ids: Vec<String> = (0..500)
        .map(|n| format!("{:016x}", random(n + (1 << 50))))
        .collect();
    let parts: Vec<String> = ids.iter().map(|id| id[4..12].to_owned()).collect();
    let digits: Vec<String> = (0..500)
        .map(|n| format!("{:08}", random(n) % 100_000_000))
        .collect();
    for (name, texts) in [
        ("words", words),
        ("ids", ids),
        ("8 of an id", parts),
        ("8 digits", digits),
    ] {
        let (mut passed, mut slices) = (0, 0);
        for text in &texts {
            let plan = plan(&format!("\"{text}\""));
            for block in &blocks {
                let mut looks = Looks::default();
                let passes = plan.slices().iter().all(|slice| {
                    slices += 1;
                    plan.look(*slice, &block.filter[*slice], &mut looks)
                });
                passed += usize::from(passes);
            }
        }
        let looks = (texts.len() * blocks.len()) as f64;
        println!(
            "  absent {name}: {:.2} % of blocks pass, {:.2} slices looked at",
            100.0 * f64::from(passed as u32) / looks,
            f64::from(slices) / looks
        );
    }
}

fn single(records: &[Record]) {
    let record = &records[..1];
    let values = 6 * 8 + format!("{:?}", record[0]).len();
    for (name, count) in [("1 record", 1), ("10 records", 10), ("100 records", 100)] {
        let some = &records[..count];
        let mut times = Vec::new();
        for _ in 0..1000 {
            let start = Instant::now();
            black_box(encode(1, some, Effort::Fast));
            times.push(start.elapsed());
        }
        let bytes: usize = encode(1, some, Effort::Fast)
            .parts
            .iter()
            .map(Vec::len)
            .sum();
        println!(
            "block of {name}: {:?}, {} bytes a record",
            best(&times),
            bytes / count
        );
    }
    println!("(that record as text: {values} bytes)");
}
