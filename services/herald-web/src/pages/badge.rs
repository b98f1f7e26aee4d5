//! `/badge/{system}.svg` and `/badge/{system}/{sub_system}.svg`: a small picture of how
//! a system is, for pages elsewhere.

mod picture;

use std::collections::BTreeSet;

use axum::{
    extract::Path,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Alert, AlertKind, Heartbeat, HeartbeatState};

use super::problem;
use crate::{
    app::App,
    store_client::{AlertQuery, StoreError},
};

/// Nothing in a picture loads or runs anything.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'";
/// Pages of other sites may show it.
const CROSS_ORIGIN: (HeaderName, &str) = (
    HeaderName::from_static("cross-origin-resource-policy"),
    "cross-origin",
);
/// How many alerts are looked through.
const LISTED: u32 = 1_000;

/// How a system is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Health {
    Down,
    NeverSeen,
    Firing,
    Late,
    Up,
    /// No rule expects anything, nothing is wrong; or nobody can tell.
    Unknown,
}

/// Whom a picture is of.
struct Subject {
    system_id: String,
    /// None for all of the system.
    sub_system_id: Option<String>,
}

/// `GET /badge/{system}.svg`
pub(crate) async fn of_system(app: App, Path(file): Path<String>) -> Response {
    let subject = named(&file).map(|system_id| Subject {
        system_id: system_id.to_owned(),
        sub_system_id: None,
    });
    respond(&app, subject).await
}

/// `GET /badge/{system}/{sub_system}.svg`
pub(crate) async fn of_sub_system(
    app: App,
    Path((system_id, file)): Path<(String, String)>,
) -> Response {
    let subject = named(&file).map(|sub_system_id| Subject {
        system_id,
        sub_system_id: Some(sub_system_id.to_owned()),
    });
    respond(&app, subject).await
}

fn named(file: &str) -> Option<&str> {
    file.strip_suffix(".svg").filter(|name| !name.is_empty())
}

async fn respond(app: &App, subject: Option<Subject>) -> Response {
    let Some(subject) = subject else {
        let message = "a badge is called like a system, and .svg: /badge/my_system.svg";
        return problem::respond(app, StatusCode::NOT_FOUND, message);
    };
    // A page elsewhere shows better that nothing is known than a broken picture.
    let (health, caching) = match ask(app, &subject).await {
        Ok(health) if app.access.are_badges_public() => (health, "public, max-age=30"),
        Ok(health) => (health, "private, no-store"),
        Err(_) => (Health::Unknown, "no-store"),
    };
    let name = match &subject.sub_system_id {
        None => subject.system_id,
        Some(sub_system_id) => format!("{}/{sub_system_id}", subject.system_id),
    };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, caching),
        CROSS_ORIGIN,
    ];
    (headers, picture::draw(&name, health)).into_response()
}

async fn ask(app: &App, subject: &Subject) -> Result<Health, StoreError> {
    let firing = AlertQuery {
        is_firing: Some(true),
        system_id: subject.system_id.clone(),
        limit: LISTED,
        ..AlertQuery::default()
    };
    let (heartbeats, alerts) = tokio::try_join!(app.store.heartbeats(), app.store.alerts(&firing))?;
    let alerts = alerts.alerts.iter().map(|(alert, _)| alert);
    Ok(health(subject, &heartbeats, alerts))
}

/// The worst of what is known; of all of a system that includes its parts.
fn health<'a>(
    subject: &Subject,
    heartbeats: &[Heartbeat],
    firing: impl Iterator<Item = &'a Alert>,
) -> Health {
    let is_it = |system_id: &str, sub_system_id: &str| {
        let wanted = subject.sub_system_id.as_deref();
        system_id == subject.system_id && wanted.is_none_or(|wanted| wanted == sub_system_id)
    };
    let expected = heartbeats
        .iter()
        .filter(|it| is_it(&it.system_id, &it.sub_system_id))
        .map(|it| match it.state {
            HeartbeatState::Up => Health::Up,
            HeartbeatState::Late => Health::Late,
            HeartbeatState::Down => Health::Down,
            HeartbeatState::NeverSeen => Health::NeverSeen,
        });
    let found = firing
        .filter(|it| is_it(&it.subject.system_id, &it.subject.sub_system_id))
        .filter(|it| it.kind != AlertKind::Heartbeat)
        .map(|_| Health::Firing);
    let all: BTreeSet<Health> = expected.chain(found).collect();
    all.first().copied().unwrap_or(Health::Unknown)
}

#[cfg(test)]
mod tests {
    use domain::{Heartbeat, HeartbeatState};

    use super::{Health, Subject, health, named};

    fn heartbeat(sub_system_id: &str, state: HeartbeatState) -> Heartbeat {
        Heartbeat {
            rule: "shop".to_owned(),
            condition: "AGE=1h".to_owned(),
            system_id: "shop".to_owned(),
            sub_system_id: sub_system_id.to_owned(),
            expected: "every 1 h".to_owned(),
            state,
            since_us: 1,
            last_received_us: 1,
            due_us: 1,
            expected_since_us: 1,
        }
    }

    #[test]
    fn the_worst_counts() {
        let all = [
            heartbeat("", HeartbeatState::Up),
            heartbeat("web01", HeartbeatState::Late),
            heartbeat("web02", HeartbeatState::Down),
        ];
        let check = |system_id: &str, sub_system_id: Option<&str>, expected| {
            let subject = Subject {
                system_id: system_id.to_owned(),
                sub_system_id: sub_system_id.map(str::to_owned),
            };
            assert_eq!(health(&subject, &all, [].iter()), expected);
        };
        check("shop", None, Health::Down);
        check("shop", Some("web01"), Health::Late);
        check("shop", Some(""), Health::Up);
        check("shop", Some("web03"), Health::Unknown);
        check("sho", None, Health::Unknown);
    }

    #[test]
    fn a_badge_is_called_like_a_picture() {
        let check = |file: &str, expected| assert_eq!(named(file), expected);
        check("shop.svg", Some("shop"));
        check("a.b.svg", Some("a.b"));
        check(".svg", None);
        check("shop", None);
        check("shop.png", None);
    }
}
