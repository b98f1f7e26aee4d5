//! What rules have found, and how that went on.

use crate::Micros;

/// What a rule has found: one at a time for each rule, condition, system and
/// sub system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its number; rising.
    pub id: u64,
    /// What tells it from others that go on.
    pub subject: AlertSubject,
    /// What kind of condition it is.
    pub kind: AlertKind,
    /// Why, in one line for people.
    pub reason: String,
    /// When it was found.
    pub opened_us: Micros,
    /// When it ended; none while it goes on.
    pub resolved_us: Option<Micros>,
    /// When what it is about began: the first matching record's time of receipt,
    /// or for a silence that of the last record before it; 0 when the system has
    /// never been seen.
    pub since_us: Micros,
    /// The newest matching record's time of receipt; 0 for a silence.
    pub last_us: Micros,
    /// Id of the first matching record, or of the last before a silence; 0 for none.
    pub first_record_id: u64,
    /// Id of the newest matching record; 0 for none.
    pub last_record_id: u64,
    /// How many records have matched since it was opened.
    pub records: u64,
    /// How many of them came after the newest notification was made.
    pub records_unnotified: u64,
    /// When the newest notification was made; 0 for never.
    pub notified_us: Micros,
    /// When somebody said that they know; none as long as nobody has.
    pub acknowledged_us: Option<Micros>,
    /// Until when nobody is told; none when it was never silenced or that has
    /// been taken back.
    pub silenced_until_us: Option<Micros>,
}

impl Alert {
    /// Whether it goes on.
    #[must_use]
    pub fn is_firing(&self) -> bool {
        self.resolved_us.is_none()
    }

    /// Whether nobody is to be told of it at a time.
    #[must_use]
    pub fn is_silenced(&self, now_us: Micros) -> bool {
        self.silenced_until_us.is_some_and(|until| now_us < until)
    }
}

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AlertSubject {
    /// Name of the rule: the section of the rules file.
    pub rule: String,
    /// The condition of the rule that holds, in the words of the rules file, such
    /// as `MSG=disk full` or `AGE=2h`.
    pub condition: String,
    /// The system.
    pub system_id: String,
    /// The sub system; empty for all of the system together.
    pub sub_system_id: String,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// Records that match.
    Match,
    /// At least so many records that match within a time.
    Count,
    /// A heartbeat that is missing.
    Heartbeat,
}

/// Something that happened to an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEvent {
    /// When.
    pub at_us: Micros,
    /// What.
    pub kind: AlertEventKind,
    /// Who did it, when a person did, as far as that is known.
    pub by: String,
    /// The particulars, in one line for people.
    pub note: String,
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertEventKind {
    /// It was found.
    Fired,
    /// A notification was made.
    Notified,
    /// Somebody knows.
    Acknowledged,
    /// It was silenced.
    Silenced,
    /// The silence was taken back.
    Unsilenced,
    /// It ended.
    Resolved,
}
