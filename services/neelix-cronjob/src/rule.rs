//! A rule: which systems it is about, what it watches for, and who is told.

use domain::{AlertKind, Condition, Micros};

use crate::{duration, schedule::Schedule, scope::Scope};

/// How long after a notification no other follows for the same alert, when the rule
/// does not say.
pub(crate) const COOLDOWN_US: Micros = duration::HOUR_US;

/// How much earlier than planned a record may come and still count as the one that is
/// due: clocks differ a little, and programs look at theirs.
const EARLY_US: Micros = 60 * duration::SECOND_US;

/// A section of the rules file.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// As the store and the pages know it.
    pub(crate) row: domain::Rule,
    pub(crate) scope: Scope,
    /// What it watches for, each by itself.
    pub(crate) watches: Vec<Watch>,
    /// How long no other notification follows; none when the rule does not say.
    pub(crate) cooldown_us: Option<Micros>,
}

/// One thing that a rule watches for.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    /// In the words of the rules file, always the same ones for the same thing:
    /// part of an alert's identity.
    pub(crate) condition: String,
    pub(crate) trigger: Trigger,
}

/// What sets an alert off.
#[derive(Debug, Clone)]
pub(crate) enum Trigger {
    /// Records.
    Records(Records),
    /// That there are none.
    Silence(Expectation),
}

/// Records that set an alert off.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    /// What they fulfil besides being of the rule's systems.
    pub(crate) condition: Condition,
    /// How many there must be; none when one is enough.
    pub(crate) quota: Option<Quota>,
}

/// So many within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) count: u64,
    pub(crate) within_us: Micros,
}

/// When a record is expected.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    pub(crate) pace: Pace,
    /// How much later is still in time.
    pub(crate) grace_us: Micros,
    /// For people, such as `every 2 h`.
    pub(crate) text: String,
}

/// How often.
#[derive(Debug, Clone)]
pub(crate) enum Pace {
    /// At least once in so long.
    Age(Micros),
    /// By a plan.
    Schedule(Box<Schedule>),
}

impl Watch {
    /// What kind of alert it makes.
    pub(crate) fn kind(&self) -> AlertKind {
        match &self.trigger {
            Trigger::Records(Records { quota: None, .. }) => AlertKind::Match,
            Trigger::Records(Records { quota: Some(_), .. }) => AlertKind::Count,
            Trigger::Silence(_) => AlertKind::Heartbeat,
        }
    }
}

impl Rule {
    /// What its records that `records` is about fulfil altogether.
    pub(crate) fn condition_of(&self, records: &Records) -> Condition {
        self.scope.condition().and(records.condition.clone())
    }
}

impl Expectation {
    /// How much earlier than due a record may come: by a plan a minute, or the grace
    /// when that is shorter.
    pub(crate) fn early_us(&self) -> Micros {
        match &self.pace {
            Pace::Age(_) => 0,
            Pace::Schedule(_) => self.grace_us.min(EARLY_US),
        }
    }

    /// When the next record is due after a time; none when never. Of a record's time,
    /// add how early it may be.
    pub(crate) fn due_us(&self, reference_us: Micros) -> Option<Micros> {
        match &self.pace {
            Pace::Age(age_us) => Some(reference_us.saturating_add(*age_us)),
            Pace::Schedule(schedule) => schedule.next(reference_us),
        }
    }
}
