//! Which address leads where, and what holds for every answer.

use std::{sync::Arc, sync::LazyLock, time::Instant};

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use domain::Stage;
use opentelemetry::{KeyValue, metrics::Histogram};
use runtime::health::{self, Readiness};
use tokio_util::sync::CancellationToken;

use crate::{
    Config, api,
    assets::Assets,
    changes::Guard,
    gzip,
    live::Streams,
    pages::{self, tail::Feeds},
    store_client::StoreClient,
    templates::Templates,
    watch::Watch,
};

/// Nothing inline, no frame, nothing from elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; \
    base-uri 'none'";

static REQUEST_DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    runtime::telemetry::meter("herald-web")
        .f64_histogram("herald.web.request.duration")
        .with_unit("s")
        .with_description("Time to answer a request")
        .build()
});

/// What handlers need; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) stage: Stage,
    pub(crate) store: StoreClient,
    pub(crate) templates: Arc<Templates>,
    pub(crate) assets: Arc<Assets>,
    pub(crate) streams: Streams,
    pub(crate) feeds: Feeds,
    pub(crate) guard: Guard,
    pub(crate) watch: Watch,
    /// Ends answers that have no end of their own.
    pub(crate) shutdown: CancellationToken,
}

impl App {
    /// # Errors
    /// A template does not compile.
    pub(crate) fn new(
        config: &Config,
        store: StoreClient,
        shutdown: CancellationToken,
    ) -> Result<Self, minijinja::Error> {
        Ok(Self {
            stage: config.stage,
            watch: Watch::new(store.clone()),
            store,
            streams: Streams::new(config.max_streams),
            feeds: Feeds::default(),
            guard: Guard::new(config.stage, config.changes),
            templates: Arc::new(Templates::new()?),
            assets: Arc::new(Assets::new()),
            shutdown,
        })
    }
}

/// Every address.
pub(crate) fn router(app: App, readiness: Readiness) -> Router {
    Router::new()
        .route("/", get(pages::log::show))
        .route("/record/{id}", get(pages::record::show))
        .route("/values/{field}", get(pages::values::show))
        .route("/values/{field}/list", get(pages::values::list))
        .route("/record/{id}/row", get(pages::detail::row))
        .route("/record/{id}/rule", get(pages::rule::show))
        .route("/systems", get(pages::systems::show))
        .route("/alerts", get(pages::alerts::show))
        .route("/alerts/rules", get(pages::alerts::rules::show))
        .route("/alerts/runs", get(pages::alerts::runs::show))
        .route(
            "/alerts/{id}",
            get(pages::alerts::one::show).post(pages::alerts::change::change),
        )
        .route(
            "/alerts/{id}/silence",
            get(pages::alerts::link::show).post(pages::alerts::link::silence),
        )
        .route("/badge/{file}", get(pages::badge::of_system))
        .route("/badge/{system}/{file}", get(pages::badge::of_sub_system))
        .route("/exceptions", get(pages::exceptions::show))
        .route("/rejected", get(pages::rejected::show))
        .route("/status", get(pages::status::show))
        .route("/help", get(pages::help::show))
        .route("/tail", get(pages::tail::follow))
        .route("/saved", get(pages::saved::show).post(pages::saved::save))
        .route("/saved/rename", post(pages::saved::rename))
        .route("/saved/delete", post(pages::saved::delete))
        .layer(DefaultBodyLimit::max(pages::form::MAX_FORM_BYTES))
        .route("/static/{hash}/{name}", get(static_file))
        .merge(api::router())
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
        .layer(middleware::from_fn(gzip::compress))
        .layer(middleware::from_fn(measure))
        .merge(health::router(readiness))
        .layer(middleware::from_fn(protect))
}

async fn static_file(
    State(app): State<App>,
    Path((hash, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    app.assets.respond(&hash, &name, &headers)
}

async fn not_found(State(app): State<App>, request: Request) -> Response {
    let message = "there is nothing at this address";
    if request.uri().path().starts_with("/api/") {
        return api::error(StatusCode::NOT_FOUND, message);
    }
    pages::problem::respond(&app, StatusCode::NOT_FOUND, message)
}

async fn method_not_allowed(State(app): State<App>, request: Request) -> Response {
    let message = match request.method().as_str() {
        "GET" | "HEAD" => "this address only takes what is sent to it (POST)",
        _ => "this address can only be read (GET)",
    };
    if request.uri().path().starts_with("/api/") {
        return api::error(StatusCode::METHOD_NOT_ALLOWED, message);
    }
    pages::problem::respond(&app, StatusCode::METHOD_NOT_ALLOWED, message)
}

async fn measure(request: Request, next: Next) -> Response {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let began = Instant::now();
    let response = next.run(request).await;
    let labels = [
        KeyValue::new("route", route),
        KeyValue::new("status", i64::from(response.status().as_u16())),
    ];
    REQUEST_DURATION.record(began.elapsed().as_secs_f64(), &labels);
    response
}

async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What is shown elsewhere, too, has said so itself.
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        let value = HeaderValue::from_static(value);
        headers.entry(name).or_insert(value);
    }
    response
}
