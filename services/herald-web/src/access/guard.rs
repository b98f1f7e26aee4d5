//! Holds every request against what its address needs. An address without a need lets
//! nobody in, and a handler without somebody who asks is not called.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use super::{BadToken, Caller, Role, Who};
use crate::{api, app::App, pages::signin};

/// What an address needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing: everybody may ask, and what is asked for says by itself that it is allowed.
    Nothing,
    /// To read, a viewer; for anything else an operator.
    User,
    /// An operator, also to read.
    Operator,
    /// What a user may do, unless badges are for everybody.
    Badge,
}

/// The needs of all addresses, by their pattern.
pub(crate) type Needs = HashMap<&'static str, Need>;

/// What the guard goes by.
#[derive(Clone)]
pub(crate) struct Rules {
    app: App,
    needs: Arc<Needs>,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// Whoever asks is to sign in first.
    Unknown,
    /// Nobody has this token, or it has ended.
    BadToken,
    /// Another role is needed.
    Role(Role),
    /// Nobody has said what the address needs.
    NoNeed,
}

impl Rules {
    pub(crate) fn new(app: App, needs: Needs) -> Self {
        Self {
            app,
            needs: Arc::new(needs),
        }
    }
}

/// Lets a request in, or says why not.
pub(crate) async fn admit(
    State(rules): State<Rules>,
    mut request: Request,
    next: Next,
) -> Response {
    let access = &rules.app.access;
    let mut caller = Caller::of(request.extensions(), request.headers(), &access.0.proxies);
    caller.is_https |= access.0.is_https;
    let who = access.who(request.headers(), &caller);
    let path = request.extensions().get::<MatchedPath>();
    let need = match path {
        // That there is nothing at an address, only users are told.
        None => Some(Need::User),
        Some(path) => rules.needs.get(path.as_str()).copied(),
    };
    let need = match need {
        Some(Need::Badge) if access.0.are_badges_public => Some(Need::Nothing),
        need => need,
    };
    match decide(need, request.method(), &who) {
        Ok(()) => {
            let who = who.unwrap_or(Who::Nobody);
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(refusal) => {
            let app = rules.app.of(who.unwrap_or(Who::Nobody));
            refuse(&app, refusal, &request)
        }
    }
}

fn decide(need: Option<Need>, method: &Method, who: &Result<Who, BadToken>) -> Result<(), Refusal> {
    let role = match need {
        Some(Need::Nothing) => return Ok(()),
        Some(Need::User | Need::Badge) if is_reading(method) => Role::Viewer,
        Some(Need::User | Need::Badge | Need::Operator) => Role::Operator,
        None if matches!(who, Ok(Who::Anybody)) => return Ok(()),
        None => return Err(Refusal::NoNeed),
    };
    match who {
        Ok(Who::Anybody) => Ok(()),
        Ok(Who::Nobody) => Err(Refusal::Unknown),
        Ok(Who::Known(known)) if known.role >= role => Ok(()),
        Ok(Who::Known(_)) => Err(Refusal::Role(role)),
        Err(BadToken) => Err(Refusal::BadToken),
    }
}

fn is_reading(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether a person is to see the answer. Over plain http browsers do not say so, but
/// scripts of the page ask for anything, and people's requests for HTML.
fn is_navigation(headers: &HeaderMap) -> bool {
    if let Some(to) = headers.get("sec-fetch-dest") {
        return to.as_bytes() == b"document";
    }
    headers.get(header::ACCEPT).is_none_or(|accept| {
        let accept = accept.to_str();
        accept.is_ok_and(|accept| accept.contains("text/html"))
    })
}

/// Pages lead people to where they sign in; programs and scripts are told.
fn refuse(app: &App, refusal: Refusal, request: &Request) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let is_navigation = is_navigation(request.headers());
    match refusal {
        Refusal::Unknown if is_reading(request.method()) && !is_api && is_navigation => {
            let asked = request.uri().path_and_query();
            let next = asked.map_or("/", |asked| asked.as_str());
            Redirect::to(&signin::address(next)).into_response()
        }
        Refusal::Unknown | Refusal::BadToken if is_api => {
            let message = match refusal {
                Refusal::BadToken => "this token is not known here, or has ended",
                _ => "say who asks: Authorization: Bearer, with a token of `herald token add`",
            };
            challenged(api::error(StatusCode::UNAUTHORIZED, message))
        }
        Refusal::Unknown => challenged(signin::signed_out(app, is_navigation)),
        Refusal::BadToken => challenged(signin::signed_out(app, true)),
        Refusal::Role(role) if is_api => {
            let message = format!("this takes the role {role}");
            api::error(StatusCode::FORBIDDEN, &message)
        }
        Refusal::NoNeed if is_api => api::error(StatusCode::FORBIDDEN, "nobody may ask this"),
        Refusal::Role(role) => signin::forbidden(app, Some(role)),
        Refusal::NoNeed => signin::forbidden(app, None),
    }
}

fn challenged(mut response: Response) -> Response {
    let challenge = HeaderValue::from_static("Bearer realm=\"herald\"");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    response
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

    use super::{BadToken, Need, Refusal, Role, Who, decide, is_navigation};
    use crate::access::known;

    #[test]
    fn who_may_do_what() {
        let check = |need: Option<Need>, method: Method, who: &Result<Who, BadToken>, expected| {
            assert_eq!(
                decide(need, &method, who),
                expected,
                "{need:?} {method} {who:?}"
            );
        };
        let nobody = Ok(Who::Nobody);
        let viewer = Ok(known("anna", Role::Viewer, None));
        let operator = Ok(known("bo", Role::Operator, None));
        let user = Some(Need::User);
        for who in [
            &nobody,
            &viewer,
            &operator,
            &Err(BadToken),
            &Ok(Who::Anybody),
        ] {
            check(Some(Need::Nothing), Method::POST, who, Ok(()));
        }
        for method in [Method::GET, Method::HEAD] {
            check(user, method.clone(), &nobody, Err(Refusal::Unknown));
            check(user, method.clone(), &Err(BadToken), Err(Refusal::BadToken));
            check(user, method.clone(), &viewer, Ok(()));
            check(user, method, &operator, Ok(()));
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            check(user, method.clone(), &nobody, Err(Refusal::Unknown));
            check(
                user,
                method.clone(),
                &viewer,
                Err(Refusal::Role(Role::Operator)),
            );
            check(user, method.clone(), &operator, Ok(()));
            check(user, method, &Ok(Who::Anybody), Ok(()));
        }
        let own = Some(Need::Operator);
        for method in [Method::GET, Method::POST] {
            check(own, method.clone(), &nobody, Err(Refusal::Unknown));
            check(
                own,
                method.clone(),
                &viewer,
                Err(Refusal::Role(Role::Operator)),
            );
            check(own, method.clone(), &operator, Ok(()));
            check(own, method, &Ok(Who::Anybody), Ok(()));
        }
        for who in [&nobody, &viewer, &operator, &Err(BadToken)] {
            check(None, Method::GET, who, Err(Refusal::NoNeed));
        }
    }

    #[test]
    fn people_see_pages_and_scripts_do_not() {
        let check = |headers: &[(&'static str, &'static str)], expected: bool| {
            let pair = |(name, value): &(&'static str, &'static str)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            };
            let headers: HeaderMap = headers.iter().map(pair).collect();
            assert_eq!(is_navigation(&headers), expected, "{headers:?}");
        };
        check(&[], true);
        check(
            &[("accept", "text/html,application/xml;q=0.9,*/*;q=0.8")],
            true,
        );
        check(&[("accept", "*/*")], false);
        check(&[("accept", "text/event-stream")], false);
        check(&[("accept", "*/*"), ("sec-fetch-dest", "document")], true);
        check(
            &[("accept", "text/html"), ("sec-fetch-dest", "empty")],
            false,
        );
    }
}
