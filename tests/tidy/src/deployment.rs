//! What deploys Herald must agree with what is deployed: versions, and names of
//! variables.

/// What variables of ours begin with.
const PREFIXES: [&str; 6] = [
    "DEV_STAGE",
    "HERALD_",
    "BRIDGE_",
    "STORE_",
    "WEB_",
    "NEELIX_",
];

/// Versions that `chart` (a Chart.yaml) names and that are not `version`.
#[must_use]
pub fn version_faults(chart: &str, version: &str) -> Vec<String> {
    let fields = ["version", "appVersion"];
    let wrong = fields.iter().filter(|field| {
        let line = format!("{field}: {version}");
        !chart.lines().any(|other| other == line)
    });
    wrong
        .map(|field| format!("the chart's {field} is not {version}, the workspace's"))
        .collect()
}

/// Variables that a file sets, as `NAME=value` or `name: NAME` or `NAME: value`, and that
/// `documented` does not name.
#[must_use]
pub fn unknown_variables(text: &str, documented: &str) -> Vec<String> {
    let is_known = |name: &str| {
        let quoted = format!("`{name}`");
        documented.contains(&quoted)
    };
    let mut unknown: Vec<String> = text
        .lines()
        .filter_map(variable)
        .filter(|name| !is_known(name))
        .map(str::to_owned)
        .collect();
    unknown.sort();
    unknown.dedup();
    unknown
}

fn variable(line: &str) -> Option<&str> {
    let line = line.trim().trim_start_matches("- ");
    let line = line.trim_start_matches("name: ");
    let line = line
        .trim_start_matches("Environment=")
        .trim_start_matches('#');
    let end = line.find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    let (name, rest) = line.split_at(end.unwrap_or(line.len()));
    let is_set = rest.is_empty() || rest.starts_with('=') || rest.starts_with(':');
    let is_ours = PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    (is_set && is_ours).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{unknown_variables, version_faults};

    #[test]
    fn a_chart_of_another_version_is_found() {
        let chart = "name: herald\nversion: 0.2.0\nappVersion: 0.1.0\n";
        let faults = version_faults(chart, "0.1.0");
        assert_eq!(
            faults,
            ["the chart's version is not 0.1.0, the workspace's"]
        );
        assert_eq!(version_faults(chart, "0.2.0").len(), 1);
    }

    #[test]
    fn a_variable_that_nobody_reads_is_found() {
        let documented = "| `STORE_LISTEN` | `BRIDGE_NAME` |";
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(unknown_variables(text, documented), expected, "{text}");
        };
        check("  - name: STORE_LISTEN\n", &[]);
        check("  - name: STORE_LISTENS\n", &["STORE_LISTENS"]);
        check("Environment=BRIDGE_NAME=a\n", &[]);
        check("#BRIDGE_NAMES=a\n", &["BRIDGE_NAMES"]);
        check("  WEB_X: 1\n", &["WEB_X"]);
        check("# HERALD_DATA_DIR is a folder\n", &[]);
        check("PATH=/bin\n", &[]);
    }
}
