//! A page on its way out: what stands around it, then its content as it comes.
//!
//! How a page is added:
//!
//! * `pages/NOUN.rs` has the handler and the view; `app.rs` its route, `layout.rs` its
//!   entry in the navigation.
//! * `templates/NOUN.html` is what stands in `<main>` and nothing else; it is named in
//!   `templates.rs`.
//! * The handler checks what it is asked, and gives the question to the store as a
//!   future to [`Page::when_ready`]: the answer begins when the store's does, or after
//!   [`PATIENCE`] with a note that the store is slow. A page without a question
//!   is [`Page::whole`].
//! * What is asked for besides comes with [`Main::then`]: it must appear where room is
//!   reserved for it, so that nothing on the page moves.
//! * Styles: a part in `static/css`; scripts: a module in `static/js` that
//!   `herald.js` starts; both are listed in `assets.rs`. A page works without scripts.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use futures::{Stream, StreamExt, future, stream};
use serde::Serialize;
use tracing::error;

use super::{layout::Layout, problem};
use crate::{app::App, store_client::StoreError, utc};

/// How long a page waits for the store before it begins without it.
const PATIENCE: Duration = Duration::from_millis(700);

/// What stands around a page's content.
#[derive(Debug)]
pub(super) struct Page {
    app: App,
    layout: Layout,
    bar: String,
}

/// A page's content.
pub(super) struct Main {
    html: String,
    later: stream::BoxStream<'static, String>,
}

/// Why a page has no content.
#[derive(Debug)]
pub(super) enum PageError {
    /// The store gave none.
    Store(StoreError),
    /// What the address names is not there; why, for people.
    Missing(String),
    /// A template lacks something; it has been logged.
    Template,
}

#[derive(Serialize)]
struct Frame<'a> {
    layout: &'a Layout,
    bar: &'a str,
}

impl Page {
    pub(super) fn new(app: &App, layout: Layout) -> Self {
        Self {
            app: app.clone(),
            layout: layout.telling(app.watch.known().as_ref(), utc::now()),
            bar: String::new(),
        }
    }

    /// HTML between the header and the content; it is there before the store answers.
    pub(super) fn with_bar(self, bar: String) -> Self {
        Self { bar, ..self }
    }

    /// All of it at once.
    pub(super) fn whole(&self, status: StatusCode, main: &str) -> Response {
        match (self.top(), self.bottom()) {
            (Ok(top), Ok(bottom)) => (status, Html([&top, main, &bottom].concat())).into_response(),
            _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    /// Begins with the content, or without it when that takes long. A failure that is
    /// known by then is the answer's status; a later one is told where the content
    /// would be.
    pub(super) async fn when_ready(
        mut self,
        main: impl Future<Output = Result<Main, PageError>> + Send + 'static,
    ) -> Response {
        let mut main = Box::pin(main);
        let first = tokio::time::timeout(PATIENCE, &mut main);
        let (glance, first) = tokio::join!(self.app.watch.look(), first);
        self.layout = self.layout.telling(glance.as_ref(), utc::now());
        let (Ok(top), Ok(bottom)) = (self.top(), self.bottom()) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        match first {
            Ok(Ok(Main { html, later })) => {
                let first = stream::iter([top + &html]);
                respond(first.chain(later), bottom)
            }
            Ok(Err(failure)) => problem::respond_to(&self.app, &failure),
            Err(_) => {
                let app = self.app;
                let slow = fill(&app, "slow.html", &()).unwrap_or_default();
                let rest = async move {
                    match main.await {
                        Ok(Main { html, later }) => later_parts(html, later),
                        Err(failure) => later_parts(problem::part(&app, &failure), stream::empty()),
                    }
                };
                let first = stream::iter([top + &slow]);
                respond(first.chain(stream::once(rest).flatten()), bottom)
            }
        }
    }

    fn top(&self) -> Result<String, PageError> {
        let frame = Frame {
            layout: &self.layout,
            bar: &self.bar,
        };
        fill(&self.app, "top.html", &frame)
    }

    fn bottom(&self) -> Result<String, PageError> {
        let frame = Frame {
            layout: &self.layout,
            bar: "",
        };
        fill(&self.app, "bottom.html", &frame)
    }
}

impl Main {
    /// Content that is there.
    pub(super) fn new(html: String) -> Self {
        Self {
            html,
            later: stream::empty().boxed(),
        }
    }

    /// And what comes after it.
    pub(super) fn then(self, later: impl Stream<Item = String> + Send + 'static) -> Self {
        Self {
            html: self.html,
            later: self.later.chain(later).boxed(),
        }
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A template filled in.
pub(super) fn fill(app: &App, template: &str, view: &impl Serialize) -> Result<String, PageError> {
    app.templates.render(template, view).map_err(|error| {
        error!(template, %error, "template not rendered");
        PageError::Template
    })
}

fn later_parts(
    html: String,
    later: impl Stream<Item = String> + Send + 'static,
) -> stream::BoxStream<'static, String> {
    stream::iter([html]).chain(later).boxed()
}

fn respond(parts: impl Stream<Item = String> + Send + 'static, bottom: String) -> Response {
    let parts = parts.chain(stream::once(future::ready(bottom)));
    let body = Body::from_stream(parts.map(|part| Ok::<_, Infallible>(Bytes::from(part))));
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}
