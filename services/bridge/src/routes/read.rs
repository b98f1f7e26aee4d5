//! From the text of a routes file to its routes. Nothing stops at the first
//! mistake: whoever mends the file sees all of them.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use domain::{Condition, ExtraPath, ExtraTest};
use runtime::{
    config::ByteSize,
    tls::{File, Files},
};
use toml::de::{DeTable, DeValue};

use super::{
    Kind, Problem, Route, STORE,
    problem::one_of,
    section::{Placed, Problems, Section},
};
use crate::{
    config::ROUTES,
    policy::{
        Allowed, FIELDS, Policy,
        mask::{Mask, Masks},
        preset,
    },
    spool::{Backlog, Begin},
};

const TOP: [&str; 2] = ["destination", "mask"];
const DESTINATION: [&str; 14] = [
    "name",
    "kind",
    "url",
    "tls_ca",
    "tls_cert",
    "tls_key",
    "address",
    "begin",
    "rate",
    "max_backlog",
    "query",
    "fields",
    "extra",
    "mask",
];
const TLS: [&str; 3] = ["tls_ca", "tls_cert", "tls_key"];
const MASK: [&str; 3] = ["name", "regex", "replacement"];
/// So many bytes a name may have: it is a part of a file's name.
const NAME_BYTES: usize = 64;
/// Some time; whoever asks for another one gets another condition if the query
/// has relative times.
const ANOTHER_TIME_US: i64 = 1_000_000_000_000_000;

/// Own masks by name.
type Own = BTreeMap<String, Mask>;

/// The routes of a file.
pub(super) fn routes(text: &str) -> Result<Vec<Route>, Vec<Problem>> {
    let problems = Problems::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().unwrap_or(0..0);
        problems.add(&at, error.message().trim().replace('\n', " "), "");
    }
    let mut routes = Vec::new();
    if errors.is_empty() {
        let top = table.get_ref();
        let _unknown = Section::new(0..0, "routes file", top, &TOP, &problems);
        let own = own_masks(top, &problems);
        for (at, table) in tables(top, "destination", &problems) {
            let section = Section::new(at, "destination", table, &DESTINATION, &problems);
            routes.extend(route(&section, &own, &routes));
        }
    }
    match problems.sorted() {
        none if none.is_empty() => Ok(routes),
        problems => Err(problems),
    }
}

/// The tables `[[key]]`.
fn tables<'t, 'v>(
    top: &'v DeTable<'t>,
    key: &str,
    problems: &Problems<'t>,
) -> Vec<(Range<usize>, &'v DeTable<'t>)> {
    let Some(value) = top.get(key) else {
        return Vec::new();
    };
    let hint = format!("begin each with [[{key}]]");
    let Some(array) = value.get_ref().as_array() else {
        problems.add(&value.span(), format!("`{key}` is a list of tables"), &hint);
        return Vec::new();
    };
    let table = |item: &'v toml::Spanned<DeValue<'t>>| match item.get_ref().as_table() {
        Some(table) => Some((item.span(), table)),
        None => {
            problems.add(&item.span(), format!("`{key}` has tables only"), &hint);
            None
        }
    };
    array.iter().filter_map(table).collect()
}

fn own_masks<'t>(top: &DeTable<'t>, problems: &Problems<'t>) -> Own {
    let mut own = Own::new();
    for (at, table) in tables(top, "mask", problems) {
        let section = Section::new(at, "mask", table, &MASK, problems);
        let name = section.required("name", "such as name = \"invoice\"");
        let regex = section.required("regex", r"such as regex = 'INV-\d+'");
        let (Some(name), Some(regex)) = (name, regex) else {
            continue;
        };
        if preset::NAMES.contains(&name.value) || own.contains_key(name.value) {
            let message = format!("there is a mask `{}` already", name.value);
            section.wrong(&name.at, message, "choose another name");
            continue;
        }
        let default = format!("[{}]", name.value);
        let replacement = section.text("replacement").map_or(&*default, |it| it.value);
        match Mask::new(name.value, regex.value, replacement) {
            Ok(mask) => {
                own.insert(name.value.to_owned(), mask);
            }
            Err(why) => {
                let message = format!("`regex`: {}", why.trim().replace('\n', " "));
                section.wrong(&regex.at, message, "see docs/routes.md for what it may be");
            }
        }
    }
    own
}

fn route(section: &Section<'_, '_>, own: &Own, before: &[Route]) -> Option<Route> {
    let name = name(section, before);
    let kind = kind(section);
    let begin = begin(section);
    let backlog = Backlog {
        max_bytes: max_backlog(section),
        gives_way: true,
    };
    let rate = section.count("rate");
    let policy = Arc::new(policy(section, own));
    Some(Route {
        name: name?,
        kind: kind?,
        begin,
        backlog,
        rate,
        policy,
    })
}

fn begin(section: &Section<'_, '_>) -> Begin {
    let Some(begin) = section.text("begin") else {
        return Begin::default();
    };
    match begin.value {
        "oldest" => Begin::Oldest,
        "newest" => Begin::Newest,
        other => {
            let message = format!("`{other}` is no place to begin");
            section.wrong(&begin.at, message, "write \"oldest\" or \"newest\"");
            Begin::default()
        }
    }
}

fn name(section: &Section<'_, '_>, before: &[Route]) -> Option<String> {
    let hint = "such as name = \"headquarters\"";
    let name = section.required("name", hint)?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_good = name.value.len() <= NAME_BYTES && name.value.bytes().all(is_plain);
    let problem = match name.value {
        STORE => Some((
            "`store` is the bridge's own store".to_owned(),
            "set BRIDGE_STORE_URL for it, and choose another name here",
        )),
        taken if before.iter().any(|route| route.name == taken) => Some((
            format!("there is a destination `{taken}` already"),
            "choose another name",
        )),
        bad if !is_good => Some((
            format!("`{bad}` is no name"),
            "use at most 64 letters, digits, `-` and `_`",
        )),
        _ => None,
    };
    match problem {
        None => Some(name.value.to_owned()),
        Some((message, hint)) => {
            section.wrong(&name.at, message, hint);
            None
        }
    }
}

fn kind(section: &Section<'_, '_>) -> Option<Kind> {
    let kind = section.required("kind", "write \"herald\" or \"predecessor\"")?;
    let (key, other) = match kind.value {
        "herald" => ("url", "address"),
        "predecessor" => ("address", "url"),
        unknown => {
            let message = format!("`{unknown}` is no kind of destination");
            section.wrong(
                &kind.at,
                message,
                &one_of(unknown, &["herald", "predecessor"]),
            );
            return None;
        }
    };
    if let Some(wrong) = section.text(other) {
        let message = format!("a destination of kind `{}` has no `{other}`", kind.value);
        section.wrong(&wrong.at, message, &format!("it has `{key}`"));
    }
    if kind.value == "herald" {
        let url = section.required("url", "such as url = \"http://127.0.0.1:9120\"")?;
        if let Err(error) = runtime::grpc::check_url(url.value) {
            section.wrong(&url.at, error.to_string(), "");
        }
        let url = url.value.to_owned();
        let tls = tls(section);
        return Some(Kind::Herald { url, tls });
    }
    for key in TLS {
        if let Some(wrong) = section.text(key) {
            let message = format!("a destination of kind `predecessor` has no `{key}`");
            section.wrong(&wrong.at, message, "lead it through an ssh tunnel");
        }
    }
    let hint = "such as address = \"localhost:9019\"";
    let address = section.required("address", hint)?;
    let is_good = address
        .value
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse().is_ok_and(|it: u16| it > 0));
    if !is_good {
        let message = format!("`{}` is no host and port", address.value);
        section.wrong(&address.at, message, hint);
    }
    let address = address.value.to_owned();
    Some(Kind::Predecessor { address })
}

/// The files of a destination. Whether they can be used is seen when the bridge
/// starts: the file of routes may be checked elsewhere.
fn tls(section: &Section<'_, '_>) -> Files {
    let file = |key: &str| {
        let path = section.text(key)?;
        Some(File {
            name: format!("{ROUTES}: {key}"),
            path: path.value.into(),
        })
    };
    let files = Files::default().with_authorities(file("tls_ca"));
    match (file("tls_cert"), file("tls_key")) {
        (Some(certificate), Some(key)) => files.with_own(certificate, key),
        (None, None) => files,
        _ => {
            let message = "`tls_cert` and `tls_key` belong together";
            section.wrong(&section.at, message, "name both files, or none");
            files
        }
    }
}

fn max_backlog(section: &Section<'_, '_>) -> Option<u64> {
    let text = section.text("max_backlog")?;
    match text.value.parse::<ByteSize>() {
        Ok(size) => Some(size.0),
        Err(error) => {
            section.wrong(&text.at, error.to_string(), "");
            None
        }
    }
}

fn policy(section: &Section<'_, '_>, own: &Own) -> Policy {
    Policy {
        query: section.text("query").and_then(|text| query(section, &text)),
        fields: section.texts("fields").map(|names| fields(section, &names)),
        extra: section.texts("extra").map(|paths| extra(section, &paths)),
        masks: section
            .texts("mask")
            .map(|names| masks(section, &names, own))
            .unwrap_or_default(),
    }
}

fn query(section: &Section<'_, '_>, text: &Placed<&str>) -> Option<Condition> {
    match (
        query::parse(text.value, 0),
        query::parse(text.value, ANOTHER_TIME_US),
    ) {
        (Ok(condition), Ok(later)) if condition == later => Some(condition),
        (Ok(_), Ok(_)) => {
            let message = "`query` has a time that is relative to now";
            section.wrong(&text.at, message, "a route has no such time: leave it out");
            None
        }
        (Err(error), _) | (_, Err(error)) => {
            let message = format!("`query`: {}", error.to_string().replace('\n', " "));
            section.wrong(&text.at, message, "see docs/query.md");
            None
        }
    }
}

fn fields(section: &Section<'_, '_>, names: &[Placed<&str>]) -> Allowed {
    let mut allowed = Allowed::default();
    for name in names {
        if !allowed.add(name.value) {
            let message = format!("`{}` is no field of a record", name.value);
            section.wrong(&name.at, message, &one_of(name.value, &FIELDS));
        }
    }
    allowed
}

fn extra(section: &Section<'_, '_>, paths: &[Placed<&str>]) -> Vec<ExtraPath> {
    let mut good = Vec::new();
    for path in paths {
        match query::parse(&format!("extra.{}:*", path.value), 0) {
            Ok(Condition::Extra(path, ExtraTest::Exists)) => good.push(path),
            _ => section.wrong(
                &path.at,
                format!("`{}` is no path in extra", path.value),
                "write keys with dots between them, such as \"request.id\"",
            ),
        }
    }
    good
}

fn masks(section: &Section<'_, '_>, names: &[Placed<&str>], own: &Own) -> Masks {
    let mut masks = Vec::new();
    for name in names {
        if let Some(mask) = own.get(name.value) {
            masks.push(mask.clone());
        } else if let Some(preset) = preset::masks(name.value) {
            masks.extend(preset);
        } else {
            let known: Vec<&str> = preset::NAMES
                .into_iter()
                .chain(own.keys().map(String::as_str))
                .collect();
            let message = format!("there is no mask `{}`", name.value);
            section.wrong(&name.at, message, &one_of(name.value, &known));
        }
    }
    Masks::new(masks).unwrap_or_else(|(mask, finder)| {
        let message = format!("what the mask `{mask}` puts in place is found by `{finder}`");
        let hint = "give it a `replacement` that no mask of the destination finds";
        section.wrong(&section.at, message, hint);
        Masks::default()
    })
}
