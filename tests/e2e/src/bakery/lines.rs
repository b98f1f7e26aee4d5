//! What the systems of the bakery say on an ordinary day.

use domain::Level;

use crate::chance::Chance;

/// Where the bakeries are.
pub(super) const PLACES: [&str; 4] = ["north", "south", "harbour", "station"];

/// One thing that a system says.
#[derive(Debug)]
pub(super) struct Line {
    /// How often, beside the others.
    weight: u64,
    /// Hours of the day in which it is said.
    hours: std::ops::Range<i64>,
    pub(super) system: &'static str,
    pub(super) level: Level,
    pub(super) message: &'static str,
    pub(super) extra: &'static str,
    pub(super) exception: &'static str,
}

const fn line(weight: u64, system: &'static str, level: Level, message: &'static str) -> Line {
    Line {
        weight,
        hours: 0..24,
        system,
        level,
        message,
        extra: "",
        exception: "",
    }
}

/// All of them.
pub(super) static LINES: [Line; 24] = [
    Line {
        hours: 6..19,
        extra: r#"{"order": {n}, "items": [{"article": "roll", "count": {d}}], "paid": "cash"}"#,
        ..line(
            60,
            "till",
            Level::Info,
            "sold {d} rolls, paid {d}.40 in cash",
        )
    },
    Line {
        hours: 6..19,
        extra: r#"{"order": {n}, "paid": "card", "receipt": "{x}"}"#,
        ..line(
            40,
            "till",
            Level::Info,
            "sold 1 rye bread, paid by card, receipt {x}",
        )
    },
    Line {
        hours: 6..19,
        ..line(20, "till", Level::Debug, "drawer closed after {d} s")
    },
    Line {
        hours: 6..19,
        ..line(
            3,
            "till",
            Level::Warning,
            "card reader answered after {d}.1 s",
        )
    },
    Line {
        hours: 2..17,
        ..line(
            60,
            "oven",
            Level::Debug,
            "temperature 2{d} °C, target 220 °C",
        )
    },
    Line {
        hours: 2..17,
        extra: r#"{"batch": {n}, "pieces": 96, "kind": "roll"}"#,
        ..line(12, "oven", Level::Info, "batch {n} is in: 96 rolls")
    },
    Line {
        hours: 2..17,
        extra: r#"{"batch": {n}, "minutes": 18.5}"#,
        ..line(12, "oven", Level::Info, "batch {n} is done after 18.5 min")
    },
    Line {
        hours: 2..17,
        ..line(3, "oven", Level::Warning, "door open for {d} s")
    },
    Line {
        hours: 2..17,
        exception: DOOR,
        ..line(1, "oven", Level::Error, "batch {n} is lost")
    },
    line(
        8,
        "stock",
        Level::Info,
        "delivery of 250 kg flour from Mühle Söhne, 12 sacks, {d} checked",
    ),
    line(
        3,
        "stock",
        Level::Warning,
        "no flour left for tomorrow's rye bread: {d} kg",
    ),
    Line {
        exception: COUNT,
        ..line(1, "stock", Level::Error, "sacks cannot be counted")
    },
    Line {
        extra: r#"{"order": {n}, "customer": {"name": "Käthe's café", "city": "Lübeck"}, "total": 31.20, "lines": 3}"#,
        ..line(
            20,
            "orders",
            Level::Info,
            "order {n} accepted: {d} rolls for Käthe's café",
        )
    },
    Line {
        extra: r#"{"order": {n}, "customer": {"name": "Hotel am Hafen", "city": "Kiel"}, "total": 118.00, "lines": 9}"#,
        ..line(
            8,
            "orders",
            Level::Info,
            "order {n} accepted: {d} breakfasts for Hotel am Hafen",
        )
    },
    line(40, "orders", Level::Debug, "GET /orders/{n} 200 in {d} ms"),
    line(
        1,
        "orders",
        Level::Warning,
        "order {n} changed twice within {d} s",
    ),
    Line {
        extra: r#"{"order": {n}, "bank": "example", "request": "{x}"}"#,
        ..line(
            25,
            "payments",
            Level::Info,
            "payment of order {n} authorised in {d}0 ms",
        )
    },
    line(
        25,
        "payments",
        Level::Debug,
        "POST https://bank.example/v2/authorise 200 in {d}0 ms request={x}",
    ),
    line(
        1,
        "payments",
        Level::Warning,
        "the bank answers slowly: {d}00 ms",
    ),
    line(
        14,
        "mailer",
        Level::Info,
        "receipt of order {n} sent, message {x}",
    ),
    line(
        1,
        "mailer",
        Level::Warning,
        "mailbox of order {n} is full, trying again in {d} min",
    ),
    Line {
        extra: r#"{"status": 200, "ms": {d}, "agent": "Mozilla/5.0"}"#,
        ..line(60, "shop", Level::Info, "GET /bread/{n} 200 in {d} ms")
    },
    Line {
        extra: r#"{"status": 404, "ms": {d}}"#,
        ..line(4, "shop", Level::Info, "GET /cake/{n} 404 in {d} ms")
    },
    line(
        1,
        "shop",
        Level::Warning,
        "sold <img src=x onerror=alert(1)> to a joker, order {n}",
    ),
];

/// One that fits the hour of the day.
pub(super) fn choose(chance: &mut Chance, hour: i64) -> &'static Line {
    let fitting = || LINES.iter().filter(|line| line.hours.contains(&hour));
    let sum = fitting().map(|line| line.weight).sum();
    let mut left = chance.below(sum);
    fitting()
        .find(|line| match left.checked_sub(line.weight) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        })
        .expect("the weights add up")
}

/// The process of a system in the first place; those of the others follow.
pub(super) fn process(system: &str) -> i64 {
    let of = |line: &&Line| line.system == system;
    700 + 10 * LINES.iter().take_while(|line| !of(line)).count() as i64
}

/// Module, function and line from which a system speaks.
pub(super) fn source(system: &str, level: Level) -> (&'static str, &'static str, i64) {
    let step = i64::from(level.number() / 10);
    match system {
        "till" => ("till", "sell", 40 + 7 * step),
        "oven" => ("oven", "bake", 61 + 9 * step),
        "stock" => ("cellar", "count", 22 + 3 * step),
        "orders" => ("orders", "take", 101 + 11 * step),
        "payments" => ("bank", "authorise", 70 + 6 * step),
        "mailer" => ("mail", "deliver", 33 + 4 * step),
        _ => ("web", "answer", 88 + 2 * step),
    }
}

const DOOR: &str = "Traceback (most recent call last):\n  \
    File \"/srv/bakery/oven.py\", line 88, in bake\n    self.door.check()\n  \
    File \"/srv/bakery/door.py\", line 17, in check\n    raise DoorOpen(self.number)\n\
    bakery.oven.DoorOpen: oven door is open";

const COUNT: &str = "Traceback (most recent call last):\n  \
    File \"/srv/bakery/cellar.py\", line 31, in count\n    sacks = sum(scale.read() for scale in scales)\n  \
    File \"/srv/bakery/scale.py\", line 54, in read\n    return float(self.port.readline())\n\
    ValueError: could not convert string to float: b'--.-'";
