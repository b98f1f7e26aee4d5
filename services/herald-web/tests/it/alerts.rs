//! Alerts on the pages: what is shown of them, who may say something about them, and
//! the links in mails.

mod changes;
mod links;
mod others;
mod secrets;

use crate::{
    fake_store::alerts::{alert, known},
    text::{href, inner},
    web::Web,
};

/// Pages over alerts of every kind.
async fn web() -> Web {
    let web = Web::with((1..4).map(testkit::record).collect()).await;
    *web.store.alerts() = known();
    web
}

/// Ids of the alerts in a part of a page, in its order.
fn ids(part: &str) -> Vec<&str> {
    let rows = part.split("<tr id=\"a").skip(1);
    rows.map(|row| row.split('"').next().unwrap()).collect()
}

#[tokio::test]
async fn what_goes_on_comes_first() {
    let web = web().await;
    let page = web.page("/alerts", 200).await;
    let firing = inner(&page, "<section class=\"going\"", "</section>");
    let resolved = inner(&page, "<section class=\"gone\"", "</section>");
    assert_eq!(
        (ids(firing), ids(resolved)),
        (vec!["4", "3", "2"], vec!["1"])
    );
    for text in [
        "<span class=\"state-silenced\">silenced</span>",
        "<span class=\"state-known\">acknowledged</span>",
        "<span class=\"state-firing\">firing</span>",
        "never seen",
        "data-label=\"for\">9 min",
        ">3 records</a>",
        "2 records since told",
        "<span class=\"told-delivered\">1 delivered</span> <span class=\"told-waiting\">1 waiting</span> <span class=\"told-failed\">1 failed</span>",
        "<span class=\"key\">nobody</span>",
        "<bdi>oven</bdi></a><span class=\"slash\">/</span><bdi>east</bdi>",
    ] {
        assert!(firing.contains(text), "{text} in {firing}");
    }
    assert!(
        resolved.contains("<span class=\"exact\">ended "),
        "{resolved}"
    );
    assert_eq!(
        href(firing, "<bdi>shop</bdi></a>"),
        "/alerts?system_id=shop"
    );
    assert_eq!(
        href(firing, ">3 records</a>").split("&from=").next(),
        Some("/?system_id=shop&q=message%3A%22oven+cold%22")
    );
    let trouble = inner(&page, "id=\"undelivered\"", "</section>");
    for text in [
        "550 no such user",
        "451 try later",
        "gone@example.com",
        "tried again in 4 min",
    ] {
        assert!(trouble.contains(text), "{text} in {trouble}");
    }
    assert!(!trouble.contains("ok@example.com"), "{trouble}");
}

#[tokio::test]
async fn alerts_are_narrowed_and_paged_by_the_address() {
    let web = web().await;
    let check = async |query: &str, expected: &[&str]| {
        let page = web.page(&format!("/alerts{query}"), 200).await;
        assert_eq!(ids(&page), expected, "{query}");
    };
    check("?state=firing", &["4", "3", "2"]).await;
    check("?state=resolved", &["1"]).await;
    check("?rule=oven%2F*", &["2"]).await;
    check("?system_id=shop&state=firing", &["4", "3"]).await;
    check("?before=4", &["1"]).await;
    check("?state=firing&before=3", &["2"]).await;
    check("?system_id=nothing", &[]).await;
    web.store.alerts().alerts = (1..=120).map(alert).collect();
    let page = web.page("/alerts?state=firing&rule=shop", 200).await;
    assert_eq!(ids(&page).len(), 50);
    let older = href(&page, ">older</a>");
    assert_eq!(older, "/alerts?state=firing&rule=shop&before=71");
    assert_eq!(ids(&web.page(&older, 200).await)[0], "70");
    for (query, problem) in [
        ("state=on", "state: `on` is no state"),
        ("before=x", "before: `x` is no id"),
        ("colour=red", "colour: no such parameter"),
    ] {
        let page = web.page(&format!("/alerts?{query}"), 400).await;
        assert!(page.contains(problem), "{page}");
    }
}

#[tokio::test]
async fn an_alert_has_a_page_with_all_about_it() {
    let web = web().await;
    let page = web.page("/alerts/3", 200).await;
    for text in [
        "<h1>Alert 3</h1>",
        "<bdi class=\"condition\">MSG=disk full</bdi>",
        "href=\"/record/1#r1\"",
        "href=\"/record/3#r3\"",
        "<b>acknowledged</b> <span class=\"key\">by</span> <bdi>anna</bdi> <bdi class=\"particulars\">by hand</bdi>",
        "<bdi>[DEVELOPMENT] firing: shop</bdi>",
        "3 records with “disk full”</pre>",
        "also about 1 other alert",
        "<span class=\"told-failed\">failed</span> <bdi>gone@example.com</bdi>",
        "href=\"/api/v1/alerts/3\"",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    assert!(
        !page.contains("<b>no</b>"),
        "the HTML of a mail is not shown"
    );
    let rule = href(&page, "[<bdi>shop</bdi>]</a></dd>");
    let (path, anchor) = rule.split_once('#').unwrap();
    let rules = web.page(path, 200).await;
    let rule = inner(&rules, &format!("id=\"{anchor}\""), "</section>");
    for text in [
        "[shop]\nMSG=disk full\nAGE=2h</pre>",
        "anna@example.com",
        "line 7",
        "2 alerts firing",
    ] {
        assert!(rule.contains(text), "{text} in {rule}");
    }
    // Where mails lead to.
    let narrowed = web.page("/alerts?rule=shop", 200).await;
    let rule = inner(&narrowed, "id=\"rules\"", "</section>");
    assert!(rule.contains("[shop]\nMSG=disk full"), "{rule}");
    let gone = web.page("/alerts/99", 404).await;
    assert!(gone.contains("There is no alert 99"), "{gone}");
    for path in ["/alerts/x", "/alerts/0", "/alerts/x/silence"] {
        web.page(path, 404).await;
    }
    web.page("/alerts/3?x=1", 400).await;
}

#[tokio::test]
async fn whoever_has_no_rules_is_told_how_to_begin() {
    let web = Web::with(Vec::new()).await;
    for path in ["/alerts", "/alerts/rules", "/alerts/runs"] {
        let page = web.page(path, 200).await;
        assert!(page.contains("ps_neelix_d.cfg"), "{page}");
        assert!(page.contains("DEV_STAGE=DEVELOPMENT neelix-cronjob --dry-run"));
        assert!(!page.contains("class=\"alarm\""), "{page}");
    }
}

#[tokio::test]
async fn runs_and_the_status_tell_how_neelix_does() {
    let web = web().await;
    let page = web.page("/alerts/runs", 200).await;
    for text in [
        "every 5 min",
        "cannot read the rules file",
        "<bdi>web01:42</bdi>",
        ">2,000<",
        "1 min",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    let none = web.page("/alerts/runs?before=1", 200).await;
    assert!(none.contains("There are no older ones"), "{none}");
    let page = web.page("/status", 200).await;
    let section = inner(&page, "id=\"neelix\"", "</section>");
    for text in [
        "<dt>Expected every</dt><dd>5 min</dd>",
        "state-active",
        "cannot read the rules file",
        "href=\"/alerts\">3</a>",
    ] {
        assert!(section.contains(text), "{text} in {section}");
    }
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    let web = web().await;
    let evil = "<script>alert(1)</script>\u{202e}\"'\n\0";
    {
        let mut known = web.store.alerts();
        for alert in &mut known.alerts {
            alert.subject.rule = evil.to_owned();
            alert.subject.condition = format!("MSG={evil}");
            alert.subject.system_id = evil.to_owned();
            alert.subject.sub_system_id = evil.to_owned();
            alert.reason = evil.to_owned();
        }
        for event in &mut known.events {
            event.note = evil.to_owned();
            event.by = evil.to_owned();
        }
        for notification in &mut known.notifications {
            notification.subject = evil.to_owned();
            notification.text = evil.to_owned();
            for delivery in &mut notification.deliveries {
                delivery.recipient = evil.to_owned();
                delivery.error = evil.to_owned();
            }
        }
        for heartbeat in &mut known.heartbeats {
            heartbeat.system_id = evil.to_owned();
            heartbeat.rule = evil.to_owned();
            heartbeat.expected = evil.to_owned();
        }
        for rule in &mut known.rules {
            rule.name = evil.to_owned();
            rule.text = evil.to_owned();
            rule.recipients = vec![evil.to_owned()];
        }
        for run in &mut known.runs {
            run.holder = evil.to_owned();
            run.errors = vec![evil.to_owned()];
        }
    }
    for path in [
        "/alerts",
        "/alerts/3",
        "/alerts/rules",
        "/alerts/runs",
        "/systems",
        "/status",
    ] {
        let page = web.page(path, 200).await;
        assert!(page.contains("&lt;script&gt;"), "{path}: {page}");
        assert!(!page.contains("<script>"), "{path}");
        assert!(!page.contains(['\u{202e}', '\0']), "{path}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_told() {
    let web = web().await;
    web.store
        .set_mood(crate::fake_store::Mood::Broken(tonic::Status::unavailable(
            "gone",
        )));
    for path in ["/alerts", "/alerts/3", "/alerts/rules", "/alerts/runs"] {
        let page = web.page(path, 503).await;
        assert!(page.contains("The store does not answer"), "{path}");
    }
}
