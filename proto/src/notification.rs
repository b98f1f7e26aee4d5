//! Notifications between the wire's types and the domain's.

use domain::{Delivery, DeliveryChannel, DeliveryState, Notification};

use crate::{ConvertError, error::all, v1};

impl From<Notification> for v1::Notification {
    fn from(value: Notification) -> Self {
        Self {
            id: value.id,
            message_id: value.message_id,
            created_us: value.created_us,
            subject: value.subject,
            text: value.text,
            html: value.html,
            json: value.json,
            alert_ids: value.alert_ids,
            deliveries: value.deliveries.into_iter().map(Into::into).collect(),
            mail_to: value.mail_to,
        }
    }
}

impl TryFrom<v1::Notification> for Notification {
    type Error = ConvertError;

    fn try_from(value: v1::Notification) -> Result<Self, ConvertError> {
        Ok(Self {
            id: value.id,
            message_id: value.message_id,
            created_us: value.created_us,
            subject: value.subject,
            text: value.text,
            html: value.html,
            json: value.json,
            alert_ids: value.alert_ids,
            deliveries: all(value.deliveries)?,
            mail_to: value.mail_to,
        })
    }
}

impl From<Delivery> for v1::Delivery {
    fn from(value: Delivery) -> Self {
        Self {
            id: value.id,
            channel: v1::DeliveryChannel::from(value.channel).into(),
            recipient: value.recipient,
            state: v1::DeliveryState::from(value.state).into(),
            attempts: value.attempts,
            next_attempt_us: value.next_attempt_us,
            error: value.error,
            delivered_us: value.delivered_us,
        }
    }
}

impl TryFrom<v1::Delivery> for Delivery {
    type Error = ConvertError;

    fn try_from(value: v1::Delivery) -> Result<Self, ConvertError> {
        Ok(Self {
            id: value.id,
            channel: channel(value.channel)?,
            recipient: value.recipient,
            state: state(value.state)?,
            attempts: value.attempts,
            next_attempt_us: value.next_attempt_us,
            error: value.error,
            delivered_us: value.delivered_us,
        })
    }
}

impl From<DeliveryChannel> for v1::DeliveryChannel {
    fn from(value: DeliveryChannel) -> Self {
        match value {
            DeliveryChannel::Mail => Self::Mail,
            DeliveryChannel::Webhook => Self::Webhook,
        }
    }
}

impl From<DeliveryState> for v1::DeliveryState {
    fn from(value: DeliveryState) -> Self {
        match value {
            DeliveryState::Waiting => Self::Waiting,
            DeliveryState::Delivered => Self::Delivered,
            DeliveryState::Failed => Self::Failed,
            DeliveryState::Kept => Self::Kept,
        }
    }
}

fn channel(number: i32) -> Result<DeliveryChannel, ConvertError> {
    match v1::DeliveryChannel::try_from(number) {
        Ok(v1::DeliveryChannel::Mail) => Ok(DeliveryChannel::Mail),
        Ok(v1::DeliveryChannel::Webhook) => Ok(DeliveryChannel::Webhook),
        Ok(v1::DeliveryChannel::Unspecified) | Err(_) => {
            Err(ConvertError::Unknown("channel of a delivery", number))
        }
    }
}

fn state(number: i32) -> Result<DeliveryState, ConvertError> {
    match v1::DeliveryState::try_from(number) {
        Ok(v1::DeliveryState::Waiting) => Ok(DeliveryState::Waiting),
        Ok(v1::DeliveryState::Delivered) => Ok(DeliveryState::Delivered),
        Ok(v1::DeliveryState::Failed) => Ok(DeliveryState::Failed),
        Ok(v1::DeliveryState::Kept) => Ok(DeliveryState::Kept),
        Ok(v1::DeliveryState::Unspecified) | Err(_) => {
            Err(ConvertError::Unknown("state of a delivery", number))
        }
    }
}
