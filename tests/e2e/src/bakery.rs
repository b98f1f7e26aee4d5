//! A day of a chain of bakeries: what pictures and stories show. The bank was
//! out of reach for some minutes in the night, and two systems noticed.

mod incident;
mod lines;

use domain::{DeadLetter, Entry, Level, Micros, Record};

use crate::chance::Chance;
use lines::Line;

const SECOND: Micros = 1_000_000;
const MINUTE: Micros = 60 * SECOND;
const HOUR: Micros = 60 * MINUTE;
const DAY: Micros = 24 * HOUR;

/// All that was logged, and when the bank was gone.
#[derive(Debug)]
pub struct Bakery {
    /// In the order of their receipt.
    pub entries: Vec<Entry>,
    /// The first payment that failed was received then.
    pub incident_us: Micros,
}

/// The thirty hours before `now_us`, about 6,000 records.
#[must_use]
pub fn day(now_us: Micros) -> Bakery {
    let mut chance = Chance::new(4711);
    let incident_us = last_night(now_us);
    let mut records = Vec::new();
    let mut at = now_us - 30 * HOUR;
    while at < now_us - 2 * SECOND {
        let hour = at.rem_euclid(DAY) / HOUR;
        let line = lines::choose(&mut chance, hour);
        // That night has no other errors, so that its bar is the highest.
        let is_other = line.level >= Level::Error && (at - incident_us).abs() < HOUR;
        if !is_other {
            records.push(record(line, at, &mut chance));
        }
        // Busy mornings, quiet nights.
        let pause_s = match hour {
            5..=10 => 9,
            11..=17 => 18,
            _ => 34,
        };
        at += chance.below(2 * pause_s * 1_000_000) as Micros;
    }
    records.extend(incident::records(incident_us));
    records.sort_by_key(|record| record.received_us);
    let mut entries: Vec<Entry> = records
        .into_iter()
        .map(|record| Entry::Record(Box::new(record)))
        .collect();
    entries.extend(rejected(now_us));
    Bakery {
        entries,
        incident_us,
    }
}

/// One more payment that fails as those of the night did.
#[must_use]
pub fn another(order: u64, received_us: Micros) -> Entry {
    Entry::Record(Box::new(incident::failure(order, "north", received_us)))
}

/// 02:47 of the last night that is over, and not a day ago.
fn last_night(now_us: Micros) -> Micros {
    let time_of_day = 2 * HOUR + 47 * MINUTE;
    let latest = now_us - 20 * MINUTE;
    let night = latest - (latest - time_of_day).rem_euclid(DAY);
    if now_us - night < 23 * HOUR {
        night
    } else {
        now_us - HOUR
    }
}

fn record(line: &Line, received_us: Micros, chance: &mut Chance) -> Record {
    let place = lines::PLACES[chance.below(lines::PLACES.len() as u64) as usize];
    // A till in the harbour has no line now and then.
    let is_late = line.system == "till" && place == "harbour" && chance.below(9) == 0;
    let lag_us = if is_late { 41 * SECOND } else { 1_800 } + chance.below(9_000) as Micros;
    let number = 4_000 + chance.below(5_000);
    let desk = match line.system {
        "till" => format!("till-{:02}", 1 + chance.below(14)),
        _ => String::new(),
    };
    Record {
        user_spec_1: desk,
        message: fill(line.message, number, chance),
        extra: fill(line.extra, number, chance),
        exception: line.exception.to_owned(),
        ..of(line.system, place, line.level, received_us, lag_us)
    }
}

/// A record of a system in a place, without a message.
fn of(system: &str, place: &str, level: Level, received_us: Micros, lag_us: Micros) -> Record {
    let (module, function, line) = lines::source(system, level);
    let number = lines::PLACES.iter().position(|it| *it == place);
    Record {
        received_us,
        created_us: received_us - lag_us,
        level: level.number(),
        level_name: level.name().to_owned(),
        logger: format!("bakery.{system}"),
        system_id: system.to_owned(),
        sub_system_id: place.to_owned(),
        sub_sub_system_id: "worker-1".to_owned(),
        produkt_id: "bread".to_owned(),
        user_spec_1: String::new(),
        user_spec_2: String::new(),
        package_version: "2.4.0".to_owned(),
        api_version: String::new(),
        module: module.to_owned(),
        function: function.to_owned(),
        path: format!("/srv/bakery/{module}.py"),
        line,
        process: lines::process(system) + number.unwrap_or_default() as i64,
        peer: format!("10.20.0.{}:51342", 11 + number.unwrap_or_default()),
        extra: String::new(),
        ..testkit::record(0)
    }
}

/// Puts numbers where a text has `{n}` (the same everywhere), `{d}` (a small
/// one) and `{x}` (an id).
fn fill(text: &str, number: u64, chance: &mut Chance) -> String {
    let mut filled = text.replace("{n}", &number.to_string());
    while filled.contains("{d}") {
        filled = filled.replacen("{d}", &(2 + chance.below(38)).to_string(), 1);
    }
    while filled.contains("{x}") {
        filled = filled.replacen("{x}", &format!("{:08x}", chance.below(1 << 32)), 1);
    }
    filled
}

/// Frames that were no records.
fn rejected(now_us: Micros) -> Vec<Entry> {
    let frames: [(&str, &str, &[u8]); 4] = [
        (
            "10.20.0.77:40112",
            "an HTTP request: this port takes log records, the page has another one",
            b"GET / HTTP/1.1\r\nHost: herald.bakery.example\r\nUser-Agent: curl/8.5\r\n\r\n",
        ),
        (
            "10.20.0.12:51342",
            "the pickle ends in the middle of a text",
            b"\x80\x04\x95\x2c\x01\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04name\x94\x8c\x0bbakery.till",
        ),
        (
            "10.20.0.80:33876",
            "a TLS handshake: this port takes records without encryption",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ),
        (
            "10.20.0.13:51342",
            "not JSON: expected `,` or `}` at line 1 column 37",
            b"{\"message\": \"drawer open\", \"level\": \"WARN",
        ),
    ];
    let letter = |(index, (peer, reason, head)): (usize, (&str, &str, &[u8]))| {
        Entry::DeadLetter(Box::new(DeadLetter {
            received_us: now_us - (4 - index as Micros) * 7 * MINUTE,
            peer: peer.to_owned(),
            reason: reason.to_owned(),
            size_bytes: head.len() as u64,
            head: head.to_vec(),
            ..DeadLetter::default()
        }))
    };
    frames.into_iter().enumerate().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use domain::Entry;

    use super::{DAY, HOUR, MINUTE, day, last_night};

    #[test]
    fn the_last_night_is_over_and_not_a_day_ago() {
        for minutes in 0..48 * 60 {
            let now_us = 20_000 * DAY + minutes * MINUTE;
            let age = now_us - last_night(now_us);
            assert!((20 * MINUTE..23 * HOUR).contains(&age), "{age}");
        }
    }

    #[test]
    fn a_day_is_in_order_and_has_its_incident() {
        let now_us = 20_000 * DAY + 11 * HOUR;
        let bakery = day(now_us);
        let of_record = |entry: &Entry| match entry {
            Entry::Record(record) => Some(record.received_us),
            _ => None,
        };
        let times: Vec<_> = bakery.entries.iter().filter_map(of_record).collect();
        assert!(times.len() > 3_000 && times.is_sorted());
        assert!(times.last() < Some(&now_us) && times.contains(&bakery.incident_us));
    }
}
