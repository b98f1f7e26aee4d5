//! `/rejected`: frames that could not become records, and frames that were lost.

use std::collections::HashMap;

use axum::{extract::RawQuery, http::StatusCode, response::Response};
use domain::Micros;
use proto::v1;
use serde::Serialize;

use super::{
    figure::{Figure, When, counted, grouped},
    hexdump::{hexdump, text},
    layout::Layout,
    page::{Main, Page, fill},
    problem,
};
use crate::{
    app::App,
    request::{KnownName, Parameters, Reader, address, read_id},
    store_client::{StoreError, StoredDeadLetter},
    utc,
};

const PATH: &str = "/rejected";
const KNOWN: &[&[KnownName]] = &[&[("before", "before")]];
/// How many dead letters and gaps a page has; a letter has up to 64 KiB.
const LETTERS: u32 = 50;
const GAPS: u32 = 100;
/// How much of a frame is shown; the rest is in the API.
const SHOWN_BYTES: usize = 1_024;

#[derive(Serialize)]
struct RejectedPage {
    letters: Vec<Letter>,
    total: String,
    is_first: bool,
    older_href: Option<String>,
    gaps: Vec<Gap>,
    lost: String,
    has_lost: bool,
    is_more_gaps: bool,
}

#[derive(Serialize)]
struct Letter {
    id: u64,
    received: When,
    reason: String,
    peer: String,
    bridge: String,
    sequence: String,
    size: Figure,
    sha256: String,
    text: Option<String>,
    dump: String,
    /// How many bytes are shown, when that is not the whole frame.
    shown: Option<String>,
    json_href: String,
}

#[derive(Serialize)]
struct Gap {
    declared: When,
    bridge: String,
    first: String,
    last: String,
    count: String,
    reason: String,
}

/// `GET /rejected`
pub(crate) async fn show(app: App, RawQuery(query): RawQuery) -> Response {
    let parameters = Parameters::read(query.as_deref(), KNOWN);
    let mut reader = Reader::new(&parameters);
    let before = reader.value("before", read_id).unwrap_or(0);
    if let Err(problem) = reader.finish() {
        let message = format!("{}: {problem}", problem.parameter);
        return problem::respond(&app, StatusCode::BAD_REQUEST, &message);
    }
    let page = Page::new(&app, Layout::new(&app, "Rejected").at(PATH));
    page.when_ready(async move {
        let (status, (letters, next), gaps) = tokio::try_join!(
            app.store.status(),
            app.store.dead_letters(LETTERS, before),
            // One more tells whether there are more.
            gaps(&app, before),
        )?;
        let view = view(&status, &letters, next, &gaps, before, utc::now());
        Ok(Main::new(fill(&app, "rejected.html", &view)?))
    })
    .await
}

/// Gaps are on the first page.
async fn gaps(app: &App, before: u64) -> Result<Vec<v1::Gap>, StoreError> {
    match before {
        0 => app.store.gaps(GAPS + 1).await,
        _ => Ok(Vec::new()),
    }
}

fn view(
    status: &v1::GetStatusResponse,
    letters: &[StoredDeadLetter],
    next: Option<u64>,
    gaps: &[v1::Gap],
    before: u64,
    now: Micros,
) -> RejectedPage {
    let names: HashMap<&str, &str> = status
        .bridges
        .iter()
        .map(|bridge| (bridge.bridge_id.as_str(), bridge.name.as_str()))
        .collect();
    // A former run of a bridge is known by its identity only.
    let name = |id: &str| {
        let short = || id.split('-').next().unwrap_or(id).to_owned();
        names.get(id).map_or_else(short, |name| (*name).to_owned())
    };
    let next = next.map(|next| next.to_string());
    RejectedPage {
        letters: letters
            .iter()
            .map(|stored| Letter::new(stored, name(&stored.bridge_id), now))
            .collect(),
        total: counted(status.dead_letters, "frame"),
        is_first: before == 0,
        older_href: next
            .map(|next| address(PATH, &Parameters::default(), &[("before", Some(&next))])),
        gaps: gaps
            .iter()
            .take(GAPS as usize)
            .map(|gap| Gap {
                declared: When::new(gap.declared_us, now),
                bridge: name(&gap.bridge_id),
                first: grouped(gap.first_sequence),
                last: grouped(
                    gap.first_sequence
                        .saturating_add(gap.count.saturating_sub(1)),
                ),
                count: grouped(gap.count),
                reason: gap.reason.clone(),
            })
            .collect(),
        lost: counted(status.lost, "frame"),
        has_lost: status.lost > 0,
        is_more_gaps: gaps.len() > GAPS as usize,
    }
}

impl Letter {
    fn new(stored: &StoredDeadLetter, bridge: String, now: Micros) -> Self {
        let letter = &stored.letter;
        let head = &letter.head[..letter.head.len().min(SHOWN_BYTES)];
        let is_whole = head.len() as u64 >= letter.size_bytes;
        Self {
            id: letter.id,
            received: When::new(letter.received_us, now),
            reason: letter.reason.clone(),
            peer: letter.peer.clone(),
            bridge,
            sequence: grouped(stored.sequence),
            size: Figure::bytes(letter.size_bytes),
            sha256: letter
                .sha256
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            text: text(head),
            dump: hexdump(head),
            shown: (!is_whole).then(|| grouped(head.len() as u64)),
            json_href: format!(
                "/api/v1/dead_letters?limit=1&before={}",
                letter.id.saturating_add(1)
            ),
        }
    }
}
