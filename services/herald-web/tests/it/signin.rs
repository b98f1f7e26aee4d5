//! Signing in, as people, programs and those do who should not get in.

mod attacks;
mod audit;
mod browser;
mod limits;
mod programs;
mod proxies;

use std::path::PathBuf;

use herald_web::{Role, SignIn, Tokens, Users};
use tempfile::TempDir;
use testkit::record;

use crate::{fake_store::alerts::known, web::Web};
use browser::Browser;

const PASSWORD: &str = "correct horse";

/// A herald-web where anna is an operator and bo a viewer.
struct Site {
    web: Web,
    folder: TempDir,
}

impl Site {
    async fn new() -> Self {
        Self::with(SignIn::default()).await
    }

    async fn with(sign_in: SignIn) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let users = Users::at(path("users"));
        users.add("anna", Role::Operator, PASSWORD).unwrap();
        users.add("bo", Role::Viewer, PASSWORD).unwrap();
        let tokens = Tokens::at(path("tokens"));
        tokens.add("first", Role::Viewer, None).unwrap();
        let sign_in = SignIn {
            users: Some(path("users")),
            tokens: Some(path("tokens")),
            ..sign_in
        };
        let web = Web::signed_in(sign_in, (1..=3).map(record).collect()).await;
        *web.store.alerts() = known();
        Self { web, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn users(&self) -> Users {
        Users::at(self.path("users"))
    }

    fn tokens(&self) -> Tokens {
        Tokens::at(self.path("tokens"))
    }

    fn browser(&self) -> Browser {
        Browser::new(&self.web)
    }

    /// Somebody who has signed in.
    async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(name, PASSWORD, "/").await;
        assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
        browser
    }
}

#[tokio::test]
async fn people_sign_in_and_out() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let answer = browser.get("/?q=a+b&level=ERROR").await;
    assert_eq!(answer.status.as_u16(), 303);
    let to = "/signin?next=%2F%3Fq%3Da%2Bb%26level%3DERROR";
    assert_eq!(answer.headers["location"], to);
    let page = browser.get(to).await.text();
    assert!(
        page.contains("name=\"next\" value=\"/?q=a+b&#38;level=ERROR\"")
            || page.contains("name=\"next\" value=\"/?q=a+b&amp;level=ERROR\""),
        "{page}"
    );
    assert!(!page.contains("Sign out"), "{page}");

    let answer = browser
        .sign_in("anna", PASSWORD, "/?q=a+b&level=ERROR")
        .await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
    assert_eq!(answer.headers["location"], "/?q=a+b&level=ERROR");
    let page = browser.page("/", 200).await;
    assert!(
        page.contains("<bdi>anna</bdi>") && page.contains("operator"),
        "{page}"
    );
    assert_eq!(browser.get("/api/v1/status").await.status.as_u16(), 200);

    let answer = browser.sign_out().await;
    assert_eq!(answer.headers["location"], "/signin?out=1");
    let gone = answer.headers["set-cookie"].to_str().unwrap();
    assert!(
        gone.starts_with("herald-session-development=; Max-Age=0;"),
        "{gone}"
    );
    let page = browser.page("/signin?out=1", 200).await;
    assert!(page.contains("You are signed out."), "{page}");
    assert_eq!(browser.get("/").await.status.as_u16(), 303);
}

#[tokio::test]
async fn the_cookie_is_for_this_host_only() {
    let proxies = "127.0.0.1".parse().unwrap();
    let site = Site::with(SignIn {
        proxies,
        ..SignIn::default()
    })
    .await;
    let mut browser = site.browser();
    let https = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    browser.headers = https.to_vec();
    let answer = browser.sign_in("anna", PASSWORD, "/").await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let cookie = cookies[0].to_str().unwrap();
    let (name, rest) = cookie.split_once('=').unwrap();
    let (value, attributes) = rest.split_once("; ").unwrap();
    assert_eq!(name, "__Host-herald-session-development");
    assert_eq!(value.len(), 43, "256 bits");
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Secure");
    browser.page("/", 200).await;
    // Over a network without encryption neither the cookie nor a password is taken.
    browser.headers.clear();
    assert_eq!(browser.get("/").await.status.as_u16(), 303);
    let page = site.browser().page("/signin", 200).await;
    assert!(
        page.contains("for everybody to read") && !page.contains("type=\"password\""),
        "{page}"
    );
    let answer = site.browser().sign_in("anna", PASSWORD, "/").await;
    assert_eq!(answer.status.as_u16(), 403);
}

#[tokio::test]
async fn a_viewer_changes_nothing_and_is_told_why() {
    let site = Site::new().await;
    let bo = site.signed_in("bo").await;
    for path in ["/alerts", "/alerts/3", "/saved"] {
        let page = bo.page(path, 200).await;
        assert_eq!(
            page.matches("method=\"post\"").count(),
            1,
            "signing out alone: {page}"
        );
        assert!(page.contains("this takes the role operator"), "{page}");
    }
    for path in ["/alerts/2", "/saved", "/saved/delete"] {
        let answer = bo
            .send("/", path, &[("do", "1h"), ("name", "x"), ("view", "/")])
            .await;
        assert_eq!(answer.status.as_u16(), 403, "{path}");
        let page = answer.text();
        assert!(page.contains("This takes the role operator."), "{page}");
        assert!(
            page.contains("You are <b><bdi>bo</bdi></b>, with the role viewer"),
            "{page}"
        );
    }
    assert_eq!(site.web.store.alerts().said, Vec::<String>::new());
    let anna = site.signed_in("anna").await;
    let answer = anna
        .send("/alerts", "/alerts/2", &[("do", "acknowledge")])
        .await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
    assert_eq!(site.web.store.alerts().said, ["2 acknowledged by \"anna\""]);
}

#[tokio::test]
async fn who_is_removed_or_has_another_password_is_out_at_once() {
    let site = Site::new().await;
    let (anna, bo) = (site.signed_in("anna").await, site.signed_in("bo").await);
    site.users().set_password("anna", "another one").unwrap();
    assert_eq!(anna.get("/").await.status.as_u16(), 303);
    bo.page("/", 200).await;
    let answer = site.browser().sign_in("anna", PASSWORD, "/").await;
    assert_eq!(answer.status.as_u16(), 403);
    let answer = site.browser().sign_in("anna", "another one", "/").await;
    assert_eq!(answer.status.as_u16(), 303);
    site.users().remove("bo").unwrap();
    assert_eq!(bo.get("/").await.status.as_u16(), 303);
    site.users().add("bo", Role::Viewer, PASSWORD).unwrap();
    assert_eq!(bo.get("/").await.status.as_u16(), 303, "not the same bo");
}

#[tokio::test]
async fn some_things_everybody_gets() {
    let site = Site::new().await;
    let browser = site.browser();
    let page = browser.page("/signin", 200).await;
    let css = page.split("rel=\"stylesheet\" href=\"").nth(1).unwrap();
    let css = css.split('"').next().unwrap().to_owned();
    for path in ["/healthz", "/metrics", "/badge/shop.svg", &css] {
        browser.page(path, 200).await;
    }
    // Somebody else has looked at alerts: how they stand, only users are told.
    let page = site.signed_in("bo").await.page("/alerts", 200).await;
    assert!(page.contains("<span class=\"firing"), "{page}");
    let page = browser.page("/signin", 200).await;
    assert!(!page.contains("<span class=\"firing"), "{page}");
    let page = browser
        .page("/alerts/2/silence?for=1h&expires=1&signature=x", 403)
        .await;
    assert!(page.contains("This link is not valid"), "{page}");
}

/// What a script asks for is not answered with a page to be put in a page.
#[tokio::test]
async fn scripts_are_told_that_nobody_is_signed_in() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.headers = vec![("sec-fetch-dest", "empty")];
    for path in ["/record/1/row", "/values/system_id/list", "/tail"] {
        let text = browser.page(path, 401).await;
        assert!(
            text.contains("you are not signed in") && !text.contains("<html"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn where_nobody_signs_in_there_is_no_page_for_it() {
    let web = Web::with(Vec::new()).await;
    let page = web.page("/signin", 404).await;
    assert!(
        page.contains("WEB_USERS or WEB_OIDC_ISSUER says who signs in"),
        "{page}"
    );
    let page = web.page("/", 200).await;
    assert!(
        !page.contains("/signin") && !page.contains("/signout"),
        "{page}"
    );
}
