//! Every control of every page: by mouse, by keyboard alone, and without scripts
//! where it makes sense.

mod alerts;
mod keys;
mod lists;
mod log;
mod record;
mod saved;

use e2e::{
    browser::{Page, Target},
    site::Site,
};

/// How somebody uses a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// With a mouse.
    Mouse,
    /// With the Tab key and Enter.
    Keyboard,
    /// With a mouse and without scripts.
    Plain,
}

impl Way {
    const ALL: [Self; 3] = [Self::Mouse, Self::Keyboard, Self::Plain];

    /// A tab that is used so.
    async fn page(self, site: &Site) -> Page {
        let page = site.browser.page().await;
        if self == Self::Plain {
            page.scripts(false).await;
        }
        page
    }

    /// Uses a link, a button or a summary.
    async fn activate(self, page: &Page, target: Target<'_>) {
        if self == Self::Keyboard {
            page.tab_to(target).await;
            page.press("Enter").await;
        } else {
            page.click(target).await;
        }
    }
}

/// A control, and what is true when it has been used.
struct Control {
    /// Where it stands.
    at: String,
    /// The menu in which it is.
    menu: Option<Target<'static>>,
    target: Target<'static>,
    /// The link that leads near it, for the keyboard.
    skip: Option<Target<'static>>,
    /// An expression in the page.
    then: String,
    needs_scripts: bool,
}

impl Control {
    /// Leads to an address that holds this.
    fn leads(at: &str, target: impl Into<Target<'static>>, address: &str) -> Self {
        let then = format!("decodeURIComponent(location.href).includes('{address}')");
        Self::does(at, target, &then)
    }

    /// Makes something true in the page that is shown then.
    fn does(at: &str, target: impl Into<Target<'static>>, then: &str) -> Self {
        Self {
            at: at.to_owned(),
            menu: None,
            target: target.into(),
            skip: None,
            then: then.to_owned(),
            needs_scripts: false,
        }
    }

    /// Is in a menu, which is opened before.
    fn in_menu(self, menu: &'static str) -> Self {
        Self {
            menu: Some(Target::Css(menu)),
            ..self
        }
    }

    /// Stands behind the records, which the keyboard skips.
    fn past_the_records(self) -> Self {
        Self {
            skip: Some(Target::Named("link", "Skip past the records")),
            ..self
        }
    }

    /// Is there with scripts only.
    fn with_scripts(self) -> Self {
        Self {
            needs_scripts: true,
            ..self
        }
    }
}

/// Uses each of them in each way.
async fn use_all(site: &Site, controls: &[Control]) {
    for way in Way::ALL {
        let page = way.page(site).await;
        // JSON names no icon, so the browser looks for one.
        page.expect_complaint("favicon.ico");
        for control in controls {
            page.open(&site.url(&control.at)).await;
            let what = format!("{} of {} by {way:?}", control.target, control.at);
            if control.needs_scripts && way == Way::Plain {
                assert!(!page.has(control.target).await, "{what} does nothing");
                continue;
            }
            if way == Way::Keyboard
                && let Some(skip) = control.skip
            {
                way.activate(&page, skip).await;
            }
            if let Some(menu) = control.menu {
                way.activate(&page, menu).await;
            }
            let before = page.holds(&control.then).await;
            assert!(!before, "{what}: true before it is used: {}", control.then);
            way.activate(&page, control.target).await;
            page.until(&what, &control.then).await;
            page.loaded().await;
        }
        assert_eq!(page.complaints(), Vec::<String>::new(), "{way:?}");
    }
}
