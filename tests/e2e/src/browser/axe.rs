//! Whether everybody can use a page, as far as axe-core can tell.

use std::{fs, path::PathBuf, sync::OnceLock};

use serde_json::Value;

use super::page::Page;

const RUN: &str = "axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    resultTypes: ['violations'],
}).then(result => result.violations.map(it => ({
    rule: it.id, help: it.help,
    nodes: it.nodes.slice(0, 5).map(node => ({html: node.html.slice(0, 300), why: node.failureSummary})),
})))";

impl Page {
    /// Fails when axe finds anything.
    ///
    /// # Panics
    /// With what it finds, or when `tests/run prepare` has not installed it.
    pub async fn assert_accessible(&self, what: &str) {
        let violations = self.violations().await;
        assert!(
            violations.is_empty(),
            "{what}: {:#}",
            Value::from(violations)
        );
    }

    /// What axe finds.
    ///
    /// # Panics
    /// When `tests/run prepare` has not installed axe.
    pub async fn violations(&self) -> Vec<Value> {
        if self.evaluate("typeof axe").await == "undefined" {
            self.evaluate(&format!("{}; true", source())).await;
        }
        match self.evaluate(RUN).await {
            Value::Array(violations) => violations,
            other => panic!("axe says {other}"),
        }
    }
}

fn source() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let path = tests.join("node_modules/axe-core/axe.min.js");
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}: `tests/run prepare`", path.display()))
    })
}
