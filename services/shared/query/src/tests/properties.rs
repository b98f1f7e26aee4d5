//! What holds of every query and every condition.

use std::ops::Bound;

use domain::{
    Condition, Decimal, ExtraPath, ExtraTest, Glob, NumberField, NumberRange, Pattern, Record,
    TextField, TextTest,
};
use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest},
    sample::select,
};

use crate::{parse, print, simplify, words};

/// Texts that mean something elsewhere, few enough that two are often equal.
const TEXTS: [&str; 38] = [
    "",
    "a",
    "b",
    "ab",
    "A",
    "a b",
    " ",
    "OR",
    "NOT",
    "\0",
    "a\"b",
    "a\\b",
    "\\",
    "\"",
    "a\nb",
    "a\tb",
    "/a/",
    "a/b",
    "*",
    "**",
    "a*b",
    "(",
    ")",
    "()",
    "-a",
    "-",
    "4711",
    "4711.0",
    "1..2",
    "..",
    "http://x",
    "level:error",
    "\u{202e}",
    "ä",
    "e\u{301}",
    "~a",
    "=a",
    "😀",
];

const PATTERNS: [&str; 14] = [
    "",
    "a",
    "a/b",
    r"a\/b",
    r"\\",
    r"\\/",
    r"[/]",
    "a b",
    "(?i)A",
    "\n",
    r"^$",
    "(a)|b",
    "(?x)a # \\",
    "\0\"",
];

/// Pieces of queries, right and wrong.
const PIECES: [&str; 44] = [
    "a",
    "OR",
    "AND",
    "NOT",
    " ",
    " ",
    " ",
    "(",
    ")",
    "-",
    "\"",
    "\\",
    "/",
    "*",
    ":",
    "..",
    "<",
    ">",
    "=",
    "~",
    "!=",
    ">=",
    "module:",
    "message:",
    "level:",
    "level>=",
    "error",
    "line:",
    "line<",
    "12",
    "created:",
    "2026-01-31",
    "-15m",
    "now",
    "extra.",
    "extra.a:",
    "extra.\"a.b\":",
    "extra.ms>=",
    "sytem_id:",
    "http://",
    "\n",
    "\u{202e}",
    "ä",
    "\\u{e4}",
];

fn text() -> impl Strategy<Value = String> {
    let known = select(&TEXTS[..]).prop_map(str::to_owned);
    prop_oneof![4 => known, 1 => any::<String>(), 1 => vec(any::<char>(), 0..4).prop_map(String::from_iter)]
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let known = select(&PATTERNS[..]).prop_map(|text| Pattern::new(text).unwrap());
    let from_text = text().prop_map(|text| {
        Pattern::new(&text).unwrap_or_else(|_| Pattern::new("fallback/").unwrap())
    });
    prop_oneof![known, from_text]
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => select(vec![i64::MIN, -1, 0, 10, 19, 20, 29, 30, 39, 40, 49, 50, 4711, i64::MAX]),
        1 => any::<i64>(),
        1 => 0_i64..300_000_000_000_000_000,
    ]
}

fn decimal() -> impl Strategy<Value = Decimal> {
    let known = vec![
        "0",
        "1",
        "-1",
        "10.5",
        "-0.00025",
        "4711",
        "1e400",
        "-1e-400",
        "12345678901234567890.5",
        "1e1099511627775",
        "1e-1099511627776",
        "1e39",
        "1e40",
        "1e41",
    ];
    let any = any::<f64>().prop_filter_map("finite", |number| format!("{number:e}").parse().ok());
    prop_oneof![select(known).prop_map(|text| text.parse().unwrap()), any]
}

fn bound() -> impl Strategy<Value = Bound<Decimal>> {
    prop_oneof![
        Just(Bound::Unbounded),
        decimal().prop_map(Bound::Included),
        decimal().prop_map(Bound::Excluded),
    ]
}

fn text_test() -> impl Strategy<Value = TextTest> {
    prop_oneof![
        text().prop_map(TextTest::Is),
        vec(text(), 0..4).prop_map(|pieces| TextTest::Like(Glob::new(pieces))),
        text().prop_map(TextTest::Contains),
        pattern().prop_map(TextTest::Finds),
    ]
}

fn leaf() -> impl Strategy<Value = Condition> {
    let range = (number(), number(), any::<bool>()).prop_map(|(min, max, is_one)| NumberRange {
        min,
        max: if is_one { min } else { max },
    });
    let bands = select(vec![
        (i64::MIN, 19),
        (20, 29),
        (50, i64::MAX),
        (40, 49),
        (30, i64::MAX),
    ]);
    let range = prop_oneof![range, bands.prop_map(|(min, max)| NumberRange { min, max })];
    let extra = prop_oneof![
        Just(ExtraTest::Exists),
        text_test().prop_map(ExtraTest::Text),
        (bound(), bound()).prop_map(|(min, max)| ExtraTest::Number(min, max)),
    ];
    prop_oneof![
        text().prop_map(Condition::Contains),
        pattern().prop_map(Condition::Finds),
        (select(&TextField::ALL[..]), text_test())
            .prop_map(|(field, test)| Condition::Text(field, test)),
        (select(&NumberField::ALL[..]), range)
            .prop_map(|(field, range)| Condition::Number(field, range)),
        (vec(text(), 0..3), extra).prop_map(|(path, test)| Condition::Extra(ExtraPath(path), test)),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    leaf().prop_recursive(5, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Condition::All),
            vec(inner.clone(), 0..4).prop_map(Condition::Any),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

fn json() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        text().prop_map(|text| serde_json::to_string(&text).unwrap()),
        decimal().prop_map(|number| number.to_string()),
        select(vec![
            "4711", "4711.0", "10.5", "null", "true", "[]", "{}", "[1,12]"
        ])
        .prop_map(str::to_owned),
    ];
    let object = |value: &[(String, String)]| {
        let entries = value
            .iter()
            .map(|(key, value)| format!("{}:{value}", serde_json::to_string(key).unwrap()));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
    };
    let inner = vec((text(), value.clone()), 0..3).prop_map(move |entries| object(&entries));
    let value = prop_oneof![value, inner];
    let outer = vec((text(), value), 0..4).prop_map(move |entries| object(&entries));
    prop_oneof![Just(String::new()), outer]
}

fn record() -> impl Strategy<Value = Record> {
    (
        vec(text(), 6),
        vec(number(), 4),
        any::<i32>(),
        0..60_i32,
        json(),
    )
        .prop_map(|(texts, numbers, wild, level, extra)| Record {
            id: numbers[0].cast_unsigned(),
            received_us: numbers[1],
            created_us: numbers[2],
            line: numbers[3],
            level: if wild % 4 == 0 { wild } else { level },
            message: texts[0].clone(),
            module: texts[1].clone(),
            function: texts[2].clone(),
            exception: texts[3].clone(),
            system_id: texts[4].clone(),
            logger: texts[5].clone(),
            extra,
            ..Record::default()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read(condition in condition(), now in any::<i64>()) {
        let printed = print(&condition);
        let read = parse(&printed, now);
        let read = read.map_err(|error| error.render(&printed));
        assert_eq!(read, Ok(simplify(condition)), "{printed}");
    }

    #[test]
    fn it_means_the_same(condition in condition(), records in vec(record(), 8)) {
        let printed = print(&condition);
        let read = parse(&printed, 0).unwrap();
        for record in records {
            assert_eq!(read.matches(&record), condition.matches(&record), "{printed}");
        }
    }

    #[test]
    fn words_print_as_well(text in any::<String>()) {
        let words = words(&text);
        assert_eq!(parse(&print(&words), 0), Ok(words));
    }

    #[test]
    fn any_text_is_read_or_refused(pieces in vec(select(&PIECES[..]), 0..12), wild in any::<String>()) {
        for text in [pieces.concat(), pieces.join(" "), format!("{}{wild}", pieces.concat()), wild] {
            match parse(&text, 0) {
                Ok(condition) => {
                    let printed = print(&condition);
                    assert_eq!(parse(&printed, 0), Ok(condition), "{text} {printed}");
                }
                Err(error) => {
                    assert!(text.get(error.span.clone()).is_some(), "{text} {error:?}");
                    assert!(!error.span.is_empty() && !error.hint.is_empty(), "{text} {error:?}");
                    let drawn = error.render(&text);
                    assert_eq!(drawn.matches(char::is_control).collect::<String>(), "\n");
                }
            }
        }
    }
}
