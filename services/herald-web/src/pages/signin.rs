//! `/signin`, `/signout`, and the pages for who is not let in.

pub(crate) mod provider;

use axum::{
    body::Bytes,
    extract::{Extension, RawQuery, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Serialize;

use super::{
    form::{Form, Visitor, refusal},
    layout::Layout,
    page::{Page, fill},
    problem,
};
use crate::{
    access::{Caller, Role, SignInError},
    api::RETRY_AFTER_S,
    app::App,
    request::link_to,
};

/// Where people sign in.
const PATH: &str = "/signin";
/// Longest way back, in bytes.
const MAX_NEXT_BYTES: usize = 12_000;

#[derive(Serialize)]
struct SignInPage {
    next: String,
    token: String,
    name: String,
    /// Why somebody is not signed in.
    problem: Option<String>,
    /// Why nobody signs in like this.
    obstacle: Option<String>,
    takes_passwords: bool,
    provider: Option<ProviderPart>,
    /// Who is signed in already.
    account: Option<String>,
    is_signed_out: bool,
}

#[derive(Serialize)]
struct ProviderPart {
    host: String,
    /// Where somebody begins to sign in there.
    begin: String,
    /// Where somebody signs out there.
    sign_out: Option<String>,
    is_there: bool,
    /// Seconds after which the page loads itself anew, where nobody can be typing.
    retry_s: Option<&'static str>,
}

#[derive(Serialize)]
struct ForbiddenPage<'a> {
    heading: &'a str,
    message: &'a str,
    name: Option<&'a str>,
    role: Option<&'static str>,
    signin: bool,
}

/// The page to sign in on, which leads to `next` then.
pub(crate) fn address(next: &str) -> String {
    leading_to(PATH, next)
}

/// A way to sign in, which leads to `next` then.
fn leading_to(way: &str, next: &str) -> String {
    match local(next) {
        "/" => way.to_owned(),
        next => link_to(way, &[("next", next)]),
    }
}

/// `GET /signin`
pub(crate) async fn show(
    app: App,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if !app.access.is_on() {
        return off(&app);
    }
    let mut page = SignInPage::new(&app, &caller, &uri, &headers);
    let cookie = page.1.take();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "next" => page.0.lead_to(local(&value), &app),
            "out" => page.0.is_signed_out = true,
            _ => {}
        }
    }
    Visitor::with_cookie(cookie, page.0.respond(&app, StatusCode::OK))
}

/// `POST /signin`
pub(crate) async fn sign_in(
    app: App,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if !app.access.is_on() {
        return off(&app);
    }
    let form = match Form::of_anybody(&app, body) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let token = form.get("token");
    if let Err(error) = app.guard.check_form(&app.who, &uri, &headers, token) {
        return *refusal(&app, StatusCode::FORBIDDEN, &error.to_string());
    }
    let (name, next) = (form.get("name").trim(), local(form.get("next")));
    match app
        .access
        .sign_in(name, form.get("password"), &caller)
        .await
    {
        Ok(cookie) => {
            if let Some(former) = app.who.session() {
                app.access.sign_out(former);
            }
            app.audit.signed_in(name, "", caller.address);
            Visitor::with_cookie(Some(cookie), Redirect::to(next).into_response())
        }
        Err(error) => {
            let user = app.access.has_user(name).then_some(name);
            app.audit.refused(user, error, caller.address);
            let (mut page, cookie) = SignInPage::new(&app, &caller, &uri, &headers);
            page.lead_to(next, &app);
            page.name = name.chars().take(64).collect();
            page.problem = Some(error.to_string()).filter(|_| page.obstacle.is_none());
            Visitor::with_cookie(cookie, failed(page.respond(&app, status_of(error)), error))
        }
    }
}

/// `POST /signout`
pub(crate) async fn sign_out(
    app: App,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = match Form::of_anybody(&app, body) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let Some(session) = app.who.session() else {
        return Redirect::to(PATH).into_response();
    };
    let token = form.get("token");
    if let Err(error) = app.guard.check_form(&app.who, &uri, &headers, token) {
        return *refusal(&app, StatusCode::FORBIDDEN, &error.to_string());
    }
    app.access.sign_out(session);
    app.audit.signed_out(app.author(""));
    let response = Redirect::to("/signin?out=1").into_response();
    Visitor::with_cookie(Some(app.access.no_cookie(&caller)), response)
}

/// For who is to sign in first: a page, or what a script puts in a page.
pub(crate) fn signed_out(app: &App, is_page: bool) -> Response {
    let message = "you are not signed in, or no longer: sign in, then try again";
    if is_page {
        let view = ForbiddenPage {
            heading: "Not signed in",
            message,
            name: None,
            role: None,
            signin: true,
        };
        return view.respond(app, StatusCode::UNAUTHORIZED);
    }
    let html = problem::note(app, message);
    (StatusCode::UNAUTHORIZED, Html(html)).into_response()
}

/// For who may not do something; `role` may.
pub(crate) fn forbidden(app: &App, role: Option<Role>) -> Response {
    let message = match role {
        Some(role) => format!("This takes the role {role}."),
        None => "Nobody may do this.".to_owned(),
    };
    let known = app.who.known();
    let view = ForbiddenPage {
        heading: "Not allowed",
        message: &message,
        name: known.map(|known| known.name.as_str()),
        role: known.map(|known| known.role.name()),
        signin: known.is_none(),
    };
    view.respond(app, StatusCode::FORBIDDEN)
}

fn off(app: &App) -> Response {
    let message =
        "nobody is asked who they are here: WEB_USERS or WEB_OIDC_ISSUER says who signs in";
    problem::respond(app, StatusCode::NOT_FOUND, message)
}

fn status_of(error: SignInError) -> StatusCode {
    match error {
        SignInError::Wrong | SignInError::Plain | SignInError::Off => StatusCode::FORBIDDEN,
        SignInError::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
        SignInError::Busy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn failed(mut response: Response, error: SignInError) -> Response {
    let seconds = match error {
        SignInError::Wait(wait) => wait.as_secs() + 1,
        SignInError::Busy => 1,
        SignInError::Wrong | SignInError::Plain | SignInError::Off => return response,
    };
    let value = HeaderValue::from(seconds);
    response.headers_mut().insert(header::RETRY_AFTER, value);
    response
}

/// A way back that stays here: a path of this very site, or its beginning.
fn local(next: &str) -> &str {
    let is_plain = next
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let is_elsewhere = !matches!(path, PATH | "/signout") && !path.starts_with(provider::PATH);
    match is_plain && is_path && is_elsewhere && next.len() <= MAX_NEXT_BYTES {
        true => next,
        false => "/",
    }
}

impl SignInPage {
    /// The page, and the cookie that goes with it.
    fn new(app: &App, caller: &Caller, uri: &Uri, headers: &HeaderMap) -> (Self, Option<String>) {
        let visitor = Visitor::new(app, uri, headers);
        let takes_passwords = app.access.takes_passwords();
        let provider = ProviderPart::new(app, "/", takes_passwords);
        let obstacle = match takes_passwords || provider.is_some() {
            true => app.access.check_way(caller).err(),
            false => Some(SignInError::Off),
        };
        let page = Self {
            next: "/".to_owned(),
            token: visitor.token.value().to_owned(),
            name: String::new(),
            problem: None,
            obstacle: obstacle.map(|error| error.to_string()),
            takes_passwords,
            provider,
            account: app.who.known().map(|known| known.name.clone()),
            is_signed_out: false,
        };
        (page, visitor.token.cookie)
    }

    fn lead_to(&mut self, next: &str, app: &App) {
        self.next = next.to_owned();
        self.provider = ProviderPart::new(app, next, self.takes_passwords);
    }

    fn respond(&self, app: &App, status: StatusCode) -> Response {
        match fill(app, "signin.html", self) {
            Ok(main) => {
                let layout = Layout::new(app, "Sign in").styled("signin");
                let mut response = Page::new(app, layout).whole(status, &main);
                if let Some(retry_s) = self.provider.as_ref().and_then(|it| it.retry_s) {
                    let value = HeaderValue::from_static(retry_s);
                    response.headers_mut().insert(header::REFRESH, value);
                }
                response
            }
            Err(failure) => problem::respond_to(app, &failure),
        }
    }
}

impl ProviderPart {
    fn new(app: &App, next: &str, takes_passwords: bool) -> Option<Self> {
        let view = app.access.provider(&provider::address(next))?;
        Some(Self {
            retry_s: (!view.is_there && !takes_passwords).then_some(RETRY_AFTER_S),
            host: view.host,
            begin: view.begin,
            sign_out: view.sign_out,
            is_there: view.is_there,
        })
    }
}

impl ForbiddenPage<'_> {
    fn respond(&self, app: &App, status: StatusCode) -> Response {
        match fill(app, "forbidden.html", self) {
            Ok(main) => Page::new(app, Layout::new(app, self.heading)).whole(status, &main),
            Err(failure) => problem::respond_to(app, &failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{address, local};

    /// Guards against a link to `/signin` leading people elsewhere.
    #[test]
    fn the_way_back_stays_here() {
        for here in [
            "/",
            "/?q=a%20b&level=ERROR",
            "/record/7#x",
            "/?next=https://evil.example",
        ] {
            assert_eq!(local(here), here);
        }
        for elsewhere in [
            "",
            "evil.example",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/a\r\nset-cookie: x=y",
            " /",
            "javascript:alert(1)",
            "/ü",
            "/signin",
            "/signin?next=/",
            "/signin/provider/back?code=x&state=y",
            "/signout",
        ] {
            assert_eq!(local(elsewhere), "/", "{elsewhere:?}");
        }
        assert_eq!(local(&format!("/{}", "x".repeat(12_000))), "/");
    }

    #[test]
    fn the_page_to_sign_in_knows_the_way_back() {
        let check = |next: &str, expected: &str| assert_eq!(address(next), expected);
        check("/", "/signin");
        check("/?q=a&level=x", "/signin?next=%2F%3Fq%3Da%26level%3Dx");
        check("//evil.example", "/signin");
    }
}
