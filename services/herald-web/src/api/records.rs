//! `/api/v1/records`: lists, single records, and a record's neighbours.

use axum::{
    extract::{Path, RawQuery},
    response::Response,
};
use domain::{ContextScope, RecordQuery};
use render::JsonRecord;
use serde::Serialize;

use super::{ApiError, coverage::CoverageView, json, require_sound};
use crate::{
    app::App,
    request::{
        BadQuery, KnownName, LimitRule, PARAMETERS, ParameterError, Parameters, Reader, read_count,
        read_id, read_records,
    },
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
/// What a record's neighbours can be asked for by.
pub(super) const NEIGHBOURHOOD: &[&[KnownName]] =
    &[&[("before", "before"), ("after", "after"), ("scope", "scope")]];
const DEFAULT_NEIGHBOURS: usize = 20;

#[derive(Serialize)]
struct ListView<'a> {
    records: Vec<JsonRecord<'a>>,
    next: Option<u64>,
    partial: bool,
    coverage: Option<CoverageView>,
}

#[derive(Serialize)]
struct ContextView<'a> {
    before: Vec<JsonRecord<'a>>,
    record: JsonRecord<'a>,
    after: Vec<JsonRecord<'a>>,
    partial: bool,
}

/// `GET /api/v1/records`
pub(crate) async fn list(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut request = read_records(&parameters, utc::now(), LIMIT, BadQuery::Refuse);
    if !request.problems.is_empty() {
        return Err(ApiError::Parameter(request.problems.swap_remove(0)));
    }
    let page = app.store.list(request.query).await?;
    Ok(json(&ListView {
        records: page.records.iter().map(JsonRecord::new).collect(),
        next: page.next,
        partial: page.partial,
        coverage: CoverageView::new(page.coverage),
    }))
}

/// `GET /api/v1/records/{id}`
pub(crate) async fn one(
    app: App,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    require_sound(&Parameters::read(query.as_deref(), &[]))?;
    let record = app.store.record(id_of(&id)?).await?;
    Ok(json(&JsonRecord::new(&record)))
}

/// `GET /api/v1/records/{id}/context`
pub(crate) async fn context(
    app: App,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), NEIGHBOURHOOD);
    let mut reader = Reader::new(&parameters);
    let before = neighbours(&mut reader, "before");
    let after = neighbours(&mut reader, "after");
    let scope = reader.value("scope", read_scope).unwrap_or_default();
    reader.finish()?;
    let context = app.store.context(id_of(&id)?, before, after, scope).await?;
    Ok(json(&ContextView {
        before: context.before.iter().map(JsonRecord::new).collect(),
        record: JsonRecord::new(&context.record),
        after: context.after.iter().map(JsonRecord::new).collect(),
        partial: context.partial,
    }))
}

fn id_of(text: &str) -> Result<u64, ApiError> {
    read_id(text).map_err(|message| ApiError::Parameter(ParameterError::new("id", message)))
}

fn neighbours(reader: &mut Reader<'_>, name: &str) -> u32 {
    let count = reader.value(name, |text| match text {
        "0" => Ok(0),
        text => read_count(text, NEIGHBOURS),
    });
    u32::try_from(count.unwrap_or(DEFAULT_NEIGHBOURS)).expect("at most 1,000 neighbours")
}

fn read_scope(text: &str) -> Result<ContextScope, String> {
    match text {
        "everything" => Ok(ContextScope::Everything),
        "system" => Ok(ContextScope::System),
        "process" => Ok(ContextScope::Process),
        _ => Err(format!(
            "`{text}` is no scope: use everything, system or process"
        )),
    }
}
