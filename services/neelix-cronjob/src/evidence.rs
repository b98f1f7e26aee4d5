//! From what is told to letters: with the records that show it.

use std::collections::HashMap;

use domain::{
    AlertKind, Condition, NumberField, NumberRange, Order, Record, RecordFilter, RunState,
    TextField, TextTest,
};

use crate::{
    digest::{Evidence, Finding, Letter, News},
    judge::Told,
    rule::{Rule, Trigger},
    scope,
    store_client::{StoreClient, StoreError},
};

/// How many alerts are shown with records in one run: a mail has no room for more.
const MAX_SHOWN: usize = 100;
/// How many records are shown of each end.
const SHOWN: usize = 5;

/// Looks up records, as long as there is room for them.
#[derive(Debug)]
pub(crate) struct Illustrator<'a> {
    store: &'a StoreClient,
    state: &'a RunState,
    left: usize,
}

impl<'a> Illustrator<'a> {
    pub(crate) fn new(store: &'a StoreClient, state: &'a RunState) -> Self {
        Self {
            store,
            state,
            left: MAX_SHOWN,
        }
    }

    /// Letters, one for each rule among what is told.
    pub(crate) async fn letters(
        &mut self,
        rules: &[Rule],
        told: Vec<Told>,
    ) -> Result<Vec<Letter>, StoreError> {
        let mut letters: Vec<Letter> = Vec::new();
        let mut places: HashMap<usize, usize> = HashMap::new();
        for told in told {
            let number = told.rule;
            let rule = &rules[number];
            let finding = self.finding(rule, told).await?;
            let place = *places.entry(number).or_insert_with(|| {
                letters.push(Letter {
                    rule: rule.row.clone(),
                    findings: Vec::new(),
                });
                letters.len() - 1
            });
            letters[place].findings.push(finding);
        }
        Ok(letters)
    }

    async fn finding(&mut self, rule: &Rule, told: Told) -> Result<Finding, StoreError> {
        let Told {
            news,
            alert,
            heard_us,
            ..
        } = told;
        let subject = &alert.subject;
        let of_subject = scope::only(&subject.system_id, &subject.sub_system_id);
        let watch = rule
            .watches
            .iter()
            .find(|watch| watch.condition == subject.condition);
        let condition = match watch.map(|watch| &watch.trigger) {
            Some(Trigger::Records(records)) => {
                Some(of_subject.clone().and(records.condition.clone()))
            }
            _ => None,
        };
        let (mut evidence, mut earlier) = (Evidence::default(), 0);
        if self.left > 0 {
            self.left -= 1;
            earlier = self.store.earlier(subject, alert.id).await?;
            evidence = match &condition {
                Some(condition) => self.records(condition.clone()).await?,
                None => {
                    self.silence(of_subject, news, alert.first_record_id)
                        .await?
                }
            };
        }
        let search = match alert.kind {
            AlertKind::Heartbeat => String::new(),
            _ => condition
                .map(|condition| query::print(&condition))
                .unwrap_or_default(),
        };
        Ok(Finding {
            alert,
            news,
            evidence,
            earlier,
            search,
            heard_us,
        })
    }

    /// The first and last new ones that match.
    async fn records(&self, condition: Condition) -> Result<Evidence, StoreError> {
        let filter = RecordFilter::new(condition);
        let ids = self.state.judged_id + 1..self.state.newest_id + 1;
        if ids.is_empty() {
            return Ok(Evidence::default());
        }
        let list = |order| self.store.list(&filter, ids.clone(), order, SHOWN);
        let first = list(Order::OldestFirst).await?;
        let mut last = list(Order::NewestFirst).await?;
        last.retain(|record| first.iter().all(|shown| shown.id < record.id));
        last.reverse();
        let around = match first.first() {
            Some(record) => self.store.around(record.id, 5).await?,
            None => Vec::new(),
        };
        Ok(Evidence {
            first,
            last,
            around,
        })
    }

    /// The last ones before a silence, or the one that ended it.
    async fn silence(
        &self,
        of_subject: Condition,
        news: News,
        last_id: u64,
    ) -> Result<Evidence, StoreError> {
        let filter = RecordFilter::new(of_subject.and(Condition::Not(Box::new(own_note()))));
        let end = self.state.newest_id + 1;
        match news {
            News::Resolved => {
                let back = last_id + 1..end;
                let first = self
                    .store
                    .list(&filter, back, Order::OldestFirst, 1)
                    .await?;
                Ok(Evidence {
                    first,
                    ..Evidence::default()
                })
            }
            News::Fired | News::Reminder => {
                let mut last: Vec<Record> = self
                    .store
                    .list(&filter, 1..end, Order::NewestFirst, SHOWN)
                    .await?;
                last.reverse();
                Ok(Evidence {
                    last,
                    ..Evidence::default()
                })
            }
        }
    }
}

/// The notes that the predecessor's neelix made in the name of a system: no sign of
/// life. They have a message and a severity, and nothing else.
pub(crate) fn own_note() -> Condition {
    let is_empty = |field| Condition::Text(field, TextTest::Is(String::new()));
    let pieces = ["Neelix added Notification ", " for ", ""].map(str::to_owned);
    let message = TextTest::Like(domain::Glob::new(pieces.into()));
    [
        Condition::Number(NumberField::Level, NumberRange::only(30)),
        is_empty(TextField::Logger),
        is_empty(TextField::Module),
        is_empty(TextField::SubSystem),
    ]
    .into_iter()
    .fold(Condition::Text(TextField::Message, message), Condition::and)
}
