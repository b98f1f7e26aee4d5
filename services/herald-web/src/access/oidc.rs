//! People whom a provider of identities lets sign in: OpenID Connect, with a code that
//! herald-web changes for a token itself (RFC 6749, with PKCE, RFC 7636).
//!
//! * [`OidcSettings`]: which provider, and what is believed of whom.
//! * `flow`: what a browser goes there with, and must come back with.
//! * `provider`: what it says of itself and of who comes back; `http`, `address`: how it
//!   is called, and where. `token`: when it is believed.
//! * `claims`: who that is.

mod address;
mod claims;
mod flow;
mod http;
mod provider;
mod settings;
mod token;

use std::sync::Arc;

use domain::Micros;
use runtime::config::ConfigError;
use url::Url;

use flow::{FlowError, Flows};
use http::Http;
use provider::Provider;

pub(crate) use claims::Identity;
pub(super) use flow::LIFETIME_S;
pub use settings::{ClientSecret, OidcSettings};

/// Signing in at the provider.
pub(super) struct Oidc {
    settings: Arc<OidcSettings>,
    flows: Flows,
    provider: Provider,
}

/// What the provider sends somebody back with.
#[derive(Debug, Default)]
pub(crate) struct Back {
    /// What is changed for a token.
    pub(crate) code: String,
    pub(crate) state: String,
    /// Why there is no code.
    pub(crate) error: String,
    /// Which provider says so, of those that tell (RFC 9207).
    pub(crate) issuer: Option<String>,
}

/// Why somebody is not signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OidcError {
    #[error("this was begun in another browser, or not at all: begin anew")]
    Foreign,
    #[error("this took too long, or is over already: begin anew")]
    Over,
    #[error("the provider does not answer: try again in a moment")]
    Away,
    #[error("the provider refuses ({0})")]
    Refused(String),
    #[error("what the provider says cannot be believed, and herald-web's log says why")]
    Unbelievable,
    #[error("the provider does not say what you are called (claim {claim})")]
    NoName { claim: String },
    #[error("you are in none of the groups that may come in here")]
    NoGroup,
    #[error("many are signing in just now: try again in a moment")]
    Busy,
}

impl OidcError {
    /// The provider's error by its code; what is none is not repeated.
    fn refused(code: &str) -> Self {
        let is_code = |c: char| c.is_ascii_lowercase() || c == '_';
        let is_plain = (1..=40).contains(&code.len()) && code.chars().all(is_code);
        Self::Refused(if is_plain { code } else { "without a reason" }.to_owned())
    }

    /// For counting.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Foreign => "foreign",
            Self::Over => "over",
            Self::Away => "away",
            Self::Refused(_) => "refused",
            Self::Unbelievable => "not believed",
            Self::NoName { .. } => "no name",
            Self::NoGroup => "no group",
            Self::Busy => "busy",
        }
    }
}

impl From<FlowError> for OidcError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Foreign => Self::Foreign,
            FlowError::Over => Self::Over,
        }
    }
}

impl Oidc {
    /// Call it within a tokio runtime.
    ///
    /// # Errors
    /// The file of authorities cannot be used.
    pub(super) fn new(settings: OidcSettings) -> Result<Self, ConfigError> {
        let settings = Arc::new(settings);
        let http = Http::new(settings.tls.client()?, settings.is_plain_allowed);
        Ok(Self {
            provider: Provider::new(Arc::clone(&settings), http),
            flows: Flows::new(),
            settings,
        })
    }

    /// Keeps what the provider says of itself, for as long as it is polled.
    pub(super) async fn follow(&self) {
        self.provider.follow().await;
    }

    /// What people know the provider by.
    pub(super) fn host(&self) -> String {
        let url = Url::parse(&self.settings.issuer);
        let host = url.ok().and_then(|url| url.host_str().map(str::to_owned));
        host.unwrap_or_default()
    }

    /// A page of herald-web's own, where the provider sends people back to.
    pub(super) fn page(&self, path: &str) -> Url {
        self.settings.page(path)
    }

    /// Whether it has told of itself.
    pub(super) fn is_there(&self) -> bool {
        self.provider.known().is_some()
    }

    /// Where somebody signs out at the provider, too.
    pub(super) fn sign_out_url(&self) -> Option<Url> {
        self.provider.sign_out_url()
    }

    /// Sends somebody there who wants to go on to `next`; returns the address, and what
    /// the browser is to keep.
    ///
    /// # Errors
    /// The provider is away.
    pub(super) async fn begin(&self, next: &str, now: Micros) -> Result<(Url, String), OidcError> {
        let begun = self.flows.begin(next, now);
        let url = self.provider.sign_in_url(&begun.flow).await?;
        Ok((url, begun.cookie))
    }

    /// Who comes back, and where to.
    ///
    /// # Errors
    /// Nobody who may come in.
    pub(super) async fn finish(
        &self,
        back: Back,
        cookie: &str,
        now: Micros,
    ) -> Result<(Identity, String), OidcError> {
        let flow = self.flows.finish(cookie, &back.state, now)?;
        let is_other = |issuer: &String| *issuer != self.settings.issuer;
        if back.issuer.as_ref().is_some_and(is_other) {
            return Err(OidcError::Foreign);
        }
        if back.code.is_empty() {
            return Err(OidcError::refused(&back.error));
        }
        let claims = self.provider.claims(back.code, &flow).await?;
        let identity = claims::identity(&claims, &self.settings)?;
        Ok((identity, flow.next))
    }
}

#[cfg(test)]
mod tests {
    use super::OidcError;

    #[test]
    fn no_text_of_others_is_shown_as_a_reason() {
        let check = |code: &str, expected: &str| {
            let expected = OidcError::Refused(expected.to_owned());
            assert_eq!(OidcError::refused(code), expected, "{code}");
        };
        check("access_denied", "access_denied");
        for other in ["", "Call 0800 555 now", "<b>", &"x".repeat(41)] {
            check(other, "without a reason");
        }
    }
}
