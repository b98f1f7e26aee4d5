//! What a browser says about a page without having been asked.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use serde_json::Value;

use super::pipe::lock;

/// Complaints and events of a page so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    complaints: Mutex<Vec<String>>,
    /// Parts of complaints that the test wants.
    expected: Mutex<Vec<String>>,
    /// Documents shown, and changes of the address within one.
    navigations: AtomicU64,
}

impl Watch {
    /// Takes an event of the protocol.
    pub(super) fn note(&self, method: &str, params: &Value) {
        let complaint = match method {
            "Page.frameNavigated" if params["frame"]["parentId"].is_null() => {
                self.navigations.fetch_add(1, Ordering::Relaxed);
                None
            }
            "Page.navigatedWithinDocument" => {
                self.navigations.fetch_add(1, Ordering::Relaxed);
                None
            }
            "Page.javascriptDialogOpening" => Some(format!("a dialog: {}", params["message"])),
            "Runtime.exceptionThrown" => Some(exception(&params["exceptionDetails"])),
            "Runtime.consoleAPICalled" => match params["type"].as_str() {
                Some("error" | "warning" | "assert") => Some(format!("console: {params}")),
                _ => None,
            },
            "Log.entryAdded" => {
                let entry = &params["entry"];
                let is_bad = matches!(entry["level"].as_str(), Some("error" | "warning"));
                is_bad.then(|| format!("{} ({})", entry["text"], entry["url"]))
            }
            // Advice on what a browser fills into forms by itself.
            "Audits.issueAdded" if params["issue"]["code"] == "GenericIssue" => None,
            "Audits.issueAdded" => Some(format!("issue: {}", params["issue"])),
            _ => None,
        };
        lock(&self.complaints).extend(complaint);
    }

    /// How often the address has changed.
    pub(super) fn navigations(&self) -> u64 {
        self.navigations.load(Ordering::Relaxed)
    }

    /// Complaints that hold this text are wanted.
    pub(super) fn expect(&self, part: &str) {
        lock(&self.expected).push(part.to_owned());
    }

    /// Complaints that the test does not want.
    pub(super) fn complaints(&self) -> Vec<String> {
        let expected = lock(&self.expected);
        let is_wanted = |complaint: &&String| expected.iter().any(|part| complaint.contains(part));
        let complaints = lock(&self.complaints);
        complaints
            .iter()
            .filter(|it| !is_wanted(it))
            .cloned()
            .collect()
    }
}

/// What was thrown, and where.
pub(super) fn exception(details: &Value) -> String {
    let thrown = details["exception"]["description"]
        .as_str()
        .or(details["text"].as_str())
        .unwrap_or_default();
    let place = details["url"].as_str().unwrap_or_default();
    format!("{thrown} ({place}:{})", details["lineNumber"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Watch;

    #[test]
    fn only_what_was_not_expected_is_a_complaint() {
        let watch = Watch::default();
        watch.note(
            "Log.entryAdded",
            &json!({"entry": {"level": "info", "text": "a"}}),
        );
        watch.note("Runtime.consoleAPICalled", &json!({"type": "log"}));
        assert_eq!(watch.complaints(), Vec::<String>::new());
        watch.note(
            "Log.entryAdded",
            &json!({"entry": {"level": "error", "text": "status of 404"}}),
        );
        watch.note("Audits.issueAdded", &json!({"issue": {"code": "X"}}));
        assert_eq!(watch.complaints().len(), 2);
        watch.expect("404");
        assert_eq!(watch.complaints(), [r#"issue: {"code":"X"}"#]);
    }
}
