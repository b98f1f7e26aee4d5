//! Rules for single files.

/// Longest Rust file, in lines.
const MAX_LINES: usize = 500;
/// Longest `main.rs` of a service, in lines.
const MAX_MAIN_LINES: usize = 20;

/// What only the store may name.
const SQLITE: [&str; 4] = ["sqlx", "rusqlite", "libsqlite3", "sqlite3_open"];

/// Where absolute paths of somebody's machine begin. Put together here, so that
/// this file does not hold them.
const MACHINE_PATHS: [&str; 3] = [
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
];

/// Faults of one file, each a sentence that starts with its path. `path` is
/// relative to the root of the workspace.
#[must_use]
pub fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = machine_path_faults(text);
    if path.ends_with(".rs") {
        faults.extend(shape_faults(path, text));
        faults.extend(text_faults(path, text));
    }
    let name = |fault: String| format!("{path} {fault}");
    faults.into_iter().map(name).collect()
}

fn machine_path_faults(text: &str) -> Vec<String> {
    let is_named = |start: &&&str| text.contains(**start);
    let fault = |start: &&str| format!("names a path of one machine, below {start}");
    MACHINE_PATHS.iter().filter(is_named).map(fault).collect()
}

fn shape_faults(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let is_main = path.starts_with("services/") && path.ends_with("/src/main.rs");
    let rules = [
        (
            !text.starts_with("//!"),
            "does not start with `//!`".to_owned(),
        ),
        (
            path.ends_with("/mod.rs"),
            "is a mod.rs: use foo.rs beside foo/".to_owned(),
        ),
        (
            lines > MAX_LINES,
            format!("has {lines} lines: split it, {MAX_LINES} are the limit"),
        ),
        (
            is_main && lines > MAX_MAIN_LINES,
            format!("has {lines} lines: a main.rs has at most {MAX_MAIN_LINES}"),
        ),
        (
            is_pickle_elsewhere(path),
            "is about pickle: only bridge decodes it".to_owned(),
        ),
    ];
    broken(rules)
}

fn text_faults(path: &str, text: &str) -> Vec<String> {
    let is_ours = path.starts_with("tests/tidy/");
    let code = code(text);
    let tests = if is_test(path) {
        code.as_str()
    } else {
        test_part(&code)
    };
    let names_sqlite = SQLITE.iter().any(|name| code.contains(name));
    let rules = [
        (
            !path.starts_with("services/store/") && names_sqlite,
            "names SQLite: only store opens it".to_owned(),
        ),
        (
            tests.contains("sleep("),
            "sleeps in a test: wait for the event itself, with a deadline".to_owned(),
        ),
        (code.contains("#[ignore"), "ignores a test".to_owned()),
        (
            text.contains("TODO") || text.contains("FIXME"),
            "leaves work for later".to_owned(),
        ),
    ];
    if is_ours { Vec::new() } else { broken(rules) }
}

fn broken<const N: usize>(rules: [(bool, String); N]) -> Vec<String> {
    rules
        .into_iter()
        .filter_map(|(is_broken, fault)| is_broken.then_some(fault))
        .collect()
}

/// The decoder lives in bridge; tests and the testkit make pickles.
fn is_pickle_elsewhere(path: &str) -> bool {
    let homes = ["services/bridge/", "services/shared/testkit/", "tests/"];
    let is_pickle = path
        .rsplit('/')
        .take(2)
        .any(|part| part.starts_with("pickle"));
    is_pickle && !homes.iter().any(|home| path.starts_with(home))
}

/// Benchmarks keep a pace and may sleep for it.
fn is_test(path: &str) -> bool {
    let is_test =
        path.contains("/tests/") || path.starts_with("tests/") || path.ends_with("/tests.rs");
    is_test && !path.starts_with("tests/bench/")
}

/// From the first part that is compiled for tests only.
fn test_part(code: &str) -> &str {
    code.find("#[cfg(test)]").map_or("", |start| &code[start..])
}

/// The text without lines that are comments only.
fn code(text: &str) -> String {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines()
        .filter(is_code)
        .fold(String::new(), |all, line| all + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::faults;

    #[test]
    fn each_rule_finds_its_fault() {
        let check = |path: &str, text: &str, expected: &str| {
            let found = faults(path, text);
            assert!(
                matches!(&found[..], [fault] if fault.starts_with(path) && fault.contains(expected)),
                "{path}: {found:?} instead of {expected}"
            );
        };
        let machine_path = format!("//! x\nconst A: &str = \"{}x\";\n", concat!("/ro", "ot/"));
        let long = format!("//! x\n{}", "\n".repeat(500));
        let main = format!("//! x\n{}", "\n".repeat(20));
        check("a/b.md", concat!("see /wo", "rk/x"), "one machine");
        check("a/b.rs", &machine_path, "one machine");
        check("a/b.rs", "use std;\n", "`//!`");
        check("a/mod.rs", "//! x\n", "mod.rs");
        check("a/b.rs", &long, "501 lines");
        check("services/a/src/main.rs", &main, "at most 20");
        check("services/web/src/pickle.rs", "//! x\n", "only bridge");
        check("services/web/src/pickle/stack.rs", "//! x\n", "only bridge");
        check(
            "services/bridge/src/a.rs",
            "//! x\nuse sqlx::Row;\n",
            "only store",
        );
        check(
            "services/a/tests/it/b.rs",
            "//! x\nsleep(x).await;\n",
            "sleeps",
        );
        check(
            "services/a/src/b/tests.rs",
            "//! x\nsleep(x).await;\n",
            "sleeps",
        );
        check(
            "a/b.rs",
            "//! x\n#[cfg(test)]\nmod tests { sleep(x) }\n",
            "sleeps",
        );
        check("a/b.rs", "//! x\n#[ignore = \"slow\"]\n", "ignores");
        check("a/b.rs", "//! x\n// TODO: more\n", "later");
    }

    #[test]
    fn what_is_allowed_is_no_fault() {
        let check = |path: &str, text: &str| {
            assert_eq!(faults(path, text), Vec::<String>::new(), "{path}");
        };
        check("a/b.rs", "//! x\n");
        check(
            "a/b.rs",
            "//! x\nsleep(backoff).await;\n#[cfg(test)]\nmod tests;\n",
        );
        check("services/store/src/db.rs", "//! x\nuse sqlx::Row;\n");
        check("services/web/src/a.rs", "//! Never names sqlx.\n");
        check("services/bridge/src/pickle/stack.rs", "//! x\n");
        check("tests/bench/src/load.rs", "//! x\nsleep(pace).await;\n");
        check("tests/run", "sleep(1)");
    }
}
