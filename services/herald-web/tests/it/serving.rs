//! What holds for every answer: headers, static files, other methods, metrics.

use domain::{Record, Stage};
use testkit::{http, record};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::web::Web;

#[tokio::test]
async fn every_answer_is_protected() {
    let web = Web::with(vec![record(1)]).await;
    let check = async |path: &str, cache: &str| {
        let headers = web.get(path).await.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self';"),
            "{path}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains("script"),
            "{path}"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
        assert_eq!(headers["cache-control"], cache, "{path}");
    };
    check("/", "no-store").await;
    check("/record/1", "no-store").await;
    check("/nothing", "no-store").await;
    check("/api/v1/records", "no-store").await;
    check("/healthz", "no-store").await;
    check(
        &stylesheet(&web).await,
        "public, max-age=31536000, immutable",
    )
    .await;
}

#[tokio::test]
async fn the_stylesheet_is_there_under_its_present_name_only() {
    let web = Web::with(Vec::<Record>::new()).await;
    let href = stylesheet(&web).await;
    let answer = web.get(&href).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/css; charset=utf-8");
    assert!(answer.text().contains("prefers-color-scheme: dark"));
    web.page("/static/herald-0000000000000000.css", 404).await;
    web.page("/static/..%2f..%2fCargo.toml", 404).await;
}

#[tokio::test]
async fn pages_have_no_script_and_nothing_inline() {
    let web = Web::with(vec![record(1)]).await;
    for path in ["/", "/?limit=abc", "/record/1", "/nothing"] {
        let page = web.get(path).await.text();
        for forbidden in ["<script", "<style", " style=", " onclick="] {
            assert!(!page.contains(forbidden), "{forbidden} on {path}");
        }
    }
}

#[tokio::test]
async fn the_stage_is_on_every_page() {
    for stage in Stage::ALL {
        let web = Web::at(stage, vec![record(1)]).await;
        let class = stage.name().to_lowercase();
        for (path, status) in [("/", 200), ("/record/1", 200), ("/nothing", 404)] {
            let page = web.page(path, status).await;
            let plate = format!("<strong class=\"stage\">{stage}</strong>");
            assert!(page.contains(&plate), "{path}");
            assert!(page.contains(&format!("class=\"stage-{class}\"")), "{path}");
        }
    }
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let web = Web::with(vec![record(1)]).await;
    let check = async |method: &str, path: &str, status: &str| {
        let address = web.base.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    };
    check("POST", "/", "405").await;
    check("DELETE", "/api/v1/records/1", "405").await;
    check("POST", "/nothing", "404").await;
}

#[tokio::test]
async fn requests_are_measured_by_route() {
    let web = Web::with(vec![record(1)]).await;
    web.page("/record/1", 200).await;
    let text = web.page("/metrics", 200).await;
    let line = text
        .lines()
        .find(|line| line.starts_with("herald_web_request_duration_seconds_count"));
    let line = line.unwrap_or_else(|| panic!("no such metric in {text}"));
    assert!(
        line.contains("route=") && line.contains("status="),
        "{line}"
    );
    let count = http::metric(&web.base, "herald_web_request_duration_seconds_count").await;
    assert!(count >= Some(1.0), "{count:?}");
}

async fn stylesheet(web: &Web) -> String {
    let page = web.get("/").await.text();
    let (_, rest) = page
        .split_once("<link rel=\"stylesheet\" href=\"")
        .expect("a stylesheet");
    rest.split_once('"')
        .expect("its end")
        .0
        .replace("&#x2f;", "/")
}
