//! What Kubernetes and Prometheus ask of every service over HTTP.

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::sync::watch;

use crate::telemetry;

/// Whether a service can do its work now, and if not, why not. Clones share
/// one state; it starts as not ready.
#[derive(Debug, Clone)]
pub struct Readiness {
    obstacle: watch::Sender<Option<String>>,
}

impl Readiness {
    /// Not ready, because it is starting.
    #[must_use]
    pub fn new() -> Self {
        let (obstacle, _) = watch::channel(Some("starting".to_owned()));
        Self { obstacle }
    }

    /// From now on the service can do its work.
    pub fn ready(&self) {
        self.set(None);
    }

    /// From now on it cannot; `reason` is shown to whoever asks.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    /// What is in the way; `None` when ready.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        self.obstacle.borrow().clone()
    }

    /// Tells of every change of [`obstacle`](Self::obstacle).
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<String>> {
        self.obstacle.subscribe()
    }

    fn set(&self, obstacle: Option<String>) {
        self.obstacle.send_if_modified(|current| {
            let changed = *current != obstacle;
            *current = obstacle;
            changed
        });
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

/// What [`probes`] answers, and `GET /metrics` (Prometheus text).
pub fn router(readiness: Readiness) -> Router {
    probes(readiness).route("/metrics", get(metrics))
}

/// `GET /healthz` (200 as long as the process answers) and `GET /readyz` (200, or 503
/// with the reason).
pub fn probes(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .with_state(readiness)
}

async fn readyz(State(readiness): State<Readiness>) -> Response {
    match readiness.obstacle() {
        None => "ready\n".into_response(),
        Some(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {reason}\n"),
        )
            .into_response(),
    }
}

async fn metrics() -> Response {
    let content_type = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    ([content_type], telemetry::prometheus_text()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::{Readiness, router};
    use crate::telemetry;

    async fn get(readiness: &Readiness, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(readiness.clone()).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn readiness_is_told_with_its_reason_and_liveness_is_not_readiness() {
        let readiness = Readiness::new();
        let check = async |path: &str, status: u16, body: &str| {
            assert_eq!(get(&readiness, path).await, (status, body.to_owned()));
        };
        check("/readyz", 503, "not ready: starting\n").await;
        check("/healthz", 200, "alive\n").await;
        readiness.ready();
        check("/readyz", 200, "ready\n").await;
        readiness.not_ready("the disk is full");
        check("/readyz", 503, "not ready: the disk is full\n").await;
        check("/healthz", 200, "alive\n").await;
    }

    #[tokio::test]
    async fn readiness_can_be_watched() {
        let readiness = Readiness::new();
        let mut watch = readiness.watch();
        readiness.not_ready("starting");
        assert!(!watch.has_changed().unwrap(), "nothing changed");
        readiness.ready();
        watch.changed().await.unwrap();
        assert_eq!(*watch.borrow_and_update(), None);
    }

    #[tokio::test]
    async fn metrics_are_prometheus_text() {
        let meter = telemetry::meter("health-test");
        meter.u64_counter("herald.test.seen").build().add(3, &[]);
        let commit = meter.f64_histogram("herald.test.commit.duration");
        commit.with_unit("s").build().record(0.002, &[]);
        let (status, text) = get(&Readiness::new(), "/metrics").await;
        assert_eq!(status, 200);
        let check = |line: &str| assert!(text.lines().any(|l| l == line), "{line} in:\n{text}");
        check("herald_test_seen_total 3");
        check("# TYPE herald_test_commit_duration_seconds histogram");
        check("herald_test_commit_duration_seconds_bucket{le=\"0.001\"} 0");
        check("herald_test_commit_duration_seconds_bucket{le=\"0.0025\"} 1");
        check("herald_test_commit_duration_seconds_count 1");
    }
}
