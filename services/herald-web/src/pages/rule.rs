//! `/record/{id}/rule`: a rule for records like this one, as a section of neelix's
//! file, to be copied. What stands in it can be changed; the page reads its own
//! section back and says what it means.

mod ini;
mod stable;

use axum::{
    extract::{Path, RawQuery},
    http::StatusCode,
    response::Response,
};
use domain::{Condition, Level, Record, TextField, TextTest};
use serde::Serialize;

use super::{
    layout::Layout,
    page::{Main, Page, PageError, fill},
    problem,
    row::short,
    view::is_filterable,
};
use crate::{
    app::App,
    request::{KnownName, Parameters, Reader, link_to, read_id},
    store_client::StoreError,
};
use ini::Section;

const KNOWN: &[&[KnownName]] = &[&[
    ("system", "system"),
    ("msg", "msg"),
    ("level", "level"),
    ("mail_to", "mail_to"),
]];
/// How far back it is tried.
const TRIED: (&str, &str) = ("-7d", "the last 7 days");

#[derive(Serialize)]
struct RulePage {
    id: u64,
    system: String,
    msg: String,
    mail_to: String,
    levels: Vec<LevelChoice>,
    /// The section, or why there is none.
    text: Option<String>,
    problems: Vec<String>,
    /// What was read back from it.
    pairs: Vec<(String, String)>,
    /// Whether this record would be told.
    is_own: bool,
    try_href: String,
    tried: &'static str,
    file: String,
    admin: bool,
}

#[derive(Serialize)]
struct LevelChoice {
    name: &'static str,
    label: String,
    is_chosen: bool,
}

/// The handler.
pub(crate) async fn show(app: App, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Ok(id) = read_id(&id) else {
        let message = "this is no number of a record";
        return problem::respond(&app, StatusCode::NOT_FOUND, message);
    };
    let parameters = Parameters::read(query.as_deref(), KNOWN);
    let mut reader = Reader::new(&parameters);
    let level = reader.value("level", read_level);
    if let Err(problem) = reader.finish() {
        let message = format!("{}: {problem}", problem.parameter);
        return problem::respond(&app, StatusCode::BAD_REQUEST, &message);
    }
    let page = Page::new(&app, Layout::new(&app, "A rule").styled("alerts"));
    page.when_ready(async move {
        let record = app.store.record(id).await.map_err(|error| match error {
            StoreError::NotFound => {
                PageError::Missing(format!("There is no record {id}, or no longer."))
            }
            error => error.into(),
        })?;
        let file = format!("ps_neelix{}.cfg", app.stage.suffix());
        let view = view(&record, &parameters, level, file);
        Ok(Main::new(fill(&app, "rule.html", &view)?))
    })
    .await
}

/// A level by name; ALL for none.
fn read_level(text: &str) -> Result<Option<Level>, String> {
    if text == "ALL" {
        return Ok(None);
    }
    let known = Level::ALL.into_iter().find(|level| level.name() == text);
    let known = known.map(Some);
    known.ok_or_else(|| {
        format!("`{text}` is no level: use ALL, DEBUG, INFO, WARNING, ERROR or CRITICAL")
    })
}

fn view(
    record: &Record,
    parameters: &Parameters,
    level: Option<Option<Level>>,
    file: String,
) -> RulePage {
    let given = |name: &str| parameters.get(name).map(str::to_owned);
    // An empty form field is no parameter: the form was sent when there is any.
    let is_sent = parameters.iter().next().is_some();
    let system = given("system").unwrap_or_else(|| record.system_id.clone());
    let msg = match given("msg") {
        None if !is_sent => stable::part(&record.message),
        msg => msg.unwrap_or_default(),
    };
    let mail_to = given("mail_to").unwrap_or_default();
    let own = Level::of(record.level);
    let level = level.unwrap_or_else(|| (own >= Level::Warning).then_some(own));
    let section = Section {
        name: system.clone(),
        pairs: [
            ("MAIL_TO", mail_to.clone()),
            ("MSG", msg.clone()),
            (
                "LEVEL",
                level
                    .map(|level| level.name().to_owned())
                    .unwrap_or_default(),
            ),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value))
        .collect(),
    };
    let written = section.write();
    let (text, problems) = match written {
        Ok(text) => (Some(text), Vec::new()),
        Err(problems) => (None, problems),
    };
    RulePage {
        id: record.id,
        is_own: record.system_id == system
            && record.message.to_lowercase().contains(&msg.to_lowercase())
            && level.is_none_or(|level| record.level >= level.number()),
        try_href: try_href(&system, &msg, level),
        tried: TRIED.1,
        levels: levels(level),
        // What it means is read from what is shown, not from what was meant.
        pairs: text
            .as_deref()
            .map(ini::read)
            .map_or_else(Vec::new, |section| {
                let pairs = section
                    .pairs
                    .into_iter()
                    .map(|(key, value)| (key, short(&value)));
                [("section".to_owned(), short(&section.name))]
                    .into_iter()
                    .chain(pairs)
                    .collect()
            }),
        text,
        problems,
        admin: mail_to.is_empty(),
        system,
        msg,
        mail_to,
        file,
    }
}

/// What the rule would have found.
fn try_href(system: &str, msg: &str, level: Option<Level>) -> String {
    let contains = TextTest::Contains(msg.to_owned());
    let q = (!msg.is_empty()).then(|| query::print(&Condition::Text(TextField::Message, contains)));
    let mut pairs = Vec::new();
    pairs.extend(q.as_deref().map(|q| ("q", q)));
    pairs.extend(is_filterable(system).then_some(("system_id", system)));
    pairs.extend(level.map(|level| ("level", level.name())));
    pairs.push(("from", TRIED.0));
    link_to("/", &pairs)
}

fn levels(chosen: Option<Level>) -> Vec<LevelChoice> {
    let all = LevelChoice {
        name: "ALL",
        label: "all levels".to_owned(),
        is_chosen: chosen.is_none(),
    };
    let levels = Level::ALL.map(|level| LevelChoice {
        name: level.name(),
        label: match level {
            Level::Critical => level.name().to_owned(),
            level => format!("{} and above", level.name()),
        },
        is_chosen: chosen == Some(level),
    });
    [all].into_iter().chain(levels).collect()
}
