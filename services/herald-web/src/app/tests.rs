//! Every address is walked: who has not signed in gets nowhere but where it is said that
//! everybody may, and an address that nobody has thought of lets nobody in.

use std::collections::BTreeSet;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, Response, StatusCode, header},
    routing::get,
};
use domain::Stage;
use runtime::{health::Readiness, tls::Files};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{App, Need, Route, Site, api, files, needs, pages, router, serving};
use crate::{
    Changes, Config,
    access::{Role, SignIn, Tokens},
    store_client::StoreClient,
};

/// What everybody may ask for, and nothing else.
const PUBLIC: [&str; 8] = [
    "/alerts/{id}/silence",
    "/badge/{file}",
    "/badge/{system}/{file}",
    "/signin",
    "/signin/provider",
    "/signin/provider/back",
    "/signout",
    "/static/{hash}/{name}",
];

struct Tried {
    app: App,
    viewer: String,
    operator: String,
    _folder: TempDir,
}

impl Tried {
    /// With tokens for two programs, and no store.
    fn new(are_badges_public: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let tokens = Tokens::at(path.clone());
        let viewer = tokens.add("viewer", Role::Viewer, None).unwrap();
        let operator = tokens.add("operator", Role::Operator, None).unwrap();
        let config = Config {
            stage: Stage::Testing,
            listen: ([127, 0, 0, 1], 1).into(),
            store_url: "http://127.0.0.1:1".to_owned(),
            tls: Files::default(),
            https: Files::default(),
            max_streams: 1,
            changes: Changes::Allowed,
            sign_in: SignIn {
                tokens: Some(path),
                are_badges_public,
                ..SignIn::default()
            },
        };
        let store = StoreClient::new(&config.store_url, &config.tls).unwrap();
        Self {
            app: App::new(&config, store, CancellationToken::new()).unwrap(),
            viewer,
            operator,
            _folder: folder,
        }
    }

    fn router(&self) -> Router {
        router(self.app.clone(), Readiness::new())
    }
}

async fn ask(router: Router, method: Method, path: &str, token: Option<&str>) -> Response<Body> {
    let path = path
        .replace("{id}", "1")
        .replace("{field}", "system_id")
        .replace("{file}", "shop.svg")
        .replace("{system}", "shop");
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    router
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

/// Whether the guard has kept somebody out.
fn is_kept_out(response: &Response<Body>) -> bool {
    let to = response.headers().get(header::LOCATION);
    let to_sign_in = to.is_some_and(|to| to.as_bytes().starts_with(b"/signin"));
    match response.status() {
        StatusCode::SEE_OTHER => to_sign_in,
        StatusCode::UNAUTHORIZED => true,
        status => status == StatusCode::FORBIDDEN,
    }
}

fn all_paths() -> Vec<&'static str> {
    let of = |Route(path, ..): Route| path;
    let own = pages().map(of).into_iter().chain(files().map(of));
    own.chain(api::needs().map(|(path, _)| path)).collect()
}

#[tokio::test]
async fn who_has_not_signed_in_gets_nowhere() {
    let tried = Tried::new(true);
    let mut public = BTreeSet::new();
    for path in all_paths() {
        for method in [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::DELETE,
        ] {
            let response = ask(tried.router(), method.clone(), path, None).await;
            if !is_kept_out(&response) {
                public.insert(path);
            }
            let response = ask(tried.router(), method, path, Some("herald_guess")).await;
            assert!(is_kept_out(&response) || PUBLIC.contains(&path), "{path}");
        }
    }
    // Forms there are refused without their token, which looks the same.
    public.insert("/signout");
    assert_eq!(public, PUBLIC.into());
    for path in ["/nowhere", "/api/v1/nowhere", "/alerts/1/2/3"] {
        let response = ask(tried.router(), Method::GET, path, None).await;
        assert!(is_kept_out(&response), "{path}");
    }
}

#[tokio::test]
async fn a_viewer_reads_everything_and_changes_nothing() {
    let tried = Tried::new(true);
    for path in all_paths() {
        let viewer = Some(tried.viewer.as_str());
        let response = ask(tried.router(), Method::GET, path, viewer).await;
        let is_link = path == "/alerts/{id}/silence";
        let is_for_operators = needs()[path] == Need::Operator;
        assert!(
            is_kept_out(&response) == is_for_operators || is_link,
            "{path}: {}",
            response.status()
        );
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let response = ask(tried.router(), method, path, viewer).await;
            let is_refused = response.status() == StatusCode::FORBIDDEN;
            assert!(
                is_refused || PUBLIC.contains(&path),
                "{path}: {}",
                response.status()
            );
        }
    }
}

/// Who has done what is not for everybody who may look.
#[tokio::test]
async fn the_audit_log_is_for_operators() {
    let tried = Tried::new(true);
    let needs = needs().into_iter();
    let mut own: Vec<_> = needs
        .filter(|(_, need)| *need == Need::Operator)
        .map(|(path, _)| path)
        .collect();
    own.sort_unstable();
    assert_eq!(own, ["/api/v1/audit", "/api/v1/audit/export", "/audit"]);
    for path in own {
        let response = ask(tried.router(), Method::GET, path, Some(&tried.operator)).await;
        assert!(!is_kept_out(&response), "{path}");
        for token in [None, Some(tried.viewer.as_str())] {
            let response = ask(tried.router(), Method::GET, path, token).await;
            assert!(is_kept_out(&response), "{path} {token:?}");
        }
    }
}

#[tokio::test]
async fn badges_are_for_users_where_that_is_said() {
    let tried = Tried::new(false);
    for path in ["/badge/{file}", "/badge/{system}/{file}"] {
        let response = ask(tried.router(), Method::GET, path, None).await;
        assert!(is_kept_out(&response), "{path}");
        let response = ask(tried.router(), Method::GET, path, Some(&tried.viewer)).await;
        assert!(!is_kept_out(&response), "{path}");
    }
}

/// An address that somebody adds and forgets to say what it needs.
#[tokio::test]
async fn an_address_without_a_need_lets_nobody_in() {
    let tried = Tried::new(true);
    let forgotten = Router::<Site>::new().route("/forgotten", get(async |_app: App| "secret"));
    let serving = |needs| serving(tried.app.clone(), forgotten.clone(), needs);
    for token in [None, Some(tried.viewer.as_str()), Some(&tried.operator)] {
        let response = ask(serving(needs()), Method::GET, "/forgotten", token).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{token:?}");
    }
    let known = [("/forgotten", Need::User)].into();
    let response = ask(
        serving(known),
        Method::GET,
        "/forgotten",
        Some(&tried.viewer),
    )
    .await;
    assert_eq!(response.status(), StatusCode::OK);
}

/// A handler that is reached around the guard has nobody to answer.
#[tokio::test]
async fn without_the_guard_no_handler_is_called() {
    let tried = Tried::new(true);
    let router = Router::<Site>::new().route("/", get(async |_app: App| "secret"));
    let router = router.with_state(Site(tried.app.clone()));
    let response = ask(router, Method::GET, "/", Some(&tried.operator)).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}
