//! The tail as a page: the newest rows, then those that come, as HTML that is inert,
//! each once.

use std::time::Duration;

use domain::Record;
use testkit::{record, wait_until};

use crate::{
    fake_store::Mood,
    tail::{Event, Events},
    web::{MAX_STREAMS, Web},
};

const DEADLINE: Duration = Duration::from_secs(20);

/// Ids of the rows in a piece of HTML.
fn rows(html: &str) -> Vec<u64> {
    let rows = html.split("<tr class=\"row ").skip(1);
    let id = |row: &str| {
        let rest = row.split("id=\"r").nth(1).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    rows.map(id).collect()
}

/// The next event that is no sign of life.
async fn next(events: &mut Events) -> Event {
    loop {
        let event = events.next().await.expect("one more event");
        if event.event != "alive" {
            return event;
        }
    }
}

/// The records that these come to, over as many events as it takes.
async fn follow(events: &mut Events, count: usize) -> Vec<u64> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let event = next(events).await;
        assert_eq!(event.event, "");
        let some = rows(&event.data);
        assert!(some.len() <= 50, "{} rows at once", some.len());
        assert!(
            some.last()
                .is_some_and(|last| *last <= event.id.parse().unwrap())
        );
        ids.extend(some);
    }
    ids
}

#[tokio::test]
async fn the_page_has_the_newest_rows_and_says_where_the_others_are() {
    let web = Web::with((0..60).map(record).collect()).await;
    let page = web.page("/?tail=1&level=INFO&order=asc&limit=5", 200).await;
    let shown = rows(&page);
    let expected: Vec<u64> = (1..61).filter(|id| (id - 1) % 5 > 0).collect();
    assert_eq!(shown, expected);
    let stream = "data-tail=\"/tail?tail=1&amp;level=INFO&amp;after=60\"";
    assert!(page.contains(stream), "{page}");
    assert!(page.contains("<noscript>") && page.contains("http-equiv=\"refresh\" content=\"5\""));
    assert!(page.contains("End the tail"), "{page}");
    // Links go on following.
    let link = "href=\"/?tail=1&amp;level=INFO&amp;order=asc&amp;limit=5&amp;system_id=system_1\"";
    assert!(page.contains(link), "{page}");
    let page = web.page("/?tail=1&q=nothing", 200).await;
    assert!(page.contains("Nothing has passed so far"), "{page}");
    assert!(page.contains("after=60"), "what comes now is not missed");
    let page = Web::with(Vec::new()).await.page("/?tail=1", 200).await;
    assert!(page.contains("after=0"), "nor is the first of all");
    let page = web.page("/?tail=2", 400).await;
    assert!(page.contains("`2` is not 1"), "{page}");
}

#[tokio::test]
async fn rows_come_in_small_pieces_and_each_once() {
    let web = Web::with((0..40).map(record).collect()).await;
    let mut events = Events::open(&web, "/tail?tail=1&after=1", "").await;
    let event = next(&mut events).await;
    assert_eq!(
        (event.id.as_str(), rows(&event.data)),
        ("40", (2..41).collect())
    );
    for number in 40..160 {
        web.store.take(record(number));
    }
    assert_eq!(follow(&mut events, 120).await, Vec::from_iter(41..161));
    let mut whole = Events::open(&web, "/tail?after=1", "").await;
    assert_eq!(follow(&mut whole, 159).await, Vec::from_iter(2..161));
    let mut again = Events::open(&web, "/tail?after=1", "Last-Event-ID: 155\r\n").await;
    assert_eq!(follow(&mut again, 5).await, Vec::from_iter(156..161));
    assert!(
        again.seen.contains(&"retry: 1000".to_owned()),
        "{:?}",
        again.seen
    );
}

#[tokio::test]
async fn what_is_left_out_is_told_after_the_rows() {
    let web = Web::with((0..461).map(record).collect()).await;
    let mut events = Events::open(&web, "/tail?after=1", "").await;
    // The store was asked for no more than somebody reads.
    let ids = follow(&mut events, 400).await;
    assert_eq!(ids, Vec::from_iter(62..462));
    let event = next(&mut events).await;
    let found = (event.event.as_str(), event.data.as_str());
    assert_eq!(found, ("sampled", "{\"left_out\":60}"));
    let mut events = Events::open(&web, "/tail?after=461", "").await;
    let event = events.next().await.expect("a sign of life");
    assert_eq!((event.event.as_str(), event.id.as_str()), ("alive", "461"));
}

#[tokio::test]
async fn rows_are_inert_and_links_keep_the_view() {
    let web = Web::with(vec![record(0)]).await;
    let path = "/tail?tail=1&after=1&q=evil&columns=code";
    let mut events = Events::open(&web, path, "").await;
    web.store.take(Record {
        message: "evil <script>alert(1)</script>\r\n\u{1b}[31m\u{202e}\0".to_owned(),
        module: "a\"><img src=x>".to_owned(),
        ..record(1)
    });
    let event = next(&mut events).await;
    assert_eq!(rows(&event.data), [2]);
    for wrong in ["<script", "<img", "\u{1b}", "\u{202e}", "\0"] {
        assert!(!event.data.contains(wrong), "{wrong:?} in {}", event.data);
    }
    assert!(event.data.contains("<mark>evil</mark>"), "{}", event.data);
    assert!(
        event
            .data
            .contains("href=\"/?tail=1&amp;q=evil&amp;columns=code&amp;level="),
        "{}",
        event.data
    );
    assert!(
        !event.data.contains("system_1"),
        "a column that is not shown"
    );
    assert!(
        event.data.contains("<tr class=\"day\">"),
        "another day than today"
    );
    web.store.take(Record {
        message: "evil again".to_owned(),
        ..record(2)
    });
    let event = next(&mut events).await;
    assert!(!event.data.contains("<tr class=\"day\">"), "the same day");
}

#[tokio::test]
async fn what_cannot_be_followed_says_why() {
    let mut web = Web::with(vec![record(0)]).await;
    let check = async |web: &Web, path: &str, status, part: &str| {
        let answer = web.page(path, status).await;
        assert!(answer.contains(part), "{path}: {answer}");
    };
    check(&web, "/tail?colour=red", 400, "colour: no such parameter").await;
    check(&web, "/tail?level=loud", 400, "level: ").await;
    check(&web, "/tail?columns=x", 400, "columns: ").await;
    let mut held = Vec::new();
    for _ in 0..MAX_STREAMS {
        let mut events = Events::open(&web, "/tail", "").await;
        events.next().await.expect("the start");
        held.push(events);
    }
    check(&web, "/tail", 503, "6 follow the log already").await;
    drop(held);
    web.store
        .set_mood(Mood::Broken(tonic::Status::internal("no")));
    check(&web, "/?tail=1", 502, "the store could not answer this").await;
    web.store.stop().await;
    check(&web, "/tail", 503, "The store does not answer").await;
    let accept = "Accept: text/event-stream\r\n";
    let mut events = Events::open(&web, "/tail", accept).await;
    let event = events.next().await.expect("the reason");
    assert_eq!(
        (event.event.as_str(), event.data.as_str()),
        ("problem", "{\"message\":\"the store does not answer\"}")
    );
}

#[tokio::test]
async fn who_follows_the_same_shares_the_stores_stream() {
    let web = Web::with((0..5).map(record).collect()).await;
    let path = "/tail?tail=1&q=record&after=";
    let mut one = Events::open(&web, &format!("{path}5"), "").await;
    // From further back: they catch up by themselves, and then share.
    let mut two = Events::open(&web, &format!("{path}2"), "").await;
    assert_eq!(follow(&mut two, 3).await, [3, 4, 5]);
    let mut other = Events::open(&web, "/tail?tail=1&q=record&level=ERROR", "").await;
    let mut numbers = 5..;
    for _ in 0..10 {
        let number = numbers.next().unwrap();
        web.store.take(record(number));
        for events in [&mut one, &mut two] {
            assert_eq!(follow(events, 1).await, [number + 1]);
        }
    }
    assert_eq!(follow(&mut other, 4).await, [9, 10, 14, 15]);
    wait_until("two views are followed", DEADLINE, async || {
        web.store.streams() == 2
    })
    .await;
    drop((one, two));
    wait_until("nobody follows the first one", DEADLINE, async || {
        web.store.take(record(numbers.next().unwrap()));
        web.store.streams() == 1
    })
    .await;
    let mut again = Events::open(&web, &format!("{path}14"), "").await;
    assert_eq!(follow(&mut again, 1).await[0], 15);
}

#[tokio::test]
async fn who_is_slow_misses_nothing_that_the_store_tells() {
    let web = Web::with(vec![record(0)]).await;
    let mut slow = Events::open(&web, "/tail?after=1", "").await;
    let mut quick = Events::open(&web, "/tail?after=1", "").await;
    // More than what waits for anybody, and than all buffers on the way hold.
    for number in 1..1_500 {
        web.store.take(Record {
            exception: "x".repeat(20_000),
            message: "y".repeat(700),
            ..record(number)
        });
        assert_eq!(follow(&mut quick, 1).await, [number + 1]);
    }
    let mut told = 1;
    let mut left_out = 0;
    while told < 1_500 {
        let event = next(&mut slow).await;
        match event.event.as_str() {
            "sampled" => {
                let sampled: serde_json::Value = serde_json::from_str(&event.data).unwrap();
                left_out += sampled["left_out"].as_u64().unwrap();
            }
            _ => {
                for id in rows(&event.data) {
                    assert!(id > told, "{id} after {told}");
                    told = id;
                }
            }
        }
    }
    assert!(left_out < 1_500, "{left_out} were left out");
    assert_eq!(told, 1_500);
}
