//! `/alerts`: what rules have found, what goes on first; and what can be said about
//! it. Rules, runs and a single alert have pages of their own below it.

pub(crate) mod change;
pub(crate) mod link;
pub(crate) mod one;
pub(crate) mod rules;
pub(crate) mod runs;
mod search;
mod view;

use axum::{
    extract::RawQuery,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use domain::{Micros, Notification, Stage};
use serde::Serialize;

use super::{
    figure::{counted, grouped},
    form::Visitor,
    layout::Layout,
    page::{Main, Page, fill},
    problem,
    row::short,
};
use crate::{
    app::App,
    request::{KnownName, Parameters, Reader, address, read_id},
    store_client::{AlertPage, AlertQuery, Glance, StoreClient, StoreError},
    utc,
};
use rules::RuleView;
use view::AlertView;
pub(in crate::pages) use view::rule_anchor;

const PATH: &str = "/alerts";
const KNOWN: &[&[KnownName]] = &[&[
    ("state", "state"),
    ("rule", "rule"),
    ("system_id", "system_id"),
    ("before", "before"),
]];
/// How many alerts that go on are listed above those that have ended.
const FIRING: u32 = 200;
/// How many a page has of the others, or of one state.
const LISTED: u32 = 50;

/// The pages about alerts.
const PLACES: [(&str, &str); 3] = [
    (PATH, "Alerts"),
    ("/alerts/rules", "Rules"),
    ("/alerts/runs", "Runs"),
];

#[derive(Serialize)]
struct AlertsPage {
    places: Vec<Place>,
    states: Vec<Place>,
    /// What narrows the list, for the form to show and to keep.
    state: Option<String>,
    rule: String,
    system_id: String,
    clear_href: Option<String>,
    /// None where only those that have ended are listed.
    firing: Option<Vec<AlertView>>,
    /// How many go on, in all.
    firing_count: Option<String>,
    more_firing_href: Option<String>,
    /// None where only those that go on are listed.
    resolved: Option<Vec<AlertView>>,
    older_href: Option<String>,
    newest_href: Option<String>,
    undelivered: Vec<Undelivered>,
    undelivered_count: Option<String>,
    hands: Hands,
    /// The rule that the list is narrowed to, as it is written.
    written: Option<RuleView>,
    /// How to begin, where neelix has never run.
    start: Option<Start>,
}

/// A link that is perhaps to where one is.
#[derive(Debug, Serialize)]
struct Place {
    label: &'static str,
    href: String,
    is_here: bool,
}

/// What forms that change alerts carry.
#[derive(Debug, Clone, Serialize)]
struct Hands {
    token: String,
    /// Where one is, to come back to.
    back: String,
    why_read_only: Option<String>,
    /// The earliest and the latest end of a silence, as a field takes them.
    earliest: String,
    latest: String,
}

/// A message that did not reach somebody.
#[derive(Debug, Serialize)]
struct Undelivered {
    subject: String,
    href: Option<String>,
    recipient: String,
    has_failed: bool,
    attempts: String,
    error: String,
    /// When it is tried again.
    next: Option<String>,
}

/// What somebody needs who has no rules yet.
#[derive(Debug, Serialize)]
struct Start {
    stage: &'static str,
    file: String,
}

/// What is asked for.
struct Asked {
    parameters: Parameters,
    is_firing: Option<bool>,
    before: u64,
}

/// `GET /alerts`
pub(crate) async fn show(
    app: App,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = match Asked::read(query.as_deref()) {
        Ok(asked) => asked,
        Err(message) => return problem::respond(&app, StatusCode::BAD_REQUEST, &message),
    };
    let visitor = Visitor::new(&app, &uri, &headers);
    let cookie = visitor.token.cookie.clone();
    let page = Page::new(&app, layout(&app, "Alerts"));
    let response = page.when_ready(async move {
        let now = utc::now();
        let (firing, resolved) = (asked.firing(), asked.resolved());
        let (firing, resolved, glance, written) = tokio::try_join!(
            list(&app.store, firing),
            list(&app.store, resolved),
            app.store.glance(),
            written(&app.store, asked.parameters.get("rule")),
        )?;
        let hands = Hands::new(&visitor, asked.here(), now);
        let view = AlertsPage {
            written,
            ..view(app.stage, &asked, firing, resolved, &glance, hands, now)
        };
        Ok(Main::new(fill(&app, "alerts.html", &view)?))
    });
    Visitor::with_cookie(cookie, response.await)
}

fn layout(app: &App, title: impl Into<String>) -> Layout {
    Layout::new(app, title).at(PATH).styled("alerts")
}

/// The list, where it is wanted.
async fn list(
    store: &StoreClient,
    query: Option<AlertQuery>,
) -> Result<Option<AlertPage>, StoreError> {
    match query {
        Some(query) => store.alerts(&query).await.map(Some),
        None => Ok(None),
    }
}

/// The rule of this name.
async fn written(store: &StoreClient, name: Option<&str>) -> Result<Option<RuleView>, StoreError> {
    let Some(name) = name else {
        return Ok(None);
    };
    let rules = match store.rules().await {
        Err(StoreError::Limited) => return Ok(None),
        rules => rules?,
    };
    let rule = rules.iter().find(|rule| rule.name == name);
    Ok(rule.map(|rule| RuleView::new(rule, None)))
}

fn view(
    stage: Stage,
    asked: &Asked,
    firing: Option<AlertPage>,
    resolved: Option<AlertPage>,
    glance: &Glance,
    hands: Hands,
    now: Micros,
) -> AlertsPage {
    let next = |page: &Option<AlertPage>| page.as_ref().and_then(|page| page.next);
    let (next_firing, next_resolved) = (next(&firing), next(&resolved));
    let views = |page: Option<AlertPage>| -> Option<Vec<AlertView>> {
        let alerts = page?.alerts.into_iter();
        let view = alerts.map(|(alert, told)| AlertView::new(&alert, told, now));
        Some(view.collect())
    };
    let is_alone = asked.is_firing == Some(true);
    let older = next_resolved.or(next_firing.filter(|_| is_alone));
    let is_filtered = ["rule", "system_id"].map(|name| asked.parameters.get(name).is_some());
    let given = |name: &str| asked.parameters.get(name).unwrap_or_default().to_owned();
    AlertsPage {
        places: places(PATH),
        states: asked.states(),
        state: asked.parameters.get("state").map(str::to_owned),
        rule: given("rule"),
        system_id: given("system_id"),
        clear_href: is_filtered
            .contains(&true)
            .then(|| asked.with(&[("rule", None), ("system_id", None), ("before", None)])),
        firing: views(firing),
        firing_count: (glance.firing > 0).then(|| grouped(glance.firing)),
        more_firing_href: next_firing
            .filter(|_| !is_alone)
            .map(|_| asked.with(&[("state", Some("firing")), ("before", None)])),
        resolved: views(resolved),
        older_href: older.map(|next| asked.with(&[("before", Some(&next.to_string()))])),
        newest_href: (asked.before > 0).then(|| asked.with(&[("before", None)])),
        undelivered: glance
            .troubled
            .iter()
            .flat_map(|notification| undelivered(notification, now))
            .collect(),
        undelivered_count: (glance.failed + glance.waiting > 0)
            .then(|| counted(glance.failed + glance.waiting, "message")),
        hands,
        written: None,
        start: glance.last_run.is_none().then(|| Start {
            stage: stage.name(),
            file: format!("ps_neelix{}.cfg", stage.suffix()),
        }),
    }
}

fn undelivered(notification: &Notification, now: Micros) -> impl Iterator<Item = Undelivered> {
    let href = notification.alert_ids.first().map(|id| one_href(*id));
    notification.deliveries.iter().map(move |delivery| {
        let has_failed = delivery.state == domain::DeliveryState::Failed;
        let wait = delivery.next_attempt_us.saturating_sub(now).max(0);
        let seconds = wait.unsigned_abs() / 1_000_000;
        Undelivered {
            subject: short(&notification.subject),
            href: href.clone(),
            recipient: short(&delivery.recipient),
            has_failed,
            attempts: counted(u64::from(delivery.attempts), "attempt"),
            error: short(&delivery.error),
            next: (!has_failed).then(|| match seconds {
                0 => "with the next run".to_owned(),
                seconds => format!("in {}", utc::distance(seconds * 1_000_000)),
            }),
        }
    })
}

fn one_href(id: u64) -> String {
    format!("{PATH}/{id}")
}

fn places(here: &str) -> Vec<Place> {
    let place = |(href, label): (&str, &'static str)| Place {
        label,
        href: href.to_owned(),
        is_here: href == here,
    };
    PLACES.into_iter().map(place).collect()
}

impl Asked {
    fn read(query: Option<&str>) -> Result<Self, String> {
        let parameters = Parameters::read(query, KNOWN);
        let mut reader = Reader::new(&parameters);
        let is_firing = reader.value("state", read_state);
        let before = reader.value("before", read_id).unwrap_or(0);
        match reader.finish() {
            Ok(()) => Ok(Self {
                parameters,
                is_firing,
                before,
            }),
            Err(problem) => Err(format!("{}: {problem}", problem.parameter)),
        }
    }

    /// What goes on: above the first page of the others, or alone.
    fn firing(&self) -> Option<AlertQuery> {
        match self.is_firing {
            Some(true) => Some(self.query(true, LISTED, self.before)),
            None if self.before == 0 => Some(self.query(true, FIRING, 0)),
            _ => None,
        }
    }

    fn resolved(&self) -> Option<AlertQuery> {
        (self.is_firing != Some(true)).then(|| self.query(false, LISTED, self.before))
    }

    fn query(&self, is_firing: bool, limit: u32, before: u64) -> AlertQuery {
        let given = |name: &str| self.parameters.get(name).unwrap_or_default().to_owned();
        AlertQuery {
            is_firing: Some(is_firing),
            rule: given("rule"),
            system_id: given("system_id"),
            limit,
            before,
        }
    }

    fn here(&self) -> String {
        self.with(&[])
    }

    fn with(&self, changes: &[(&str, Option<&str>)]) -> String {
        address(PATH, &self.parameters, changes)
    }

    fn states(&self) -> Vec<Place> {
        let state = |(label, name, is_firing): (_, Option<&str>, _)| Place {
            label,
            href: self.with(&[("state", name), ("before", None)]),
            is_here: self.is_firing == is_firing,
        };
        [
            ("all", None, None),
            ("firing", Some("firing"), Some(true)),
            ("resolved", Some("resolved"), Some(false)),
        ]
        .map(state)
        .into()
    }
}

impl Hands {
    fn new(visitor: &Visitor, back: String, now: Micros) -> Self {
        const MINUTE: Micros = 60_000_000;
        const YEAR: Micros = 365 * 24 * 60 * MINUTE;
        let minute = |at: Micros| render::rfc3339(at)[..16].to_owned();
        Self {
            token: visitor.token.value().to_owned(),
            back,
            why_read_only: visitor.why_read_only.clone(),
            earliest: minute(now + MINUTE),
            latest: minute(now + YEAR),
        }
    }
}

/// A state by name.
pub(crate) fn read_state(text: &str) -> Result<bool, String> {
    match text {
        "firing" => Ok(true),
        "resolved" => Ok(false),
        _ => Err(format!("`{text}` is no state: use firing or resolved")),
    }
}
