//! What holds for every answer: headers, static files, other methods, metrics.

use std::io::Read;

use domain::{Record, Stage};
use flate2::read::GzDecoder;
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
            policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
        assert_eq!(headers["cache-control"], cache, "{path}");
    };
    check("/", "no-store").await;
    check("/record/1", "no-store").await;
    check("/nothing", "no-store").await;
    check("/api/v1/records", "no-store").await;
    check("/healthz", "no-store").await;
    for path in assets(&web).await {
        check(&path, "public, max-age=31536000, immutable").await;
    }
}

#[tokio::test]
async fn assets_are_there_under_their_present_address_only() {
    let web = Web::with(Vec::<Record>::new()).await;
    let assets = assets(&web).await;
    for path in &assets {
        let plain = web.get(path).await;
        assert_eq!(plain.status, 200, "{path}");
        let content_type = plain.headers["content-type"].to_str().unwrap();
        let expected = if path.ends_with(".css") {
            "text/css; charset=utf-8"
        } else {
            "text/javascript; charset=utf-8"
        };
        assert_eq!(content_type, expected, "{path}");
        let compressed = web.get_gzip(path).await;
        assert_eq!(compressed.headers["content-encoding"], "gzip", "{path}");
        assert_eq!(gunzip(&compressed.body), plain.body, "{path}");
    }
    let (_, name) = assets[0].rsplit_once('/').unwrap();
    web.page(&format!("/static/0000000000000000/{name}"), 404)
        .await;
    web.page("/static/x/..%2f..%2fCargo.toml", 404).await;
}

#[tokio::test]
async fn scripts_are_few_and_import_only_each_other() {
    let web = Web::with(Vec::<Record>::new()).await;
    let assets = assets(&web).await;
    let mut bytes = 0;
    for path in &assets {
        bytes += web.get_gzip(path).await.body.len();
        let text = web.get(path).await.text();
        for line in text.lines().filter(|line| line.starts_with("import")) {
            let (_, name) = line.split_once("from './").expect("a relative import");
            let name = name.trim_end_matches("';");
            assert!(
                assets
                    .iter()
                    .any(|path| path.ends_with(&format!("/{name}"))),
                "{path} imports {name}"
            );
        }
    }
    assert!(bytes <= 40 << 10, "{bytes} bytes");
}

#[tokio::test]
async fn pages_are_compressed_for_who_takes_that() {
    let web = Web::with((0..50).map(record).collect()).await;
    let plain = web.get("/nothing").await;
    assert!(!plain.headers.contains_key("content-encoding"));
    assert_eq!(plain.headers["vary"], "accept-encoding");
    let compressed = web.get_gzip("/nothing").await;
    assert_eq!(compressed.headers["content-encoding"], "gzip");
    assert_eq!(gunzip(&compressed.body), plain.body);
    let log = web.get_gzip("/").await.body;
    assert!(log.len() <= 60 << 10, "{} bytes", log.len());
    let json = web.get_gzip("/api/v1/status").await;
    assert!(!json.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn pages_have_nothing_inline() {
    let web = Web::with(vec![record(1)]).await;
    for path in ["/", "/?limit=abc", "/record/1", "/nothing"] {
        let page = web.get(path).await.text();
        for forbidden in ["<script>", "<style", " style=", " onclick=", "javascript:"] {
            assert!(!page.contains(forbidden), "{forbidden} on {path}");
        }
        assert_eq!(page.matches("<script").count(), 1, "{path}");
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

/// The addresses of the stylesheet and the scripts.
async fn assets(web: &Web) -> Vec<String> {
    let page = web.get("/").await.text();
    let head = page.split_once("</head>").expect("a head").0;
    let addresses = head.split('"').filter(|text| text.starts_with("/static/"));
    let assets: Vec<_> = addresses.map(str::to_owned).collect();
    assert!(assets.len() >= 3, "{head}");
    assets
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut text).unwrap();
    text
}
