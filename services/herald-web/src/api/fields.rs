//! `/api/v1/fields`: which values fields have, and how often.

use axum::{extract::RawQuery, response::Response};
use domain::{CountQuery, TextField};
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
const OWN: &[KnownName] = &[("fields", "fields"), ("limit", "limit")];
const LIMIT: LimitRule = LimitRule {
    max: CountQuery::MAX_VALUES,
    hint: "",
};

#[derive(Serialize)]
struct FieldsView<'a> {
    fields: Vec<FieldView<'a>>,
    records: u64,
    partial: bool,
    coverage: Option<CoverageView>,
}

#[derive(Serialize)]
struct FieldView<'a> {
    field: &'a str,
    values: Vec<ValueView<'a>>,
    others: u64,
    more: bool,
}

/// `GET /api/v1/fields`
pub(crate) async fn show(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let count = CountQuery {
        filter: read_filter(&mut reader, utc::now(), BadQuery::Refuse).0,
        fields: reader
            .value("fields", read_fields)
            .unwrap_or_else(|| TextField::CONTEXT.to_vec()),
        values_per_field: reader
            .value("limit", |text| read_count(text, LIMIT))
            .unwrap_or(CountQuery::DEFAULT_VALUES),
        ..CountQuery::default()
    };
    reader.finish()?;
    let counts = app.store.count(&count).await?;
    let fields = counts.fields.iter().map(|counts| FieldView {
        field: &counts.field,
        values: ValueView::list(&counts.values),
        others: counts.others,
        more: counts.more,
    });
    Ok(json(&FieldsView {
        fields: fields.collect(),
        records: counts.records,
        partial: !counts.complete,
        coverage: CoverageView::new(counts.coverage),
    }))
}

/// Names with commas between them.
fn read_fields(text: &str) -> Result<Vec<TextField>, String> {
    let mut fields = Vec::new();
    for name in text.split(',').map(str::trim) {
        let field = TextField::named(name).filter(|field| !field.is_prose());
        let field = field.ok_or_else(|| {
            format!(
                "`{name}` is no field whose values are counted, such as `system_id` or `logger`"
            )
        })?;
        if fields.contains(&field) {
            return Err(format!("`{name}` is there twice"));
        }
        fields.push(field);
    }
    Ok(fields)
}
