//! The tail: every record once, in order, across cuts.

use std::time::Duration;

use domain::Record;
use serde_json::Value;
use testkit::{record, wait_until};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::{
    fake_store::Mood,
    web::{MAX_STREAMS, Web},
};

const DEADLINE: Duration = Duration::from_secs(20);

/// One event as a client takes it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) event: String,
    pub(crate) id: String,
    pub(crate) data: String,
}

/// A stream of events, read like a browser does.
pub(crate) struct Events {
    lines: BufReader<TcpStream>,
    /// Head of the answer, and what came outside of events.
    pub(crate) seen: Vec<String>,
}

impl Events {
    pub(crate) async fn open(web: &Web, path: &str, headers: &str) -> Self {
        let address = web.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The answer to HTTP/1.0 is not cut into chunks.
        let request = format!("GET {path} HTTP/1.0\r\nHost: x\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut events = Self {
            lines: BufReader::new(stream),
            seen: Vec::new(),
        };
        while let Some(line) = events.line().await {
            if line.is_empty() {
                break;
            }
            events.seen.push(line);
        }
        events
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(DEADLINE, self.lines.read_line(&mut line));
        let count = read.await.expect("a line in time").unwrap();
        (count > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        let mut event = Event::default();
        loop {
            let line = self.line().await?;
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.trim_start().to_owned();
            match name {
                "event" => event.event = value,
                "id" => event.id = value,
                "data" => {
                    // As a browser has it: lines with line ends between them.
                    event.data += if event.data.is_empty() { "" } else { "\n" };
                    event.data += &value;
                }
                "" if line.is_empty() && event != Event::default() => return Some(event),
                "" if line.is_empty() => {}
                _ => self.seen.push(line),
            }
        }
    }

    /// The next record's id and message; its id is the event's.
    async fn record(&mut self) -> (u64, String) {
        loop {
            let event = self.next().await.expect("one more event");
            if event.event == "progress" {
                continue;
            }
            let record: Value = serde_json::from_str(&event.data).unwrap();
            let id = record["id"].as_u64().unwrap();
            assert_eq!(event.id, id.to_string());
            assert_eq!(event.event, "");
            return (id, record["message"].as_str().unwrap().to_owned());
        }
    }
}

#[tokio::test]
async fn records_come_as_they_are_taken() {
    let web = Web::with((0..3).map(record).collect()).await;
    let mut events = Events::open(&web, "/api/v1/tail?q=record", "").await;
    let head = events.seen.join("\n");
    assert!(head.contains(" 200 "), "{head}");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert_eq!(
        events.next().await.expect("where it starts"),
        Event {
            event: "progress".to_owned(),
            id: "3".to_owned(),
            data: "{\"through\":3}".to_owned(),
        }
    );
    assert!(
        events.seen.contains(&"retry: 2000".to_owned()),
        "{:?}",
        events.seen
    );
    web.store.take(record(3));
    assert_eq!(events.record().await, (4, "record 3".to_owned()));
    web.store.take(Record {
        message: "two\nlines".to_owned(),
        function: "record".to_owned(),
        extra: "{\"a\":\n1}".to_owned(),
        ..record(4)
    });
    assert_eq!(events.record().await, (5, "two\nlines".to_owned()));
}

#[tokio::test]
async fn progress_is_told_when_nothing_passes() {
    let web = Web::with(vec![record(0)]).await;
    let mut events = Events::open(&web, "/api/v1/tail?system_id=nobody", "").await;
    assert_eq!(events.next().await.expect("the start").id, "1");
    web.store.take(record(1));
    let event = events.next().await.expect("progress");
    assert_eq!((event.event.as_str(), event.id.as_str()), ("progress", "2"));
}

#[tokio::test]
async fn a_tail_resumes_without_gap_or_repeat() {
    let web = Web::with((0..6).map(record).collect()).await;
    let check = async |path: &str, headers: &str, expected: &[u64]| {
        let mut events = Events::open(&web, path, headers).await;
        for id in expected {
            assert_eq!(events.record().await.0, *id, "{path} {headers}");
        }
    };
    check("/api/v1/tail?after=3", "", &[4, 5, 6]).await;
    check("/api/v1/tail", "Last-Event-ID: 4\r\n", &[5, 6]).await;
    check("/api/v1/tail?after=1", "Last-Event-ID: 5\r\n", &[6]).await;
    check(
        "/api/v1/tail?after=2&level=ERROR",
        "Last-Event-ID:\r\n",
        &[4, 5],
    )
    .await;
}

/// Before the first record there is no id to go on from but 0.
#[tokio::test]
async fn a_tail_of_an_empty_log_misses_no_first_record() {
    let web = Web::with(Vec::new()).await;
    for (path, name) in [("/api/v1/tail", "progress"), ("/tail", "")] {
        let mut events = Events::open(&web, path, "").await;
        let start = events.next().await.expect("where it starts");
        assert_eq!(start.id, "0", "{path}");
        assert!(name.is_empty() || start.event == name, "{start:?}");
    }
    web.store.take(record(0));
    let mut events = Events::open(&web, "/api/v1/tail", "Last-Event-ID: 0\r\n").await;
    assert_eq!(events.record().await.0, 1);
    let mut events = Events::open(&web, "/api/v1/tail?after=0", "").await;
    assert_eq!(events.record().await.0, 1);
    for (path, headers) in [("/tail", "Last-Event-ID: 0\r\n"), ("/tail?after=0", "")] {
        let mut events = Events::open(&web, path, headers).await;
        let first = events.next().await.expect("the first row");
        assert!(first.data.contains("record 0"), "{path}: {first:?}");
    }
}

#[tokio::test]
async fn a_sample_says_how_much_it_leaves_out() {
    let web = Web::with((0..40).map(record).collect()).await;
    let path = "/api/v1/tail?after=1&max_per_second=3";
    let mut events = Events::open(&web, path, "").await;
    for id in 11..41 {
        assert_eq!(events.record().await.0, id);
    }
    assert_eq!(
        events.next().await.expect("the sampling"),
        Event {
            event: "sampled".to_owned(),
            id: "40".to_owned(),
            data: "{\"left_out\":9,\"through\":40}".to_owned(),
        }
    );
    web.store.take(record(40));
    assert_eq!(events.record().await.0, 41);
    for wrong in ["0", "1001", "x"] {
        let path = format!("/api/v1/tail?max_per_second={wrong}");
        let answer = web.json(&path, 400).await;
        assert_eq!(answer["error"]["parameter"], "max_per_second", "{wrong}");
    }
}

#[tokio::test]
async fn who_follows_as_one_too_many_is_told_so() {
    let web = Web::with(vec![record(0)]).await;
    let mut held = Vec::new();
    for _ in 0..MAX_STREAMS {
        let mut events = Events::open(&web, "/api/v1/tail", "").await;
        events.next().await.expect("the start");
        held.push(events);
    }
    let message = "6 follow the log already, and no more may: try again when one of them has left";
    let answer = web.json("/api/v1/tail", 503).await;
    assert_eq!(answer["error"]["message"], message);
    let accept = "Accept: text/event-stream\r\n";
    let mut events = Events::open(&web, "/api/v1/tail", accept).await;
    let event = events.next().await.expect("the reason");
    assert_eq!(event.event, "problem");
    assert_eq!(event.data, format!("{{\"message\":\"{message}\"}}"));
    assert_eq!(events.next().await, None);
    assert!(web.get("/readyz").await.status.is_success());
    held.pop();
    wait_until("there is room again", DEADLINE, async || {
        let mut events = Events::open(&web, "/api/v1/tail", accept).await;
        events.next().await.expect("an event").event == "progress"
    })
    .await;
}

#[tokio::test]
async fn who_does_not_read_holds_up_nobody() {
    let web = Web::with(vec![record(0)]).await;
    let mut unread = Vec::new();
    for _ in 1..MAX_STREAMS {
        unread.push(Events::open(&web, "/api/v1/tail", "").await);
    }
    let mut events = Events::open(&web, "/api/v1/tail", "").await;
    // More than all buffers on the way hold.
    for number in 1..41 {
        web.store.take(Record {
            message: "x".repeat(1 << 20),
            ..record(number)
        });
        assert_eq!(events.record().await.0, number + 1);
    }
    assert_eq!(web.store.streams(), MAX_STREAMS);
    web.json("/api/v1/records?limit=2", 200).await;
    for mut events in unread {
        assert_eq!(events.record().await.0, 2);
    }
}

#[tokio::test]
async fn a_store_that_goes_away_ends_the_tail_with_a_reason() {
    let web = Web::with((0..6).map(record).collect()).await;
    web.store.set_mood(Mood::Breaking(2));
    let mut events = Events::open(&web, "/api/v1/tail?after=4", "").await;
    assert_eq!(events.record().await.0, 5);
    assert_eq!(events.record().await.0, 6);
    web.store.take(record(6));
    let event = events.next().await.expect("the reason");
    let reason = "{\"message\":\"the store does not answer\"}";
    assert_eq!(
        (event.event.as_str(), event.data.as_str()),
        ("problem", reason)
    );
    assert_eq!(event.id, "", "the last id stays that of the last record");
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn without_a_store_a_browser_is_told_to_come_again() {
    let mut web = Web::with(Vec::new()).await;
    web.store.stop().await;
    let accept = "Accept: text/event-stream\r\n";
    let mut events = Events::open(&web, "/api/v1/tail", accept).await;
    assert!(events.seen[0].contains(" 200 "), "{:?}", events.seen);
    assert_eq!(events.next().await.expect("the reason").event, "problem");
    assert!(
        events.seen.contains(&"retry: 2000".to_owned()),
        "{:?}",
        events.seen
    );
    assert_eq!(events.next().await, None);
    web.json("/api/v1/tail", 503).await;
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_stores_work() {
    let web = Web::with(vec![record(0)]).await;
    let mut events = Events::open(&web, "/api/v1/tail", "").await;
    events.next().await.expect("the start");
    assert_eq!(web.store.streams(), 1);
    drop(events);
    wait_until("the store's stream ends", DEADLINE, async || {
        web.store.streams() == 0
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_ends_the_tail_at_once() {
    let web = Web::with(vec![record(0)]).await;
    let mut events = Events::open(&web, "/api/v1/tail", "").await;
    events.next().await.expect("the start");
    let began = Instant::now();
    drop(web);
    assert_eq!(events.next().await, None);
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(5),
        "{took:?}: before the drain ends"
    );
}

#[tokio::test]
async fn a_wrong_place_to_resume_is_named() {
    let web = Web::with(Vec::new()).await;
    let answer = web.json("/api/v1/tail?after=-1", 400).await;
    assert_eq!(answer["error"]["parameter"], "after");
    let events = Events::open(&web, "/api/v1/tail", "Last-Event-ID: x\r\n").await;
    assert!(events.seen[0].contains(" 400 "), "{:?}", events.seen);
}
