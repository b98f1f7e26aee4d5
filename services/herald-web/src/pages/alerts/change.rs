//! `POST /alerts/{id}`: somebody knows of an alert, or nobody is to be told of it for
//! a while; and back to where the form was.

use axum::{
    body::Bytes,
    extract::{Path, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use domain::Micros;

use super::{PATH, one};
use crate::{
    app::App,
    pages::form::{Form, Visitor, status_of},
    request::{read_id, read_time},
    store_client::ChangeFailure,
    utc,
};

const HOUR_US: Micros = 3_600 * 1_000_000;
const YEAR_US: Micros = 365 * 24 * HOUR_US;

/// What a form asks for.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    Acknowledge,
    /// Until then; or no longer.
    Silence(Option<Micros>),
}

/// The handler.
pub(crate) async fn change(
    app: App,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let form = match Form::read(&app, &uri, &headers, body) {
        Ok(form) => form,
        Err(response) => return *response,
    };
    let Ok(id) = read_id(&id) else {
        return one::missing(&app, "this is no number of an alert");
    };
    let (status, problem) = match Change::read(form.get("do"), form.get("until"), utc::now()) {
        Ok(change) => match make(&app, id, &change).await {
            Ok(()) => return Redirect::to(&back(form.get("back"), id)).into_response(),
            Err(failure) => (status_of(&failure), failure.to_string()),
        },
        Err(problem) => (StatusCode::BAD_REQUEST, problem),
    };
    let visitor = Visitor::new(&app, &uri, &headers);
    one::again(&app, id, &visitor, status, problem).await
}

async fn make(app: &App, id: u64, change: &Change) -> Result<(), ChangeFailure> {
    let (by, author) = (app.who.signature(""), app.author(""));
    match change {
        Change::Acknowledge => app.store.acknowledge(id, &by, &author).await?,
        Change::Silence(until) => app.store.silence(id, *until, &by, &author).await?,
    };
    app.watch.forget();
    Ok(())
}

impl Change {
    fn read(what: &str, until: &str, now: Micros) -> Result<Self, String> {
        match what {
            "acknowledge" => Ok(Self::Acknowledge),
            "unsilence" => Ok(Self::Silence(None)),
            "until" => read_until(until.trim(), now).map(|until| Self::Silence(Some(until))),
            other => silence(other)
                .map(|length| Self::Silence(Some(now + length)))
                .ok_or_else(|| "the form asks for nothing that can be done".to_owned()),
        }
    }
}

/// How long one of the two silences is that are offered everywhere.
pub(super) fn silence(name: &str) -> Option<Micros> {
    match name {
        "1h" => Some(HOUR_US),
        "1d" => Some(24 * HOUR_US),
        _ => None,
    }
}

/// The end of a silence.
///
/// # Errors
/// It is no time, or not within the next year.
pub(crate) fn read_until(text: &str, now: Micros) -> Result<Micros, String> {
    if text.is_empty() {
        return Err("say until when, such as 2026-11-24T08:00 (UTC)".to_owned());
    }
    let until = read_time(text, now)?;
    if until <= now {
        return Err(format!(
            "`{text}` has passed: a silence ends later than now"
        ));
    }
    if until - now > YEAR_US {
        return Err(format!(
            "`{text}` is too far away: a silence has at most a year"
        ));
    }
    Ok(until)
}

/// Only to a list of alerts or to one of them.
fn back(text: &str, id: u64) -> String {
    let rest = text.strip_prefix(PATH);
    match rest.filter(|rest| rest.is_empty() || rest.starts_with(['?', '/'])) {
        Some(_) => format!("{text}#a{id}"),
        None => super::one_href(id),
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, HOUR_US, back};

    #[test]
    fn what_forms_ask_for() {
        let check = |what: &str, until: &str, expected: Result<Change, &str>| {
            let found = Change::read(what, until, 0);
            match (&found, &expected) {
                (Err(found), Err(part)) => assert!(found.contains(part), "{found}"),
                _ => assert_eq!(found.ok(), expected.ok(), "{what} {until}"),
            }
        };
        check("acknowledge", "x", Ok(Change::Acknowledge));
        check("unsilence", "", Ok(Change::Silence(None)));
        check("1h", "", Ok(Change::Silence(Some(HOUR_US))));
        check("1d", "", Ok(Change::Silence(Some(24 * HOUR_US))));
        check(
            "until",
            "1970-01-01T02:00",
            Ok(Change::Silence(Some(2 * HOUR_US))),
        );
        check("until", "", Err("say until when"));
        check("until", "soon", Err("is no time"));
        check("until", "now", Err("has passed"));
        check("until", "1972-01-01", Err("at most a year"));
        check("2h", "", Err("nothing that can be done"));
    }

    #[test]
    fn the_way_back_stays_here() {
        let check = |text: &str, expected: &str| assert_eq!(back(text, 7), expected);
        check("/alerts", "/alerts#a7");
        check("/alerts?rule=a", "/alerts?rule=a#a7");
        check("/alerts/7", "/alerts/7#a7");
        for elsewhere in [
            "",
            "//evil.example",
            "/alertsx",
            "https://evil.example",
            "/",
        ] {
            check(elsewhere, "/alerts/7");
        }
    }
}
