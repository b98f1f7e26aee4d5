//! Every error names the whole variable and says what is right.

use serde::Deserialize;

use super::{Age, ByteSize, ConfigError, Vars, optional, read, required};

#[derive(Debug, Deserialize, PartialEq)]
struct Config {
    listen: String,
    #[serde(default)]
    batch: u16,
    retention: Option<Age>,
    max_bytes: Option<ByteSize>,
    #[serde(default)]
    strict: bool,
}

fn vars(text: &[(&str, &str)]) -> Vars {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    text.iter().map(owned).collect()
}

#[test]
fn fields_are_read_from_variables_with_the_prefix() {
    let given = vars(&[
        ("LISTEN", "another"),
        ("STORE_LISTEN", "0.0.0.0:9110"),
        ("STORE_BATCH", "500"),
        ("STORE_RETENTION", "30d"),
        ("STORE_MAX_BYTES", "1GiB"),
        ("STORE_STRICT", "true"),
        ("STORE_SERVICE_HOST", "10.0.0.1"),
    ]);
    let expected = Config {
        listen: "0.0.0.0:9110".to_owned(),
        batch: 500,
        retention: Some("30d".parse().unwrap()),
        max_bytes: Some(ByteSize(1 << 30)),
        strict: true,
    };
    assert_eq!(read("STORE_", &given), Ok(expected));
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let given = vars(&[
        ("STORE_LISTEN", "x"),
        ("STORE_BATCH", ""),
        ("STORE_RETENTION", ""),
    ]);
    let config: Config = read("STORE_", &given).unwrap();
    assert_eq!((config.batch, config.retention), (0, None));
    assert_eq!(optional::<u16>("STORE_BATCH", &given), Ok(None));
}

#[test]
fn an_error_names_the_whole_variable_and_the_way_out() {
    let check = |name: &str, value: &str, expected: &str| {
        let listen = (
            "STORE_LISTEN",
            if name == "STORE_LISTEN" { value } else { "x" },
        );
        let given = vars(&[("STORE_UNKNOWN", "-1"), (name, value), listen]);
        let error = read::<Config>("STORE_", &given).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.variable(), name);
    };
    check("STORE_LISTEN", "", "STORE_LISTEN: is required, but not set");
    check(
        "STORE_BATCH",
        "many",
        "STORE_BATCH: `many` is no whole number of 0 or more, written in digits only",
    );
    check("STORE_BATCH", "65536", "STORE_BATCH: `65536` is too large");
    check(
        "STORE_STRICT",
        "yes",
        "STORE_STRICT: `yes` is neither `true` nor `false`",
    );
    check(
        "STORE_RETENTION",
        "30",
        "STORE_RETENTION: `30` is no length of time: use a whole number with a unit of d, h, m, s \
         or ms, such as 30d",
    );
    check(
        "STORE_MAX_BYTES",
        "lots",
        "STORE_MAX_BYTES: `lots` is no size: use a whole number with a unit of B, KB, MB, GB, TB, \
         KiB, MiB, GiB or TiB, such as 64MiB",
    );
}

#[test]
fn the_first_of_two_equal_mistakes_is_named() {
    let given = vars(&[("STORE_RETENTION", "x"), ("STORE_BATCH", "x")]);
    let error = read::<Config>("STORE_", &given).unwrap_err();
    assert_eq!(error.variable(), "STORE_RETENTION");
}

#[test]
fn single_variables_are_required_or_optional() {
    let given = vars(&[("DEV_STAGE", "7"), ("BAD", "x")]);
    assert_eq!(required::<u16>("DEV_STAGE", &given), Ok(7));
    assert_eq!(optional::<u16>("MISSING", &given), Ok(None));
    assert_eq!(
        required::<u16>("MISSING", &given),
        Err(ConfigError::new("MISSING", "is required, but not set"))
    );
    assert_eq!(
        optional::<u16>("BAD", &given).unwrap_err().to_string(),
        "BAD: invalid digit found in string"
    );
}
