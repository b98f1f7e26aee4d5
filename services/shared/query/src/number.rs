//! Values of fields that hold numbers: lines, severities, times.

use domain::{Decimal, Level, Micros, NumberField, NumberRange};

use crate::{error::shown, name, time};

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Is,
    Not,
    AtLeast,
    Above,
    AtMost,
    Below,
}

impl Operator {
    const ALL: [Self; 6] = [
        Self::Is,
        Self::Not,
        Self::AtLeast,
        Self::AtMost,
        Self::Above,
        Self::Below,
    ];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Is => ":",
            Self::Not => "!=",
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::Below => "<",
        }
    }

    /// The one that a text starts with.
    pub(crate) fn at(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|operator| text.starts_with(operator.text()))
    }
}

/// What is wrong with a value, and what would be right.
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) hint: String,
}

/// None at all.
const NONE: NumberRange = NumberRange {
    min: i64::MAX,
    max: i64::MIN,
};

/// The numbers that a comparison with this value holds of; for
/// [`Operator::Not`] those it does not hold of.
pub(crate) fn range(
    field: NumberField,
    operator: Operator,
    text: &str,
    now_us: Micros,
) -> Result<NumberRange, Fault> {
    let one = |text: &str| one(field, text, now_us);
    Ok(match operator {
        Operator::Is | Operator::Not => match text.split_once("..") {
            Some((min, max)) => NumberRange {
                min: if min.is_empty() {
                    i64::MIN
                } else {
                    one(min)?.min
                },
                max: if max.is_empty() {
                    i64::MAX
                } else {
                    one(max)?.max
                },
            },
            None => one(text)?,
        },
        Operator::AtLeast => NumberRange::from(one(text)?.min),
        Operator::AtMost => NumberRange::up_to(one(text)?.max),
        Operator::Above => {
            let next = one(text)?.max.checked_add(1);
            next.map_or(NONE, NumberRange::from)
        }
        Operator::Below => {
            let previous = one(text)?.min.checked_sub(1);
            previous.map_or(NONE, NumberRange::up_to)
        }
    })
}

/// The numbers that a single value stands for: a name of a severity and a date
/// stand for many.
fn one(field: NumberField, text: &str, now_us: Micros) -> Result<NumberRange, Fault> {
    if field.is_time() {
        return time::range(text, now_us).map_err(|error| Fault {
            message: match error {
                time::TimeError::Unreadable(text) => format!("`{text}` is no time"),
                time::TimeError::OutOfRange(text) => {
                    format!("`{text}` lies further away than time goes")
                }
            },
            hint: time::FORMS.to_owned(),
        });
    }
    if let Ok(number) = text.parse() {
        return Ok(NumberRange::only(number));
    }
    match field {
        NumberField::Level => severity(text),
        _ => Err(Fault {
            message: format!("`{}` is no whole number", shown(text)),
            hint: format!(
                "write it as in `{name}:12`, `{name}>=12` or `{name}:5..9`",
                name = field.name()
            ),
        }),
    }
}

fn severity(text: &str) -> Result<NumberRange, Fault> {
    if let Ok(level) = text.parse() {
        return Ok(band(level));
    }
    let names = ["debug", "info", "warning", "error", "critical"];
    let nearest = match text {
        "" => None,
        text => name::most_like(&text.to_lowercase(), names.into_iter()),
    };
    let hint = "use debug, info, warning, error, critical or a number such as 35";
    Err(Fault {
        message: format!("`{}` is no level", shown(text)),
        hint: match nearest {
            Some(nearest) => format!("did you mean `{nearest}`? {hint}"),
            None => hint.to_owned(),
        },
    })
}

/// The numbers that belong to a severity.
fn band(level: Level) -> NumberRange {
    let min = match level {
        Level::Debug => i64::MIN,
        level => i64::from(level.number()),
    };
    let next = Level::ALL.into_iter().find(|next| *next > level);
    let max = next.map_or(i64::MAX, |next| i64::from(next.number()) - 1);
    NumberRange { min, max }
}

/// Appends a comparison that holds of these numbers.
pub(crate) fn write(field: NumberField, range: NumberRange, out: &mut String) {
    out.push_str(field.name());
    if field == NumberField::Level
        && let Some(text) = severities(range)
    {
        out.push_str(&text);
        return;
    }
    let number = |number: i64| {
        if field.is_time() {
            time::write(number)
        } else {
            number.to_string()
        }
    };
    out.push_str(&match (range.min, range.max) {
        (i64::MIN, i64::MAX) => ":..".to_owned(),
        (min, max) if min == max => format!(":{}", number(min)),
        (min, i64::MAX) => format!(">={}", number(min)),
        (i64::MIN, max) => format!("<={}", number(max)),
        (min, max) => format!(":{}..{}", number(min), number(max)),
    });
}

/// The comparison by name, where one says the same.
fn severities(range: NumberRange) -> Option<String> {
    let name = |level: Level| level.name().to_ascii_lowercase();
    let is_from = |level: &Level| range == NumberRange::from(i64::from(level.number()));
    let mut levels = Level::ALL.into_iter();
    if let Some(level) = levels
        .clone()
        .filter(|level| *level > Level::Debug)
        .find(is_from)
    {
        return Some(format!(">={}", name(level)));
    }
    let level = levels.find(|level| range == band(*level))?;
    Some(format!(":{}", name(level)))
}

/// A number as people write it: `10.5` rather than `0.105e2`, unless it has
/// many zeros.
pub(crate) fn write_decimal(number: &Decimal) -> String {
    let text = number.to_string();
    let sign = if text.starts_with('-') { "-" } else { "" };
    let parts = text[sign.len()..].strip_prefix("0.");
    let Some((digits, exponent)) = parts.and_then(|parts| parts.split_once('e')) else {
        return text;
    };
    match exponent.parse::<i64>() {
        Ok(zeros @ -20..=0) => {
            let zeros = "0".repeat(zeros.unsigned_abs() as usize);
            format!("{sign}0.{zeros}{digits}")
        }
        Ok(whole) if whole > 0 && (whole as usize) < digits.len() => {
            let (whole, part) = digits.split_at(whole as usize);
            format!("{sign}{whole}.{part}")
        }
        _ => text,
    }
}
