//! What people with a browser wait for: pages of a large store, many who look at
//! once, and a record on its way from a program to a screen.

mod bytes;
mod crowd;
mod tailing;

use e2e::browser::Browser;
use testkit::{Installation, Process};

use crate::{
    lines::Lines,
    report::{Report, Target},
    search,
};

/// Records a second that come in while a crowd looks: a busy hour, and more than
/// anybody reads, so that each of the crowd gets samples.
const QUIET: u64 = 100;
const FLOOD: u64 = 5_000;
/// How often a page is opened.
const ROUNDS: usize = 20;

/// Fills a store and looks at it; one with a tenth of the records is for the crowd.
///
/// # Errors
/// When the store refuses a question or herald-web has no page.
pub(crate) async fn run(lines: &Lines, records: u64, report: &mut Report) -> anyhow::Result<()> {
    let installation = Installation::new();
    let (store, web) = filled(&installation, lines, records).await;
    bytes::run(&installation, report).await?;
    paints(&installation, report).await;
    drop((store, web));
    for per_second in [QUIET, FLOOD] {
        let installation = Installation::new();
        let (_store, web) = filled(&installation, lines, records / 10).await;
        crowd::run(&installation, &web, lines, per_second, report).await?;
    }
    tailing::run(lines, report).await;
    Ok(())
}

/// A store and the pages of so many records.
async fn filled(installation: &Installation, lines: &Lines, records: u64) -> (Process, Process) {
    let store = installation.store().await;
    search::fill(lines, records, &installation.store_url()).await;
    search::settle(installation).await;
    (store, installation.web().await)
}

/// When the largest thing is painted, for somebody who comes for the first time.
async fn paints(installation: &Installation, report: &mut Report) {
    let browser = Browser::start().await;
    let views = [
        ("the log", "/"),
        ("errors of an hour", "/?level=ERROR&from=-1h"),
        ("a word", "/?q=error"),
    ];
    for (what, path) in views {
        let mut paints = Vec::new();
        let mut complete = Vec::new();
        for _ in 0..ROUNDS {
            let page = browser.page().await;
            page.open(&(installation.web_url() + path)).await;
            let speed = page.speed().await;
            paints.push(speed.largest_paint_ms);
            complete.push(speed.complete_ms);
            page.close().await;
        }
        paints.sort_by(f64::total_cmp);
        complete.sort_by(f64::total_cmp);
        let middle = paints[ROUNDS / 2];
        let most = Target::AtMost(300.0);
        report.hold(format!("largest paint of {what}, p50"), middle, "ms", most);
        let worst = paints[ROUNDS - 1];
        report.add(format!("largest paint of {what}, worst"), worst, "ms");
        let middle = complete[ROUNDS / 2];
        report.add(format!("all of {what} is there, p50"), middle, "ms");
    }
}
