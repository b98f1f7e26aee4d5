//! `/alerts/{id}`: an alert, what happened to it, and what was told to whom.

use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use domain::{
    AlertEvent, AlertEventKind, Delivery, DeliveryChannel, DeliveryState, Micros, Notification,
};
use serde::Serialize;

use super::{
    Hands, Place, layout, one_href, places,
    view::{AlertView, told},
};
use crate::{
    app::App,
    pages::{
        figure::{When, counted},
        form::Visitor,
        page::{Main, Page, PageError, fill},
        problem,
        row::short,
    },
    request::{Parameters, Reader, read_id},
    store_client::{AlertStory, StoreError},
    utc,
};

/// How much of a mail is shown, in bytes.
const MAX_TEXT_BYTES: usize = 64 << 10;

#[derive(Serialize)]
struct AlertPage {
    places: Vec<Place>,
    alert: AlertView,
    /// Why the change that was asked for was not made.
    problem: Option<String>,
    events: Vec<Event>,
    notifications: Vec<Letter>,
    hands: Hands,
}

#[derive(Serialize)]
struct Event {
    at: When,
    class: &'static str,
    what: &'static str,
    by: String,
    note: String,
}

/// A notification, and how far it has come.
#[derive(Serialize)]
struct Letter {
    made: When,
    subject: String,
    text: String,
    /// Size of the whole text when it is not shown whole.
    bytes: Option<String>,
    others: Option<String>,
    message_id: String,
    recipients: Vec<Recipient>,
}

#[derive(Serialize)]
struct Recipient {
    name: String,
    channel: &'static str,
    class: &'static str,
    attempts: Option<String>,
    error: String,
    at: Option<When>,
}

/// `GET /alerts/{id}`
pub(crate) async fn show(
    app: App,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Ok(id) = read_id(&id) else {
        return missing(&app, "this is no number of an alert");
    };
    if let Err(error) = Reader::new(&Parameters::read(query.as_deref(), &[])).finish() {
        let message = format!("{}: {error}", error.parameter);
        return problem::respond(&app, StatusCode::BAD_REQUEST, &message);
    }
    let visitor = Visitor::new(&app, &uri, &headers);
    let cookie = visitor.token.cookie.clone();
    let page = Page::new(&app, layout(&app, format!("Alert {id}")));
    let response = page.when_ready(async move {
        let story = app
            .store
            .alert(id)
            .await
            .map_err(|error| about(id, error))?;
        let hands = Hands::new(&visitor, one_href(id), utc::now());
        main(&app, &story, hands, None).map(Main::new)
    });
    Visitor::with_cookie(cookie, response.await)
}

/// The page again, with why nothing was changed.
pub(super) async fn again(
    app: &App,
    id: u64,
    visitor: &Visitor,
    status: StatusCode,
    problem: String,
) -> Response {
    let shown = match app.store.alert(id).await {
        Ok(story) => {
            let hands = Hands::new(visitor, one_href(id), utc::now());
            main(app, &story, hands, Some(problem))
        }
        Err(error) => Err(about(id, error)),
    };
    match shown {
        Ok(main) => Page::new(app, layout(app, format!("Alert {id}"))).whole(status, &main),
        Err(failure) => problem::respond_to(app, &failure),
    }
}

pub(super) fn missing(app: &App, message: &str) -> Response {
    problem::respond(app, StatusCode::NOT_FOUND, message)
}

/// Why there is no such page.
pub(super) fn about(id: u64, error: StoreError) -> PageError {
    match error {
        StoreError::NotFound => PageError::Missing(format!(
            "There is no alert {id}, or no longer: those that have ended are removed after a while."
        )),
        error => error.into(),
    }
}

fn main(
    app: &App,
    story: &AlertStory,
    hands: Hands,
    problem: Option<String>,
) -> Result<String, PageError> {
    let now = utc::now();
    let deliveries = story.notifications.iter().flat_map(|it| &it.deliveries);
    let view = AlertPage {
        places: places(""),
        alert: AlertView::new(&story.alert, told(deliveries), now),
        problem,
        events: story.events.iter().rev().map(|it| event(it, now)).collect(),
        notifications: story
            .notifications
            .iter()
            .map(|it| letter(it, now))
            .collect(),
        hands,
    };
    fill(app, "alerts/one.html", &view)
}

fn event(event: &AlertEvent, now: Micros) -> Event {
    let (class, what) = match event.kind {
        AlertEventKind::Fired => ("firing", "found"),
        AlertEventKind::Notified => ("notified", "told"),
        AlertEventKind::Acknowledged => ("known", "acknowledged"),
        AlertEventKind::Silenced => ("silenced", "silenced"),
        AlertEventKind::Unsilenced => ("firing", "silence taken back"),
        AlertEventKind::Resolved => ("resolved", "resolved"),
    };
    Event {
        at: When::new(event.at_us, now),
        class,
        what,
        by: short(&event.by),
        note: short(&event.note),
    }
}

fn letter(notification: &Notification, now: Micros) -> Letter {
    let (text, is_whole) = render::cut::head(&notification.text, MAX_TEXT_BYTES, usize::MAX);
    let others = (notification.alert_ids.len() as u64).saturating_sub(1);
    Letter {
        made: When::new(notification.created_us, now),
        subject: short(&notification.subject),
        text: text.to_owned(),
        bytes: (!is_whole).then(|| counted(notification.text.len() as u64, "byte")),
        others: (others > 0).then(|| counted(others, "other alert")),
        message_id: short(&notification.message_id),
        recipients: notification
            .deliveries
            .iter()
            .map(|delivery| recipient(delivery, now))
            .collect(),
    }
}

fn recipient(delivery: &Delivery, now: Micros) -> Recipient {
    Recipient {
        name: short(&delivery.recipient),
        channel: match delivery.channel {
            DeliveryChannel::Mail => "mail",
            DeliveryChannel::Webhook => "webhook",
        },
        class: match delivery.state {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
            DeliveryState::Kept => "kept",
        },
        attempts: (delivery.attempts > 1).then(|| counted(u64::from(delivery.attempts), "attempt")),
        error: short(&delivery.error),
        at: delivery.delivered_us.map(|at| When::new(at, now)),
    }
}
