//! Which mail server, and how safely: `NEELIX_SMTP_URL`.

use std::{fmt, str::FromStr, time::Duration};

use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// For connecting with all that belongs to it, and for each step of a
/// transaction but the last.
const TIMEOUT: Duration = Duration::from_secs(30);
/// For the answer to the mail itself, while a server looks for viruses and the like.
/// Whoever goes away before it gets the same mail again; but a run does not go on for
/// ever.
const PATIENCE: Duration = Duration::from_secs(100);

/// Where mails go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailServer {
    /// To a server.
    Smtp(SmtpServer),
    /// Nowhere: they are kept in the store to be looked at.
    Keep,
}

/// A server that speaks SMTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What others on the way can read or change.
    pub security: Security,
    /// Who we are there.
    pub login: Option<Login>,
    /// For connecting, and for each step of a transaction but the last.
    pub timeout: Duration,
    /// For the answer to the mail itself.
    pub patience: Duration,
}

/// What others on the way can read or change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Nothing: TLS from the first byte, with a certificate that is checked.
    Tls,
    /// Nothing: STARTTLS, with a certificate that is checked.
    StartTls,
    /// STARTTLS if the server offers it, whatever its certificate is: safe from
    /// those who only listen.
    Opportunistic,
    /// All.
    Plain,
}

/// A name and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// Its password; never shown.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").finish_non_exhaustive()
    }
}

/// A text that names no mail server. It does not repeat the text, which may have
/// a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}: use a URL such as smtp://mail.example.com:25, \
     smtps://user:password@mail.example.com, or keep: to send nothing"
)]
pub struct InvalidServer(&'static str);

impl FromStr for MailServer {
    type Err = InvalidServer;

    /// Reads `smtp://` (port 25, or 587 with a login), `smtps://` (port 465) or
    /// `keep:`. `?tls=` is `required`, `opportunistic` or `none`; without it a
    /// login makes it required, unless the server is on this machine.
    fn from_str(text: &str) -> Result<Self, InvalidServer> {
        if text == "keep:" {
            return Ok(Self::Keep);
        }
        let url = Url::parse(text).map_err(|_| InvalidServer("is no URL"))?;
        let host = url.host().ok_or(InvalidServer("names no host"))?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(InvalidServer("has more than a host, a port and `tls`"));
        }
        let login = login(&url)?;
        let security = security(&url, &host, login.is_some())?;
        let default_port = match (security, &login) {
            (Security::Tls, _) => 465,
            (_, Some(_)) => 587,
            (_, None) => 25,
        };
        Ok(Self::Smtp(SmtpServer {
            host: match host {
                Host::Ipv6(address) => address.to_string(),
                host => host.to_string(),
            },
            port: url.port().unwrap_or(default_port),
            security,
            login,
            timeout: TIMEOUT,
            patience: PATIENCE,
        }))
    }
}

fn login(url: &Url) -> Result<Option<Login>, InvalidServer> {
    let decoded = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        let decoded = decoded.map_err(|_| InvalidServer("has a login that is not UTF-8"))?;
        match decoded.contains(['\0', '\r', '\n']) {
            true => Err(InvalidServer("has a login with control characters")),
            false => Ok(decoded.into_owned()),
        }
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) => Err(InvalidServer("has a password without a user")),
        (_, None) => Err(InvalidServer("has a user without a password")),
        (user, Some(password)) => Ok(Some(Login {
            user: decoded(user)?,
            password: decoded(password)?,
        })),
    }
}

fn security(url: &Url, host: &Host<&str>, has_login: bool) -> Result<Security, InvalidServer> {
    let mut wanted = None;
    for (key, value) in url.query_pairs() {
        match &*key {
            "tls" if wanted.is_none() => wanted = Some(value.into_owned()),
            _ => return Err(InvalidServer("has more than a host, a port and `tls`")),
        }
    }
    match (url.scheme(), wanted.as_deref()) {
        ("smtps", None | Some("required")) => Ok(Security::Tls),
        ("smtp", Some("required")) => Ok(Security::StartTls),
        ("smtp", Some("opportunistic")) => Ok(Security::Opportunistic),
        ("smtp", Some("none")) => Ok(Security::Plain),
        ("smtp", None) if has_login && !is_local(host) => Ok(Security::StartTls),
        ("smtp", None) => Ok(Security::Opportunistic),
        ("smtps", Some(_)) => Err(InvalidServer("has `tls`, which smtps:// is by itself")),
        ("smtp", Some(_)) => Err(InvalidServer(
            "has another `tls` than required, opportunistic or none",
        )),
        _ => Err(InvalidServer("is neither smtp:// nor smtps://")),
    }
}

fn is_local(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::{MailServer, Security, SmtpServer};

    fn read(url: &str) -> SmtpServer {
        match url.parse() {
            Ok(MailServer::Smtp(server)) => server,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn a_url_says_where_and_how_safely() {
        let check = |url: &str, host: &str, port: u16, security: Security| {
            let server = read(url);
            let found = (server.host.as_str(), server.port, server.security);
            assert_eq!(found, (host, port, security), "{url}");
        };
        let opportunistic = Security::Opportunistic;
        check("smtp://localhost:25", "localhost", 25, opportunistic);
        check(
            "smtp://mail.example.com",
            "mail.example.com",
            25,
            opportunistic,
        );
        check("smtp://mail/?tls=required", "mail", 25, Security::StartTls);
        check("smtp://mail?tls=none", "mail", 25, Security::Plain);
        check("smtp://u:p@mail", "mail", 587, Security::StartTls);
        check(
            "smtp://u:p@mail?tls=opportunistic",
            "mail",
            587,
            opportunistic,
        );
        check(
            "smtp://u:p@localhost:2525",
            "localhost",
            2525,
            opportunistic,
        );
        check("smtp://u:p@[::1]", "::1", 587, opportunistic);
        check("smtps://mail", "mail", 465, Security::Tls);
        check("smtps://u:p@mail:99", "mail", 99, Security::Tls);
        assert_eq!("keep:".parse(), Ok(MailServer::Keep));
    }

    #[test]
    fn a_password_is_read_and_never_shown() {
        let server = read("smtps://an%40na:s%2Fcret@mail");
        let login = server.login.clone().expect("a login");
        assert_eq!(
            (login.user.as_str(), login.password.as_str()),
            ("an@na", "s/cret")
        );
        assert!(!format!("{server:?}").contains("cret"));
    }

    #[test]
    fn what_is_no_server_is_refused_without_being_repeated() {
        let check = |url: &str, expected: &str| {
            let error = url.parse::<MailServer>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{expected}: ")),
                "{url}: {error}"
            );
            assert!(!error.contains("secret"), "{error}");
        };
        check("", "is no URL");
        check("mail", "is no URL");
        check("localhost:25", "names no host");
        check("http://u:secret@mail", "is neither smtp:// nor smtps://");
        check(
            "smtp://mail/secret",
            "has more than a host, a port and `tls`",
        );
        check(
            "smtp://mail?secret=1",
            "has more than a host, a port and `tls`",
        );
        check(
            "smtp://mail?tls=secret",
            "has another `tls` than required, opportunistic or none",
        );
        check(
            "smtps://mail?tls=none",
            "has `tls`, which smtps:// is by itself",
        );
        check("smtp://u@mail", "has a user without a password");
        check("smtp://:secret@mail", "has a password without a user");
        check(
            "smtp://u:secret%0a@mail",
            "has a login with control characters",
        );
    }
}
