//! What is asked, and how long it may take.

use crate::{corpus, lines::Lines};

/// A question that is asked again and again, each time about another record.
pub(crate) struct Question {
    pub(crate) what: &'static str,
    /// The query about the record of this number.
    pub(crate) text: Box<dyn Fn(u64) -> String + Send + Sync>,
    /// What its p99 is held against, in milliseconds.
    pub(crate) most_ms: Option<f64>,
}

impl Question {
    /// Whether it has an answer long before the deadline.
    pub(crate) fn is_quick(&self) -> bool {
        self.most_ms.is_some_and(|most| most <= 100.0)
    }
}

/// All questions.
pub(crate) fn all(lines: &Lines) -> Vec<Question> {
    let fixed = |what, text: &str, most_ms| {
        let text = text.to_owned();
        Question {
            what,
            text: Box::new(move |_| text.clone()),
            most_ms,
        }
    };
    let about = |what, text: fn(u64) -> String, most_ms| Question {
        what,
        text: Box::new(text),
        most_ms: Some(most_ms),
    };
    let phrase = phrase(lines);
    vec![
        fixed("no filter", "", Some(20.0)),
        fixed("a system", "system_id:service_7", Some(20.0)),
        fixed("an absent system", "system_id:nobody", Some(20.0)),
        fixed(
            "a rare field value",
            &format!("user_spec_2:{}", corpus::NEEDLE),
            Some(20.0),
        ),
        fixed("level error", "level>=error", Some(20.0)),
        fixed(
            "a system's errors",
            "system_id:service_4 level>=error",
            Some(20.0),
        ),
        fixed(
            "system and host that hardly meet",
            "system_id:service_3 sub_system_id:host_6",
            Some(20.0),
        ),
        fixed(
            "system, host and level that never meet",
            "system_id:service_3 sub_system_id:host_3 level>=critical",
            Some(20.0),
        ),
        about(
            "one process of a system and one order",
            |number| {
                let program = number % 24;
                let order = corpus::order(number);
                format!("system_id:service_{program} extra.order_id:{order}")
            },
            20.0,
        ),
        fixed("a common word", "error", Some(10.0)),
        fixed("an absent word", "unobtainium", Some(100.0)),
        fixed("an absent part of a word", "xqzj", Some(100.0)),
        about(
            "a whole id",
            |number| format!("{:016x}", corpus::id(number)),
            100.0,
        ),
        about(
            "an absent id",
            |number| format!("{:016x}", corpus::mix(number + (1 << 50))),
            100.0,
        ),
        about(
            "8 characters of an id",
            |number| format!("{:016x}", corpus::id(number))[4..12].to_owned(),
            100.0,
        ),
        about(
            "8 characters of an absent id",
            |number| format!("{:016x}", corpus::mix(number + (1 << 50)))[4..12].to_owned(),
            100.0,
        ),
        Question {
            what: "a phrase of common words",
            text: Box::new(move |_| format!("\"{phrase}\"")),
            most_ms: Some(100.0),
        },
        fixed(
            "two common words that meet",
            "block terminating",
            Some(100.0),
        ),
        fixed(
            "two common words that hardly meet",
            "connection failed",
            None,
        ),
        fixed(
            "two common words that never meet",
            "blockmap scoreboard",
            None,
        ),
        about(
            "an order in extra",
            |number| format!("extra.order_id:{}", corpus::order(number)),
            100.0,
        ),
        fixed(
            "an exception of a type and an order",
            "exception:shop.errors.Failure3 level>=critical",
            Some(100.0),
        ),
        fixed(
            "a pattern with a text",
            "/(?i)fail(ed|ure) .*password/",
            Some(300.0),
        ),
        about(
            "a pattern with an id",
            |number| format!("/request={:012x}[0-9a-f]+$/", corpus::id(number) >> 16),
            300.0,
        ),
        fixed(
            "a pattern with a common text, never found",
            "/failed .*xqzj$/",
            None,
        ),
        fixed(
            "a pattern without a text, never found",
            "/[q-z]{9}[0-4]{9}/",
            None,
        ),
    ]
}

/// The middle of a line that is one of many of its kind.
fn phrase(lines: &Lines) -> String {
    let line = &lines.texts[lines.texts.len() / 3];
    let words: Vec<&str> = line
        .split(' ')
        .filter(|word| word.chars().all(|letter| letter.is_ascii_alphabetic()))
        .collect();
    let sentence = words.windows(2).find_map(|pair| {
        let text = pair.join(" ");
        line.contains(&text).then_some(text)
    });
    sentence.unwrap_or_else(|| "session opened".to_owned())
}
