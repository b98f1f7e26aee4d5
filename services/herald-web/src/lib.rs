//! Shows and searches records in the browser, and the same as JSON.
//!
//! * [`Config`]: where to listen, which store to ask.
//! * `request`: what a URL asks for. `pages`: HTML. `api`: JSON. Each noun has one
//!   file with its handler and its view.
//! * `access`: who signs in, and what that allows.
//! * `store_client`: every question to the store, with its deadline.
//! * `live`: answers without end, for who follows the log.
//! * `assets`, `gzip`: what pages are made of besides, and how it goes out.
//! * `text`, `templates`: record text reaches HTML in one way only, inert.
//!
//! Holds no state but its connections to the store, what those who follow the
//! same view share, who is signed in, and for seconds whether all is well with alerts
//! (`watch`): whatever a page shows is in its URL. What changes something says
//! so by POST, and `changes` lets it pass.

mod access;
mod api;
mod app;
mod assets;
mod audit;
mod changes;
mod config;
mod gzip;
mod live;
mod pages;
mod readiness;
mod request;
mod secrets;
mod store_client;
mod templates;
mod text;
mod utc;
mod watch;

use std::time::Duration;

use anyhow::Context;
use domain::Stage;
use runtime::{
    config::ConfigError,
    grpc::{self, Listener},
    health::Readiness,
    tls,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

pub use access::{
    ClientSecret, FileError, Groups, InvalidRole, InvalidSystems, OidcSettings, ProxyAuth, Rights,
    Role, SignIn, Systems, Token, Tokens, User, Users,
};
pub use config::{Changes, Config};
pub use runtime::networks::Networks;

/// How long requests at hand may take after `shutdown`.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves pages and API where `config` says, until `shutdown`.
///
/// # Errors
/// A [`ConfigError`] when the address cannot be listened on, the store's URL
/// is none, or a file of who may sign in cannot be read.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        let problem = format!("cannot listen on {}: {error}", config.listen);
        ConfigError::new("WEB_LISTEN", problem)
    })?;
    serve(listener, &config, shutdown).await
}

/// As [`run`], on a listener that is there already.
///
/// # Errors
/// A [`ConfigError`] when the store's URL is none, or a certificate or a file of who may
/// sign in cannot be used.
pub async fn serve(
    listener: TcpListener,
    config: &Config,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    // Before anything starts, and by the name of its variable.
    config.sign_in.check()?;
    let store = store_client::StoreClient::new(&config.store_url, &config.tls)
        .map_err(|error| error.of("WEB_STORE_URL"))?;
    let https = config.https.server()?;
    if config.stage == Stage::Production {
        tls::warn_of_plain_url("WEB_STORE_URL", &config.store_url);
        if https.is_none() {
            tls::warn_of_plain_listener("WEB_LISTEN", config.listen, "WEB_HTTPS_CERT");
        }
    }
    let readiness = Readiness::new();
    let app = app::App::new(config, store.clone(), shutdown.clone())?;
    let sessions = tokio::spawn(app.access.clone().follow(shutdown.clone()));
    // What the last requests have done is told, too.
    let served = CancellationToken::new();
    let audit = app.audit.clone().follow(store.clone(), served.clone());
    let audit = tokio::spawn(audit);
    let watch = tokio::spawn(readiness::follow(
        store,
        readiness.clone(),
        shutdown.clone(),
    ));
    let router = app::router(app, readiness.clone());
    grpc::serve(
        Listener::new(listener, https),
        Routes::default(),
        router,
        readiness,
        shutdown,
        DRAIN,
    )
    .await
    .context("cannot serve pages")?;
    served.cancel();
    sessions.await.context("the watch over sessions failed")?;
    audit.await.context("telling the audit log failed")?;
    watch.await.context("the watch over the store failed")
}
