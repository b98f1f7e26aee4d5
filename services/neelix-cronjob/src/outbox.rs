//! How much one run may hand in: the store refuses more, and a run that is refused would
//! fail in the same way ever after. What there is no room for is told all the same, in
//! fewer words.

use domain::{DeliveryChannel, Notification};

/// The most notifications with a rule of their own; a few for storms and for all others
/// come in addition.
const MAX_LETTERS: usize = 900;
/// The most bytes of all of these.
const MAX_BYTES: usize = 16 << 20;
/// The most deliveries that one notification may have.
pub(crate) const MAX_DELIVERIES: usize = 1_000;

/// Notifications of one run.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    notifications: Vec<Notification>,
    bytes: usize,
}

impl Outbox {
    /// Whether one more rule may have a notification of its own.
    pub(crate) fn has_room(&self) -> bool {
        self.notifications.len() < MAX_LETTERS && self.bytes < MAX_BYTES
    }

    /// Takes a notification, in parts when it has too many recipients for one.
    pub(crate) fn put(&mut self, notification: Notification) {
        for part in parts(notification) {
            self.bytes += size(&part);
            self.notifications.push(part);
        }
    }

    pub(crate) fn into_notifications(self) -> Vec<Notification> {
        self.notifications
    }
}

fn size(notification: &Notification) -> usize {
    let deliveries = notification.deliveries.iter();
    let recipients: usize = deliveries
        .map(|delivery| 2 * delivery.recipient.len())
        .sum();
    let texts = [
        &notification.subject,
        &notification.text,
        &notification.html,
        &notification.json,
    ];
    recipients + texts.iter().map(|text| text.len()).sum::<usize>()
}

/// The same notification to fewer recipients each; the first part keeps its Message-ID.
fn parts(mut notification: Notification) -> Vec<Notification> {
    if notification.deliveries.len() <= MAX_DELIVERIES {
        return vec![notification];
    }
    let deliveries = std::mem::take(&mut notification.deliveries);
    let parts = deliveries.chunks(MAX_DELIVERIES).enumerate();
    let part = |(number, deliveries): (usize, &[domain::Delivery])| {
        let mails = deliveries
            .iter()
            .filter(|delivery| delivery.channel == DeliveryChannel::Mail);
        Notification {
            message_id: match (number, notification.message_id.split_once('@')) {
                (1.., Some((name, domain))) => format!("{name}.{number}@{domain}"),
                _ => notification.message_id.clone(),
            },
            mail_to: mails.map(|delivery| delivery.recipient.clone()).collect(),
            deliveries: deliveries.to_vec(),
            ..notification.clone()
        }
    };
    parts.map(part).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use domain::Notification;

    use super::{MAX_BYTES, MAX_DELIVERIES, MAX_LETTERS, Outbox};
    use crate::digest;

    /// Guards: a storm whose rules name more than a thousand made every run fail.
    #[test]
    fn many_recipients_are_told_in_parts() {
        let deliveries: Vec<_> = (0..2_500)
            .map(|n| digest::waiting(&format!("{n}@example.com"), 0))
            .collect();
        let mut outbox = Outbox::default();
        outbox.put(Notification {
            message_id: "herald.r1@host".to_owned(),
            deliveries,
            ..Notification::default()
        });
        let parts = outbox.into_notifications();
        let ids: HashSet<&str> = parts.iter().map(|part| part.message_id.as_str()).collect();
        assert_eq!((parts.len(), ids.len()), (3, 3));
        assert!(
            parts
                .iter()
                .all(|part| part.deliveries.len() <= MAX_DELIVERIES)
        );
        let told: HashSet<&String> = parts.iter().flat_map(|part| &part.mail_to).collect();
        assert_eq!(told.len(), 2_500);
    }

    /// Guards: a thousand and one rules that fired, or large mails, made every run fail.
    #[test]
    fn there_is_room_for_so_many_and_so_much() {
        let mut outbox = Outbox::default();
        for _ in 0..MAX_LETTERS {
            assert!(outbox.has_room());
            outbox.put(Notification::default());
        }
        assert!(!outbox.has_room());
        let mut outbox = Outbox::default();
        outbox.put(Notification {
            html: "x".repeat(MAX_BYTES),
            ..Notification::default()
        });
        assert!(!outbox.has_room());
    }
}
