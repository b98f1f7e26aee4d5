//! Webhooks: one POST of JSON, without redirects.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::{Delivery, Notification};
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use percent_encoding::percent_decode_str;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use url::Url;

use crate::mailer::Outcome;

/// For all of one call, until its answer begins.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Calls webhooks.
#[derive(Debug)]
pub struct Webhooks {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self::new()
    }
}

impl Webhooks {
    /// Connects with each call. Certificates are checked against those of the
    /// machine.
    #[must_use]
    pub fn new() -> Self {
        Self::within(TIMEOUT)
    }

    fn within(timeout: Duration) -> Self {
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls())
            .https_or_http()
            .enable_http1()
            .build();
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            timeout,
        }
    }

    /// Posts a notification's JSON to one of its recipients.
    pub async fn send(&self, notification: &Notification, delivery: &Delivery) -> Outcome {
        let Some(request) = request(&delivery.recipient, &notification.json) else {
            return Outcome::Refused {
                reason: "it is no URL that can be called".to_owned(),
            };
        };
        match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Ok(Ok(answer)) => outcome(answer.status()),
            Ok(Err(error)) if error.is_connect() => unreachable("the webhook cannot be reached"),
            Ok(Err(_)) => Outcome::Later {
                reason: "the webhook broke off the connection".to_owned(),
                is_unreachable: false,
            },
            Err(_) => unreachable(&format!(
                "the webhook did not answer within {} s",
                self.timeout.as_secs()
            )),
        }
    }
}

/// Without any certificate of the machine, only `http://` works.
fn tls() -> ClientConfig {
    let builder = || {
        ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need")
    };
    let checked = builder().with_native_roots();
    let checked =
        checked.unwrap_or_else(|_| builder().with_root_certificates(RootCertStore::empty()));
    checked.with_no_client_auth()
}

fn request(url: &str, json: &str) -> Option<Request<Full<Bytes>>> {
    let mut url = Url::parse(url).ok()?;
    let mut builder = Request::builder().method(Method::POST);
    if !url.username().is_empty() || url.password().is_some() {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = decoded(url.username());
        let password = decoded(url.password().unwrap_or_default());
        let basic = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        builder = builder.header(header::AUTHORIZATION, basic);
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
    }
    url.set_fragment(None);
    builder
        .uri(url.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(
            header::USER_AGENT,
            concat!("herald-neelix/", env!("CARGO_PKG_VERSION")),
        )
        .body(Full::new(Bytes::from(json.to_owned())))
        .ok()
}

fn outcome(status: StatusCode) -> Outcome {
    let reason = format!("the webhook answered {}", status.as_u16());
    match status {
        status if status.is_success() => Outcome::Delivered,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Outcome::Later {
            reason,
            is_unreachable: true,
        },
        status if status.is_client_error() => Outcome::Refused { reason },
        _ => Outcome::Later {
            reason,
            is_unreachable: false,
        },
    }
}

fn unreachable(reason: &str) -> Outcome {
    Outcome::Later {
        reason: reason.to_owned(),
        is_unreachable: true,
    }
}
