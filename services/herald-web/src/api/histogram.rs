//! `/api/v1/histogram`: how many records over time, by level or by a field.

use axum::{extract::RawQuery, response::Response};
use domain::{CountBy, CountQuery, TextField};
use proto::v1;
use render::rfc3339;
use serde::Serialize;

use super::{
    ApiError,
    coverage::{CoverageView, LevelsView, ValueView},
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
const OWN: &[KnownName] = &[("buckets", "buckets"), ("by", "by")];
const BUCKETS: LimitRule = LimitRule {
    max: CountQuery::MAX_BUCKETS,
    hint: "",
};
const DEFAULT_BUCKETS: usize = 60;

#[derive(Serialize)]
struct HistogramView<'a> {
    buckets: Vec<BucketView<'a>>,
    levels: LevelsView,
    records: u64,
    partial: bool,
    coverage: Option<CoverageView>,
}

#[derive(Serialize)]
struct BucketView<'a> {
    start: String,
    end: String,
    records: u64,
    #[serde(flatten)]
    split: Split<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Split<'a> {
    Levels(LevelsView),
    Values(Vec<ValueView<'a>>),
}

/// `GET /api/v1/histogram`
pub(crate) async fn show(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let count = CountQuery {
        filter: read_filter(&mut reader, utc::now(), BadQuery::Refuse).0,
        buckets: reader
            .value("buckets", |text| read_count(text, BUCKETS))
            .unwrap_or(DEFAULT_BUCKETS),
        by: reader.value("by", read_by).unwrap_or_default(),
        ..CountQuery::default()
    };
    reader.finish()?;
    let counts = app.store.count(&count).await?;
    let levels = counts.levels.iter().map(|c| (c.level, c.records));
    Ok(json(&HistogramView {
        levels: LevelsView::new(levels),
        buckets: counts
            .buckets
            .iter()
            .map(|bucket| BucketView::new(bucket, count.by))
            .collect(),
        records: counts.records,
        partial: !counts.complete,
        coverage: CoverageView::new(counts.coverage),
    }))
}

impl<'a> BucketView<'a> {
    fn new(bucket: &'a v1::Bucket, by: CountBy) -> Self {
        let counts = bucket.counts.iter();
        Self {
            start: rfc3339(bucket.start_us),
            end: rfc3339(bucket.end_us),
            records: bucket.records,
            split: match by {
                CountBy::Level => {
                    Split::Levels(LevelsView::new(counts.map(|c| (c.level, c.records))))
                }
                CountBy::Field(_) => Split::Values(
                    counts
                        .map(|c| ValueView::new(&c.value, c.records))
                        .collect(),
                ),
            },
        }
    }
}

fn read_by(text: &str) -> Result<CountBy, String> {
    if text == "level" {
        return Ok(CountBy::Level);
    }
    let field = TextField::CONTEXT.into_iter().find(|f| f.name() == text);
    field.map(CountBy::Field).ok_or_else(|| {
        format!("`{text}` is neither `level` nor a context field such as `system_id`")
    })
}
