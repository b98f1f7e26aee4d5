//! A Herald with something to look at, and a browser to look with.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::{Entry, Micros, RunState};
use testkit::{Installation, Process};

use crate::{
    alerts::{self, Findings},
    appender::append,
    bakery,
    browser::{Browser, Page},
};

/// Everything a story at the pages needs.
#[derive(Debug)]
pub struct Site {
    /// Its folder and ports.
    pub herald: Installation,
    /// Store, herald-web and bridge, each a process of its own.
    pub store: Process,
    /// The pages.
    pub web: Process,
    /// For programs that log.
    pub bridge: Process,
    /// To look with.
    pub browser: Browser,
}

impl Site {
    /// Services that know of nothing yet.
    pub async fn empty() -> Self {
        Self::of(Installation::new()).await
    }

    /// The services of this installation.
    pub async fn of(herald: Installation) -> Self {
        let store = herald.store().await;
        let bridge = herald.bridge().await;
        let web = herald.web().await;
        Self {
            store,
            web,
            bridge,
            browser: Browser::start().await,
            herald,
        }
    }

    /// Services that keep the bakery's last day; and when the bank was gone.
    pub async fn bakery() -> (Self, Micros) {
        let site = Self::empty().await;
        let bakery = bakery::day(now_us());
        site.keep(bakery.entries).await;
        (site, bakery.incident_us)
    }

    /// The same, when neelix has looked at it.
    pub async fn judged() -> Self {
        let (site, incident_us) = Self::bakery().await;
        site.run(|state| alerts::bakery(state, incident_us, None))
            .await;
        site
    }

    /// A run of neelix that finds this.
    pub async fn run(&self, find: impl FnOnce(&RunState) -> Findings) {
        alerts::run(&self.herald.store_url(), find).await;
    }

    /// Puts entries into the store.
    pub async fn keep(&self, entries: impl IntoIterator<Item = Entry>) {
        append(&self.herald.store_url(), entries).await;
    }

    /// The whole address of a path such as `/?level=ERROR`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.herald.web_url() + path
    }

    /// A new tab that shows a path.
    pub async fn page(&self, path: &str) -> Page {
        let page = self.browser.page().await;
        page.open(&self.url(path)).await;
        page
    }
}

/// Now, in microseconds since 1970.
///
/// # Panics
/// When the clock says it is earlier than that.
#[must_use]
pub fn now_us() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = since.expect("after 1970").as_micros();
    Micros::try_from(micros).expect("before the year 294,000")
}
