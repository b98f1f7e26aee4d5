//! From findings to mails.

use domain::{
    Alert, Delivery, DeliveryChannel, DeliveryState, Micros, Notification, Record, Stage,
};

/// What every mail needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) stage: Stage,
    /// Where the pages are.
    pub(crate) url: String,
    /// With what links are signed.
    pub(crate) link_key: Vec<u8>,
    /// Right side of a Message-ID.
    pub(crate) domain: String,
    pub(crate) now_us: Micros,
}

/// What has happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// It was found, and nobody has been told yet.
    Fired,
    /// It goes on.
    Reminder,
    /// It has ended.
    Resolved,
}

/// Records that show what happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// Up to five that match, by rising id. For a heartbeat that is back: the record
    /// that ended the silence.
    pub(crate) first: Vec<Record>,
    /// Up to five that match and are not in `first`. For a lost heartbeat: its last.
    pub(crate) last: Vec<Record>,
    /// The neighbours of the same system around the first, itself included.
    pub(crate) around: Vec<Record>,
}

/// An alert somebody is to hear of.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) alert: Alert,
    pub(crate) news: News,
    pub(crate) evidence: Evidence,
    /// How many alerts of the same subject there were before.
    pub(crate) earlier: u64,
    /// The query that finds the records; empty for heartbeats.
    pub(crate) search: String,
}

/// What one rule has to say.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) rule: domain::Rule,
    pub(crate) findings: Vec<Finding>,
}
