//! Signing in at the provider, from the side of the pages.

use axum::http::HeaderMap;

use super::{
    Access, Caller, SignInError, count,
    oidc::{Back, Identity, LIFETIME_S, OidcError},
    session::By,
};
use crate::utc;

/// The provider, for the page to sign in on.
#[derive(Debug)]
pub(crate) struct ProviderView {
    /// What people know it by.
    pub(crate) host: String,
    /// Where somebody begins: at the address that the provider sends people back to.
    pub(crate) begin: String,
    /// Where somebody signs out there, too.
    pub(crate) sign_out: Option<String>,
    /// It has told of itself.
    pub(crate) is_there: bool,
}

/// Somebody has come back from the provider.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// Who that is.
    pub(crate) name: String,
    /// The cookies for the browser.
    pub(crate) cookies: [String; 2],
    /// Where to go, as it was asked for before.
    pub(crate) next: String,
}

/// Why nobody goes to the provider, or comes from there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ElsewhereError {
    #[error("there is no provider")]
    Off,
    #[error(transparent)]
    Way(#[from] SignInError),
    #[error(transparent)]
    Provider(#[from] OidcError),
}

impl Access {
    /// The provider, where there is one; `begin` is where people go to it.
    pub(crate) fn provider(&self, begin: &str) -> Option<ProviderView> {
        let oidc = self.0.oidc.as_ref()?;
        Some(ProviderView {
            host: oidc.host(),
            begin: oidc.page(begin).into(),
            sign_out: oidc.sign_out_url().map(Into::into),
            is_there: oidc.is_there(),
        })
    }

    /// Sends somebody to the provider, who goes on to `next` later; returns where, and the
    /// cookie for the browser.
    ///
    /// # Errors
    /// There is no provider, it is away, or the session could be read on its way.
    pub(crate) async fn leave(
        &self,
        next: &str,
        caller: &Caller,
    ) -> Result<(String, String), ElsewhereError> {
        let oidc = self.0.oidc.as_ref().ok_or(ElsewhereError::Off)?;
        self.check_way(caller)?;
        let (url, secret) = oidc.begin(next, utc::now()).await?;
        let cookie = &self.0.flow_cookie;
        let cookie = cookie.set_for(LIFETIME_S, &secret, caller.is_https);
        Ok((url.into(), cookie))
    }

    /// Signs in who comes back.
    ///
    /// # Errors
    /// Nobody who may come in.
    pub(crate) async fn arrive(
        &self,
        back: Back,
        headers: &HeaderMap,
        caller: &Caller,
    ) -> Result<Arrival, ElsewhereError> {
        let oidc = self.0.oidc.as_ref().ok_or(ElsewhereError::Off)?;
        self.check_way(caller)?;
        let secret = self.0.flow_cookie.read(headers, caller.is_https);
        let outcome = oidc.finish(back, secret.unwrap_or_default(), utc::now());
        let outcome = outcome.await;
        count(
            "provider",
            outcome.as_ref().err().map(OidcError::label),
            caller,
        );
        let (Identity { name, rights }, next) = outcome?;
        Ok(Arrival {
            cookies: [
                self.begin(&name, By::Provider(rights), caller),
                self.0.flow_cookie.remove(caller.is_https),
            ],
            name,
            next,
        })
    }
}
