//! `/record/{id}`: one record with all it has.

use std::borrow::Cow;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use domain::{ContextScope, Record, TextField};
use serde::Serialize;

use super::{
    layout::Layout,
    page::{Main, Page, PageError, fill},
    problem,
    row::{LevelView, Moment, filtered, is_filterable},
};
use crate::{
    app::App,
    request::{Parameters, link, read_id},
    store_client::{RecordContext, StoreError},
    utc,
};

/// How many newer records the link into the log shows above this one.
const NEWER_IN_LOG: u64 = 25;

#[derive(Serialize)]
struct RecordPage<'a> {
    id: u64,
    newer_id: Option<u64>,
    older_id: Option<u64>,
    log_href: String,
    level: LevelView,
    received: Moment,
    created: Moment,
    distance: String,
    fields: Vec<Field<'a>>,
    texts: Vec<Text<'a>>,
}

#[derive(Serialize)]
struct Field<'a> {
    label: &'static str,
    value: Cow<'a, str>,
    href: Option<String>,
}

#[derive(Serialize)]
struct Text<'a> {
    label: &'static str,
    text: &'a str,
}

/// `GET /record/{id}`
pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>) -> Response {
    let Ok(id) = read_id(&id) else {
        let message = StoreError::NotFound.to_string();
        return problem::respond(&app, StatusCode::NOT_FOUND, &message);
    };
    let page = Page::new(&app, Layout::new(&app, format!("Record {id}")));
    page.when_ready(async move {
        let context = app
            .store
            .context(id, 1, 1, ContextScope::Everything)
            .await?;
        Ok(Main::new(render(&app, &context)?))
    })
    .await
}

fn render(app: &App, context: &RecordContext) -> Result<String, PageError> {
    let record = &context.record;
    let numbers = [record.line, record.process, record.thread].map(number);
    let extra = render::indent(&record.extra);
    let no_filter = Parameters::default();
    let before = record.id.saturating_add(NEWER_IN_LOG + 1).to_string();
    let view = RecordPage {
        id: record.id,
        newer_id: context.after.first().map(|record| record.id),
        older_id: context.before.last().map(|record| record.id),
        log_href: link(&no_filter, &[("before", Some(&before))]),
        level: LevelView::new(record, &no_filter),
        received: Moment::new(record.received_us),
        created: Moment::new(record.created_us),
        distance: utc::distance(record.received_us.abs_diff(record.created_us)),
        fields: fields(record, &numbers, &no_filter),
        texts: [
            ("Message", record.message.as_str()),
            ("Exception", &record.exception),
            ("Stack", &record.stack),
            ("Extra", &extra),
        ]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(label, text)| Text { label, text })
        .collect(),
    };
    fill(app, "record.html", &view)
}

fn fields<'a>(
    record: &'a Record,
    [line, process, thread]: &'a [String; 3],
    no_filter: &Parameters,
) -> Vec<Field<'a>> {
    let context = TextField::CONTEXT.map(|field| {
        let value = field.of(record);
        Field {
            label: field.name(),
            href: is_filterable(&value).then(|| filtered(no_filter, field.name(), &value)),
            value,
        }
    });
    let others = [
        ("logger", record.logger.as_str()),
        ("module", &record.module),
        ("function", &record.function),
        ("path", &record.path),
        ("line", line),
        ("package_version", &record.package_version),
        ("api_version", &record.api_version),
        ("process", process),
        ("process_name", &record.process_name),
        ("thread", thread),
        ("thread_name", &record.thread_name),
        ("peer", &record.peer),
    ];
    let others = others.map(|(label, value)| Field {
        label,
        value: Cow::Borrowed(value),
        href: None,
    });
    context.into_iter().chain(others).collect()
}

/// An absent number is 0.
fn number(number: i64) -> String {
    match number {
        0 => String::new(),
        number => number.to_string(),
    }
}
