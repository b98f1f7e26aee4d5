//! Alerts: narrowed, acknowledged and silenced, by mouse, by keyboard and without
//! scripts; a record becomes a rule; a badge is shown on another site.

use e2e::{api, browser::Target, site::Site};
use serde_json::Value;
use testkit::http;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Control, Way, use_all};

/// An alert, as the API has it.
async fn alert(site: &Site, id: u64) -> Value {
    let url = site.url(&format!("/api/v1/alerts/{id}"));
    http::get_json(&url).await.unwrap()["alert"].clone()
}

#[tokio::test]
async fn alerts_lead_on_in_every_way() {
    let site = Site::judged().await;
    let leads =
        |at: &str, target: Target<'static>, address: &str| Control::leads(at, target, address);
    let rule = "location.pathname === '/alerts/rules' && document.querySelector('.rule:target h2').textContent.includes('[payments]')";
    use_all(
        &site,
        &[
            leads("/", "a[href='/alerts']".into(), "/alerts"),
            leads("/", ".alarm a".into(), "/alerts#undelivered"),
            leads("/alerts", ("link", "firing").into(), "/alerts?state=firing"),
            leads(
                "/alerts",
                ("link", "resolved").into(),
                "/alerts?state=resolved",
            ),
            leads("/alerts", ("link", "Rules").into(), "/alerts/rules"),
            leads("/alerts", ("link", "Runs").into(), "/alerts/runs"),
            leads("/alerts", "#a1 .reason".into(), "/alerts/1"),
            leads(
                "/alerts",
                "#a1 .c-system a".into(),
                "/alerts?system_id=payments",
            ),
            leads("/alerts", "#a1 .cause a".into(), "/alerts?rule=payments"),
            leads(
                "/alerts",
                "#a1 .c-number a".into(),
                "/?system_id=payments&q=message:",
            ),
            leads("/alerts", ".undelivered a".into(), "/alerts/"),
            Control::does(
                "/alerts?rule=oven",
                ("link", "clear"),
                "location.search === ''",
            ),
            Control::does("/alerts/1", ".facts-list a[href^='/alerts/rules']", rule),
            leads(
                "/alerts/1",
                ("link", "records that match, in the log").into(),
                "/?system_id=payments",
            ),
            leads(
                "/alerts/1",
                ("link", "alerts of this rule").into(),
                "/alerts?rule=payments",
            ),
            leads("/alerts/1", ("link", "JSON").into(), "/api/v1/alerts/1"),
            Control::does(
                "/alerts/1",
                ".letter summary",
                "!document.querySelector('.letter details').open",
            ),
            leads(
                "/alerts/rules",
                ".rule .to a".into(),
                "/alerts?rule=payments",
            ),
            leads(
                "/systems",
                ".expected .c-rule a".into(),
                "/alerts/rules#rule-",
            ),
            leads("/systems", ".expected .c-go a".into(), "/alerts?system_id="),
            leads("/status", ("link", "All runs").into(), "/alerts/runs"),
        ],
    )
    .await;
}

#[tokio::test]
async fn alerts_are_acknowledged_and_silenced_in_every_way() {
    for way in Way::ALL {
        let site = Site::judged().await;
        let page = way.page(&site).await;
        page.open(&site.url("/alerts")).await;
        page.follow(way.activate(&page, ("button", "Acknowledge alert 1").into()))
            .await;
        assert!(
            alert(&site, 1).await["acknowledged_at"].is_string(),
            "{way:?}"
        );
        assert_eq!(page.text("#a1 .state-known").await, "acknowledged");
        assert!(page.url().await.ends_with("/alerts#a1"));
        page.follow(way.activate(&page, ("button", "Silence 1 h alert 2").into()))
            .await;
        assert!(
            alert(&site, 2).await["silenced_until"].is_string(),
            "{way:?}"
        );
        page.follow(way.activate(&page, ("button", "Unsilence alert 2").into()))
            .await;
        assert!(alert(&site, 2).await["silenced_until"].is_null(), "{way:?}");
        page.follow(way.activate(&page, "#a3 .reason".into())).await;
        page.follow(way.activate(&page, ("button", "1 d of silence alert 3").into()))
            .await;
        page.until_text(".standing", "silenced until").await;
        page.follow(way.activate(&page, "a[href='/alerts']".into()))
            .await;
        way.activate(&page, "#a4 .later summary".into()).await;
        page.of("#until-4", "function() { this.value = this.max }")
            .await;
        page.follow(way.activate(&page, "#a4 .later button".into()))
            .await;
        assert!(
            alert(&site, 4).await["silenced_until"].is_string(),
            "{way:?}"
        );
        // axe is a script, too.
        if way != Way::Plain {
            page.assert_accessible("alerts that were silenced").await;
        }
        assert_eq!(page.complaints(), Vec::<String>::new(), "{way:?}");
    }
}

#[tokio::test]
async fn a_record_becomes_a_rule_in_every_way() {
    let (site, _) = Site::bakery().await;
    let errors = api::all(&site.herald.web_url(), "q=%22order+4711+failed%22").await;
    let record = format!("/record/{}", errors[0]["id"]);
    let at = &format!("{record}/rule");
    let leads =
        |at: &str, target: Target<'static>, address: &str| Control::leads(at, target, address);
    use_all(
        &site,
        &[
            leads(&record, ("link", "alert rule from this").into(), "/rule"),
            leads(at, ("link", "the record").into(), &format!("{record}#r")),
            leads(
                at,
                ("link", "What it would have found in the last 7 days").into(),
                "/?q=message:",
            ),
            leads(
                at,
                ("button", "Write the rule").into(),
                "rule?system=payments&msg=payment",
            ),
            Control::does(
                at,
                ("button", "Copy the rule"),
                "document.querySelector('button.copy').textContent === 'copied'",
            )
            .with_scripts(),
        ],
    )
    .await;
    let page = site.page(at).await;
    assert_eq!(
        page.text("#rule").await.trim(),
        "[payments]\nMSG=payment of order\nLEVEL=ERROR"
    );
    page.fill("#mail_to", "anna@bakery.example").await;
    page.follow(page.press("Enter")).await;
    page.until_text("#rule", "MAIL_TO=anna@bakery.example")
        .await;
}

#[tokio::test]
async fn a_badge_is_shown_on_another_site() {
    let site = Site::judged().await;
    let page = site.browser.page().await;
    page.expect_complaint("favicon.ico");
    for (path, width) in [("payments", 100), ("oven", 80), ("oven/north", 100)] {
        let badge = site.url(&format!("/badge/{path}.svg"));
        let other = elsewhere(&format!("<!doctype html><img alt='' src='{badge}'>")).await;
        page.open(&other).await;
        let shown = page.evaluate("document.images[0].naturalWidth").await;
        assert!(shown.as_u64() > Some(width), "{path}: {shown}");
    }
    assert_eq!(page.complaints(), Vec::<String>::new());
}

/// The address of a page of another site.
async fn elsewhere(html: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://localhost:{}/",
        listener.local_addr().unwrap().port()
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{html}",
        html.len()
    );
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}
