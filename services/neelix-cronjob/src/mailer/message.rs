//! A notification as a mail: headers and two parts, the same byte for byte
//! however often it is made.

use std::{
    fmt::Write as _,
    str::FromStr,
    time::{Duration, UNIX_EPOCH},
};

use domain::{DeliveryChannel, Notification, Stage};
use lettre::{
    Address, Message,
    address::Envelope,
    message::{Mailbox, MultiPart, SinglePart, header},
};
use sha2::{Digest, Sha256};

/// Alerts that headers name.
const MAX_ALERTS: usize = 50;
/// Mails of a thread that `References` names.
const MAX_REFERENCES: usize = 20;

/// A notification that cannot be a mail.
#[derive(Debug, thiserror::Error)]
pub enum NoMail {
    /// Only webhooks get it, or what is no address of mail.
    #[error("it goes to nobody by mail")]
    Nobody,
}

/// Who mails come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

/// A text that is no sender of mails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no mail address such as neelix@example.com or Herald <neelix@example.com>")]
pub struct InvalidSender(String);

impl FromStr for Sender {
    type Err = InvalidSender;

    fn from_str(text: &str) -> Result<Self, InvalidSender> {
        let mailbox = text.parse();
        mailbox
            .map(Self)
            .map_err(|_| InvalidSender(text.to_owned()))
    }
}

impl Sender {
    /// The address alone.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.0.email
    }
}

pub(super) fn of(
    notification: &Notification,
    stage: Stage,
    Sender(sender): &Sender,
) -> Result<Vec<u8>, NoMail> {
    let micros = u64::try_from(notification.created_us).unwrap_or_default();
    let mut builder = Message::builder()
        .date(UNIX_EPOCH + Duration::from_micros(micros))
        .message_id(Some(format!("<{}>", notification.message_id)))
        .from(sender.clone());
    // What is no address is refused by itself, and keeps the mail from nobody else.
    let recipients: Vec<Address> = recipients(notification)
        .into_iter()
        .filter_map(|recipient| recipient.parse().ok())
        .collect();
    let to = to(&recipients);
    let envelope = Envelope::new(Some(sender.email.clone()), recipients);
    builder = builder
        .envelope(envelope.map_err(|_| NoMail::Nobody)?)
        .raw_header(to)
        .subject(notification.subject.clone());
    let mut headers = Vec::new();
    let mut raw = |name, value: String| {
        let name = header::HeaderName::new_from_ascii_str(name);
        headers.push(header::HeaderValue::new(name, value));
    };
    let threads = threads(notification, stage);
    if let Some(first) = threads.split(' ').next().filter(|first| !first.is_empty()) {
        raw("In-Reply-To", first.to_owned());
        raw("References", threads.clone());
    }
    raw("Auto-Submitted", "auto-generated".to_owned());
    raw("X-Herald-Stage", stage.name().to_owned());
    let alerts = notification.alert_ids.iter().take(MAX_ALERTS);
    let alerts: Vec<String> = alerts.map(u64::to_string).collect();
    if !alerts.is_empty() {
        raw("X-Herald-Alert", alerts.join(", "));
    }
    for header in headers {
        builder = builder.raw_header(header);
    }
    let parts = MultiPart::alternative()
        .boundary(boundary(&notification.message_id))
        .singlepart(SinglePart::plain(notification.text.clone()))
        .singlepart(SinglePart::html(notification.html.clone()));
    let message = builder.multipart(parts);
    let message = message.expect("a mail with a sender and recipients is complete");
    Ok(message.formatted())
}

/// All of them, also those who have it already: the store tells. Without it,
/// those at hand.
fn recipients(notification: &Notification) -> Vec<&str> {
    let told = notification.mail_to.iter().map(String::as_str);
    let told: Vec<&str> = told.collect();
    if !told.is_empty() {
        return told;
    }
    let by_mail = notification
        .deliveries
        .iter()
        .filter(|delivery| delivery.channel == DeliveryChannel::Mail);
    by_mail
        .map(|delivery| delivery.recipient.as_str())
        .collect()
}

/// One address on each line: lettre would put all on one, which servers refuse.
fn to(recipients: &[Address]) -> header::HeaderValue {
    let name = header::HeaderName::new_from_ascii_str("To");
    let addresses: Vec<&str> = recipients.iter().map(AsRef::as_ref).collect();
    let (raw, folded) = (addresses.join(", "), addresses.join(",\r\n "));
    header::HeaderValue::dangerous_new_pre_encoded(name, raw, folded)
}

/// What all mails of an alert refer to, so that a mail program shows them
/// together: a name made of the alert's number, of which there is no mail.
fn threads(notification: &Notification, stage: Stage) -> String {
    let domain = notification.message_id.rsplit('@').next();
    let domain = domain.unwrap_or_default();
    let stage = stage.name().to_lowercase();
    let alerts = notification.alert_ids.iter().take(MAX_REFERENCES);
    let names = alerts.map(|id| format!("<herald.{stage}.alert.{id}@{domain}>"));
    names.collect::<Vec<_>>().join(" ")
}

/// The same for the same mail, and in no text by chance.
fn boundary(message_id: &str) -> String {
    let digest = Sha256::digest(message_id.as_bytes());
    digest[..20]
        .iter()
        .fold("herald-".to_owned(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

#[cfg(test)]
mod tests {
    use domain::{Notification, Stage};

    use super::{NoMail, of};

    fn mail(mail_to: &[&str]) -> Result<String, NoMail> {
        let notification = Notification {
            message_id: "a@b".to_owned(),
            mail_to: mail_to.iter().map(|to| (*to).to_owned()).collect(),
            ..Notification::default()
        };
        let sender = "herald@example.com".parse().expect("a sender");
        let mail = of(&notification, Stage::Testing, &sender)?;
        Ok(String::from_utf8(mail).expect("text"))
    }

    /// Guards: one address that cannot be lost the mail for all others.
    #[test]
    fn what_is_no_address_keeps_the_mail_from_nobody_else() {
        let told = mail(&["a@example.com", "b@-.example.com", "c@example.com"]).unwrap();
        assert!(
            told.contains("To: a@example.com,\r\n c@example.com\r\n"),
            "{told}"
        );
        assert!(matches!(mail(&["nobody"]), Err(NoMail::Nobody)));
    }
}
