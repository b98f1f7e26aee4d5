//! Mail: one SMTP transaction for each recipient, on one connection.

mod message;
mod server;
mod session;

use domain::{Delivery, Notification, Stage};

pub use message::{InvalidSender, NoMail, Sender};
pub use server::{InvalidServer, MailServer, Security, SmtpServer};

use session::Session;

/// How an attempt went. The reason is for people who look after Herald; it may
/// name the recipient, so it is no text for logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody else is responsible for it now.
    Delivered,
    /// It may work later.
    Later {
        /// Why not now.
        reason: String,
        /// Nothing else will go through there now.
        is_unreachable: bool,
    },
    /// It will not work later either.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Sends mails. Connects with the first and keeps the connection.
#[derive(Debug)]
pub struct Mailer<'a> {
    server: &'a SmtpServer,
    sender: &'a Sender,
    stage: Stage,
    session: Option<Session>,
    /// The newest mail with its Message-ID: many get the same one in turn.
    newest: Option<(String, Vec<u8>)>,
}

impl<'a> Mailer<'a> {
    /// Connects with the first mail.
    #[must_use]
    pub fn new(server: &'a SmtpServer, sender: &'a Sender, stage: Stage) -> Self {
        Self {
            server,
            sender,
            stage,
            session: None,
            newest: None,
        }
    }

    /// Sends a notification's mail to one of its recipients.
    pub async fn send(&mut self, notification: &Notification, delivery: &Delivery) -> Outcome {
        let Ok(recipient) = delivery.recipient.parse() else {
            let reason = "it is no mail address".to_owned();
            return Outcome::Refused { reason };
        };
        let (_, mail) = match &mut self.newest {
            Some(newest) if newest.0 == notification.message_id => newest,
            other => match mail(notification, self.stage, self.sender) {
                Ok(mail) => other.insert((notification.message_id.clone(), mail)),
                Err(error) => {
                    let reason = error.to_string();
                    return Outcome::Refused { reason };
                }
            },
        };
        let session = match &mut self.session {
            Some(session) if session.is_usable() => session,
            unusable => match Session::open(self.server).await {
                Ok(session) => unusable.insert(session),
                Err(outcome) => return outcome,
            },
        };
        let sender = self.sender.address().clone();
        session.send(sender, recipient, mail).await
    }

    /// Says goodbye to the server.
    pub async fn close(self) {
        if let Some(session) = self.session {
            session.close().await;
        }
    }
}

/// A notification as it is sent, headers included: the same each time.
///
/// # Errors
/// It has no recipient by mail, or one that is none.
pub fn mail(notification: &Notification, stage: Stage, sender: &Sender) -> Result<Vec<u8>, NoMail> {
    message::of(notification, stage, sender)
}
