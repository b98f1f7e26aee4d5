//! Files, and what they mean.

use domain::{AlertKind, Record, Stage};

use super::{Rules, read};
use crate::rule::{Rule, Trigger};

fn rules(text: &str) -> Rules {
    read(text.as_bytes(), Stage::Testing, 0).unwrap_or_else(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{told:#?}")
    })
}

fn rule(text: &str) -> Rule {
    let mut rules = rules(text).rules;
    assert_eq!(rules.len(), 1, "{text}");
    rules.remove(0)
}

fn faults(text: &str) -> Vec<String> {
    let problems = read(text.as_bytes(), Stage::Testing, 0).expect_err("a fault");
    problems.iter().map(ToString::to_string).collect()
}

fn warnings(text: &str) -> Vec<String> {
    rules(text)
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_file_of_the_predecessor_works_as_it_is() {
    let text = "[GLOBAL]\nherald_url=http://x\nlogging=debug\n\
        [ch2eu]\nMAIL_TO=hedwig@company.ch,fried@h-l.com\nMSG=text that must not appear\n\
        AGE=60*60*2\n[hu2hu]\nage: 60*60*2\n";
    let rules = rules(text).rules;
    let shape = |rule: &Rule| {
        let watches = rule.watches.iter();
        let watches: Vec<String> = watches.map(|watch| watch.condition.clone()).collect();
        (
            rule.row.name.clone(),
            watches,
            rule.row.recipients.clone(),
            rule.row.line,
        )
    };
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rules.iter().map(shape).collect::<Vec<_>>(),
        [
            (
                "ch2eu".to_owned(),
                texts(&["MSG=text that must not appear", "AGE=2h"]),
                texts(&["hedwig@company.ch", "fried@h-l.com"]),
                4,
            ),
            (
                "hu2hu".to_owned(),
                texts(&["AGE=2h"]),
                texts(&["test@somewhere.com"]),
                8
            ),
        ]
    );
}

#[test]
fn records_are_found_as_the_keys_say() {
    let check = |keys: &str, level: i32, message: &str, expected: bool| {
        let rule = rule(&format!("[a]\n{keys}\n"));
        let record = Record {
            system_id: "a".to_owned(),
            level,
            message: message.to_owned(),
            ..Record::default()
        };
        let is_found = rule.watches.iter().any(|watch| match &watch.trigger {
            Trigger::Records(records) => rule.condition_of(records).matches(&record),
            Trigger::Silence(_) => false,
        });
        assert_eq!(is_found, expected, "{keys} {level} {message}");
    };
    check("MSG=disk full", 20, "the disk full again", true);
    check("MSG=disk full", 20, "the Disk full again", false);
    check("MSG=a*b", 20, "a*b", true);
    check("MSG=a*b", 20, "a to b", false);
    check("MSG_REGEX=fail(ed|ure)", 20, "a failure", true);
    check("MSG_REGEX=^fail", 20, "a failure", false);
    check("QUERY=disk full", 20, "FULL is the disk", true);
    check("MSG=x\nMSG=y", 20, "only y", true);
    check("MSG=x\nLEVEL=error", 40, "x", true);
    check("MSG=x\nLEVEL=error", 30, "x", false);
    check("LEVEL=error", 40, "anything", true);
    check("LEVEL=35", 30, "anything", false);
    check("AGE=2h", 40, "anything", false);
}

#[test]
fn kinds_follow_from_the_keys() {
    let check = |keys: &str, expected: &[(&str, AlertKind)]| {
        let rule = rule(&format!("[a]\n{keys}\n"));
        let watches = rule.watches.iter();
        let found: Vec<_> = watches
            .map(|watch| (watch.condition.as_str(), watch.kind()))
            .collect();
        assert_eq!(found, expected, "{keys}");
    };
    check("MSG=x", &[("MSG=x", AlertKind::Match)]);
    check("MSG=x\nCOUNT=3\nWITHIN=5m", &[("MSG=x", AlertKind::Count)]);
    check(
        "QUERY=level>=error\nSCHEDULE=0  2 * * *\nTIMEZONE=Europe/Berlin\nAGE=90*60",
        &[
            ("QUERY=level>=error", AlertKind::Match),
            ("AGE=1h 30m", AlertKind::Heartbeat),
            ("SCHEDULE=0 2 * * *", AlertKind::Heartbeat),
        ],
    );
    check("LEVEL=Error", &[("LEVEL=error", AlertKind::Match)]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "[a]\nMGS=x\nAGE=soon\nLEVEL=loud\nMSG_REGEX=a(b\nQUERY=sytem_id:web\n\
        [b]\nMSG=x\nCOUNT=3\nMAIL_TO=a b\n[c]\nSCHEDULE=0 2 * *\nTIMEZONE=Mars\nWEBHOOK=x\n\
        [d]\nMSG=x\nCOUNT=0\nWITHIN=8d\n[e]\nCOUNT=3\nWITHIN=1m\n[f]\nAGE=1\nAGE=2\nOWNER=me\n";
    assert_eq!(
        faults(text),
        [
            "2: MGS: there is no such key; is it MSG?",
            "3: AGE: `s` is not expected here; write 2h, 90m, 1d 6h, or seconds such as 60*60*2",
            "4: LEVEL: `loud` is no level: use DEBUG, INFO, WARNING, ERROR, CRITICAL or a number \
             such as 30",
            "5: MSG_REGEX: unclosed group; fix the regular expression",
            "6: QUERY: no field `sytem_id`; did you mean `system_id`? To search for it as \
             text, write \"sytem_id:web\"\n    sytem_id:web\n    \
             ^^^^^^^^",
            "9: COUNT: within what time is missing; add WITHIN, such as WITHIN=10m",
            "10: MAIL_TO: `a b` is no address of mail; write a@example.com, b@example.com",
            "12: SCHEDULE: there are 4 fields instead of 5; write minute, hour, day, month and \
             day of the week, such as 30 2 * * 1-5, or @daily",
            "13: TIMEZONE: there is no time zone `Mars`; write a name such as Europe/Berlin",
            "14: WEBHOOK: `x` is no URL; write https://example.com/hook",
            "17: COUNT: `0` is no number from 1 to 100000",
            "18: WITHIN: the time is not above nothing and at most a week",
            "20: COUNT: there is nothing to count; add MSG, MSG_REGEX, QUERY or LEVEL; QUERY=* \
             counts every record",
            "21: WITHIN: there is nothing to count; add MSG, MSG_REGEX, QUERY or LEVEL; QUERY=* \
             counts every record",
            "24: AGE: it is there already, in line 23; a section may have it once",
            "25: OWNER: there is no such key; there are MAIL_TO, MSG, MSG_REGEX, QUERY, LEVEL, \
             COUNT, WITHIN, AGE, SCHEDULE, TIMEZONE, GRACE, COOLDOWN, WEBHOOK",
        ]
    );
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    let check = |text: &str, expected: &str| {
        assert_eq!(warnings(text), [expected], "{text}");
    };
    check(
        "[a]\nMAIL_TO=a@b.c\n",
        "1: [a]: the section watches for nothing; add MSG, MSG_REGEX, QUERY, LEVEL, AGE or SCHEDULE",
    );
    check(
        "[a]\nMSG=\"x\"\n",
        "2: MSG: the quotes are part of the text that is looked for; leave them out if they are \
         not meant",
    );
    check(
        "[a]\nMSG=x\nAGE=\n",
        "3: AGE: it has no value and is left out",
    );
    check(
        "[a]\nAGE=99999999999999999999\n",
        "2: AGE: the time is so long that this can never fire",
    );
    check(
        "[a]\nSCHEDULE=0 0 30 2 *\n",
        "2: SCHEDULE: there is no such day, so that this can never fire",
    );
    check("[a]\nMSG=x\nMSG=x\n", "1: [a]: `MSG=x` stands here twice");
    check(
        "[a]\nMSG=x\nMAIL_TO=root\n",
        "3: MAIL_TO: `root` has no domain: it is taken for root@localhost",
    );
    check(
        "[a]\nAGE=1h\nTIMEZONE=UTC\n",
        "3: TIMEZONE: it has no effect here; it belongs to SCHEDULE",
    );
}

#[test]
fn defaults_hold_where_a_section_says_nothing() {
    let text = "[DEFAULT]\nMAIL_TO=a@b.c\nLEVEL=error\nGRACE=1m\n[a]\nMSG=x\n[b]\nAGE=1h\n\
        MAIL_TO=d@e.f\nWEBHOOK=https://h.example/\n";
    let rules = rules(text).rules;
    assert_eq!(rules[0].row.recipients, ["a@b.c"]);
    assert_eq!(rules[1].row.recipients, ["d@e.f", "https://h.example/"]);
    assert_eq!(rules[1].watches.len(), 1);
}

/// Guards: a section with more recipients, or a longer name, than the store takes made
/// every run fail.
#[test]
fn what_the_store_would_refuse_is_told_before() {
    let names = |from: u32, to: u32| (from..to).map(|n| format!("{n},")).collect::<String>();
    let (first, others) = (names(0, 501), names(501, 1_001));
    let text = format!("[a]\nMSG=x\nMAIL_TO={first}\nMAIL_TO={others}\n");
    assert_eq!(
        faults(&text),
        ["1: [a]: more than 1000 are to be told; name a mailing list"]
    );
    let long = "x".repeat(3_000);
    assert_eq!(faults(&format!("[{long}]\nMSG=x\n")).len(), 1);
}
