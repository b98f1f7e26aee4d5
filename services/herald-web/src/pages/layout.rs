//! What every page has around its content.

use domain::{Micros, Stage};
use serde::Serialize;

use super::figure::{counted, grouped};
use crate::{
    access::{Known, Role, Way, Who},
    app::App,
    store_client::Glance,
    utc,
};

const ALERTS: &str = "/alerts";
/// For operators only.
const AUDIT: &str = "/audit";
/// What is of no system; who sees some systems only is not shown it.
const REJECTED: &str = "/rejected";
/// The pages that the header leads to.
const NAVIGATION: &[(&str, &str)] = &[
    ("/", "Log"),
    ("/systems", "Systems"),
    ("/exceptions", "Exceptions"),
    (ALERTS, "Alerts"),
    (REJECTED, "Rejected"),
    ("/status", "Status"),
    (AUDIT, "Audit"),
    ("/help", "Help"),
];

/// The frame of a page.
#[derive(Debug, Serialize)]
pub(super) struct Layout {
    title: String,
    stage: &'static str,
    stage_class: &'static str,
    navigation: Vec<Entry>,
    stylesheet: String,
    script: String,
    /// What `script` imports.
    modules: Vec<String>,
    icon: String,
    version: &'static str,
    /// The class of `<main>`.
    style: &'static str,
    /// What everybody is to know.
    warnings: Vec<Warning>,
    /// Who is signed in.
    account: Option<Account>,
    /// Whether somebody who is not could be.
    signin: bool,
}

#[derive(Debug, Serialize)]
struct Account {
    name: String,
    role: &'static str,
    /// Which systems this person sees; none for all.
    systems: Option<String>,
    /// For the form to sign out; none where there is no session.
    token: Option<String>,
}

/// Something is not well with alerts themselves.
#[derive(Debug, Serialize)]
struct Warning {
    text: String,
    href: &'static str,
    link: &'static str,
}

#[derive(Debug, Serialize)]
struct Entry {
    href: &'static str,
    label: &'static str,
    is_here: bool,
    /// How many alerts go on, and how many of them nobody knows of.
    firing: Option<Firing>,
}

#[derive(Debug, Serialize)]
struct Firing {
    count: String,
    is_attended: bool,
}

impl Layout {
    /// `title` must be a text of ours, not of a record.
    pub(super) fn new(app: &App, title: impl Into<String>) -> Self {
        let (stage_class, colour) = look(app.stage);
        let entry = |(href, label): &(&'static str, &'static str)| Entry {
            href,
            label,
            is_here: false,
            firing: None,
        };
        Self {
            title: title.into(),
            stage: app.stage.name(),
            stage_class,
            navigation: NAVIGATION
                .iter()
                .filter(|(href, _)| match *href {
                    AUDIT => may_audit(&app.who),
                    REJECTED => app.who.systems().is_none(),
                    _ => true,
                })
                .map(entry)
                .collect(),
            stylesheet: app.assets.stylesheet(),
            script: app.assets.script(),
            modules: app.assets.modules(),
            icon: format!(
                "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
                 %3Crect width='16' height='16' rx='3' fill='%23{colour}'/%3E\
                 %3Cpath d='M3.5 4.5h9M3.5 8h6M3.5 11.5h7.5' stroke='%23fff' stroke-width='1.6'/%3E%3C/svg%3E"
            ),
            version: env!("CARGO_PKG_VERSION"),
            style: "",
            warnings: Vec::new(),
            account: app.who.known().map(account),
            signin: matches!(app.who, Who::Nobody) && app.access.is_on(),
        }
    }

    /// With what there is to say of alerts.
    pub(super) fn telling(mut self, glance: Option<&Glance>, now: Micros) -> Self {
        // How alerts stand is not for who has not signed in.
        let Some(glance) = glance.filter(|_| !self.signin) else {
            return self;
        };
        for entry in &mut self.navigation {
            entry.firing = (entry.href == ALERTS && glance.firing > 0).then(|| Firing {
                count: grouped(glance.firing),
                is_attended: glance.unattended == 0,
            });
        }
        self.warnings = warnings(glance, now);
        self
    }

    /// Gives `<main>` a class.
    pub(super) fn styled(self, style: &'static str) -> Self {
        Self { style, ..self }
    }

    /// Marks the page's entry in the navigation.
    pub(super) fn at(mut self, href: &str) -> Self {
        for entry in &mut self.navigation {
            entry.is_here = entry.href == href;
        }
        self
    }
}

/// Whether the audit log is for somebody.
fn may_audit(who: &Who) -> bool {
    match who {
        Who::Anybody => true,
        Who::Nobody => false,
        Who::Known(known) => known.role >= Role::Operator && known.systems.is_none(),
    }
}

fn account(known: &Known) -> Account {
    Account {
        name: known.name.clone(),
        role: known.role.name(),
        systems: known.systems.as_ref().map(ToString::to_string),
        token: match &known.way {
            Way::Session(session) => Some(session.form_token.clone()),
            Way::Proxy { .. } | Way::Token { .. } => None,
        },
    }
}

fn warnings(glance: &Glance, now: Micros) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if glance.is_late {
        let interval = utc::distance(glance.interval_s.saturating_mul(1_000_000));
        let judged = match glance.judged_us {
            Some(judged) => {
                let age = now.saturating_sub(judged).max(0).unsigned_abs();
                let age = utc::distance(age / 1_000_000 * 1_000_000);
                format!("it judged the rules last {age} ago and should every {interval}")
            }
            None => format!("it has never judged the rules and should every {interval}"),
        };
        warnings.push(Warning {
            text: format!("neelix is late: {judged}, so nobody looks after them now"),
            href: "/alerts/runs",
            link: "its runs",
        });
    }
    if glance.failed > 0 {
        warnings.push(Warning {
            text: format!(
                "{} of alerts that go on could not be delivered",
                counted(glance.failed, "message")
            ),
            href: "/alerts#undelivered",
            link: "which and why",
        });
    }
    warnings
}

/// A stage's class in the stylesheet and the colour of its icon.
fn look(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Testing => ("testing", "6b4fbb"),
        Stage::Development => ("development", "1f6fb2"),
        Stage::Integration => ("integration", "0f766e"),
        Stage::Production => ("production", "b3141d"),
    }
}
