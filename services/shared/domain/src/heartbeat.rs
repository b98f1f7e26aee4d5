//! What rules expect of systems.

use crate::Micros;

/// What a rule expects of a system, and whether that is so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// Name of the rule: the section of the rules file.
    pub rule: String,
    /// The condition in the words of the rules file, such as `AGE=2h`.
    pub condition: String,
    /// The system.
    pub system_id: String,
    /// The sub system; empty for all of the system together.
    pub sub_system_id: String,
    /// What is expected, for people, such as `every 2 h`.
    pub expected: String,
    /// Whether that is so.
    pub state: HeartbeatState,
    /// Since when the state holds.
    pub since_us: Micros,
    /// When its newest record was received; 0 when it was never seen.
    pub last_received_us: Micros,
    /// When the next record is due, or when the missing one was.
    pub due_us: Micros,
    /// When the rule first expected it.
    pub expected_since_us: Micros,
}

/// Whether a system is heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeartbeatState {
    /// As expected.
    Up,
    /// A record is due, but there is time yet.
    Late,
    /// A record is missing.
    Down,
    /// There has never been a record, and one is missing.
    NeverSeen,
}

/// A system that has been seen. Notes that the predecessor's neelix made in its
/// name do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenSystem {
    /// The system.
    pub system_id: String,
    /// The sub system.
    pub sub_system_id: String,
    /// When its first record was received.
    pub first_received_us: Micros,
    /// When its newest record was received, by its bridge's clock but never later
    /// than `last_stored_us`.
    pub last_received_us: Micros,
    /// When the store took its newest record, by the store's clock.
    pub last_stored_us: Micros,
    /// Id of its newest record.
    pub last_id: u64,
}
