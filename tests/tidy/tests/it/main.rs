//! The rules of this crate, applied to the tree.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use serde_json::Value;
use tidy::{crates, deployment, map, source, tree};

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(tree::root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn assert_none(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn crates_keep_their_boundaries() {
    let metadata = metadata();
    assert!(
        metadata["packages"].as_array().unwrap().len() > 8,
        "it saw the workspace"
    );
    assert_none(&crates::faults(&metadata));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let root = tree::root();
    let manifests = tree::files(&root).into_iter().filter(|path| {
        let is_below = path.starts_with("services/") || path.starts_with("tests/");
        path.ends_with("/Cargo.toml") && is_below
    });
    let is_without = |path: &String| {
        let text = tree::text(&root, path).unwrap();
        !text.contains("[lints]\nworkspace = true") && !text.contains("[lints.rust]")
    };
    assert_none(&manifests.filter(is_without).collect::<Vec<_>>());
}

#[test]
fn every_file_keeps_the_rules_of_the_house() {
    let root = tree::root();
    let files = tree::files(&root);
    assert!(
        files.contains(&"tests/tidy/tests/it/main.rs".to_owned()),
        "it saw the tree"
    );
    let faults = files.iter().flat_map(|path| {
        let text = tree::text(&root, path);
        text.map(|text| source::faults(path, &text))
            .unwrap_or_default()
    });
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn the_documents_name_only_what_is_there() {
    let root = tree::root();
    let files = tree::files(&root);
    let documents = files
        .iter()
        .filter(|path| path.ends_with(".md") && !path.contains("CHANGELOG"));
    let faults = documents.flat_map(|path| {
        let text = tree::text(&root, path).unwrap();
        let name = |name| format!("{path} names `{name}`, which is not there");
        map::missing(&text, &files)
            .into_iter()
            .map(name)
            .collect::<Vec<_>>()
    });
    assert_none(&faults.collect::<Vec<_>>());
}

#[test]
fn the_map_names_every_crate() {
    let root = tree::root();
    let text = tree::text(&root, "ARCHITECTURE.md").unwrap();
    let metadata = metadata();
    let names = metadata["packages"].as_array().unwrap().iter();
    let unnamed = names.filter_map(|package| {
        let name = package["name"].as_str().unwrap();
        let is_named = text.contains(&format!("`{name}`")) || text.contains(&format!("/{name}`"));
        (!is_named).then(|| format!("ARCHITECTURE.md does not name `{name}`"))
    });
    assert_none(&unnamed.collect::<Vec<_>>());
}

#[test]
fn every_file_is_where_the_tree_has_a_place_for_it() {
    let files = tree::files(&tree::root());
    assert_none(&tree::misplaced(&files));
    assert_eq!(tree::misplaced(&["notes/a.md".to_owned()]).len(), 1);
}

#[test]
fn the_chart_is_of_the_version_that_it_deploys() {
    let chart = tree::text(&tree::root(), "charts/herald/Chart.yaml").unwrap();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let store = packages.iter().find(|package| package["name"] == "store");
    let version = store.unwrap()["version"].as_str().unwrap();
    assert_none(&deployment::version_faults(&chart, version));
}

#[test]
fn what_deploys_sets_only_variables_that_are_documented() {
    let root = tree::root();
    let documented = tree::text(&root, "docs/configuration.md").unwrap();
    let files = tree::files(&root).into_iter();
    let deploying = files
        .filter(|path| path.starts_with("docker/") || path.starts_with("charts/herald/templates/"));
    let mut seen = 0;
    let faults = deploying.flat_map(|path| {
        seen += 1;
        let unknown =
            deployment::unknown_variables(&tree::text(&root, &path).unwrap(), &documented);
        let name = |name| format!("{path} sets {name}, which docs/configuration.md does not have");
        unknown.into_iter().map(name).collect::<Vec<_>>()
    });
    assert_none(&faults.collect::<Vec<_>>());
    assert!(seen > 20, "it saw the chart");
}
