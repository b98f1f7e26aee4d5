//! Which address leads where, and what holds for every answer.

use std::{
    net::IpAddr,
    sync::{Arc, LazyLock},
    time::Instant,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequestParts, MatchedPath, Path, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::Response,
    routing::{MethodRouter, get, post},
};
use domain::{Author, AuthorKind, Stage};
use opentelemetry::{KeyValue, metrics::Histogram};
use runtime::{
    config::ConfigError,
    health::{self, Readiness},
};
use tokio_util::sync::CancellationToken;

use crate::{
    Config,
    access::{Access, Caller, Need, Needs, Rules, Who, admit},
    api,
    assets::Assets,
    audit::{self, Audit},
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

/// What handlers need, for whoever asks; clones share it. A handler gets it as an
/// argument, and only after the guard has let somebody in.
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
    pub(crate) access: Access,
    pub(crate) audit: Audit,
    /// Who asks.
    pub(crate) who: Who,
    /// Where from.
    address: Option<IpAddr>,
    /// Ends answers that have no end of their own.
    pub(crate) shutdown: CancellationToken,
}

/// What the router holds: an [`App`] that nobody asks yet.
#[derive(Debug, Clone)]
pub(crate) struct Site(App);

/// One address: its path, what it needs, and what answers.
struct Route(&'static str, Need, MethodRouter<Site>);

/// Why there is no app.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error("templates are broken")]
    Templates(#[from] minijinja::Error),
    #[error(transparent)]
    Access(#[from] ConfigError),
}

impl App {
    /// # Errors
    /// A template does not compile, or a file of who may sign in cannot be read.
    pub(crate) fn new(
        config: &Config,
        store: StoreClient,
        shutdown: CancellationToken,
    ) -> Result<Self, AppError> {
        Ok(Self {
            access: Access::new(
                config.stage,
                &config.sign_in,
                config.https.can_serve(),
                shutdown.clone(),
            )?,
            audit: Audit::default(),
            who: Who::Nobody,
            address: None,
            stage: config.stage,
            watch: Watch::new(store.clone()),
            store,
            streams: Streams::new(config.max_streams),
            feeds: Feeds::default(),
            guard: Guard::new(config.stage, config.changes, config.https.can_serve()),
            templates: Arc::new(Templates::new()?),
            assets: Arc::new(Assets::new()),
            shutdown,
        })
    }

    /// Until what somebody follows ends although they stay: herald-web stops, or who asks
    /// is no longer believed.
    pub(crate) async fn ended(self) {
        match self.who.lease() {
            None => self.shutdown.cancelled().await,
            Some(lease) => lease.ended(self.shutdown).await,
        }
    }

    /// The same for somebody who asks. What has no end of its own ends with the session.
    pub(crate) fn of(&self, who: Who) -> Self {
        let mut app = self.clone();
        if let Some(session) = who.session() {
            app.shutdown = session.ended.clone();
        }
        // All that is asked for in somebody's name is what they see, and nothing else.
        if let Some(systems) = who.systems() {
            app.store = app.store.limited(Some(systems));
            app.watch = app.watch.blind();
        }
        Self { who, ..app }
    }

    /// Who asks, as the store is told with a change; `said`: for whom a program says that
    /// it asks.
    pub(crate) fn author(&self, said: &str) -> Author {
        audit::author_of(&self.who, said, self.address)
    }

    /// Whoever has the link in a mail about an alert.
    pub(crate) fn author_of_link(&self, alert: u64) -> Author {
        let name = format!("alert {alert}");
        Author::cut(AuthorKind::Link, &name, "", self.address)
    }
}

impl FromRequestParts<Site> for App {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, StatusCode> {
        let who = parts.extensions.get::<Who>().cloned();
        // Nobody has been let in.
        let app = who.map(|who| site.0.of(who)).ok_or(StatusCode::FORBIDDEN)?;
        let caller = parts.extensions.get::<Caller>();
        let address = caller.map(|caller| caller.address);
        Ok(Self { address, ..app })
    }
}

/// Every address.
pub(crate) fn router(app: App, readiness: Readiness) -> Router {
    let pages = add(Router::new(), pages());
    let pages = pages.layer(DefaultBodyLimit::max(pages::form::MAX_FORM_BYTES));
    let router = add(pages, files()).merge(api::router());
    serving(app, router, needs())
        .merge(health::router(readiness))
        .layer(middleware::from_fn(protect))
}

fn serving(app: App, router: Router<Site>, needs: Needs) -> Router {
    let rules = Rules::new(app.clone(), needs);
    router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Site(app))
        .layer(middleware::from_fn_with_state(rules, admit))
        .layer(middleware::from_fn(gzip::compress))
        .layer(middleware::from_fn(measure))
}

fn add<const N: usize>(router: Router<Site>, routes: [Route; N]) -> Router<Site> {
    let add = |router: Router<Site>, Route(path, _, handler)| router.route(path, handler);
    routes.into_iter().fold(router, add)
}

/// What every address needs. One that is missing here lets nobody in.
fn needs() -> Needs {
    let of = |Route(path, need, _): Route| (path, need);
    let own = pages().map(of).into_iter().chain(files().map(of));
    own.chain(api::needs()).collect()
}

#[rustfmt::skip]
fn pages() -> [Route; 27] {
    use Need::{Badge, Nothing, Operator, User};
    [
        Route("/", User, get(pages::log::show)),
        Route("/record/{id}", User, get(pages::record::show)),
        Route("/values/{field}", User, get(pages::values::show)),
        Route("/values/{field}/list", User, get(pages::values::list)),
        Route("/record/{id}/row", User, get(pages::detail::row)),
        Route("/record/{id}/rule", User, get(pages::rule::show)),
        Route("/systems", User, get(pages::systems::show)),
        Route("/alerts", User, get(pages::alerts::show)),
        Route("/alerts/rules", User, get(pages::alerts::rules::show)),
        Route("/alerts/runs", User, get(pages::alerts::runs::show)),
        Route("/alerts/{id}", User, get(pages::alerts::one::show).post(pages::alerts::change::change)),
        // The link is signed: it is its own permission.
        Route("/alerts/{id}/silence", Nothing, get(pages::alerts::link::show).post(pages::alerts::link::silence)),
        Route("/badge/{file}", Badge, get(pages::badge::of_system)),
        Route("/badge/{system}/{file}", Badge, get(pages::badge::of_sub_system)),
        Route("/exceptions", User, get(pages::exceptions::show)),
        Route("/rejected", User, get(pages::rejected::show)),
        Route("/status", User, get(pages::status::show)),
        Route("/audit", Operator, get(pages::audit::show)),
        Route("/help", User, get(pages::help::show)),
        Route("/tail", User, get(pages::tail::follow)),
        Route("/saved", User, get(pages::saved::show).post(pages::saved::save)),
        Route("/saved/rename", User, post(pages::saved::rename)),
        Route("/saved/delete", User, post(pages::saved::delete)),
        Route("/signin", Nothing, get(pages::signin::show).post(pages::signin::sign_in)),
        Route("/signin/provider", Nothing, get(pages::signin::provider::leave)),
        Route("/signin/provider/back", Nothing, get(pages::signin::provider::arrive)),
        Route("/signout", Nothing, post(pages::signin::sign_out)),
    ]
}

fn files() -> [Route; 1] {
    let file = get(static_file);
    [Route("/static/{hash}/{name}", Need::Nothing, file)]
}

async fn static_file(
    app: App,
    Path((hash, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    app.assets.respond(&hash, &name, &headers)
}

async fn not_found(app: App, request: Request) -> Response {
    let message = "there is nothing at this address";
    if request.uri().path().starts_with("/api/") {
        return api::error(StatusCode::NOT_FOUND, message);
    }
    pages::problem::respond(&app, StatusCode::NOT_FOUND, message)
}

async fn method_not_allowed(app: App, request: Request) -> Response {
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

#[cfg(test)]
mod tests;
