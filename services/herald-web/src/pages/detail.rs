//! A record with all it has: below its row in the log, and in the middle of its
//! neighbours.

mod tree;

use std::borrow::Cow;

use axum::{
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use domain::{Condition, Level, NumberField, NumberRange, Record, TextField, exception};
use render::cut;
use serde::Serialize;

use super::{
    page::{PageError, fill},
    problem,
    row::{LevelView, Moment, filtered, is_filterable},
};
use crate::{
    app::App,
    request::{PAGE, Parameters, field_is, narrowed, narrowed_without, read_id},
    store_client::StoreError,
    utc,
};
use tree::Tree;

/// How much of each text stands below a row, in bytes, and how many values of
/// `extra`.
const ROW_BYTES: usize = 32 << 10;
const ROW_VALUES: usize = 200;
/// How many values of `extra` stand on a page of their own.
const PAGE_VALUES: usize = 5_000;
/// Longest value of a field shown, in bytes.
const MAX_FIELD_BYTES: usize = 2_048;

/// Where a record is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Below its row.
    Row,
    /// On its own page, whole.
    Page,
}

/// A record with all it has.
#[derive(Debug, Serialize)]
pub(super) struct Detail {
    id: u64,
    /// On the record's own page, where links to it lead nowhere.
    is_page: bool,
    level: LevelView,
    received: Moment,
    created: Moment,
    /// How far apart these are.
    distance: String,
    message: Option<Text>,
    exception: Option<Text>,
    stack: Option<Text>,
    fields: Vec<Field>,
    /// Names of the fields without a value.
    absent: Vec<&'static str>,
    extra: Option<Tree>,
    /// `extra` that is no JSON object.
    odd_extra: Option<Text>,
    same_exception: Option<String>,
}

/// A long text.
#[derive(Debug, Serialize)]
struct Text {
    /// Its last line.
    last: String,
    text: String,
    /// Size of the whole text when it is not shown whole.
    bytes: Option<u64>,
}

/// A field and where its value leads.
#[derive(Debug, Serialize)]
struct Field {
    name: &'static str,
    value: String,
    include: Option<String>,
    exclude: Option<String>,
}

#[derive(Serialize)]
struct View {
    detail: Detail,
}

/// `GET /record/{id}/row`: what stands below a row of the log with these
/// parameters, for a script to insert.
pub(crate) async fn row(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = Parameters::read(query.as_deref(), PAGE);
    let Ok(id) = read_id(&id) else {
        return problem::respond_in_place(&app, &StoreError::NotFound.into());
    };
    let fragment = match app.store.record(id).await {
        Ok(record) => fragment(&app, &record, &parameters),
        Err(failure) => Err(failure.into()),
    };
    match fragment {
        Ok(html) => (StatusCode::OK, Html(html)).into_response(),
        Err(failure) => problem::respond_in_place(&app, &failure),
    }
}

/// The same for a row that is opened by its page.
pub(super) fn fragment(
    app: &App,
    record: &Record,
    parameters: &Parameters,
) -> Result<String, PageError> {
    let detail = Detail::new(record, parameters, Place::Row);
    fill(app, "detail.html", &View { detail })
}

impl Detail {
    /// Links keep `parameters`.
    pub(super) fn new(record: &Record, parameters: &Parameters, place: Place) -> Self {
        let (max_bytes, max_values) = match place {
            Place::Row => (ROW_BYTES, ROW_VALUES),
            Place::Page => (usize::MAX, PAGE_VALUES),
        };
        let fingerprint = exception::fingerprint(&record.exception);
        let extra = Tree::new(&record.extra, parameters, max_values);
        let is_odd = extra.is_none() && !matches!(record.extra.as_str(), "" | "{}");
        let (fields, absent) = fields(record, parameters);
        Self {
            id: record.id,
            is_page: place == Place::Page,
            level: LevelView::new(record, parameters),
            received: Moment::new(record.received_us),
            created: Moment::new(record.created_us),
            distance: distance(record),
            message: Text::head(&record.message, max_bytes),
            exception: Text::tail(&record.exception, max_bytes),
            stack: Text::tail(&record.stack, max_bytes),
            fields,
            absent,
            odd_extra: is_odd
                .then(|| Text::head(&record.extra, max_bytes))
                .flatten(),
            extra,
            same_exception: field_is(TextField::Fingerprint, &fingerprint)
                .and_then(|condition| narrowed(&Parameters::default(), &condition)),
        }
    }
}

impl Text {
    fn head(text: &str, max_bytes: usize) -> Option<Self> {
        Self::new(text, cut::head(text, max_bytes, usize::MAX))
    }

    /// Of a traceback the end matters.
    fn tail(text: &str, max_bytes: usize) -> Option<Self> {
        let text = text.trim_end();
        Self::new(text, cut::tail(text, max_bytes))
    }

    fn new(text: &str, (shown, is_whole): (&str, bool)) -> Option<Self> {
        (!text.is_empty()).then(|| Self {
            last: cut::head(cut::last_line(text), 400, 1).0.to_owned(),
            text: shown.to_owned(),
            bytes: (!is_whole).then_some(text.len() as u64),
        })
    }
}

/// When the program made the record, seen from its receipt.
fn distance(record: &Record) -> String {
    let micros = record.received_us.abs_diff(record.created_us);
    let far = match micros {
        0 => return "at the same time".to_owned(),
        1..1_000 => "less than 1 ms".to_owned(),
        micros => utc::distance(micros),
    };
    let direction = if record.created_us > record.received_us {
        "later"
    } else {
        "earlier"
    };
    format!("{far} {direction}")
}

/// Those with a value, and the names of the others.
fn fields(record: &Record, parameters: &Parameters) -> (Vec<Field>, Vec<&'static str>) {
    let mut fields = vec![level(record, parameters)];
    let mut absent = Vec::new();
    for name in NAMES {
        let field = match (TextField::named(name), NumberField::named(name)) {
            (Some(field), _) => text(field, &field.of(record), parameters),
            (None, Some(field)) => number(field, field.of(record), parameters),
            (None, None) => None,
        };
        match field {
            Some(field) => fields.push(field),
            None => absent.push(name),
        }
    }
    (fields, absent)
}

/// Fields in the order of their interest; times and long texts have their place.
const NAMES: [&str; 18] = [
    "system_id",
    "sub_system_id",
    "sub_sub_system_id",
    "produkt_id",
    "user_spec_1",
    "user_spec_2",
    "logger",
    "module",
    "function",
    "line",
    "path",
    "package_version",
    "api_version",
    "process",
    "process_name",
    "thread",
    "thread_name",
    "peer",
];

fn text(field: TextField, value: &str, parameters: &Parameters) -> Option<Field> {
    if value.is_empty() {
        return None;
    }
    let condition = field_is(field, value);
    let has_parameter = TextField::CONTEXT.contains(&field) && is_filterable(value);
    let include = if has_parameter {
        Some(filtered(parameters, field.name(), value))
    } else {
        let condition = condition.as_ref();
        condition.and_then(|condition| narrowed(parameters, condition))
    };
    let (shown, is_whole) = cut::head(value, MAX_FIELD_BYTES, usize::MAX);
    let shown = if is_whole {
        Cow::Borrowed(shown)
    } else {
        Cow::Owned(format!("{shown}…"))
    };
    Some(Field {
        name: field.name(),
        value: shown.into_owned(),
        include,
        exclude: condition.and_then(|condition| narrowed_without(parameters, condition)),
    })
}

/// An absent number is 0.
fn number(field: NumberField, value: i64, parameters: &Parameters) -> Option<Field> {
    let condition = Condition::Number(field, NumberRange::only(value));
    (value != 0).then(|| Field {
        name: field.name(),
        value: value.to_string(),
        include: narrowed(parameters, &condition),
        exclude: narrowed_without(parameters, condition),
    })
}

/// Every record of the same severity, or none of them.
fn level(record: &Record, parameters: &Parameters) -> Field {
    let own = i64::from(record.level);
    let level = Level::of(record.level);
    let value = match record.level_name.trim() {
        "" => own.to_string(),
        name => format!("{} ({own})", cut::head(name, MAX_FIELD_BYTES, 1).0),
    };
    let named = format!("level:{}", level.name().to_lowercase());
    let condition = match query::parse(&named, record.received_us) {
        Ok(condition) if record.level == level.number() => condition,
        _ => Condition::Number(NumberField::Level, NumberRange::only(own)),
    };
    Field {
        name: "level",
        value,
        include: narrowed(parameters, &condition),
        exclude: narrowed_without(parameters, condition),
    }
}
