//! `/api/v1/exceptions`: what went wrong, grouped by where it comes from.

use axum::{extract::RawQuery, response::Response};
use domain::CountQuery;
use proto::v1;
use render::rfc3339;
use serde::Serialize;

use super::{
    ApiError,
    coverage::{CoverageView, ValueView},
    json,
};
use crate::{
    app::App,
    request::{
        BadQuery, FILTER, KnownName, LimitRule, Parameters, Reader, read_count, read_filter,
    },
    utc,
};

/// What it can be asked.
pub(super) const PARAMETERS: &[&[KnownName]] = &[FILTER, OWN];
const OWN: &[KnownName] = &[("buckets", "buckets"), ("limit", "limit")];
const BUCKETS: LimitRule = LimitRule {
    max: CountQuery::MAX_BUCKETS,
    hint: "",
};
const LIMIT: LimitRule = LimitRule {
    max: 1_000,
    hint: "",
};
const DEFAULT_LIMIT: usize = 50;

#[derive(Serialize)]
struct ListView<'a> {
    exceptions: Vec<GroupView<'a>>,
    more: bool,
    from: Option<String>,
    to: Option<String>,
    partial: bool,
    coverage: Option<CoverageView>,
}

#[derive(Serialize)]
struct GroupView<'a> {
    fingerprint: &'a str,
    kind: &'a str,
    summary: &'a str,
    records: u64,
    first_received_at: String,
    last_received_at: String,
    first_id: u64,
    last_id: u64,
    systems: Vec<ValueView<'a>>,
    recent: &'a [u64],
}

/// `GET /api/v1/exceptions`
pub(crate) async fn list(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let (filter, _) = read_filter(&mut reader, utc::now(), BadQuery::Refuse);
    let mut number = |name: &str, rule: LimitRule, default: usize| {
        let count = reader.value(name, |text| read_count(text, rule));
        u32::try_from(count.unwrap_or(default)).expect("limits are far below 32 bits")
    };
    let limit = number("limit", LIMIT, DEFAULT_LIMIT);
    let buckets = number("buckets", BUCKETS, 0);
    reader.finish()?;
    let answer = app.store.exceptions(&filter, limit, buckets).await?;
    Ok(json(&ListView {
        exceptions: answer.groups.iter().map(view).collect(),
        more: answer.more,
        from: (buckets > 0).then(|| rfc3339(answer.from_us)),
        to: (buckets > 0).then(|| rfc3339(answer.to_us)),
        partial: answer.partial,
        coverage: CoverageView::new(answer.coverage),
    }))
}

fn view(group: &v1::ExceptionGroup) -> GroupView<'_> {
    GroupView {
        fingerprint: &group.fingerprint,
        kind: &group.kind,
        summary: &group.summary,
        records: group.records,
        first_received_at: rfc3339(group.first_received_us),
        last_received_at: rfc3339(group.last_received_us),
        first_id: group.first_id,
        last_id: group.last_id,
        systems: ValueView::list(&group.systems),
        recent: &group.recent,
    }
}
