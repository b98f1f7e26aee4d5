//! `/saved`: views of the log with a name. What can be done with them is done by
//! forms; a problem is shown at its form, with what was typed.

mod address;
mod edit;
mod menu;

use axum::{
    extract::RawQuery,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use domain::SavedSearch;
use serde::Serialize;

use super::{
    form::Visitor,
    layout::Layout,
    page::{Main, Page, PageError, fill},
    problem,
};
use crate::app::App;
use address::Detail;
pub(crate) use edit::{delete, rename, save};
pub(super) use menu::Menu;

#[derive(Serialize)]
struct SavedView {
    /// None when the store does not tell.
    searches: Option<Vec<Search>>,
    forms: Forms,
    /// Why nothing can be changed here.
    why_read_only: Option<String>,
    token: String,
}

#[derive(Serialize)]
struct Search {
    name: String,
    href: String,
    summary: Vec<Detail>,
    /// When it was changed last, to the minute and exactly.
    updated: String,
    updated_iso: String,
    /// Just saved.
    is_fresh: bool,
    /// How its change stands, when that has a problem.
    change: Option<ChangeForm>,
}

/// The forms as they are filled in.
#[derive(Debug, Default, Serialize)]
struct Forms {
    save: SaveForm,
    /// A problem that is at no form.
    problem: Option<String>,
    #[serde(skip)]
    change: Option<ChangeForm>,
    /// The name that has just been saved.
    #[serde(skip)]
    fresh: Option<String>,
}

/// Saves a view.
#[derive(Debug, Default, Serialize)]
struct SaveForm {
    name: String,
    view: String,
    /// What the view shows, as far as it is one.
    summary: Vec<Detail>,
    name_problem: Option<String>,
    view_problem: Option<String>,
    /// The name is taken: this view can have it instead.
    can_overwrite: bool,
}

/// Renames one.
#[derive(Debug, Clone, Serialize)]
struct ChangeForm {
    #[serde(skip)]
    name: String,
    new_name: String,
    problem: String,
}

impl SaveForm {
    /// For the view at an address.
    fn of(view: &str) -> Self {
        Self {
            view: view.to_owned(),
            summary: address::read(view).map_or_else(|_| Vec::new(), |query| query.details()),
            ..Self::default()
        }
    }
}

/// Somebody who looks at the page.
struct Visit {
    app: App,
    visitor: Visitor,
}

/// `GET /saved`
pub(crate) async fn show(
    app: App,
    uri: Uri,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let mut forms = Forms::default();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "view" => forms.save = SaveForm::of(&value),
            "saved" => forms.fresh = Some(value.into_owned()),
            _ => {}
        }
    }
    let visit = Visit::new(&app, &uri, &headers);
    let cookie = visit.visitor.token.cookie.clone();
    let page = Page::new(&app, layout(&app));
    let response = page.when_ready(async move {
        let searches = visit.app.store.saved_searches().await?;
        visit.main(Some(searches), forms).map(Main::new)
    });
    Visitor::with_cookie(cookie, response.await)
}

fn layout(app: &App) -> Layout {
    Layout::new(app, "Saved searches").styled("saved")
}

impl Visit {
    fn new(app: &App, uri: &Uri, headers: &HeaderMap) -> Self {
        Self {
            app: app.clone(),
            visitor: Visitor::new(app, uri, headers),
        }
    }

    /// The page with forms that have problems.
    async fn again(self, status: StatusCode, forms: Forms) -> Response {
        let searches = self.app.store.saved_searches().await.ok();
        let page = Page::new(&self.app, layout(&self.app));
        match self.main(searches, forms) {
            Ok(main) => page.whole(status, &main),
            Err(failure) => problem::respond_to(&self.app, &failure),
        }
    }

    fn main(
        &self,
        searches: Option<Vec<SavedSearch>>,
        mut forms: Forms,
    ) -> Result<String, PageError> {
        let change = forms.change.take();
        let fresh = forms.fresh.take();
        let search = |search: SavedSearch| {
            let updated_iso = render::rfc3339(search.updated_us);
            let is = |name: &str| search.name.as_str() == name;
            Search {
                href: address::href(&search.query),
                summary: address::details(&search.query),
                updated: updated_iso[..16].replace('T', " "),
                updated_iso,
                is_fresh: fresh.as_deref().is_some_and(is),
                change: change.clone().filter(|change| is(&change.name)),
                name: search.name.into(),
            }
        };
        let view = SavedView {
            searches: searches.map(|searches| searches.into_iter().map(search).collect()),
            forms,
            why_read_only: self.visitor.why_read_only.clone(),
            token: self.visitor.token.value().to_owned(),
        };
        fill(&self.app, "saved.html", &view)
    }
}
