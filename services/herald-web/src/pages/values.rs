//! `/values/{field}`: all values that a context field has in a view of the log, to look
//! through; and the same list alone, for a script to insert.

use axum::{
    extract::{Path, RawQuery},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use domain::{Condition, CountQuery, RecordFilter, TextField, TextTest};
use serde::Serialize;

use super::{
    layout::Layout,
    log::{Facet, percent},
    page::{Main, Page, PageError, fill},
    problem,
    view::View,
};
use crate::{
    app::App,
    request::{BadQuery, KnownName, PAGE, Parameters, Reader, read_filter},
    utc,
};

const OWN: &[KnownName] = &[("find", "find")];
/// How many values the page has, and how many the list within a facet.
const ON_PAGE: usize = 500;
const IN_FACET: usize = 20;

#[derive(Serialize)]
struct ValuesView<'a> {
    field: &'static str,
    find: &'a str,
    log_href: String,
    /// What the view has, for the form to keep.
    kept: Vec<Kept<'a>>,
    facet: Option<Facet>,
    /// There are more values than these.
    is_cut: bool,
    /// How much of the view has been looked at, when it is not all.
    covered: Option<String>,
}

#[derive(Serialize)]
struct Kept<'a> {
    name: &'static str,
    value: &'a str,
}

/// What a URL asks for.
struct Asked {
    field: TextField,
    view: View,
    filter: RecordFilter,
}

/// `GET /values/{field}`
pub(crate) async fn show(
    app: App,
    Path(field): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = match Asked::read(&field, query.as_deref()) {
        Ok(asked) => asked,
        Err((status, message)) => return problem::respond(&app, status, &message),
    };
    let title = format!("Values of {}", asked.field.name());
    let page = Page::new(&app, Layout::new(&app, title).at("/"));
    page.when_ready(async move {
        let html = asked.answer(&app, ON_PAGE, "values.html").await?;
        Ok(Main::new(html))
    })
    .await
}

/// `GET /values/{field}/list`
pub(crate) async fn list(
    app: App,
    Path(field): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = match Asked::read(&field, query.as_deref()) {
        Ok(asked) => asked,
        Err((status, message)) => return (status, message).into_response(),
    };
    match asked.answer(&app, IN_FACET, "values/list.html").await {
        Ok(html) => Html(html).into_response(),
        Err(failure) => problem::respond_in_place(&app, &failure),
    }
}

impl Asked {
    fn read(field: &str, query: Option<&str>) -> Result<Self, (StatusCode, String)> {
        let field = TextField::CONTEXT.into_iter().find(|f| f.name() == field);
        let field = field.ok_or((
            StatusCode::NOT_FOUND,
            "there is no field of this name with values to list".to_owned(),
        ))?;
        let parameters = Parameters::read(query, &[PAGE, &[OWN]].concat());
        let now = utc::now();
        let mut reader = Reader::new(&parameters);
        let (mut filter, _) = read_filter(&mut reader, now, BadQuery::SearchWords);
        reader
            .finish()
            .map_err(|problem| (StatusCode::BAD_REQUEST, problem.to_string()))?;
        if let Some(find) = parameters.get("find") {
            let test = TextTest::Contains(find.to_owned());
            filter.condition = filter.condition.and(Condition::Text(field, test));
        }
        Ok(Self {
            field,
            view: View::new(parameters, &filter, now),
            filter,
        })
    }

    async fn answer(
        self,
        app: &App,
        values_per_field: usize,
        template: &str,
    ) -> Result<String, PageError> {
        let question = CountQuery {
            filter: self.filter,
            fields: vec![self.field],
            values_per_field,
            ..CountQuery::default()
        };
        let counts = app.store.count(&question).await?;
        let field = counts.fields.first();
        let parameters = self.view.parameters();
        let kept = parameters.iter().filter(|(name, _)| *name != "find");
        let view = ValuesView {
            field: self.field.name(),
            find: parameters.get("find").unwrap_or_default(),
            log_href: self.view.first(&[]),
            kept: kept.map(|(name, value)| Kept { name, value }).collect(),
            facet: field.and_then(|field| Facet::new(&self.view, field)),
            is_cut: field.is_some_and(|field| field.more),
            covered: (!counts.complete).then(|| percent(&counts.coverage.unwrap_or_default())),
        };
        fill(app, template, &view)
    }
}
