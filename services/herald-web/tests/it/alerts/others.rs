//! What other pages tell of alerts: the header, systems, badges, a rule from a record.

use domain::{HeartbeatState, Record};
use testkit::http::get_with;

use super::web;
use crate::{
    fake_store::{Mood, alerts::known},
    text::{href, inner},
    web::Web,
};

#[tokio::test]
async fn every_page_tells_how_many_alerts_go_on() {
    let web = web().await;
    for path in ["/", "/systems", "/alerts", "/record/1"] {
        let page = web.page(path, 200).await;
        let link = inner(&page, "<a href=\"/alerts\"", "</a>");
        assert!(
            link.contains("<span class=\"firing\">3<span class=\"unseen\"> firing"),
            "{link}"
        );
        assert!(
            page.contains("1 message of alerts that go on could not be delivered"),
            "{page}"
        );
        assert!(!page.contains("neelix is late"), "{path}");
    }
}

#[tokio::test]
async fn a_late_neelix_is_told_on_every_page() {
    let web = Web::with(Vec::new()).await;
    {
        let mut store = web.store.alerts();
        *store = known();
        store.is_late = true;
        store.notifications.clear();
        store.alerts.retain(|alert| alert.id == 3);
    }
    let page = web.page("/", 200).await;
    let text = "neelix is late: it judged the rules last 3 min ago and should every 5 min";
    assert!(page.contains(text), "{page}");
    assert!(page.contains("<span class=\"firing known\">1<"), "{page}");
}

/// Guards against the warning staying away when neelix begins and never gets through.
#[tokio::test]
async fn a_neelix_that_never_got_through_is_told() {
    let web = Web::with(Vec::new()).await;
    web.store.alerts().is_late = true;
    let page = web.page("/", 200).await;
    let text = "neelix is late: it has never judged the rules";
    assert!(page.contains(text), "{page}");
}

#[tokio::test]
async fn no_page_waits_for_what_there_is_to_tell() {
    let web = web().await;
    web.store.set_mood(Mood::Silent);
    let page = web.page("/help", 200).await;
    assert!(!page.contains("class=\"alarm\""), "{page}");
    let mut arriving = web.begin("/").await;
    let answer = arriving.until("The store is slow to answer").await;
    assert!(!answer.contains("class=\"alarm\""), "{answer}");
}

#[tokio::test]
async fn systems_that_rules_expect_are_listed_also_unseen() {
    let web = web().await;
    let page = web.page("/systems", 200).await;
    let section = inner(&page, "<section class=\"expecting\"", "</section>");
    let rows: Vec<_> = section.split("<tr>").skip(2).collect();
    assert_eq!(rows.len(), 2, "{section}");
    for text in [
        "state-never",
        ">never seen</span>",
        "<bdi>oven</bdi>",
        "<bdi>every 2 h</bdi>",
        ">never</span>",
    ] {
        assert!(rows[0].contains(text), "{text} in {}", rows[0]);
    }
    for text in [
        "state-active",
        ">up</span>",
        "3 min ago",
        "href=\"/alerts?system_id=shop\"",
    ] {
        assert!(rows[1].contains(text), "{text} in {}", rows[1]);
    }
    let found = web.page("/systems?find=oven", 200).await;
    let section = inner(&found, "<section class=\"expecting\"", "</section>");
    assert!(!section.contains("<bdi>shop</bdi></a></th>"), "{section}");
}

#[tokio::test]
async fn badges_may_be_shown_elsewhere() {
    let web = web().await;
    web.store.alerts().heartbeats[0].state = HeartbeatState::Late;
    let check = async |path: &str, state: &str| {
        let answer = web.get(path).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        let header = |name: &str| answer.headers[name].to_str().unwrap();
        assert_eq!(header("content-type"), "image/svg+xml; charset=utf-8");
        assert_eq!(header("cross-origin-resource-policy"), "cross-origin");
        assert_eq!(header("content-security-policy"), "default-src 'none'");
        assert_eq!(header("cache-control"), "public, max-age=30");
        assert!(
            answer.text().contains(&format!(": {state}</title>")),
            "{}",
            answer.text()
        );
    };
    check("/badge/shop.svg", "firing").await;
    check("/badge/oven.svg", "never seen").await;
    check("/badge/oven/east.svg", "unknown").await;
    check("/badge/a%2Fb%20%3Cx%3E/c.svg", "unknown").await;
    web.store.alerts().alerts.clear();
    check("/badge/shop.svg", "late").await;
    let picture = web.page("/badge/%3C%2Ftitle%3E%22%00.svg", 200).await;
    assert!(
        picture.contains("<title>&lt;/title&gt;&quot;\u{fffd}: unknown</title>"),
        "{picture}"
    );
    web.page("/badge/shop", 404).await;
    web.page("/badge/.svg", 404).await;
    web.store
        .set_mood(Mood::Broken(tonic::Status::unavailable("gone")));
    let answer = web.get("/badge/shop.svg").await;
    assert_eq!(
        (
            answer.status.as_u16(),
            answer.headers["cache-control"].to_str().unwrap()
        ),
        (200, "no-store")
    );
    assert!(answer.text().contains("unknown"));
}

fn record(system_id: &str, message: &str) -> Record {
    Record {
        system_id: system_id.to_owned(),
        message: message.to_owned(),
        level: 40,
        ..testkit::record(1)
    }
}

#[tokio::test]
async fn a_record_becomes_a_rule() {
    let web = Web::with(vec![
        record("shop", "order 4711 failed: bank does not answer"),
        record("a/b", "x"),
    ])
    .await;
    let opened = web.page("/record/1/row", 200).await;
    assert_eq!(href(&opened, ">alert rule from this</a>"), "/record/1/rule");
    let page = web.page("/record/1/rule", 200).await;
    let text = "[shop]\nMSG=failed: bank does not answer\nLEVEL=ERROR\n";
    assert!(page.contains(text), "{page}");
    assert!(
        page.contains("This record would have been found."),
        "{page}"
    );
    assert_eq!(
        href(&page, ">What it would have found in the last 7 days</a>"),
        "/?q=message%3A%22failed%3A+bank+does+not+answer%22&system_id=shop&level=ERROR&from=-7d"
    );
    let changed = "/record/1/rule?system=shop&msg=else&level=ALL&mail_to=a%40b.ch";
    let page = web.page(changed, 200).await;
    assert!(
        page.contains("[shop]\nMAIL_TO=a@b.ch\nMSG=else\n</pre>"),
        "{page}"
    );
    assert!(
        page.contains("This record would not have been found"),
        "{page}"
    );
    let evil = "/record/1/rule?system=shop&msg=a%0AMAIL_TO%3Devil%40example.com";
    let page = web.page(evil, 200).await;
    assert!(page.contains("MSG has line ends"), "{page}");
    assert!(!page.contains("class=\"act copy\""), "{page}");
    let page = web.page("/record/2/rule", 200).await;
    assert!(
        page.contains("which divides system and sub system"),
        "{page}"
    );
    web.page("/record/9/rule", 404).await;
    web.page("/record/x/rule", 404).await;
    web.page("/record/1/rule?level=loud", 400).await;
}

#[tokio::test]
async fn an_empty_log_says_where_to_send_records() {
    let web = Web::with(Vec::new()).await;
    let page = web.page("/", 200).await;
    for text in [
        "port <b>9020</b>",
        "SocketHandler(&quot;127.0.0.1&quot;, 9020)",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let url = format!("{}/", web.base);
    let answer = get_with(&url, &[("host", "logs.example:80")])
        .await
        .unwrap();
    assert!(answer.text().contains("<b>logs.example</b>"));
    let answer = get_with(&url, &[("host", "\"evil")]).await.unwrap();
    assert!(answer.text().contains("<b>localhost</b>"));
    let filtered = web.page("/?level=ERROR", 200).await;
    assert!(!filtered.contains("SocketHandler"), "{filtered}");
}
