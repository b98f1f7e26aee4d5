//! `/alerts/rules`: the rules of the newest run as they are written, who is told, and
//! what goes on of each.

use std::collections::HashMap;

use axum::{extract::RawQuery, http::StatusCode, response::Response};
use domain::{Micros, Rule, Stage};
use serde::Serialize;

use super::{FIRING, PATH, Place, Start, layout, places, rule_anchor};
use crate::{
    app::App,
    pages::{
        figure::{When, counted},
        page::{Main, Page, fill},
        problem,
        row::short,
        view::is_filterable,
    },
    request::{Parameters, Reader, link_to},
    store_client::{AlertQuery, Glance},
    utc,
};

#[derive(Serialize)]
struct RulesPage {
    places: Vec<Place>,
    count: String,
    /// When they were read last.
    read: Option<When>,
    file: String,
    rules: Vec<RuleView>,
    start: Option<Start>,
}

/// A rule.
#[derive(Debug, Serialize)]
pub(super) struct RuleView {
    anchor: String,
    name: String,
    line: u32,
    text: String,
    recipients: Vec<String>,
    alerts_href: Option<String>,
    firing: Option<String>,
}

/// The handler.
pub(crate) async fn show(app: App, RawQuery(query): RawQuery) -> Response {
    if let Err(error) = Reader::new(&Parameters::read(query.as_deref(), &[])).finish() {
        let message = format!("{}: {error}", error.parameter);
        return problem::respond(&app, StatusCode::BAD_REQUEST, &message);
    }
    let page = Page::new(&app, layout(&app, "Rules"));
    page.when_ready(async move {
        let firing = AlertQuery {
            is_firing: Some(true),
            limit: FIRING,
            ..AlertQuery::default()
        };
        let (rules, glance, firing) = tokio::try_join!(
            app.store.rules(),
            app.store.glance(),
            app.store.alerts(&firing),
        )?;
        let mut counts: HashMap<&str, u64> = HashMap::new();
        for (alert, _) in &firing.alerts {
            *counts.entry(&alert.subject.rule).or_default() += 1;
        }
        let view = view(app.stage, &rules, &glance, &counts, utc::now());
        Ok(Main::new(fill(&app, "alerts/rules.html", &view)?))
    })
    .await
}

fn view(
    stage: Stage,
    rules: &[Rule],
    glance: &Glance,
    firing: &HashMap<&str, u64>,
    now: Micros,
) -> RulesPage {
    let file = format!("ps_neelix{}.cfg", stage.suffix());
    let ended = glance.last_run.as_ref().and_then(|run| run.ended_us);
    RulesPage {
        places: places("/alerts/rules"),
        count: counted(rules.len() as u64, "rule"),
        read: ended.map(|at| When::new(at, now)),
        rules: rules
            .iter()
            .map(|rule| RuleView::new(rule, firing.get(rule.name.as_str()).copied()))
            .collect(),
        start: glance.last_run.is_none().then(|| Start {
            stage: stage.name(),
            file: file.clone(),
        }),
        file,
    }
}

impl RuleView {
    /// With how many alerts of it go on, where that is counted.
    pub(super) fn new(rule: &Rule, firing: Option<u64>) -> Self {
        Self {
            anchor: rule_anchor(&rule.name),
            name: short(&rule.name),
            line: rule.line,
            text: rule.text.trim_end().to_owned(),
            recipients: rule.recipients.iter().map(|it| short(it)).collect(),
            alerts_href: is_filterable(&rule.name).then(|| link_to(PATH, &[("rule", &rule.name)])),
            firing: firing.map(|count| counted(count, "alert")),
        }
    }
}
