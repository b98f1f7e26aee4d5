//! The saved searches in the log's bar.

use std::time::Duration;

use serde::Serialize;

use super::address;
use crate::{app::App, pages::view::View};

/// The bar waits no longer for their names.
const PATIENCE: Duration = Duration::from_millis(200);
/// So many are listed; the page has the others.
const LISTED: usize = 20;

/// What the menu has.
#[derive(Debug, Serialize)]
pub(in crate::pages) struct Menu {
    /// None when the store has not told them in time.
    searches: Option<Vec<Entry>>,
    /// How many are not listed.
    more: usize,
    save_href: String,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    href: String,
    /// It is what is shown.
    is_here: bool,
}

impl Menu {
    /// For a view of the log.
    pub(in crate::pages) async fn new(app: &App, view: &View) -> Self {
        let here = view.first(&[]);
        let save_href = form_urlencoded::Serializer::new(String::new())
            .append_pair("view", &here)
            .finish();
        let searches = tokio::time::timeout(PATIENCE, app.store.saved_searches()).await;
        let searches = searches.ok().and_then(Result::ok);
        let more = searches
            .as_ref()
            .map_or(0, |searches| searches.len().saturating_sub(LISTED));
        let entries = searches.map(|searches| {
            let entries = searches.into_iter().take(LISTED).map(|search| {
                let href = address::href(&search.query);
                Entry {
                    name: search.name.into(),
                    is_here: href == here,
                    href,
                }
            });
            entries.collect()
        });
        Self {
            searches: entries,
            more,
            save_href: format!("/saved?{save_href}"),
        }
    }
}
