//! The histogram: how many records there are over time, stacked by level. The server
//! draws it; every bar is a link to its time range.

use domain::Level;
use proto::v1;
use serde::Serialize;

use super::range::written;
use crate::{
    pages::{row::grouped, view::View},
    utc,
};

/// The drawing's height, and the width that each bar has with the gap beside it. The
/// page stretches it to the room it has.
const HEIGHT: u64 = 100;
const STEP: usize = 10;
const BAR: usize = 9;
/// What is there is seen, however little it is beside the rest.
const LEAST: u64 = 2;

/// The drawing and what is written around it.
#[derive(Debug, Serialize)]
pub(super) struct Histogram {
    width: usize,
    height: u64,
    step: usize,
    bars: Vec<Bar>,
    /// How much time a bar stands for.
    bar_length: String,
    /// Where the time begins and ends, for dragging.
    start: String,
    end: String,
    /// Times below the bars.
    axis: Vec<String>,
    /// The records of the highest bar.
    highest: String,
    legend: Vec<Entry>,
}

/// A part of the time.
#[derive(Debug, Serialize)]
struct Bar {
    x: usize,
    width: usize,
    title: String,
    href: String,
    levels: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Segment {
    class: String,
    y: u64,
    height: u64,
}

/// A level, how many records it has, and the list from it on.
#[derive(Debug, Serialize)]
struct Entry {
    class: String,
    name: &'static str,
    records: String,
    href: String,
    is_empty: bool,
}

impl Histogram {
    /// `None` when there is no time to cut.
    pub(super) fn new(view: &View, counts: &v1::CountRecordsResponse) -> Option<Self> {
        let (first, last) = (counts.buckets.first()?, counts.buckets.last()?);
        let highest = counts.buckets.iter().map(|bucket| bucket.records).max()?;
        let length_us = first.end_us.abs_diff(first.start_us);
        let bars = counts.buckets.iter().enumerate();
        let count = counts.buckets.len();
        let middle = first.start_us + (last.end_us - first.start_us) / 2;
        Some(Self {
            width: count * STEP,
            height: HEIGHT,
            step: STEP,
            bars: bars
                .map(|(at, bucket)| Bar::new(view, at, bucket, highest))
                .collect(),
            bar_length: match length_us {
                0..1_000 => "less than 1 ms".to_owned(),
                length_us => utc::distance(length_us),
            },
            start: written(first.start_us),
            end: written(last.end_us),
            axis: axis([first.start_us, middle, last.end_us]),
            highest: grouped(highest),
            legend: Level::ALL
                .iter()
                .rev()
                .map(|level| Entry::new(view, *level, counts))
                .collect(),
        })
    }
}

impl Bar {
    fn new(view: &View, at: usize, bucket: &v1::Bucket, highest: u64) -> Self {
        let (from, to) = (written(bucket.start_us), written(bucket.end_us));
        Self {
            x: at * STEP,
            width: BAR,
            title: title(bucket),
            href: view.first(&[("from", Some(&from)), ("to", Some(&to))]),
            levels: stack(bucket, highest),
        }
    }
}

/// The worst level stands at the bottom, where heights can be compared.
fn stack(bucket: &v1::Bucket, highest: u64) -> Vec<Segment> {
    let mut y = HEIGHT;
    let mut segments = Vec::new();
    for count in bucket.counts.iter().rev() {
        let height = (count.records * HEIGHT / highest.max(1)).max(LEAST).min(y);
        if height == 0 {
            continue;
        }
        y -= height;
        segments.push(Segment {
            class: Level::of(count.level).name().to_lowercase(),
            y,
            height,
        });
    }
    segments
}

fn title(bucket: &v1::Bucket) -> String {
    let [start, end] = [bucket.start_us, bucket.end_us].map(|time| {
        let text = render::rfc3339(time);
        (text[..10].to_owned(), text[11..19].to_owned())
    });
    let end = if start.0 == end.0 {
        end.1
    } else {
        format!("{} {}", end.0, end.1)
    };
    let mut title = format!(
        "{} {} – {end}: {}",
        start.0,
        start.1,
        records(bucket.records)
    );
    for count in bucket.counts.iter().rev() {
        let level = Level::of(count.level).name();
        title.push_str(&format!(", {} {level}", grouped(count.records)));
    }
    title
}

fn records(count: u64) -> String {
    match count {
        1 => "1 record".to_owned(),
        count => format!("{} records", grouped(count)),
    }
}

/// Times in the precision that tells them apart; the date where it is another one.
fn axis(times: [i64; 3]) -> Vec<String> {
    let texts = times.map(render::rfc3339);
    let is_one_day = texts.iter().all(|text| text[..10] == texts[0][..10]);
    let is_short = times[2].abs_diff(times[0]) < 600_000_000;
    let end = if is_short { 19 } else { 16 };
    let label = |(at, text): (usize, &String)| match (is_one_day, at) {
        (true, 1..) => text[11..end].to_owned(),
        _ => format!("{} {}", &text[..10], &text[11..end]),
    };
    texts.iter().enumerate().map(label).collect()
}

impl Entry {
    fn new(view: &View, level: Level, counts: &v1::CountRecordsResponse) -> Self {
        let found = counts.levels.iter().find(|c| Level::of(c.level) == level);
        let records = found.map_or(0, |count| count.records);
        Self {
            class: level.name().to_lowercase(),
            name: level.name(),
            records: grouped(records),
            href: view.first(&[("level", Some(level.name()))]),
            is_empty: records == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::v1::{Bucket, Count};

    use super::{HEIGHT, axis, stack, title};

    /// 2026-11-23T00:22:00Z
    const START: i64 = 1_795_393_320_000_000;

    fn bucket(counts: &[(i32, u64)]) -> Bucket {
        Bucket {
            start_us: START,
            end_us: START + 60_000_000,
            records: counts.iter().map(|(_, records)| records).sum(),
            counts: counts
                .iter()
                .map(|(level, records)| Count {
                    level: *level,
                    records: *records,
                    value: String::new(),
                })
                .collect(),
        }
    }

    #[test]
    fn levels_are_stacked_from_the_worst_up() {
        let check = |counts: &[(i32, u64)], highest, expected: &[(&str, u64, u64)]| {
            let stacked = stack(&bucket(counts), highest);
            let found: Vec<_> = stacked
                .iter()
                .map(|s| (s.class.as_str(), s.y, s.height))
                .collect();
            assert_eq!(found, expected);
        };
        check(&[], 10, &[]);
        check(&[(20, 10)], 10, &[("info", 0, HEIGHT)]);
        check(
            &[(20, 50), (40, 25)],
            100,
            &[("error", 75, 25), ("info", 25, 50)],
        );
        check(
            &[(20, 999), (50, 1)],
            1_000,
            &[("critical", 98, 2), ("info", 0, 98)],
        );
    }

    #[test]
    fn a_bar_says_what_it_stands_for() {
        assert_eq!(
            title(&bucket(&[(20, 1_200), (40, 3)])),
            "2026-11-23 00:22:00 – 00:23:00: 1,203 records, 3 ERROR, 1,200 INFO"
        );
        assert_eq!(
            title(&bucket(&[(30, 1)])),
            "2026-11-23 00:22:00 – 00:23:00: 1 record, 1 WARNING"
        );
    }

    #[test]
    fn the_axis_tells_times_apart() {
        let check = |length, expected: &[&str]| {
            let times = [START, START + length / 2, START + length];
            assert_eq!(axis(times), expected);
        };
        check(
            120_000_000,
            &["2026-11-23 00:22:00", "00:23:00", "00:24:00"],
        );
        check(3_600_000_000, &["2026-11-23 00:22", "00:52", "01:22"]);
        check(
            86_400_000_000,
            &["2026-11-23 00:22", "2026-11-23 12:22", "2026-11-24 00:22"],
        );
    }
}
