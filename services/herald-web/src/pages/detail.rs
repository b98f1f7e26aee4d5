//! A record with all it has: below its row in the log, and in the middle of its
//! neighbours.

mod tree;

use axum::{
    extract::{Path, RawQuery},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use domain::{Condition, Level, NumberField, NumberRange, Record, TextField, TextTest, exception};
use render::cut;
use serde::Serialize;

use super::{
    figure::grouped,
    page::{PageError, fill},
    problem,
    row::{LevelView, Moment},
    view::View,
};
use crate::{
    app::App,
    request::{BadQuery, PAGE, Parameters, Reader, link, read_filter, read_id},
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
/// Texts above this fill their place on a narrow screen.
const LONG_BYTES: usize = 1_200;
const LONG_LINES: usize = 24;
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
    bytes: Option<String>,
    /// It may be scrolled within its place, also by keyboard.
    is_long: bool,
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
struct Fragment {
    detail: Detail,
}

/// `GET /record/{id}/row`: what stands below a row of the log with these
/// parameters, for a script to insert.
pub(crate) async fn row(app: App, Path(id): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Ok(id) = read_id(&id) else {
        return problem::respond_in_place(&app, &StoreError::NotFound.into());
    };
    let parameters = Parameters::read(query.as_deref(), PAGE);
    let now = utc::now();
    let mut reader = Reader::new(&parameters);
    let (filter, _) = read_filter(&mut reader, now, BadQuery::SearchWords);
    let view = View::new(parameters, &filter, now);
    let fragment = match app.store.record(id).await {
        Ok(record) => fragment(&app, &record, &view),
        Err(failure) => Err(failure.into()),
    };
    match fragment {
        Ok(html) => (StatusCode::OK, Html(html)).into_response(),
        Err(failure) => problem::respond_in_place(&app, &failure),
    }
}

/// The same for a row that is opened by its page.
pub(super) fn fragment(app: &App, record: &Record, view: &View) -> Result<String, PageError> {
    let detail = Detail::new(record, view, Place::Row);
    fill(app, "detail.html", &Fragment { detail })
}

impl Detail {
    /// Links keep what the view has.
    pub(super) fn new(record: &Record, view: &View, place: Place) -> Self {
        let (max_bytes, max_values) = match place {
            Place::Row => (ROW_BYTES, ROW_VALUES),
            Place::Page => (usize::MAX, PAGE_VALUES),
        };
        let fingerprint = exception::fingerprint(&record.exception);
        let extra = Tree::new(&record.extra, view, max_values);
        let is_odd = extra.is_none() && !matches!(record.extra.as_str(), "" | "{}");
        let (fields, absent) = fields(record, view);
        Self {
            id: record.id,
            is_page: place == Place::Page,
            level: LevelView::new(record, view.parameters()),
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
            same_exception: (!fingerprint.is_empty()).then(|| {
                let q = format!("fingerprint:{fingerprint}");
                link(&Parameters::default(), &[("q", Some(&q))])
            }),
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
            bytes: (!is_whole).then(|| grouped(text.len() as u64)),
            is_long: shown.len() > LONG_BYTES || shown.lines().nth(LONG_LINES).is_some(),
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
fn fields(record: &Record, view: &View) -> (Vec<Field>, Vec<&'static str>) {
    let mut fields = vec![level(record, view)];
    let mut absent = Vec::new();
    for name in NAMES {
        let field = match (TextField::named(name), NumberField::named(name)) {
            (Some(field), _) => text(field, &field.of(record), view),
            (None, Some(field)) => number(field, field.of(record), view),
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

fn text(field: TextField, value: &str, view: &View) -> Option<Field> {
    if value.is_empty() {
        return None;
    }
    let exclude = view.exclude(field, value);
    let include = match TextField::CONTEXT.contains(&field) {
        true => view.include(field, value),
        false => exclude.is_some().then(|| {
            let test = TextTest::Is(value.to_owned());
            view.with(Condition::Text(field, test), &[])
        }),
    };
    let (shown, is_whole) = cut::head(value, MAX_FIELD_BYTES, usize::MAX);
    let dots = if is_whole { "" } else { "…" };
    Some(Field {
        name: field.name(),
        value: format!("{shown}{dots}"),
        include,
        exclude,
    })
}

/// An absent number is 0.
fn number(field: NumberField, value: i64, view: &View) -> Option<Field> {
    let condition = Condition::Number(field, NumberRange::only(value));
    (value != 0).then(|| Field::asked(field.name(), value.to_string(), condition, view))
}

/// Every record of the same severity, or none of them.
fn level(record: &Record, view: &View) -> Field {
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
    Field::asked("level", value, condition, view)
}

impl Field {
    /// A value that the query asks for.
    fn asked(name: &'static str, value: String, condition: Condition, view: &View) -> Self {
        Self {
            name,
            value,
            include: Some(view.with(condition.clone(), &[])),
            exclude: Some(view.with(Condition::Not(Box::new(condition)), &[])),
        }
    }
}
