//! A client for pages, the JSON API and metrics.

use std::{
    fmt,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, StatusCode, http};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A whole answer.
#[derive(Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// From the question to the head of the answer.
    pub head_after: Duration,
}

impl Response {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in the body {:?}", self.text()))
    }
}

/// No answer.
#[derive(Debug)]
pub struct NoAnswer(String);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoAnswer {}

/// Asks once, on a connection of its own.
///
/// # Errors
/// When nobody answers; any status is an answer.
///
/// # Panics
/// When `url` is none.
pub async fn get(url: &str) -> Result<Response, NoAnswer> {
    get_with(url, &[]).await
}

/// The same with headers.
///
/// # Errors
/// When nobody answers; any status is an answer.
///
/// # Panics
/// When `url` is none, or a header is.
pub async fn get_with(url: &str, headers: &[(&str, &str)]) -> Result<Response, NoAnswer> {
    ask(Request::get(url), headers, Bytes::new()).await
}

/// Sends a form.
///
/// # Errors
/// When nobody answers; any status is an answer.
///
/// # Panics
/// When `url` is none, or a header is.
pub async fn post_form(
    url: &str,
    headers: &[(&str, &str)],
    form: String,
) -> Result<Response, NoAnswer> {
    let request = Request::post(url).header("content-type", "application/x-www-form-urlencoded");
    ask(request, headers, form.into()).await
}

/// Sends a body whose type `headers` say.
///
/// # Errors
/// When nobody answers; any status is an answer.
///
/// # Panics
/// When `url` is none, or a header is.
pub async fn post(url: &str, headers: &[(&str, &str)], body: String) -> Result<Response, NoAnswer> {
    ask(Request::post(url), headers, body.into()).await
}

async fn ask(
    mut request: http::request::Builder,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Response, NoAnswer> {
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(body))
        .expect("the test's URL and headers are valid");
    let exchange = async {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let start = Instant::now();
        let answer = client.request(request).await.map_err(fail)?;
        let head_after = start.elapsed();
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(fail)?.to_bytes();
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body,
            head_after,
        })
    };
    tokio::time::timeout(TIMEOUT, exchange)
        .await
        .unwrap_or_else(|_| Err(NoAnswer(format!("no answer within {TIMEOUT:?}"))))
}

/// The JSON of a successful answer; `None` for any other and for none.
pub async fn get_json(url: &str) -> Option<Value> {
    let response = get(url).await.ok()?;
    response.status.is_success().then(|| response.json())
}

/// The sum of a metric's values over all its labels, from `<base>/metrics`;
/// `None` when nobody answers or there is no such metric (yet).
pub async fn metric(base: &str, name: &str) -> Option<f64> {
    let text = get(&format!("{base}/metrics")).await.ok()?.text();
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.chars().next()? {
            ' ' => rest.trim(),
            '{' => rest.rsplit('}').next()?.trim(),
            _ => return None,
        };
        value.split(' ').next()?.parse::<f64>().ok()
    });
    values.reduce(|sum, value| sum + value)
}

fn fail(error: impl std::error::Error) -> NoAnswer {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    NoAnswer(text)
}
