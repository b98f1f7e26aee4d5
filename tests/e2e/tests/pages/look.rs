//! How every page looks: at every width, light and dark, for every eye.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use e2e::{alerts, api, audit, browser::Page, site::Site};
use serde_json::Value;

use crate::places;

const WIDTHS: [(u32, u32); 3] = [(1_400, 900), (900, 1_000), (390, 844)];

/// Pictures that documents show, and their files there.
const SHOWN: [(&str, &str); 5] = [
    ("log-1400-light", "log.png"),
    ("opened-390-dark", "narrow.png"),
    ("systems-1400-dark", "systems.png"),
    ("status-1400-light", "status.png"),
    ("firing-1400-light", "alerts.png"),
];

/// Every page, and views of it that look otherwise.
fn views(error: &str) -> Vec<(&'static str, String)> {
    let mut views = places(error);
    views.extend(
        [
            (
                "filtered",
                "/?level=WARNING&system_id=payments&from=-1d&q=bank",
            ),
            ("tail", "/?tail=1&level=WARNING&limit=12"),
            ("nothing", "/?q=unobtainium"),
            ("wrong", "/?limit=many&q=a+OR"),
            ("missing", "/nowhere"),
        ]
        .map(|(name, path)| (name, path.to_owned())),
    );
    views
}

#[tokio::test]
async fn every_page_is_whole_at_every_width_and_for_everybody() {
    let (site, _) = Site::bakery().await;
    let errors = api::all(&site.herald.web_url(), "q=%22order+4711+failed%22").await;
    let error = errors[0]["id"].to_string();
    let faults = look_at(&site, views(&error)).await;
    assert_eq!(faults, "");
}

#[tokio::test]
async fn what_neelix_found_is_whole_at_every_width_and_for_everybody() {
    let site = Site::judged().await;
    let found = [
        ("firing", "/alerts"),
        ("found", "/alerts/1"),
        ("silent", "/alerts/3"),
        ("written", "/alerts/rules"),
        ("expected", "/systems"),
        ("watched", "/status"),
        ("warned", "/"),
        ("unsigned", "/alerts/1/silence?for=1h"),
        ("unread", "/record/1/rule?msg=a+%25"),
    ];
    let faults = look_at(&site, found.map(|(name, path)| (name, path.to_owned()))).await;
    assert_eq!(faults, "");
    site.run(alerts::calmed).await;
    let calmed = [
        ("calmed", "/alerts"),
        ("ended", "/alerts/1"),
        ("ran", "/alerts/runs"),
    ];
    let faults = look_at(&site, calmed.map(|(name, path)| (name, path.to_owned()))).await;
    assert_eq!(faults, "");
}

#[tokio::test]
async fn who_has_changed_what_is_whole_at_every_width_and_for_everybody() {
    let site = Site::judged().await;
    audit::deeds(&site.herald.store_url()).await;
    let audited = [
        ("audited", "/audit"),
        (
            "audited-by",
            "/audit?who=anna&action=search_renamed&from=-7d",
        ),
        ("audited-none", "/audit?who=nobody"),
    ];
    let faults = look_at(&site, audited.map(|(name, path)| (name, path.to_owned()))).await;
    assert_eq!(faults, "");
}

#[tokio::test]
async fn a_new_herald_is_whole_at_every_width_and_for_everybody() {
    let site = Site::empty().await;
    let empty = [
        ("new", "/"),
        ("new-tail", "/?tail=1"),
        ("new-systems", "/systems"),
    ];
    let faults = look_at(&site, empty.map(|(name, path)| (name, path.to_owned()))).await;
    assert_eq!(faults, "");
}

/// Pictures of each in every width and both schemes; and what is wrong with them.
async fn look_at(site: &Site, views: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let folder = pictures();
    let documents = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/images");
    let mut faults = Vec::new();
    for (name, path) in views {
        let page = site.browser.page().await;
        for status in ["400", "403", "404"] {
            page.expect_complaint(&format!("status of {status}"));
        }
        page.dark(false).await;
        page.open(&site.url(&path)).await;
        faults.extend(
            page.shifts()
                .await
                .iter()
                .map(|it| format!("{name}: {it:?}")),
        );
        assert_own_requests(&page, &site.herald.web_url()).await;
        for is_dark in [false, true] {
            page.dark(is_dark).await;
            let scheme = if is_dark { "dark" } else { "light" };
            for (width, height) in WIDTHS {
                page.size(width, height).await;
                let what = format!("{name}-{width}-{scheme}");
                faults.extend(breaks(&page).await.iter().map(|it| format!("{what}: {it}")));
                if width != 900 {
                    let found = page.violations().await;
                    faults.extend(found.iter().map(|it| format!("{what}: {it:#}")));
                }
                let picture = page.picture().await;
                assert!(picture.len() > 8_000, "{what} is blank");
                if env::var_os("UPDATE_PICTURES").is_some()
                    && let Some((_, name)) = SHOWN.iter().find(|(shown, _)| *shown == what)
                {
                    fs::write(documents.join(name), &picture).unwrap();
                }
                fs::write(folder.join(format!("{what}.png")), picture).unwrap();
            }
        }
    }
    faults.join("\n")
}

/// What sticks out, lies over or under the header, or is not there.
async fn breaks(page: &Page) -> Vec<Value> {
    let breaks = page
        .evaluate(
            "(() => {
                const faults = [];
                const header = document.querySelector('header').getBoundingClientRect();
                const main = document.querySelector('main').getBoundingClientRect();
                if (main.top < header.bottom - 0.5) faults.push(`main at ${main.top} below ${header.bottom}`);
                for (const part of document.querySelectorAll('header a, header strong')) {
                    const box = part.getBoundingClientRect();
                    if (box.width === 0) continue;
                    const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                    if (box.top < innerHeight && !part.contains(hit) && !hit?.contains(part) && !part.classList.contains('skip'))
                        faults.push(`${part.outerHTML} is covered by ${hit?.outerHTML.slice(0, 100)}`);
                }
                if (document.querySelector('main').innerText.trim().length < 20) faults.push('nothing in main');
                return faults;
            })()",
        )
        .await;
    let mut breaks = breaks.as_array().unwrap().clone();
    breaks.extend(page.overflow().await.map(Value::from));
    breaks
}

async fn assert_own_requests(page: &Page, own: &str) {
    let requests = page.requests().await;
    let is_foreign = |it: &&String| !it.starts_with(own) && !it.starts_with("data:");
    let foreign: Vec<_> = requests.iter().filter(is_foreign).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

/// Where the pictures are put.
fn pictures() -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = temporary.parent().expect("target").join("pictures");
    fs::create_dir_all(&folder).unwrap();
    folder
}
