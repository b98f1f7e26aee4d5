//! Which crate may depend on which.

use serde_json::Value;

/// The services themselves, which only the launcher and the tests may use.
const SERVICES: [&str; 4] = ["bridge", "store", "herald-web", "neelix-cronjob"];

/// Crates from outside, each with the only crate of ours that may use it.
const OWNERS: [(&str, &str); 4] = [
    ("sqlx", "store"),
    ("libsqlite3-sys", "store"),
    ("rusqlite", "store"),
    ("lettre", "neelix-cronjob"),
];

/// Forbidden dependencies in the answer of `cargo metadata --no-deps`, each as
/// one sentence.
///
/// # Panics
/// The JSON is not that answer.
#[must_use]
pub fn faults(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"]
        .as_array()
        .expect("`packages` is a list");
    let tests = format!("{}/tests/", text(&metadata["workspace_root"]));
    let of_package = |package| package_faults(package, &tests);
    packages.iter().flat_map(of_package).collect()
}

fn package_faults(package: &Value, tests: &str) -> Vec<String> {
    let name = text(&package["name"]);
    let is_test_crate = text(&package["manifest_path"]).starts_with(tests);
    let dependencies = package["dependencies"]
        .as_array()
        .expect("`dependencies` is a list");
    let mut faults = Vec::new();
    for dependency in dependencies {
        let used = text(&dependency["name"]);
        let is_ours = dependency["path"].is_string();
        let is_dev = dependency["kind"] == "dev";
        let owner = OWNERS.iter().find(|(outside, _)| *outside == used);
        if let Some((_, owner)) = owner.filter(|(_, owner)| *owner != name) {
            faults.push(format!("{name} uses {used}, which only {owner} may"));
        }
        let is_allowed =
            is_test_crate || may_use(name, used) || (is_dev && may_use_in_tests(name, used));
        if is_ours && !is_allowed {
            faults.push(format!("{name} must not depend on {used}"));
        }
    }
    faults
}

fn may_use(name: &str, used: &str) -> bool {
    match name {
        "domain" | "runtime" => false,
        "query" | "render" => used == "domain",
        "proto" => matches!(used, "domain" | "query"),
        "testkit" => is_base(used),
        "herald" => is_base(used) || used == "render" || SERVICES.contains(&used),
        "herald-web" | "neelix-cronjob" => is_base(used) || used == "render",
        _ => SERVICES.contains(&name) && is_base(used),
    }
}

fn may_use_in_tests(name: &str, used: &str) -> bool {
    let is_testkit = used == "testkit";
    (is_testkit && (matches!(name, "herald" | "render") || SERVICES.contains(&name)))
        || (name == "render" && used == "query")
}

fn is_base(name: &str) -> bool {
    matches!(name, "domain" | "query" | "proto" | "runtime")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("names and paths are texts")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::faults;

    fn found(name: &str, used: &str, kind: Option<&str>, is_ours: bool) -> Vec<String> {
        let folder = if matches!(name, "e2e" | "tidy") {
            "tests"
        } else {
            "services"
        };
        let path = is_ours.then_some("somewhere");
        faults(&json!({"workspace_root": "/x/tests/y", "packages": [{
            "name": name,
            "manifest_path": format!("/x/tests/y/{folder}/{name}/Cargo.toml"),
            "dependencies": [{"name": used, "kind": kind, "path": path}],
        }]}))
    }

    #[test]
    fn crates_keep_to_their_side() {
        let check = |name: &str, used: &str, kind: Option<&str>, is_allowed: bool| {
            let faults = found(name, used, kind, true);
            assert_eq!(
                faults.is_empty(),
                is_allowed,
                "{name} -> {used}: {faults:?}"
            );
        };
        check("domain", "runtime", None, false);
        check("runtime", "domain", None, false);
        check("runtime", "testkit", Some("dev"), false);
        check("query", "domain", None, true);
        check("query", "proto", None, false);
        check("domain", "query", None, false);
        check("runtime", "query", None, false);
        check("proto", "domain", None, true);
        check("proto", "query", None, true);
        check("proto", "runtime", None, false);
        check("bridge", "proto", None, true);
        check("render", "domain", None, true);
        check("render", "proto", None, false);
        check("herald-web", "render", None, true);
        check("herald", "render", None, true);
        check("neelix-cronjob", "render", None, true);
        check("store", "render", None, false);
        check("bridge", "render", None, false);
        check("herald-web", "query", None, true);
        check("bridge", "store", None, false);
        check("bridge", "store", Some("dev"), false);
        check("store", "bridge", None, false);
        check("store", "testkit", Some("dev"), true);
        check("store", "testkit", None, false);
        check("herald", "store", None, true);
        check("herald-web", "herald", None, false);
        check("e2e", "herald", None, true);
        check("newcomer", "domain", None, false);
    }

    #[test]
    fn only_the_owner_uses_a_crate_from_outside() {
        let check = |name: &str, used: &str, is_allowed: bool| {
            let faults = found(name, used, None, false);
            assert_eq!(
                faults.is_empty(),
                is_allowed,
                "{name} -> {used}: {faults:?}"
            );
        };
        check("store", "sqlx", true);
        check("bridge", "sqlx", false);
        check("e2e", "sqlx", false);
        check("neelix-cronjob", "lettre", true);
        check("herald", "lettre", false);
        check("bridge", "serde", true);
    }
}
