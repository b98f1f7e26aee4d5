//! `/api/v1/records`: lists, single records, and a record's neighbours.

use axum::{
    extract::{Path, RawQuery, State},
    response::Response,
};
use domain::{Record, RecordQuery};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{ApiError, json, require_sound};
use crate::{
    app::App,
    query::{LimitRule, PARAMETERS, ParameterError, Parameters, read_count, read_id, read_records},
    utc,
};

const LIMIT: LimitRule = LimitRule {
    max: RecordQuery::MAX_LIMIT,
    hint: "; go on with `next` of the answer",
};
const NEIGHBOURS: LimitRule = LimitRule {
    max: 1_000,
    hint: "",
};
const DEFAULT_NEIGHBOURS: usize = 20;

#[derive(Serialize)]
struct ListView<'a> {
    records: Vec<RecordView<'a>>,
    next: Option<u64>,
    partial: bool,
}

#[derive(Serialize)]
struct ContextView<'a> {
    before: Vec<RecordView<'a>>,
    record: RecordView<'a>,
    after: Vec<RecordView<'a>>,
}

/// `GET /api/v1/records`
pub(crate) async fn list(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut request = read_records(&parameters, utc::now(), LIMIT);
    if !request.problems.is_empty() {
        return Err(ApiError::Parameter(request.problems.swap_remove(0)));
    }
    let page = app.store.list(request.query).await?;
    Ok(json(&ListView {
        records: page.records.iter().map(RecordView::new).collect(),
        next: page.next,
        partial: page.partial,
    }))
}

/// `GET /api/v1/records/{id}`
pub(crate) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    require_sound(&Parameters::read(query.as_deref(), &[]))?;
    let record = app.store.record(id_of(&id)?).await?;
    Ok(json(&RecordView::new(&record)))
}

/// `GET /api/v1/records/{id}/context`
pub(crate) async fn context(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let names = [("before", "before"), ("after", "after")];
    let parameters = Parameters::read(query.as_deref(), &names);
    require_sound(&parameters)?;
    let before = neighbours(&parameters, "before")?;
    let after = neighbours(&parameters, "after")?;
    let context = app.store.context(id_of(&id)?, before, after).await?;
    Ok(json(&ContextView {
        before: context.before.iter().map(RecordView::new).collect(),
        record: RecordView::new(&context.record),
        after: context.after.iter().map(RecordView::new).collect(),
    }))
}

fn id_of(text: &str) -> Result<u64, ApiError> {
    read_id(text).map_err(|message| ApiError::Parameter(ParameterError::new("id", message)))
}

fn neighbours(parameters: &Parameters, name: &str) -> Result<u32, ApiError> {
    let count = match parameters.get(name) {
        None => DEFAULT_NEIGHBOURS,
        Some("0") => 0,
        Some(text) => read_count(text, NEIGHBOURS)
            .map_err(|message| ApiError::Parameter(ParameterError::new(name, message)))?,
    };
    Ok(u32::try_from(count).expect("at most 1,000 neighbours"))
}

/// A record under the names of the API.
#[derive(Serialize)]
struct RecordView<'a> {
    id: u64,
    received_at: String,
    created: String,
    level: i32,
    level_name: &'a str,
    logger: &'a str,
    message: &'a str,
    system_id: &'a str,
    sub_system_id: &'a str,
    sub_sub_system_id: &'a str,
    produkt_id: &'a str,
    user_spec_1: &'a str,
    user_spec_2: &'a str,
    package_version: &'a str,
    api_version: &'a str,
    module: &'a str,
    function: &'a str,
    path: &'a str,
    line: i64,
    process: i64,
    process_name: &'a str,
    thread: i64,
    thread_name: &'a str,
    exception: &'a str,
    stack: &'a str,
    peer: &'a str,
    extra: Option<Extra<'a>>,
}

/// What is no valid JSON, which no store of ours gives out, becomes a text.
#[derive(Serialize)]
#[serde(untagged)]
enum Extra<'a> {
    Json(&'a RawValue),
    Text(&'a str),
}

impl<'a> RecordView<'a> {
    fn new(record: &'a Record) -> Self {
        Self {
            id: record.id,
            received_at: utc::rfc3339(record.received_us),
            created: utc::rfc3339(record.created_us),
            level: record.level,
            level_name: &record.level_name,
            logger: &record.logger,
            message: &record.message,
            system_id: &record.system_id,
            sub_system_id: &record.sub_system_id,
            sub_sub_system_id: &record.sub_sub_system_id,
            produkt_id: &record.produkt_id,
            user_spec_1: &record.user_spec_1,
            user_spec_2: &record.user_spec_2,
            package_version: &record.package_version,
            api_version: &record.api_version,
            module: &record.module,
            function: &record.function,
            path: &record.path,
            line: record.line,
            process: record.process,
            process_name: &record.process_name,
            thread: record.thread,
            thread_name: &record.thread_name,
            exception: &record.exception,
            stack: &record.stack,
            peer: &record.peer,
            extra: extra(&record.extra),
        }
    }
}

fn extra(text: &str) -> Option<Extra<'_>> {
    if text.is_empty() {
        return None;
    }
    Some(serde_json::from_str(text).map_or(Extra::Text(text), Extra::Json))
}
