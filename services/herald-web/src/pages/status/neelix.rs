//! How neelix is doing.

use domain::Micros;
use serde::Serialize;

use crate::{
    pages::{
        figure::{When, counted, grouped},
        row::short,
    },
    store_client::Glance,
    utc,
};

/// How many errors are shown; the page of runs has the others.
const ERRORS: usize = 3;

/// neelix and what it has to tell.
#[derive(Debug, Serialize)]
pub(super) struct Neelix {
    last: Option<LastRun>,
    firing: String,
    unattended: String,
    waiting: String,
    failed: Option<String>,
}

/// The run that ended last.
#[derive(Debug, Serialize)]
struct LastRun {
    ended: When,
    took: String,
    interval: String,
    is_late: bool,
    holder: String,
    version: String,
    judged: String,
    errors: Vec<String>,
    more_errors: usize,
}

impl Neelix {
    pub(super) fn new(glance: &Glance, now: Micros) -> Self {
        let last = glance.last_run.as_ref().map(|run| {
            let ended = run.ended_us.unwrap_or(run.started_us);
            let took = ended.saturating_sub(run.started_us).max(0).unsigned_abs();
            LastRun {
                ended: When::new(ended, now),
                took: utc::distance(took),
                interval: utc::distance(glance.interval_s.saturating_mul(1_000_000)),
                is_late: glance.is_late,
                holder: short(&run.holder),
                version: short(&run.version),
                judged: counted(run.through_id.saturating_sub(run.after_id), "record"),
                errors: run.errors.iter().take(ERRORS).map(|it| short(it)).collect(),
                more_errors: run.errors.len().saturating_sub(ERRORS),
            }
        });
        Self {
            last,
            firing: grouped(glance.firing),
            unattended: grouped(glance.unattended),
            waiting: grouped(glance.waiting),
            failed: (glance.failed > 0).then(|| grouped(glance.failed)),
        }
    }
}
