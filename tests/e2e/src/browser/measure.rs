//! What the browser itself measures of a page.

use serde::Deserialize;
use serde_json::json;

use super::page::Page;

/// All entries of a kind that the browser has kept.
const ENTRIES: &str = "(async (kind, least = 0) => {
    const entries = [];
    const observer = new PerformanceObserver(list => entries.push(...list.getEntries()));
    observer.observe({type: kind, buffered: true, durationThreshold: 16});
    let frames = 0;
    do await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))));
    while (entries.length < least && ++frames < 200);
    entries.push(...observer.takeRecords());
    observer.disconnect();
    return entries;
})";

/// Shifts below this part of the window are not seen: a tenth of what is held to
/// be good.
const VISIBLE: f64 = 0.01;

/// Something that moved while the page was looked at.
#[derive(Debug, Deserialize)]
pub struct Shift {
    /// How much of the window it was, times how far.
    pub value: f64,
    /// The elements that moved.
    pub elements: Vec<String>,
}

/// When things were there, in milliseconds from the start of the navigation.
#[derive(Debug, Deserialize)]
pub struct Speed {
    /// The first byte of the answer.
    pub first_byte_ms: f64,
    /// The largest text or picture was painted.
    pub largest_paint_ms: f64,
    /// The document was complete.
    pub complete_ms: f64,
}

/// Time of the processor that the page's own thread has used, in milliseconds.
#[derive(Debug, Default, Clone, Copy)]
pub struct Work {
    /// In all.
    pub all_ms: f64,
    /// For its scripts.
    pub script_ms: f64,
    /// To find styles.
    pub style_ms: f64,
    /// To find places.
    pub layout_ms: f64,
}

impl Page {
    /// What the page has cost since it began, however busy the machine was with
    /// other things.
    ///
    /// # Panics
    /// When the browser does not tell.
    pub async fn work(&self) -> Work {
        let domain = json!({"timeDomain": "threadTicks"});
        self.call("Performance.enable", domain).await;
        let answer = self.call("Performance.getMetrics", json!({})).await;
        let metrics = answer["metrics"].as_array().expect("metrics");
        let ms = |name: &str| {
            let metric = metrics.iter().find(|metric| metric["name"] == name);
            metric
                .and_then(|metric| metric["value"].as_f64())
                .expect("a number")
                * 1e3
        };
        Work {
            all_ms: ms("TaskDuration"),
            script_ms: ms("ScriptDuration"),
            style_ms: ms("RecalcStyleDuration"),
            layout_ms: ms("LayoutDuration"),
        }
    }

    /// What moved without having been touched, since the page began, as far as
    /// anybody can see: fonts for rare letters come late and may move a line by a
    /// little.
    ///
    /// # Panics
    /// When the browser does not tell.
    pub async fn shifts(&self) -> Vec<Shift> {
        let script = format!(
            "({ENTRIES})('layout-shift').then(entries => entries.filter(it => !it.hadRecentInput && it.value >= {VISIBLE})
                .map(it => ({{value: it.value, elements: it.sources.map(source =>
                    (source.node?.outerHTML ?? source.node?.textContent ?? '').slice(0, 120))}})))"
        );
        serde_json::from_value(self.evaluate(&script).await).expect("shifts")
    }

    /// Fails when anything has moved by itself.
    ///
    /// # Panics
    /// With what has moved.
    pub async fn assert_still(&self) {
        let shifts = self.shifts().await;
        let url = self.url().await;
        assert!(shifts.is_empty(), "{url} moves by itself: {shifts:#?}");
    }

    /// How fast the page was there.
    ///
    /// # Panics
    /// When the browser does not tell.
    pub async fn speed(&self) -> Speed {
        let script = format!(
            "({ENTRIES})('largest-contentful-paint', 1).then(entries => {{
                const [navigation] = performance.getEntriesByType('navigation');
                return {{
                    first_byte_ms: navigation.responseStart,
                    largest_paint_ms: entries.at(-1).startTime,
                    complete_ms: navigation.loadEventEnd,
                }};
            }})"
        );
        serde_json::from_value(self.evaluate(&script).await).expect("a speed")
    }

    /// How long each input took, from the system to the paint after its handlers,
    /// in milliseconds; those that took less than 16 are not told.
    ///
    /// # Panics
    /// When the browser does not tell.
    pub async fn input_waits(&self) -> Vec<f64> {
        let script =
            format!("({ENTRIES})('event').then(entries => entries.map(it => it.duration))");
        serde_json::from_value(self.evaluate(&script).await).expect("times")
    }

    /// How long each of them waited for its handlers to begin, in milliseconds.
    ///
    /// # Panics
    /// When the browser does not tell.
    pub async fn input_delays(&self) -> Vec<f64> {
        let script = format!(
            "({ENTRIES})('event').then(entries => entries.map(it => it.processingStart - it.startTime))"
        );
        serde_json::from_value(self.evaluate(&script).await).expect("delays")
    }

    /// Every address that the page has asked for besides its own.
    ///
    /// # Panics
    /// When the browser does not tell.
    pub async fn requests(&self) -> Vec<String> {
        let script = "performance.getEntriesByType('resource').map(it => it.name)";
        serde_json::from_value(self.evaluate(script).await).expect("addresses")
    }
}
