//! `/api/v1/systems`: where records come from, and when they last did.

use axum::{extract::RawQuery, response::Response};
use domain::CountQuery;
use proto::v1;
use render::rfc3339;
use serde::Serialize;

use super::{ApiError, coverage::CoverageView, json};
use crate::{
    app::App,
    request::{KnownName, LimitRule, Parameters, Reader, read_count, read_time},
    utc,
};

/// What it can be asked.
pub(super) const PARAMETERS: &[&[KnownName]] = &[OWN];
const OWN: &[KnownName] = &[
    ("from", "from"),
    ("to", "to"),
    ("buckets", "buckets"),
    ("limit", "limit"),
];
const BUCKETS: LimitRule = LimitRule {
    max: CountQuery::MAX_BUCKETS,
    hint: "",
};
const LIMIT: LimitRule = LimitRule {
    max: 10_000,
    hint: "",
};
const DEFAULT_LIMIT: u32 = 1_000;

#[derive(Serialize)]
struct ListView<'a> {
    systems: Vec<SystemView<'a>>,
    more: bool,
    from: Option<String>,
    to: Option<String>,
    partial: bool,
    coverage: Option<CoverageView>,
}

#[derive(Serialize)]
struct SystemView<'a> {
    system_id: &'a str,
    sub_system_id: &'a str,
    first_received_at: String,
    last_received_at: String,
    last_id: u64,
    records: u64,
    recent: &'a [u64],
}

/// `GET /api/v1/systems`
pub(crate) async fn list(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let now = utc::now();
    let request = v1::ListSystemsRequest {
        from_us: reader.value("from", |text| read_time(text, now)),
        to_us: reader.value("to", |text| read_time(text, now)),
        buckets: number(&mut reader, "buckets", BUCKETS).unwrap_or(0),
        limit: number(&mut reader, "limit", LIMIT).unwrap_or(DEFAULT_LIMIT),
    };
    reader.finish()?;
    let has_buckets = request.buckets > 0;
    let answer = app.store.systems(request).await?;
    Ok(json(&ListView {
        systems: answer.systems.iter().map(view).collect(),
        more: answer.more,
        from: has_buckets.then(|| rfc3339(answer.from_us)),
        to: has_buckets.then(|| rfc3339(answer.to_us)),
        partial: answer.partial,
        coverage: CoverageView::new(answer.coverage),
    }))
}

fn number(reader: &mut Reader<'_>, name: &str, rule: LimitRule) -> Option<u32> {
    let count = reader.value(name, |text| read_count(text, rule))?;
    Some(u32::try_from(count).expect("limits are far below 32 bits"))
}

fn view(system: &v1::System) -> SystemView<'_> {
    SystemView {
        system_id: &system.system_id,
        sub_system_id: &system.sub_system_id,
        first_received_at: rfc3339(system.first_received_us),
        last_received_at: rfc3339(system.last_received_us),
        last_id: system.last_id,
        records: system.records,
        recent: &system.recent,
    }
}
