//! Who may change something: an operator, where people sign in; while nobody is asked
//! who they are, whoever reaches herald-web, only where that is this machine or somebody
//! has said so; and never another site through somebody's browser.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::http::{HeaderMap, Uri, header};
use domain::Stage;
use tracing::warn;
use uuid::Uuid;

use crate::{
    access::{Known, Role, Who, is_forwarded},
    config::Changes,
};

/// What holds for changes here.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    changes: Changes,
    cookie: String,
    /// herald-web's own listener is encrypted.
    is_https: bool,
    /// It has been said that a proxy is in front.
    is_warned: Arc<AtomicBool>,
}

/// Why a change is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error(
        "changes are off here: WEB_CHANGES=allow lets everybody who reaches this page make them"
    )]
    Off,
    #[error("changes are off here for everybody (WEB_CHANGES=refuse)")]
    OffForAll,
    #[error("this takes the role operator, and yours is viewer")]
    Viewer,
    #[error("sign in first")]
    Unknown,
    #[error(
        "changes are made at localhost only, and this is another name: WEB_CHANGES=allow lets \
         everybody who reaches this page make them"
    )]
    OtherName,
    #[error(
        "changes are made at this machine only, and this came through a proxy: WEB_CHANGES=allow \
         lets everybody who reaches this page make them"
    )]
    Forwarded,
    #[error("this came from another site, so nothing was changed")]
    OtherSite,
    #[error("changes are sent as JSON: content-type: application/json")]
    NoJson,
    #[error("this form was not from here, or cookies are off: load the page anew and try again")]
    Token,
}

/// A secret that a page's forms carry and the browser sends beside them.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    value: String,
    /// The header that gives it to the browser; none when it has it.
    pub(crate) cookie: Option<String>,
}

impl Token {
    /// For a hidden field.
    pub(crate) fn value(&self) -> &str {
        &self.value
    }
}

impl Guard {
    /// Each stage has a cookie of its own: several are often on one host.
    pub(crate) fn new(stage: Stage, changes: Changes, is_https: bool) -> Self {
        Self {
            changes,
            is_https,
            is_warned: Arc::default(),
            cookie: format!("herald-form-{}", stage.name().to_lowercase()),
        }
    }

    /// Whether whoever asks may change something at all.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check_place(
        &self,
        who: &Who,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), ChangeError> {
        match (who, self.changes) {
            (Who::Nobody, _) => return Err(ChangeError::Unknown),
            (Who::Known(_), Changes::Refused) => return Err(ChangeError::OffForAll),
            (Who::Known(known), _) if known.role < Role::Operator => {
                return Err(ChangeError::Viewer);
            }
            (Who::Known(_), _) => return Ok(()),
            (Who::Anybody, _) => {}
        }
        match self.changes {
            Changes::Allowed => Ok(()),
            Changes::Refused => Err(ChangeError::Off),
            // A name of somebody else that leads here is somebody else's page.
            // Whoever it is from, it was not made here.
            Changes::Local if is_forwarded(headers) => {
                self.warn_of_proxy();
                Err(ChangeError::Forwarded)
            }
            Changes::Local => match host(uri, headers).is_some_and(|host| is_local(&host)) {
                true => Ok(()),
                false => Err(ChangeError::OtherName),
            },
        }
    }

    /// Once: it is the same with every request.
    fn warn_of_proxy(&self) {
        if !self.is_warned.swap(true, Ordering::Relaxed) {
            warn!(
                "a proxy hands requests on from elsewhere, and nobody is asked who they are: \
                 pages are read-only through it, unless WEB_CHANGES=allow lets everybody \
                 change something, or people sign in; WEB_PROXY_FROM names the proxy"
            );
        }
    }

    /// Whether a form with this token may change something.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check(
        &self,
        who: &Who,
        uri: &Uri,
        headers: &HeaderMap,
        token: &str,
    ) -> Result<(), ChangeError> {
        self.check_place(who, uri, headers)?;
        self.check_form(who, uri, headers, token)
    }

    /// Whether a form with this token is from a page that we have given to this browser,
    /// in the session in which it comes back.
    ///
    /// # Errors
    /// It is not.
    pub(crate) fn check_form(
        &self,
        who: &Who,
        uri: &Uri,
        headers: &HeaderMap,
        token: &str,
    ) -> Result<(), ChangeError> {
        if !is_same_origin(uri, headers) {
            return Err(ChangeError::OtherSite);
        }
        let known = match who.known() {
            None => self.of_browser(headers),
            Some(known) => known.form_token(),
        };
        match known {
            Some(known) if is_equal(known.as_bytes(), token.as_bytes()) => Ok(()),
            _ => Err(ChangeError::Token),
        }
    }

    /// Whether a program's request may change something. What is sent as JSON no
    /// other site's page can send without having asked.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn check_json(
        &self,
        who: &Who,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), ChangeError> {
        self.check_place(who, uri, headers)?;
        if !is_same_origin(uri, headers) {
            return Err(ChangeError::OtherSite);
        }
        let content_type = headers.get(header::CONTENT_TYPE);
        let essence = content_type.map_or(&b""[..], |value| {
            let value = value.as_bytes();
            let end = value.iter().position(|byte| *byte == b';');
            value[..end.unwrap_or(value.len())].trim_ascii()
        });
        match essence.eq_ignore_ascii_case(b"application/json") {
            true => Ok(()),
            false => Err(ChangeError::NoJson),
        }
    }

    /// The token of whoever is known, without one the browser's, or a new one.
    pub(crate) fn token(&self, who: &Who, headers: &HeaderMap) -> Token {
        if let Some(token) = who.known().and_then(Known::form_token) {
            return Token {
                value: token.to_owned(),
                cookie: None,
            };
        }
        if let Some(value) = self.of_browser(headers) {
            return Token {
                value: value.to_owned(),
                cookie: None,
            };
        }
        let value = Uuid::new_v4().simple().to_string();
        let is_behind_https = headers
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
        let is_secure = self.is_https || is_behind_https;
        let secure = if is_secure { "; Secure" } else { "" };
        let cookie = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}",
            self.cookie
        );
        Token {
            value,
            cookie: Some(cookie),
        }
    }

    fn of_browser<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let cookies = headers.get_all(header::COOKIE).iter();
        let pairs = cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let mut ours = pairs.filter(|(name, _)| *name == self.cookie);
        let (_, value) = ours.next()?;
        let is_token = value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_token.then_some(value)
    }
}

/// The name under which herald-web was reached, without its port, as far as it is one.
pub(crate) fn name_of_this(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let host = host(uri, headers)?;
    let name = match host.rfind(':') {
        Some(at) if !host.ends_with(']') => &host[..at],
        _ => &host,
    };
    let name = name.trim_matches(['[', ']']);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    (!name.is_empty() && name.len() <= 253 && name.chars().all(is_plain)).then(|| name.to_owned())
}

/// The name under which herald-web was reached, with its port.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    if let Some(authority) = uri.authority() {
        return Some(authority.as_str().to_owned());
    }
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(host.to_owned())
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let name = name.to_ascii_lowercase();
    let is_loopback = |address: std::net::IpAddr| address.is_loopback();
    name == "localhost" || name.ends_with(".localhost") || name.parse().is_ok_and(is_loopback)
}

/// What browsers say of where a form was: all of today's do, and never lie.
fn is_same_origin(uri: &Uri, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        // No browser, or one that the token alone protects.
        return true;
    };
    let origin = origin.to_str().unwrap_or_default();
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some() && authority == host(uri, headers).as_deref()
}

/// In a time that does not tell where they differ.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests;
