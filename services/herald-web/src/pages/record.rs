//! `/record/{id}`: a record with all it has, in the middle of its neighbours.

use axum::{
    extract::{Path, RawQuery},
    http::StatusCode,
    response::Response,
};
use domain::{ContextScope, RecordFilter};
use proto::v1;
use serde::Serialize;

use super::{
    columns::Columns,
    detail::{Detail, Place},
    layout::Layout,
    page::{Main, Page, PageError, fill},
    problem,
    row::{Row, Style},
    view::View,
};
use crate::{
    app::App,
    request::{KnownName, LimitRule, Parameters, Reader, link, read_count, read_id},
    store_client::{RecordContext, StoreClient, StoreError},
    utc,
};

const PARAMETERS: &[&[KnownName]] =
    &[&[("scope", "scope"), ("before", "before"), ("after", "after")]];
/// How many newer records the link into the log shows above this one.
const NEWER_IN_LOG: u64 = 25;
/// How many neighbours there are on each side, if nothing else is asked for; how
/// many more a link asks for, and the most there can be.
const NEIGHBOURS: u32 = 10;
const MORE: u32 = 20;
const MOST: LimitRule = LimitRule {
    max: 500,
    hint: " on a page; the API gives up to 1000",
};

/// Which neighbours are asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    id: u64,
    scope: ContextScope,
    before: u32,
    after: u32,
}

#[derive(Serialize)]
struct RecordPage {
    id: u64,
    columns: Columns,
    scopes: Vec<Choice>,
    before: Vec<Row>,
    row: Row,
    detail: Detail,
    after: Vec<Row>,
    /// The page with more neighbours on one side; the last row of this page, there.
    earlier: Option<String>,
    later: Option<String>,
    log_href: String,
    is_partial: bool,
}

/// One of the scopes.
#[derive(Serialize)]
struct Choice {
    label: &'static str,
    /// What it means for this record.
    value: String,
    href: String,
    is_here: bool,
}

/// `GET /record/{id}`
pub(crate) async fn show(app: App, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Ok(id) = read_id(&id) else {
        let message = "this is no number of a record";
        return problem::respond(&app, StatusCode::NOT_FOUND, message);
    };
    let asked = match Asked::read(id, query.as_deref()) {
        Ok(asked) => asked,
        Err(message) => return problem::respond(&app, StatusCode::BAD_REQUEST, &message),
    };
    let page = Page::new(&app, Layout::new(&app, format!("Record {id}")));
    page.when_ready(async move {
        let Asked {
            before,
            after,
            scope,
            ..
        } = asked;
        match app.store.context(id, before, after, scope).await {
            Ok(context) => {
                let view = RecordPage::new(asked, &context);
                Ok(Main::new(fill(&app, "record.html", &view)?))
            }
            Err(StoreError::NotFound) => Err(why_missing(&app.store, id).await),
            Err(failure) => Err(failure.into()),
        }
    })
    .await
}

impl Asked {
    fn read(id: u64, query: Option<&str>) -> Result<Self, String> {
        let parameters = Parameters::read(query, PARAMETERS);
        let mut reader = Reader::new(&parameters);
        let mut neighbours = |name: &str| {
            let count = reader.value(name, |text| match text {
                "0" => Ok(0),
                text => read_count(text, MOST),
            });
            count.map_or(NEIGHBOURS, |count| {
                u32::try_from(count).expect("at most 500")
            })
        };
        let (before, after) = (neighbours("before"), neighbours("after"));
        let scope = reader.value("scope", read_scope).unwrap_or_default();
        let problem = reader.finish().err();
        problem.map_or(
            Ok(Self {
                id,
                scope,
                before,
                after,
            }),
            |problem| Err(format!("{}: {problem}", problem.parameter)),
        )
    }

    /// The page, its view beginning at a row.
    fn href(self, at: u64) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if self.scope != ContextScope::Everything {
            query.append_pair("scope", name_of(self.scope));
        }
        for (name, count) in [("before", self.before), ("after", self.after)] {
            if count != NEIGHBOURS {
                query.append_pair(name, &count.to_string());
            }
        }
        match query.finish() {
            query if query.is_empty() => format!("/record/{}#r{at}", self.id),
            query => format!("/record/{}?{query}#r{at}", self.id),
        }
    }
}

impl RecordPage {
    fn new(asked: Asked, context: &RecordContext) -> Self {
        let record = &context.record;
        let no_filter = Parameters::default();
        let view = View::new(Parameters::default(), &RecordFilter::default(), 0);
        let columns = Columns::default();
        let style = Style::new(&view, &columns).leading_to_records();
        let around = context.before.iter().chain([record]).chain(&context.after);
        let mut rows = style.rows(around);
        let after = rows.split_off(context.before.len() + 1);
        let row = rows
            .pop()
            .expect("the record itself is among its neighbours");
        let more = |found: usize, count: u32| {
            let is_more = found == count as usize && (count as usize) < MOST.max;
            is_more.then(|| (count + MORE).min(u32::try_from(MOST.max).unwrap_or(count)))
        };
        let first = context.before.first().unwrap_or(record).id;
        let last = context.after.last().unwrap_or(record).id;
        let newest = record.id.saturating_add(NEWER_IN_LOG + 1).to_string();
        let own = record.id.to_string();
        Self {
            id: record.id,
            scopes: SCOPES
                .iter()
                .map(|(scope, label)| Choice {
                    label,
                    value: match scope {
                        ContextScope::Everything => String::new(),
                        ContextScope::System => record.system_id.clone(),
                        ContextScope::Process => record.process.to_string(),
                    },
                    href: Asked {
                        scope: *scope,
                        ..asked
                    }
                    .href(record.id),
                    is_here: *scope == asked.scope,
                })
                .collect(),
            before: rows,
            row,
            detail: Detail::new(record, &view, Place::Page),
            after,
            columns: columns.clone(),
            earlier: more(context.before.len(), asked.before)
                .map(|before| Asked { before, ..asked }.href(first)),
            later: more(context.after.len(), asked.after)
                .map(|after| Asked { after, ..asked }.href(last)),
            log_href: format!(
                "{}#r{}",
                link(
                    &no_filter,
                    &[("before", Some(&newest)), ("open", Some(&own))],
                ),
                record.id
            ),
            is_partial: context.partial,
        }
    }
}

/// The scopes and what they are called, from the narrowest on.
const SCOPES: [(ContextScope, &str); 3] = [
    (ContextScope::Process, "same process"),
    (ContextScope::System, "same system"),
    (ContextScope::Everything, "everything"),
];

fn name_of(scope: ContextScope) -> &'static str {
    match scope {
        ContextScope::Everything => "everything",
        ContextScope::System => "system",
        ContextScope::Process => "process",
    }
}

fn read_scope(text: &str) -> Result<ContextScope, String> {
    let known = SCOPES.iter().find(|(scope, _)| name_of(*scope) == text);
    known
        .map(|(scope, _)| *scope)
        .ok_or_else(|| format!("`{text}` is no scope: use everything, system or process"))
}

/// Not yet, no longer, or never.
async fn why_missing(store: &StoreClient, id: u64) -> PageError {
    match store.status().await {
        Ok(status) => PageError::Missing(missing(id, &status)),
        Err(failure) => failure.into(),
    }
}

fn missing(id: u64, status: &v1::GetStatusResponse) -> String {
    if id > status.newest_id {
        return match status.newest_id {
            0 => format!("There is no record {id}: nothing has been received yet."),
            newest => format!("There is no record {id} yet: the newest is {newest}."),
        };
    }
    let kept = match (status.retention_s, status.max_bytes) {
        (0, 0) => String::new(),
        (0, _) => " Records are removed when the database grows too large.".to_owned(),
        (age_s, _) => format!(
            " Records are removed after {}.",
            utc::distance(age_s.saturating_mul(1_000_000))
        ),
    };
    let oldest = match status.oldest_received_us {
        0 => String::new(),
        oldest => format!(
            " The oldest that is still here was received at {} UTC.",
            &render::rfc3339(oldest)[..19].replace('T', " ")
        ),
    };
    format!("Record {id} is no longer here, or the disk has destroyed it.{kept}{oldest}")
}
