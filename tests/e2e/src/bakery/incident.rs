//! The night in which the bank was out of reach.

use domain::{Level, Micros, Record};

use super::{MINUTE, SECOND, of};

/// The first payment that failed.
pub(super) const FIRST: &str = "payment of order 4711 failed";

/// A payment that fails.
pub(super) fn failure(order: u64, place: &str, received_us: Micros) -> Record {
    Record {
        message: format!("payment of order {order} failed"),
        exception: RESET.to_owned(),
        ..of("payments", place, Level::Error, received_us, 2_400)
    }
}

/// What was logged about it; the first error was received at `at`.
pub(super) fn records(at: Micros) -> Vec<Record> {
    let mut records = Vec::new();
    let mut say = |seconds: i64, system, place, level, message: &str, exception: &str| {
        // Nothing but the first happens at a whole second.
        let part = seconds.signum().abs() * (message.len() as i64 * 17_939 % 900_000);
        records.push(Record {
            message: message.to_owned(),
            exception: exception.to_owned(),
            ..of(system, place, level, at + seconds * SECOND + part, 2_400)
        });
    };
    let (north, south) = ("north", "south");
    for (seconds, ms) in [(-80, 1_240), (-61, 1_980), (-44, 3_510), (-22, 4_870)] {
        let message = format!("the bank answers slowly: {ms} ms");
        say(seconds, "payments", north, Level::Warning, &message, "");
    }
    let asking = "POST https://bank.example/v2/authorise order=4711";
    say(
        -5,
        "orders",
        north,
        Level::Info,
        "order 4711 accepted: 40 rolls for Käthe's café",
        "",
    );
    say(-5, "payments", north, Level::Debug, asking, "");
    let retry = "no answer from the bank within 5 s, trying once more";
    say(-1, "payments", north, Level::Warning, retry, "");
    say(0, "payments", north, Level::Error, FIRST, RESET);
    say(
        1,
        "orders",
        north,
        Level::Warning,
        "order 4711 waits for its payment",
        "",
    );
    for (index, seconds) in [9, 21, 34, 52, 71, 90, 118, 140, 171, 205]
        .into_iter()
        .enumerate()
    {
        let order = 4_712 + index;
        let place = if index % 3 == 2 { south } else { north };
        let message = format!("payment of order {order} failed");
        say(seconds, "payments", place, Level::Error, &message, RESET);
        if index % 4 == 1 {
            let message = format!("subscription {order} is not renewed");
            say(seconds + 1, "orders", place, Level::Error, &message, RESET);
        }
    }
    let cash = "no bank within reach: cash only";
    say(60, "payments", north, Level::Critical, cash, "");
    let again = "the bank answers again, 11 payments are repeated";
    say(
        4 * MINUTE / SECOND,
        "payments",
        north,
        Level::Info,
        again,
        "",
    );
    records
}

const RESET: &str = "Traceback (most recent call last):\n  \
    File \"/usr/lib/python3.13/http/client.py\", line 1430, in getresponse\n    response.begin()\n  \
    File \"/usr/lib/python3.13/http/client.py\", line 331, in begin\n    version, status, reason = self._read_status()\n  \
    File \"/usr/lib/python3.13/ssl.py\", line 1140, in read\n    return self._sslobj.read(len, buffer)\n\
    ConnectionResetError: [Errno 104] Connection reset by peer\n\n\
    The above exception was the direct cause of the following exception:\n\n\
    Traceback (most recent call last):\n  \
    File \"/srv/bakery/bank.py\", line 94, in authorise\n    answer = self.ask(order)\n  \
    File \"/srv/bakery/bank.py\", line 61, in ask\n    raise BankError(\"no answer\") from error\n\
    bakery.bank.BankError: no answer from bank.example within 10 s";
