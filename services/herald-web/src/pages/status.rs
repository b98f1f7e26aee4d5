//! `/status`: how the store, its bridges and neelix are doing.

mod bridge;
mod neelix;

use std::time::Duration;

use axum::{
    extract::RawQuery,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use domain::{CountQuery, Micros, RecordFilter};
use proto::v1;
use serde::Serialize;
use tokio::time::timeout;

use super::{
    figure::{Figure, Rate, When, counted, grouped},
    layout::Layout,
    page::{Main, Page, fill},
    problem,
    sparkline::Sparkline,
};
use crate::{
    app::App,
    request::{KnownName, LimitRule, Parameters, Reader, read_count},
    store_client::{StoreClient, StoreError},
    utc,
};
use bridge::Bridge;
use neelix::Neelix;

const PATH: &str = "/status";
const KNOWN: &[&[KnownName]] = &[&[("refresh", "refresh")]];
/// Seconds after which a page can load itself anew.
const REFRESH: LimitRule = LimitRule {
    max: 3_600,
    hint: " seconds",
};
/// What is offered.
const CHOICES: [usize; 3] = [5, 15, 60];
/// How long the counts may take: without them, the rest is told.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the rate looks back, in minutes, one bar each.
const MINUTES: usize = 60;
const MINUTE_US: Micros = 60_000_000;

#[derive(Serialize)]
struct StatusPage {
    at: String,
    /// Only what is of somebody's systems is told.
    is_limited: bool,
    refreshes: Vec<Refresh>,
    records: Figure,
    newest_id: String,
    oldest: Option<When>,
    receiving: Option<Receiving>,
    database: Figure,
    free: Figure,
    wal: Figure,
    retention: Option<String>,
    limit: Option<Figure>,
    /// How full the database is, in percent of its limit.
    fill: Option<u64>,
    dead_letters: String,
    lost: String,
    blocks: String,
    small_blocks: String,
    /// Whether some cannot be read.
    damaged: Option<String>,
    bridges: Vec<Bridge>,
    /// None when the store does not tell in time.
    neelix: Option<Neelix>,
    started: Option<When>,
    version: &'static str,
    store_version: String,
}

/// A link to the page that loads itself anew at another pace.
#[derive(Serialize)]
struct Refresh {
    label: String,
    href: String,
    is_here: bool,
}

/// How many records have come lately.
#[derive(Serialize)]
struct Receiving {
    rate: Rate,
    minute: String,
    hour: String,
    sparkline: Sparkline,
}

/// `GET /status`
pub(crate) async fn show(app: App, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::read(query.as_deref(), KNOWN);
    let mut reader = Reader::new(&parameters);
    let refresh = reader.value("refresh", |text| read_count(text, REFRESH));
    if let Err(problem) = reader.finish() {
        let message = format!("{}: {problem}", problem.parameter);
        return problem::respond(&app, StatusCode::BAD_REQUEST, &message);
    }
    let page = Page::new(&app, Layout::new(&app, "Status").at(PATH));
    let mut response = page
        .when_ready(async move {
            let now = utc::now();
            let receiving = timeout(PATIENCE, receiving(&app.store, now));
            let glance = timeout(PATIENCE, app.store.glance());
            let (status, receiving, glance) = tokio::join!(app.store.status(), receiving, glance);
            let receiving = receiving.ok().and_then(Result::ok);
            let glance = glance.ok().and_then(Result::ok);
            let view = StatusPage {
                is_limited: app.who.systems().is_some(),
                neelix: glance.map(|glance| Neelix::new(&glance, now)),
                ..view(status?, receiving, refresh, now)
            };
            Ok(Main::new(fill(&app, "status.html", &view)?))
        })
        .await;
    if let Some(seconds) = refresh {
        let value = HeaderValue::from(seconds);
        response.headers_mut().insert(header::REFRESH, value);
    }
    response
}

/// Counts of whole minutes up to now.
async fn receiving(store: &StoreClient, now: Micros) -> Result<Receiving, StoreError> {
    let minutes = i64::try_from(MINUTES).expect("an hour");
    let counts = store
        .count(&CountQuery {
            filter: RecordFilter {
                from_us: Some(now - minutes * MINUTE_US),
                to_us: Some(now),
                ..RecordFilter::default()
            },
            buckets: MINUTES,
            ..CountQuery::default()
        })
        .await?;
    let counts: Vec<u64> = counts.buckets.iter().map(|bucket| bucket.records).collect();
    let last = counts.last().copied().unwrap_or(0);
    let highest = counts.iter().copied().max().unwrap_or(0);
    let label = format!(
        "Over the last hour: at most {} in a minute",
        grouped(highest)
    );
    Ok(Receiving {
        rate: Rate::new(last, 60),
        minute: grouped(last),
        hour: grouped(counts.iter().sum()),
        sparkline: Sparkline::new(&counts, label),
    })
}

fn view(
    status: v1::GetStatusResponse,
    receiving: Option<Receiving>,
    refresh: Option<usize>,
    now: Micros,
) -> StatusPage {
    let fill = status.database_bytes.saturating_sub(status.free_bytes);
    StatusPage {
        at: render::rfc3339(now)[..19].replace('T', " "),
        is_limited: false,
        refreshes: refreshes(refresh),
        records: Figure::records(status.records),
        newest_id: grouped(status.newest_id),
        oldest: (status.oldest_received_us > 0).then(|| When::new(status.oldest_received_us, now)),
        receiving,
        database: Figure::bytes(status.database_bytes),
        free: Figure::bytes(status.free_bytes),
        wal: Figure::bytes(status.wal_bytes),
        retention: (status.retention_s > 0)
            .then(|| utc::distance(status.retention_s.saturating_mul(1_000_000))),
        limit: (status.max_bytes > 0).then(|| Figure::bytes(status.max_bytes)),
        fill: percent(fill, status.max_bytes),
        dead_letters: grouped(status.dead_letters),
        lost: counted(status.lost, "frame"),
        blocks: grouped(status.blocks),
        small_blocks: grouped(status.small_blocks),
        damaged: (status.blocks_damaged > 0).then(|| counted(status.blocks_damaged, "block")),
        bridges: status
            .bridges
            .iter()
            .map(|bridge| Bridge::new(bridge, now))
            .collect(),
        neelix: None,
        started: (status.started_us > 0).then(|| When::new(status.started_us, now)),
        version: env!("CARGO_PKG_VERSION"),
        store_version: status.version,
    }
}

fn refreshes(refresh: Option<usize>) -> Vec<Refresh> {
    let off = Refresh {
        label: "off".to_owned(),
        href: PATH.to_owned(),
        is_here: refresh.is_none(),
    };
    let every = |seconds: usize| Refresh {
        label: format!("{seconds} s"),
        href: format!("{PATH}?refresh={seconds}"),
        is_here: refresh == Some(seconds),
    };
    let other = refresh.filter(|seconds| !CHOICES.contains(seconds));
    [off]
        .into_iter()
        .chain(CHOICES.into_iter().chain(other).map(every))
        .collect()
}

/// A part of a whole that has a size, rounded up: what is there is never shown as
/// nothing.
fn percent(part: u64, whole: u64) -> Option<u64> {
    if whole == 0 {
        return None;
    }
    let percent = (u128::from(part) * 100)
        .div_ceil(u128::from(whole))
        .min(100);
    u64::try_from(percent).ok()
}

#[cfg(test)]
mod tests {
    use super::{percent, refreshes};

    #[test]
    fn parts_are_never_shown_as_nothing_nor_as_more_than_all() {
        let check = |part, whole, expected| assert_eq!(percent(part, whole), expected);
        check(0, 0, None);
        check(0, 10, Some(0));
        check(1, 1_000_000, Some(1));
        check(50, 100, Some(50));
        check(u64::MAX, 1, Some(100));
    }

    #[test]
    fn another_pace_is_among_the_choices() {
        let labels = |refresh| -> Vec<_> {
            let shown = refreshes(refresh).into_iter();
            shown
                .map(|it| format!("{}{}", it.label, if it.is_here { "*" } else { "" }))
                .collect()
        };
        assert_eq!(labels(None), ["off*", "5 s", "15 s", "60 s"]);
        assert_eq!(labels(Some(15)), ["off", "5 s", "15 s*", "60 s"]);
        assert_eq!(labels(Some(7)), ["off", "5 s", "15 s", "60 s", "7 s*"]);
    }
}
