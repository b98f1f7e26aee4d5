//! One attempt at one delivery, and when the next may be.

use std::collections::HashMap;

use domain::{Delivery, DeliveryChannel, DeliveryState, Micros, Notification};
use url::Url;

use crate::{
    mailer::{MailServer, Mailer, Outcome},
    webhook::Webhooks,
};

use super::{Post, StoreClock};

const MINUTE_US: Micros = 60 * 1_000_000;
/// The longest time between two attempts.
const MAX_PAUSE_US: Micros = 30 * MINUTE_US;
/// What has been tried for so long in vain never will be delivered.
const GIVE_UP_AFTER_US: Micros = 3 * 24 * 60 * MINUTE_US;

/// Where notifications go in this run. A place that could not be reached once is
/// not tried again: what else was to go there waits.
#[derive(Debug)]
pub(super) struct Attempts<'a> {
    mailer: Option<Mailer<'a>>,
    webhooks: Option<Webhooks>,
    unreachable: HashMap<Place, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    MailServer,
    Site(url::Origin),
}

impl<'a> Attempts<'a> {
    pub(super) fn new(post: &'a Post) -> Self {
        Self {
            mailer: match &post.server {
                MailServer::Smtp(server) => Some(Mailer::new(server, &post.sender, post.stage)),
                MailServer::Keep => None,
            },
            webhooks: None,
            unreachable: HashMap::new(),
        }
    }

    /// The delivery as it is after an attempt.
    pub(super) async fn try_once(
        &mut self,
        notification: &Notification,
        delivery: &Delivery,
        clock: StoreClock,
    ) -> Delivery {
        let place = place(delivery);
        if let Some(reason) = self.unreachable.get(&place) {
            return waiting(delivery, format!("not tried: {reason}"), clock.now_us());
        }
        let outcome = match (delivery.channel, &mut self.mailer) {
            (DeliveryChannel::Mail, Some(mailer)) => mailer.send(notification, delivery).await,
            (DeliveryChannel::Mail, None) => return kept(delivery),
            (DeliveryChannel::Webhook, _) => {
                let webhooks = self.webhooks.get_or_insert_with(Webhooks::new);
                webhooks.send(notification, delivery).await
            }
        };
        match outcome {
            Outcome::Delivered => delivered(delivery, clock.now_us()),
            Outcome::Refused { reason } => failed(delivery, reason),
            Outcome::Later {
                reason,
                is_unreachable,
            } => {
                if is_unreachable {
                    self.unreachable.insert(place, reason.clone());
                }
                later(notification, delivery, reason, clock.now_us())
            }
        }
    }

    pub(super) async fn close(self) {
        if let Some(mailer) = self.mailer {
            mailer.close().await;
        }
    }
}

fn place(delivery: &Delivery) -> Place {
    match (delivery.channel, Url::parse(&delivery.recipient)) {
        (DeliveryChannel::Webhook, Ok(url)) => Place::Site(url.origin()),
        (DeliveryChannel::Webhook, Err(_)) => Place::Site(url::Origin::new_opaque()),
        (DeliveryChannel::Mail, _) => Place::MailServer,
    }
}

fn delivered(delivery: &Delivery, now_us: Micros) -> Delivery {
    Delivery {
        state: DeliveryState::Delivered,
        error: String::new(),
        delivered_us: Some(now_us),
        ..delivery.clone()
    }
}

fn kept(delivery: &Delivery) -> Delivery {
    Delivery {
        state: DeliveryState::Kept,
        ..delivery.clone()
    }
}

fn failed(delivery: &Delivery, reason: String) -> Delivery {
    Delivery {
        state: DeliveryState::Failed,
        error: reason,
        ..delivery.clone()
    }
}

/// After an attempt in vain: another one later, unless there have been enough.
fn later(
    notification: &Notification,
    delivery: &Delivery,
    reason: String,
    now_us: Micros,
) -> Delivery {
    let is_old = now_us.saturating_sub(notification.created_us) > GIVE_UP_AFTER_US;
    if is_old && tried_for_us(delivery, now_us) > GIVE_UP_AFTER_US {
        return failed(delivery, format!("tried for three days: {reason}"));
    }
    waiting(delivery, reason, now_us)
}

/// How long ago the first attempt was, at least: only when the last one was is known,
/// and that between two there is the pause. What neelix or the network slept through
/// does not count, however old the mail is.
fn tried_for_us(delivery: &Delivery, now_us: Micros) -> Micros {
    let Some(last) = delivery.attempts.checked_sub(1) else {
        return 0;
    };
    let last_us = delivery.next_attempt_us.saturating_sub(pause(last));
    let few: Micros = (0..last.min(5)).map(pause).sum();
    let many = Micros::from(last.saturating_sub(5)) * MAX_PAUSE_US;
    now_us.saturating_sub(last_us).max(0) + few + many
}

fn waiting(delivery: &Delivery, reason: String, now_us: Micros) -> Delivery {
    Delivery {
        state: DeliveryState::Waiting,
        error: reason,
        next_attempt_us: now_us.saturating_add(pause(delivery.attempts)),
        ..delivery.clone()
    }
}

/// 1, 2, 4 and so on up to 30 minutes.
fn pause(attempts: u32) -> Micros {
    (MINUTE_US << attempts.min(5)).min(MAX_PAUSE_US)
}

#[cfg(test)]
mod tests {
    use domain::{DeliveryState, Notification};

    use super::{GIVE_UP_AFTER_US, MINUTE_US, later, pause};
    use crate::digest;

    #[test]
    fn pauses_grow_to_half_an_hour() {
        let minutes: Vec<_> = (0..8).map(|it| pause(it) / MINUTE_US).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(pause(u32::MAX), 30 * MINUTE_US);
    }

    /// Guards: a mail that was made three days ago was given up after one attempt, or
    /// none, when nobody had tried it in the meantime.
    #[test]
    fn after_three_days_of_attempts_it_has_failed() {
        let notification = Notification::default();
        let mut delivery = digest::waiting("a@b.c", 0);
        let mut now_us = 100 * GIVE_UP_AFTER_US;
        let first_us = now_us;
        let mut attempts = 0;
        while delivery.state == DeliveryState::Waiting {
            assert!(attempts < 1_000);
            delivery = later(&notification, &delivery, "no answer".to_owned(), now_us);
            // As the store counts.
            delivery.attempts += 1;
            attempts += 1;
            now_us = delivery.next_attempt_us;
        }
        assert_eq!(delivery.error, "tried for three days: no answer");
        assert!(now_us - first_us > GIVE_UP_AFTER_US);
        assert!(attempts > 100, "{attempts}");
    }
}
