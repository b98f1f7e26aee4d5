//! Who may see and change what. Everything about it is here; handlers get an `App` that
//! knows who asks, and none without (`guard`).
//!
//! * [`SignIn`]: what is configured. Without any way to sign in nobody is asked who they
//!   are, and `changes` alone says who may change something.
//! * [`Role`]: what somebody may do, [`Systems`]: where. `Who`: somebody.
//! * [`Users`], [`Tokens`]: files of people with passwords and of programs with tokens.
//! * [`ProxyAuth`]: people whom a proxy in front lets sign in. `oidc`: those whom a
//!   provider of identities does.
//! * `session`, `cookie`: who stays signed in. `attempts`: how often that is tried.
//! * `caller`: where a request comes from.
//! * `guard`: holds every request against what its address needs.

mod attempts;
mod caller;
mod cookie;
mod elsewhere;
mod entry;
mod file;
mod forwarded;
mod guard;
mod lease;
mod oidc;
mod password;
mod rights;
mod role;
mod secret;
mod session;
mod settings;
mod systems;
mod tokens;
mod users;
mod who;

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, header};
use domain::Stage;
use opentelemetry::{KeyValue, metrics::Counter};
use runtime::config::ConfigError;
use runtime::networks::Networks;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::utc;
use attempts::Attempts;
use cookie::Cookie;
use file::Followed;
use forwarded::FormTokens;
use lease::Leases;
use oidc::Oidc;
use password::Verifier;
use session::{By, Session, Sessions};

pub(crate) use caller::{Caller, is_forwarded};
pub(crate) use elsewhere::{Arrival, ElsewhereError};
pub use file::FileError;
pub use forwarded::ProxyAuth;
pub(crate) use guard::{Need, Needs, Rules, admit};
pub(crate) use lease::Lease;
pub(crate) use oidc::{Back, OidcError};
pub use oidc::{ClientSecret, OidcSettings};
pub use rights::{Groups, Rights};
pub use role::{InvalidRole, Role};
pub use settings::SignIn;
pub use systems::{InvalidSystems, Systems};
pub use tokens::{Token, Tokens};
pub use users::{User, Users};
#[cfg(test)]
pub(crate) use who::known;
pub(crate) use who::{Known, SessionOf, Way, Who};

/// How often sessions and tokens are looked through for those that are over.
const SWEEP: Duration = Duration::from_secs(5);

static SIGN_INS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    runtime::telemetry::meter("herald-web")
        .u64_counter("herald.web.signins")
        .with_description("Attempts to sign in by a password or at the provider, by their outcome")
        .build()
});

/// How people sign in here; clones share it.
#[derive(Clone)]
pub(crate) struct Access(Arc<Shared>);

struct Shared {
    users: Option<Followed<User>>,
    tokens: Option<Followed<Token>>,
    proxy_auth: Option<ProxyAuth>,
    oidc: Option<Oidc>,
    form_tokens: FormTokens,
    sessions: Sessions,
    leases: Leases,
    attempts: Attempts,
    passwords: Option<Verifier>,
    proxies: Networks,
    is_https: bool,
    is_plain_allowed: bool,
    are_badges_public: bool,
    cookie: Cookie,
    /// What a browser keeps while somebody signs in at the provider.
    flow_cookie: Cookie,
}

/// Why somebody is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignInError {
    #[error("there is nobody of this name and password")]
    Wrong,
    #[error("this was tried too often: try again in {} s", seconds(.0))]
    Wait(Duration),
    #[error("many are signing in just now: try again in a moment")]
    Busy,
    #[error(
        "a password or session would go over the network for everybody to read: come by https, \
         through a proxy that WEB_PROXY_FROM names, or let WEB_PLAIN_SIGNIN=allow say that this \
         network is safe"
    )]
    Plain,
    #[error("nobody signs in by a password here: a proxy in front, or a token, says who asks")]
    Off,
}

/// Nobody has this token, or it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadToken;

impl Access {
    /// `is_https`: herald-web's own listener is encrypted.
    ///
    /// # Errors
    /// As [`SignIn::check`].
    pub(crate) fn new(
        stage: Stage,
        sign_in: &SignIn,
        is_https: bool,
        shutdown: CancellationToken,
    ) -> Result<Self, ConfigError> {
        let (users, tokens) = sign_in.files()?;
        let oidc = sign_in.oidc.clone().map(Oidc::new).transpose()?;
        Ok(Self(Arc::new(Shared {
            passwords: users.is_some().then(Verifier::new),
            users,
            tokens,
            form_tokens: FormTokens::new(),
            leases: Leases::new(shutdown.clone()),
            sessions: Sessions::new(sign_in.lifetimes(), shutdown),
            attempts: Attempts::default(),
            // Whoever is believed in who asks is believed in where from, too.
            proxies: match &sign_in.proxy_auth {
                Some(auth) => sign_in.proxies.and(&auth.from),
                None => sign_in.proxies.clone(),
            },
            proxy_auth: sign_in.proxy_auth.clone(),
            oidc,
            is_https,
            is_plain_allowed: sign_in.is_plain_allowed,
            are_badges_public: sign_in.are_badges_public,
            cookie: Cookie::new("session", stage),
            flow_cookie: Cookie::new("signin", stage),
        })))
    }

    /// Whether somebody is asked who they are.
    pub(crate) fn is_on(&self) -> bool {
        let files = self.0.users.is_some() || self.0.tokens.is_some();
        files || self.0.proxy_auth.is_some() || self.0.oidc.is_some()
    }

    /// Whether badges are for everybody.
    pub(crate) fn are_badges_public(&self) -> bool {
        self.0.are_badges_public
    }

    /// Whether people sign in by a password.
    pub(crate) fn takes_passwords(&self) -> bool {
        self.0.users.is_some()
    }

    /// Who asks. What a program shows counts for more than what a proxy says, and that
    /// for more than a cookie.
    ///
    /// # Errors
    /// A token is shown that is none.
    pub(crate) fn who(&self, headers: &HeaderMap, caller: &Caller) -> Result<Who, BadToken> {
        if !self.is_on() {
            return Ok(Who::Anybody);
        }
        if let Some(token) = bearer(headers) {
            return self.program(token).ok_or(BadToken);
        }
        if let Some(who) = self.behind_proxy(headers, caller) {
            return Ok(who);
        }
        let secret = self.0.cookie.read(headers, caller.is_https);
        Ok(secret
            .and_then(|secret| self.person(secret))
            .unwrap_or(Who::Nobody))
    }

    fn program(&self, secret: &str) -> Option<Who> {
        let tokens = self.0.tokens.as_ref()?.now();
        let token = tokens::find(&tokens, secret, utc::now())?;
        Some(Who::Known(Arc::new(Known {
            name: token.name.clone(),
            role: token.role,
            systems: token.systems.clone(),
            way: Way::Token {
                lease: self.0.leases.of(token.fingerprint()),
            },
        })))
    }

    fn behind_proxy(&self, headers: &HeaderMap, caller: &Caller) -> Option<Who> {
        let found = self.0.proxy_auth.as_ref()?.read(caller.peer, headers)?;
        Some(Who::Known(Arc::new(Known {
            way: Way::Proxy {
                form_token: self.0.form_tokens.of(&found.name),
            },
            name: found.name,
            role: found.rights.role,
            systems: found.rights.systems,
        })))
    }

    fn person(&self, secret: &str) -> Option<Who> {
        let session = self.0.sessions.of(secret, Instant::now())?;
        let Some(rights) = rights_of(self.users().as_deref(), &session) else {
            self.0.sessions.end(&session.key);
            return None;
        };
        Some(Who::Known(Arc::new(Known {
            name: session.name,
            role: rights.role,
            systems: rights.systems,
            way: Way::Session(SessionOf {
                key: session.key,
                form_token: session.form_token,
                ended: session.ended,
            }),
        })))
    }

    /// Whether a password may come this way.
    ///
    /// # Errors
    /// It may not.
    pub(crate) fn check_way(&self, caller: &Caller) -> Result<(), SignInError> {
        match caller.is_https || caller.is_here || self.0.is_plain_allowed {
            true => Ok(()),
            false => Err(SignInError::Plain),
        }
    }

    /// Signs somebody in; returns the cookie for the browser.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn sign_in(
        &self,
        name: &str,
        password: &str,
        caller: &Caller,
    ) -> Result<String, SignInError> {
        let outcome = self.check_password(name, password, caller).await;
        let failure = outcome.as_ref().err().map(|error| match error {
            SignInError::Wrong => "wrong",
            SignInError::Wait(_) => "too often",
            SignInError::Busy => "busy",
            SignInError::Plain => "not encrypted",
            SignInError::Off => "off",
        });
        count("password", failure, caller);
        let user = outcome?;
        Ok(self.begin(&user.name, By::Password(user.credential()), caller))
    }

    fn begin(&self, name: &str, by: By, caller: &Caller) -> String {
        info!(user = name, address = %caller.address, "signed in");
        let secret = self.0.sessions.begin(name, by, Instant::now());
        self.0.cookie.set(&secret, caller.is_https)
    }

    fn users(&self) -> Option<Arc<Vec<User>>> {
        self.0.users.as_ref().map(Followed::now)
    }

    async fn check_password(
        &self,
        name: &str,
        password: &str,
        caller: &Caller,
    ) -> Result<User, SignInError> {
        let (Some(users), Some(passwords)) = (&self.0.users, &self.0.passwords) else {
            return Err(SignInError::Off);
        };
        self.check_way(caller)?;
        let begun = self.0.attempts.begin(name, caller.address, Instant::now());
        begun.map_err(SignInError::Wait)?;
        let users = users.now();
        let user = users.iter().find(|user| user.name == name);
        let stand_in = passwords.stand_in(name, &users).map(User::password);
        let kept = user.map(User::password);
        let is_right = passwords.is_right(password, kept, stand_in).await;
        match (user, is_right) {
            (Some(user), Ok(true)) => {
                self.0
                    .attempts
                    .succeeded(name, caller.address, Instant::now());
                Ok(user.clone())
            }
            (_, Ok(_)) => Err(SignInError::Wrong),
            (_, Err(password::Busy)) => Err(SignInError::Busy),
        }
    }

    /// Whether somebody who signs in by a password has this name.
    pub(crate) fn has_user(&self, name: &str) -> bool {
        let users = self.0.users.as_ref().map(Followed::now);
        users.is_some_and(|users| users.iter().any(|user| user.name == name))
    }

    /// Ends a session: whoever else has its cookie is out, too.
    pub(crate) fn sign_out(&self, session: &SessionOf) {
        self.0.sessions.end(&session.key);
    }

    /// Takes the cookie back from a browser.
    pub(crate) fn no_cookie(&self, caller: &Caller) -> String {
        self.0.cookie.remove(caller.is_https)
    }

    /// Ends sessions that are over while nobody asks, and what programs follow whose
    /// tokens hold no longer, until `shutdown`.
    pub(crate) async fn follow(self, shutdown: CancellationToken) {
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let sessions = async {
            loop {
                ticks.tick().await;
                if let Some(tokens) = self.0.tokens.as_ref().map(Followed::now) {
                    let now = utc::now();
                    let holds = |token: &_| tokens::holding(&tokens, token, now).is_some();
                    self.0.leases.sweep(holds);
                }
                let users = self.users();
                let is_wanted = |session: &Session| rights_of(users.as_deref(), session).is_some();
                self.0.sessions.sweep(Instant::now(), is_wanted);
            }
        };
        let provider = async {
            if let Some(oidc) = &self.0.oidc {
                oidc.follow().await;
            }
        };
        let work = async { tokio::join!(sessions, provider) };
        shutdown.run_until_cancelled(work).await;
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

/// The rights of a user who is still there and still has password and limit, or what the
/// provider has said.
fn rights_of(users: Option<&Vec<User>>, session: &Session) -> Option<Rights> {
    match &session.by {
        By::Provider(rights) => Some(rights.clone()),
        By::Password(credential) => {
            let user = users?.iter().find(|user| user.name == session.name)?;
            (user.credential() == *credential).then(|| user.rights())
        }
    }
}

/// Not the name of who failed: people type their password there.
fn count(way: &'static str, failure: Option<&'static str>, caller: &Caller) {
    let outcome = failure.unwrap_or("signed in");
    let labels = [KeyValue::new("way", way), KeyValue::new("outcome", outcome)];
    SIGN_INS.add(1, &labels);
    if failure.is_some() {
        warn!(way, outcome, address = %caller.address, "sign-in refused");
    }
}

/// The token of `Authorization: Bearer`; other ways, and tokens that do not begin like
/// ours, are a proxy's own.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let is_ours = scheme.eq_ignore_ascii_case("bearer") && token.starts_with(tokens::PREFIX);
    is_ours.then_some(token)
}

fn seconds(wait: &Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
