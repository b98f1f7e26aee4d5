//! `bridge explain`: what of a record would be sent to a destination, and why.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use domain::{Entry, NumberField, Record, TextField};
use proto::v1::{GetRecordRequest, record_service_client::RecordServiceClient};
use runtime::{config::Vars, grpc, process::WrongUsage};
use serde_json::{Value, value::RawValue};

use super::{output, routes};
use crate::{
    clock,
    config::Config,
    decode,
    frame::FrameKind,
    policy::{Hit, Policy, Why},
    routes::Route,
};

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The destination's name.
    #[arg(long, value_name = "NAME", required_unless_present = "check")]
    to: Option<String>,
    /// A file with the record as JSON, as programs send it [default: standard input].
    #[arg(long, conflicts_with = "id")]
    file: Option<PathBuf>,
    /// A record of the store at BRIDGE_STORE_URL.
    #[arg(long, value_name = "N")]
    id: Option<u64>,
    /// The routes file [default: the one that BRIDGE_ROUTES names].
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,
    /// Only check the routes file.
    #[arg(long)]
    check: bool,
}

impl Explain {
    pub(super) async fn run(self, vars: &Vars) -> anyhow::Result<()> {
        if self.check {
            return super::check(self.routes, vars);
        }
        let routes = routes(self.routes.clone(), vars)?;
        let name = self.to.as_deref().unwrap_or_default();
        let Some(route) = routes.iter().find(|route| route.name == name) else {
            let names: Vec<&str> = routes.iter().map(|route| &*route.name).collect();
            let problem = format!(
                "there is no destination {name}: known are {}",
                names.join(", ")
            );
            return Err(WrongUsage(problem).into());
        };
        let record = match self.id {
            Some(id) => stored(id, vars).await?,
            None => read(self.file.as_deref())?,
        };
        output::line(&explained(route, record))
    }
}

/// A record from JSON, read as if a program had sent it; `None` for what is none.
fn read(file: Option<&Path>) -> anyhow::Result<Option<Record>> {
    let mut text = Vec::new();
    match file {
        Some(file) => {
            text =
                std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        }
        None => {
            std::io::stdin().read_to_end(&mut text)?;
        }
    }
    let entry = decode::decode(FrameKind::JsonLine, text.trim_ascii(), clock::now_us(), "");
    Ok(match entry {
        Entry::Record(record) => Some(*record),
        _ => None,
    })
}

async fn stored(id: u64, vars: &Vars) -> anyhow::Result<Option<Record>> {
    let config = Config::from_vars(vars)?;
    let Some(url) = config.store_url else {
        bail!("this bridge has no store to ask for a record: BRIDGE_STORE_URL is none");
    };
    let mut client = RecordServiceClient::new(grpc::secure_channel(&url, &config.tls)?);
    let request = GetRecordRequest { id };
    let answer = client
        .get_record(request)
        .await
        .map_err(|status| anyhow::anyhow!("the store at {url}: {}", status.message()))?;
    let record = answer.into_inner().record;
    Ok(Some(
        record
            .context("the store answered without a record")?
            .into(),
    ))
}

/// What is to be told.
fn explained(route: &Route, record: Option<Record>) -> String {
    let policy = &route.policy;
    let Some(record) = record else {
        let what = match policy.is_open() {
            true => "passed: it is no record, and there is no rule: a dead letter goes out",
            false => "kept: it is no record, so that no rule can be held against it",
        };
        return what.to_owned();
    };
    match policy.judge(&record) {
        Err(Why::Query) => "kept: the query of the destination does not ask for it".to_owned(),
        Err(Why::NoRecord) => "kept: it is no record".to_owned(),
        Ok(()) => passed(policy, record),
    }
}

fn passed(policy: &Policy, record: Record) -> String {
    let before = fields(&record);
    let mut hits = Vec::new();
    let after = fields(&policy.redact(record, &mut hits));
    let left_out: Vec<&str> = before
        .iter()
        .filter(|(name, _)| !after.iter().any(|(kept, _)| kept == name))
        .map(|(name, _)| *name)
        .collect();
    let mut lines = vec!["passed".to_owned()];
    if !left_out.is_empty() {
        lines.push(format!("left out: {}", left_out.join(", ")));
    }
    lines.extend(masked(policy, &hits));
    let after: Vec<String> = after
        .iter()
        .map(|(name, value)| format!("  {}: {value}", Value::from(*name)))
        .collect();
    lines.push(format!("{{\n{}\n}}", after.join(",\n")));
    lines.join("\n")
}

/// A line for each mask that has found something: where, and how often.
fn masked(policy: &Policy, hits: &[Hit]) -> Vec<String> {
    let mut by_mask: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for hit in hits {
        let fields = by_mask.entry(policy.masks.name(hit.mask)).or_default();
        *fields.entry(hit.field).or_default() += 1;
    }
    by_mask
        .into_iter()
        .map(|(mask, fields)| {
            let fields: Vec<String> = fields
                .into_iter()
                .map(|(field, times)| match times {
                    1 => field.to_owned(),
                    times => format!("{field} ({times} times)"),
                })
                .collect();
            format!("masked by {mask}: {}", fields.join(", "))
        })
        .collect()
}

/// What a record says, by field, as JSON; without what is empty.
fn fields(record: &Record) -> Vec<(&'static str, String)> {
    let numbers = NumberField::ALL.into_iter().map(|field| {
        let number = field.of(record);
        (
            field.name(),
            if number == 0 {
                String::new()
            } else {
                number.to_string()
            },
        )
    });
    let texts = TextField::ALL
        .into_iter()
        .filter(|field| *field != TextField::Fingerprint)
        .map(|field| match &*field.of(record) {
            "" => (field.name(), String::new()),
            text => (field.name(), Value::from(text).to_string()),
        });
    let extra = match serde_json::from_str::<&RawValue>(&record.extra) {
        Ok(extra) => extra.get().to_owned(),
        Err(_) => String::new(),
    };
    let all = numbers.chain(texts).chain([("extra", extra)]);
    all.filter(|(_, value)| !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes;

    const ROUTES: &str = r#"
[[destination]]
name = "hq"
kind = "herald"
url = "http://127.0.0.1:1"
query = "level>=warning"
fields = ["message", "system_id"]
extra = ["order"]
mask = ["email", "card"]

[[destination]]
name = "all"
kind = "herald"
url = "http://127.0.0.1:1"
"#;

    fn check(route: usize, json: &str, expected: &[&str], hidden: &[&str]) {
        let route = &routes::parse(ROUTES).unwrap()[route];
        let record = match decode::decode(FrameKind::JsonLine, json.as_bytes(), 7, "") {
            Entry::Record(record) => Some(*record),
            _ => None,
        };
        let told = explained(route, record);
        for text in expected {
            assert!(told.contains(text), "{text}: {told}");
        }
        for text in hidden {
            assert!(!told.contains(text), "{text}: {told}");
        }
    }

    #[test]
    fn it_tells_what_leaves_and_what_does_not() {
        let record = r#"{"message":"to a@b.org and c@d.org","level":40,"system_id":"shop",
            "module":"cart","order":{"card":4111111111111111},"user":"anna"}"#;
        check(
            0,
            record,
            &[
                "passed\nleft out: ",
                "masked by card: extra",
                "masked by email: message",
                "\"message\": \"to [email] and [email]\"",
                r#""extra": {"order":{"card":"[card]"}}"#,
            ],
            &["anna", "a@b", "4111"],
        );
        check(
            0,
            r#"{"message":"m","level":20}"#,
            &["kept: the query"],
            &["{"],
        );
        check(0, "nonsense", &["kept: it is no record"], &["{"]);
        check(1, "nonsense", &["passed: it is no record"], &["{"]);
        check(
            1,
            record,
            &["passed\n{", "a@b.org"],
            &["left out", "masked"],
        );
    }
}
