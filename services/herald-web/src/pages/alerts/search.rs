//! The log's view of what an alert is about.

use domain::{Alert, AlertKind, Condition, Pattern, TextField, TextTest};

use crate::{
    pages::view::is_filterable,
    request::{Parameters, address},
};

/// The records that match, from the first to the last of them; of a silence all of
/// the system's records.
pub(super) fn href(alert: &Alert) -> String {
    let subject = &alert.subject;
    let names = [
        (TextField::System, &subject.system_id),
        (TextField::SubSystem, &subject.sub_system_id),
    ];
    let given = names.into_iter().filter(|(_, name)| is_filterable(name));
    let mut changes: Vec<_> = given
        .map(|(field, name)| (field.name(), Some(name.as_str())))
        .collect();
    let q = query_of(&subject.condition);
    let from = time(alert.since_us);
    let to = alert.resolved_us.map(|at| time(at.max(alert.last_us + 1)));
    if alert.kind != AlertKind::Heartbeat {
        changes.push(("q", q.as_deref()));
        changes.push(("from", Some(&from)));
        changes.push(("to", to.as_deref()));
    }
    address("/", &Parameters::default(), &changes)
}

fn time(at: domain::Micros) -> String {
    render::rfc3339(at)
}

/// A rule's condition as a query, as far as it is one.
fn query_of(condition: &str) -> Option<String> {
    let (key, value) = condition.split_once('=')?;
    let value = value.trim();
    let test = match key.trim() {
        "MSG" => TextTest::Contains(value.to_owned()),
        "MSG_REGEX" => TextTest::Finds(Pattern::new(value).ok()?),
        "QUERY" => return Some(value.to_owned()),
        _ => return None,
    };
    Some(query::print(&Condition::Text(TextField::Message, test)))
}

#[cfg(test)]
mod tests {
    use super::query_of;

    #[test]
    fn conditions_become_queries() {
        let check = |condition: &str, expected: Option<&str>| {
            let found = query_of(condition);
            assert_eq!(found.as_deref(), expected, "{condition}");
            if let Some(text) = found {
                assert!(query::parse(&text, 0).is_ok(), "{text}");
            }
        };
        check("MSG=disk full", Some("message:\"disk full\""));
        check("MSG=a=b", Some("message:\"a=b\""));
        check("MSG_REGEX=order \\d+", Some("message:/order \\d+/"));
        check("MSG_REGEX=(", None);
        check("QUERY=level>=error disk", Some("level>=error disk"));
        check("AGE=2h", None);
        check("", None);
    }
}
