//! `/signin/provider` and where people come back to from there.

use axum::{
    extract::{Extension, RawQuery},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};

use super::{SignInPage, Visitor, leading_to, local, off};
use crate::{
    access::{Arrival, Back, Caller, ElsewhereError, OidcError},
    api::RETRY_AFTER_S,
    app::App,
};

/// Where people leave for the provider.
pub(super) const PATH: &str = "/signin/provider";

/// The same for who goes on to `next` later.
pub(super) fn address(next: &str) -> String {
    leading_to(PATH, next)
}

/// `GET /signin/provider`
pub(crate) async fn leave(
    app: App,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let next = value(&query, "next").unwrap_or_default();
    let next = local(&next);
    match app.access.leave(next, &caller).await {
        Ok((url, cookie)) => Visitor::with_cookie(Some(cookie), Redirect::to(&url).into_response()),
        Err(error) => failed(&app, &caller, &uri, &headers, next, &error),
    }
}

/// `GET /signin/provider/back`
pub(crate) async fn arrive(
    app: App,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let back = Back {
        code: value(&query, "code").unwrap_or_default(),
        state: value(&query, "state").unwrap_or_default(),
        error: value(&query, "error").unwrap_or_default(),
        issuer: value(&query, "iss"),
    };
    match app.access.arrive(back, &headers, &caller).await {
        Ok(Arrival {
            name,
            cookies,
            next,
        }) => {
            if let Some(former) = app.who.session() {
                app.access.sign_out(former);
            }
            app.audit
                .signed_in(&name, "at the provider", caller.address);
            let response = Redirect::to(local(&next)).into_response();
            cookies.into_iter().fold(response, |response, cookie| {
                Visitor::with_cookie(Some(cookie), response)
            })
        }
        Err(error) => {
            if let ElsewhereError::Provider(error) = &error
                && !matches!(error, OidcError::Away | OidcError::Busy)
            {
                app.audit.refused_from_provider(error, caller.address);
            }
            failed(&app, &caller, &uri, &headers, "/", &error)
        }
    }
}

/// The page to sign in on, which says why nobody is.
fn failed(
    app: &App,
    caller: &Caller,
    uri: &Uri,
    headers: &HeaderMap,
    next: &str,
    error: &ElsewhereError,
) -> Response {
    let status = match error {
        ElsewhereError::Off => return off(app),
        ElsewhereError::Way(error) => super::status_of(*error),
        ElsewhereError::Provider(error) => status_of(error),
    };
    let (mut page, cookie) = SignInPage::new(app, caller, uri, headers);
    page.lead_to(next, app);
    // It would come back again and again with what is over.
    if let Some(provider) = &mut page.provider {
        provider.retry_s = None;
    }
    page.problem = Some(error.to_string()).filter(|_| page.obstacle.is_none());
    let mut response = page.respond(app, status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let value = HeaderValue::from_static(RETRY_AFTER_S);
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    Visitor::with_cookie(cookie, response)
}

fn status_of(error: &OidcError) -> StatusCode {
    match error {
        OidcError::Foreign
        | OidcError::Over
        | OidcError::Refused(_)
        | OidcError::NoName { .. }
        | OidcError::NoGroup => StatusCode::FORBIDDEN,
        OidcError::Unbelievable => StatusCode::BAD_GATEWAY,
        OidcError::Away | OidcError::Busy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A parameter that is there once: of two, one may be somebody else's.
fn value(query: &str, name: &str) -> Option<String> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    let (_, value) = values.next()?;
    values.next().is_none().then(|| value.into_owned())
}
