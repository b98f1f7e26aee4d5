//! A connection to a mail server, and one transaction on it after the other.

use std::{error::Error as _, future::Future, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt, Rset},
        extension::{ClientId, Extension, MailParameter},
    },
};
use render::{cut, terminal};

use super::{Outcome, Security, SmtpServer};

/// How much of a server's answer is kept.
const MAX_REASON_BYTES: usize = 300;
/// For the goodbye.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) struct Session {
    connection: AsyncSmtpConnection,
    timeout: Duration,
    patience: Duration,
    is_usable: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("is_usable", &self.is_usable)
            .finish_non_exhaustive()
    }
}

/// At which step it went wrong.
enum Fault {
    /// The server said no, and goes on.
    Answer { error: Error, is_about_us: bool },
    /// The connection is of no more use.
    Broken(String),
    /// Nothing came for so long.
    Silence(Duration),
}

impl Session {
    /// Connects, encrypts and signs in.
    ///
    /// # Errors
    /// The outcome for whatever was to be sent: later.
    pub(super) async fn open(server: &SmtpServer) -> Result<Self, Outcome> {
        let connection = match within(server.timeout, connect(server)).await {
            Some(connected) => connected.map_err(|error| {
                unreachable(format!("the mail server cannot be used: {}", told(&error)))
            })?,
            None => return Err(unreachable(slow(server.timeout))),
        };
        Ok(Self {
            connection,
            timeout: server.timeout,
            patience: server.patience,
            is_usable: true,
        })
    }

    pub(super) fn is_usable(&self) -> bool {
        self.is_usable
    }

    /// One transaction.
    pub(super) async fn send(&mut self, sender: Address, to: Address, mail: &[u8]) -> Outcome {
        let is_ascii = sender.to_string().is_ascii() && to.to_string().is_ascii();
        let takes_all = self
            .connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight);
        if !is_ascii && !takes_all {
            let reason = "the mail server takes no addresses beyond ASCII".to_owned();
            return Outcome::Refused { reason };
        }
        let parameters = match is_ascii {
            true => vec![],
            false => vec![MailParameter::SmtpUtfEight],
        };
        match self.transact(sender, parameters, to, mail).await {
            Ok(()) => Outcome::Delivered,
            Err(Fault::Answer { error, is_about_us }) => {
                self.reset().await;
                answered(&error, is_about_us)
            }
            Err(Fault::Broken(reason)) => {
                self.is_usable = false;
                Outcome::Later {
                    reason: format!("the connection to the mail server broke: {reason}"),
                    is_unreachable: false,
                }
            }
            Err(Fault::Silence(timeout)) => {
                self.is_usable = false;
                unreachable(slow(timeout))
            }
        }
    }

    pub(super) async fn close(mut self) {
        if self.is_usable {
            // Whatever the answer is, nothing depends on it.
            let _ = within(QUIT_TIMEOUT, self.connection.quit()).await;
        }
    }

    /// Each step has its own time: an end to all of them together would come while the
    /// server takes the mail, which it then gets again.
    async fn transact(
        &mut self,
        sender: Address,
        parameters: Vec<MailParameter>,
        to: Address,
        mail: &[u8],
    ) -> Result<(), Fault> {
        let (connection, timeout) = (&mut self.connection, self.timeout);
        let from = Mail::new(Some(sender), parameters);
        step(timeout, connection.command(from), true).await?;
        let to = Rcpt::new(to, vec![]);
        step(timeout, connection.command(to), false).await?;
        step(timeout, connection.command(Data), false).await?;
        step(self.patience, connection.message(mail), false).await?;
        Ok(())
    }

    async fn reset(&mut self) {
        let reset = within(self.timeout, self.connection.command(Rset)).await;
        self.is_usable = matches!(reset, Some(Ok(_)));
    }
}

async fn connect(server: &SmtpServer) -> Result<AsyncSmtpConnection, Error> {
    let hello = ClientId::default();
    let tls = |is_checked: bool| {
        TlsParameters::builder(server.host.clone())
            .dangerous_accept_invalid_certs(!is_checked)
            .dangerous_accept_invalid_hostnames(!is_checked)
            .build_rustls()
    };
    let first = match server.security {
        Security::Tls => Some(tls(true)?),
        Security::StartTls | Security::Opportunistic | Security::Plain => None,
    };
    let address = (server.host.as_str(), server.port);
    let connected =
        AsyncSmtpConnection::connect_tokio1(address, Some(server.timeout), &hello, first, None);
    let mut connection = connected.await?;
    match server.security {
        Security::StartTls => connection.starttls(tls(true)?, &hello).await?,
        Security::Opportunistic if connection.can_starttls() => {
            connection.starttls(tls(false)?, &hello).await?;
        }
        Security::Tls | Security::Opportunistic | Security::Plain => {}
    }
    if let Some(login) = &server.login {
        let credentials = Credentials::new(login.user.clone(), login.password.clone());
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        connection.auth(&mechanisms, &credentials).await?;
    }
    Ok(connection)
}

/// One step of a transaction.
async fn step<T>(
    timeout: Duration,
    work: impl Future<Output = Result<T, Error>>,
    is_about_us: bool,
) -> Result<T, Fault> {
    match within(timeout, work).await {
        Some(done) => done.map_err(|error| fault(error, is_about_us)),
        None => Err(Fault::Silence(timeout)),
    }
}

fn fault(error: Error, is_about_us: bool) -> Fault {
    // 421: the server is about to close the connection.
    let is_goodbye = error.status().is_some_and(|code| code.to_string() == "421");
    match error.status() {
        Some(_) if !is_goodbye => Fault::Answer { error, is_about_us },
        _ => Fault::Broken(told(&error)),
    }
}

/// What a negative answer means. One about who we are is as good for all others.
fn answered(error: &Error, is_about_us: bool) -> Outcome {
    let reason = told(error);
    match error.is_permanent() && !is_about_us {
        true => Outcome::Refused { reason },
        false => Outcome::Later {
            reason,
            is_unreachable: is_about_us,
        },
    }
}

fn unreachable(reason: String) -> Outcome {
    Outcome::Later {
        reason,
        is_unreachable: true,
    }
}

fn slow(timeout: Duration) -> String {
    format!(
        "the mail server did not answer within {} s",
        timeout.as_secs()
    )
}

/// The server's own words, or the system's, on one line.
fn told(error: &Error) -> String {
    let mut text = match error.status() {
        Some(code) => code.to_string(),
        None => String::new(),
    };
    let mut source = error.source();
    while let Some(cause) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    if text.is_empty() {
        text = error.to_string();
    }
    let line = terminal::one_line(&text);
    cut::head(&line, MAX_REASON_BYTES, 1).0.to_owned()
}

async fn within<T>(timeout: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(timeout, work).await.ok()
}
