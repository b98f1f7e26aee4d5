//! Runs of neelix, and what they go by.

use crate::{Alert, Heartbeat, Micros};

/// One run of neelix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number; rising.
    pub id: u64,
    /// Who runs: host and process, for people.
    pub holder: String,
    /// neelix's version.
    pub version: String,
    /// When it began.
    pub started_us: Micros,
    /// When it ended; none while it goes on or when it was ended from outside.
    pub ended_us: Option<Micros>,
    /// Records up to this id had been judged before it.
    pub after_id: u64,
    /// Records up to this id have been judged; as `after_id` until it has
    /// committed what it found.
    pub through_id: u64,
    /// How many alerts it opened.
    pub opened: u32,
    /// How many alerts it resolved.
    pub resolved: u32,
    /// How many deliveries were accepted.
    pub delivered: u32,
    /// How many deliveries failed, for now or for good.
    pub undelivered: u32,
    /// What went wrong, a line each.
    pub errors: Vec<String>,
}

/// What a run begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunState {
    /// The store's clock: the only one that rules go by.
    pub now_us: Micros,
    /// Records up to this id have been judged; 0 when there was no run.
    pub judged_id: u64,
    /// Id of the newest record.
    pub newest_id: u64,
    /// Whatever a bridge received before this time is here, as far as the store
    /// can know: silence is judged at this time, not now.
    pub complete_us: Micros,
    /// Since this time records were taken without a break, as far as the store
    /// can know: before, some may have been lost because a bridge was not there.
    pub attended_since_us: Micros,
    /// The id of the next alert to be opened.
    pub next_alert_id: u64,
    /// Alerts that go on, and those that ended but whose silence goes on.
    pub alerts: Vec<Alert>,
    /// Heartbeats as the newest run left them.
    pub heartbeats: Vec<Heartbeat>,
    /// With what links are signed.
    pub link_key: Vec<u8>,
    /// When bridges were not there, by rising time: what was logged then may be lost.
    pub interruptions: Vec<Interruption>,
}

/// A time in which a bridge was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interruption {
    /// When it was last heard of.
    pub from_us: Micros,
    /// When it was heard of again.
    pub to_us: Micros,
}

/// A rule as it stands in the rules file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name: the section.
    pub name: String,
    /// The section as it is written, comments included.
    pub text: String,
    /// Who is told: addresses and URLs.
    pub recipients: Vec<String>,
    /// Line of the file where the section begins, from 1.
    pub line: u32,
}
