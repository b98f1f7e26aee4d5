//! What is counted of a view: over time, and by the values of its fields. The counts
//! come after the rows, at first perhaps of the newest records only; they say so.

use std::time::Duration;

use domain::{CountQuery, RecordFilter, TextField};
use futures::{Stream, stream};
use proto::v1;
use serde::Serialize;
use tracing::warn;

use super::{
    buckets,
    facets::{Facet, facets},
    histogram::Histogram,
};
use crate::{
    app::App,
    pages::{page::fill, row::grouped, view::View},
    store_client::{Counted, Counting, StoreError},
};

/// How many values of a field are shown.
pub(super) const SHOWN_VALUES: usize = 10;
/// When the first counts are shown, complete or not.
const FIRST: Duration = Duration::from_millis(250);
/// When waiting for better ones ends; the store's own deadline is earlier.
const LAST: Duration = Duration::from_secs(6);

/// The panel.
#[derive(Serialize)]
struct Panel {
    /// How many records pass.
    records: String,
    /// How much of the view has been looked at, when it is not all: percent.
    covered: Option<String>,
    /// There will be better counts.
    is_going_on: bool,
    /// How many records the disk has destroyed.
    damaged: Option<String>,
    histogram: Option<Histogram>,
    facets: Vec<Facet>,
}

#[derive(Serialize)]
struct PanelView {
    panel: Option<Panel>,
    /// Why there is none.
    problem: Option<&'static str>,
}

/// What to count for a view.
pub(super) fn question(filter: &RecordFilter, now: i64) -> CountQuery {
    CountQuery {
        filter: RecordFilter {
            // A range that is open ends now, so that bars have even widths.
            to_us: filter
                .to_us
                .or(filter.from_us.map(|from| now.max(from + 1))),
            ..filter.clone()
        },
        fields: TextField::CONTEXT.to_vec(),
        values_per_field: SHOWN_VALUES,
        buckets: buckets::count(filter.from_us, filter.to_us.unwrap_or(now)),
        ..CountQuery::default()
    }
}

/// The panel as it gets better: each one replaces the one before.
pub(super) fn panels(app: App, view: View, counting: Counting) -> impl Stream<Item = String> {
    let steps = [FIRST, LAST].into_iter();
    stream::unfold(Some((app, view, counting, steps)), async |state| {
        let (app, view, mut counting, mut steps) = state?;
        loop {
            let patience = steps.next()?;
            let (counted, is_going_on) = counting.within(patience).await;
            let Some(counted) = counted else {
                // Nothing yet: the room stays reserved.
                continue;
            };
            let html = panel(&app, &view, &counted, is_going_on);
            let rest = is_going_on.then_some((app, view, counting, steps));
            return Some((html, rest));
        }
    })
}

fn panel(app: &App, view: &View, counted: &Counted, is_going_on: bool) -> String {
    let view = match counted {
        Ok(counts) => PanelView {
            panel: Some(Panel::new(view, counts, is_going_on)),
            problem: None,
        },
        Err(failure) => {
            warn!(error = %failure, "no counts");
            PanelView {
                panel: None,
                problem: Some(match **failure {
                    StoreError::NoAnswer => "The store gave no counts in time.",
                    _ => "The store could not count these records.",
                }),
            }
        }
    };
    fill(app, "log/counts.html", &view).unwrap_or_default()
}

impl Panel {
    fn new(view: &View, counts: &v1::CountRecordsResponse, is_going_on: bool) -> Self {
        let coverage = counts.coverage.unwrap_or_default();
        Self {
            records: grouped(counts.records),
            covered: (!counts.complete).then(|| percent(&coverage)),
            is_going_on: is_going_on && !counts.complete,
            damaged: (coverage.damaged_records > 0).then(|| grouped(coverage.damaged_records)),
            histogram: Histogram::new(view, counts),
            facets: facets(view, counts),
        }
    }
}

/// How much of what there is was looked at; never 100 when it is not all.
pub(in crate::pages) fn percent(coverage: &v1::Coverage) -> String {
    let total = coverage.records_total.max(1);
    let tenths = coverage.records_covered.saturating_mul(1_000) / total;
    match tenths {
        0..10 => "less than 1 %".to_owned(),
        tenths => format!("{} %", tenths.min(999) / 10),
    }
}

#[cfg(test)]
mod tests {
    use proto::v1::Coverage;

    use super::percent;

    #[test]
    fn a_part_is_never_everything() {
        let check = |records_covered, records_total, expected: &str| {
            let coverage = Coverage {
                records_covered,
                records_total,
                ..Coverage::default()
            };
            assert_eq!(percent(&coverage), expected);
        };
        check(0, 0, "less than 1 %");
        check(1, 1_000, "less than 1 %");
        check(437, 1_000, "43 %");
        check(9_999_999, 10_000_000, "99 %");
        check(10_000_000, 10_000_000, "99 %");
    }
}
