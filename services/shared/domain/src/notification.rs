//! What is to be told to people, and how far that has come.

use crate::Micros;

/// A mail, or a call of a webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notification {
    /// Given by the store; 0 before.
    pub id: u64,
    /// What tells it from all others, without angle brackets: the Message-ID of a
    /// mail.
    pub message_id: String,
    /// When it was made.
    pub created_us: Micros,
    /// The mail's subject, one line.
    pub subject: String,
    /// The mail as text.
    pub text: String,
    /// The mail as HTML.
    pub html: String,
    /// What a webhook gets: a JSON object.
    pub json: String,
    /// The alerts it is about.
    pub alert_ids: Vec<u64>,
    /// To whom, and how far that has come.
    pub deliveries: Vec<Delivery>,
    /// Every address the mail goes to, also those that are not among
    /// `deliveries` because they are not due: what the mail says in `To`.
    pub mail_to: Vec<String>,
}

/// A notification on its way to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Given by the store; 0 before.
    pub id: u64,
    /// How it goes.
    pub channel: DeliveryChannel,
    /// An address of mail, or the URL of a webhook.
    pub recipient: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this time it is tried again.
    pub next_attempt_us: Micros,
    /// Why the newest attempt failed; empty when none has.
    pub error: String,
    /// When it was accepted; none before.
    pub delivered_us: Option<Micros>,
}

/// How a delivery goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryChannel {
    /// By mail.
    Mail,
    /// By a POST to a URL.
    Webhook,
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// It will be tried, again or for the first time.
    Waiting,
    /// It was accepted.
    Delivered,
    /// It was refused for good, or tried for too long.
    Failed,
    /// It is only kept to be looked at, because there is no mail server.
    Kept,
}
