//! How people sign in: the variables `WEB_*` that are about it.

use std::{path::PathBuf, time::Duration};

use axum::http::HeaderName;
use runtime::config::{self, Age, ConfigError, Vars};
use serde::Deserialize;

use super::{
    Groups, Networks, OidcSettings, ProxyAuth, Token, User,
    file::{FileError, Followed},
    rights::{read_groups, read_systems},
    session::Lifetimes,
    tokens, users,
};

const IDLE: Duration = Duration::from_secs(12 * 3_600);
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3_600);

/// How people and programs sign in; without any way nobody is asked who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The file of local users.
    pub users: Option<PathBuf>,
    /// The file of programs' tokens.
    pub tokens: Option<PathBuf>,
    /// After so long without asking for anything, somebody is signed out.
    pub session_idle: Duration,
    /// After so long everybody is.
    pub session_lifetime: Duration,
    /// A provider that lets people sign in.
    pub oidc: Option<OidcSettings>,
    /// Proxies that say who has signed in with them.
    pub proxy_auth: Option<ProxyAuth>,
    /// Proxies that are believed where a request comes from, and how.
    pub proxies: Networks,
    /// Passwords are taken over a network without encryption.
    pub is_plain_allowed: bool,
    /// Badges are shown to who has not signed in.
    pub are_badges_public: bool,
}

/// Those of users and of tokens, as far as there are any.
type Files = (Option<Followed<User>>, Option<Followed<Token>>);

#[derive(Deserialize)]
struct SignInVars {
    users: Option<PathBuf>,
    tokens: Option<PathBuf>,
    proxy_auth_from: Option<String>,
    proxy_auth_user: Option<String>,
    proxy_auth_groups: Option<String>,
    proxy_auth_viewers: Option<String>,
    proxy_auth_operators: Option<String>,
    proxy_auth_systems: Option<String>,
    session_idle: Option<String>,
    session_lifetime: Option<String>,
    proxy_from: Option<String>,
    plain_signin: Option<String>,
    badges: Option<String>,
}

impl Default for SignIn {
    fn default() -> Self {
        Self {
            users: None,
            tokens: None,
            oidc: None,
            proxy_auth: None,
            session_idle: IDLE,
            session_lifetime: LIFETIME,
            proxies: Networks::default(),
            is_plain_allowed: false,
            are_badges_public: true,
        }
    }
}

impl SignIn {
    /// Reads `WEB_USERS`, `WEB_TOKENS` (files; default: none), `WEB_SESSION_IDLE`
    /// (default 12h), `WEB_SESSION_LIFETIME` (default 7d), `WEB_PROXY_FROM` (addresses
    /// and networks; default: none), `WEB_PROXY_AUTH_FROM` (the same) with
    /// `WEB_PROXY_AUTH_USER` and `WEB_PROXY_AUTH_GROUPS` (headers; default:
    /// `X-Remote-User` and `X-Remote-Groups`), `WEB_PROXY_AUTH_VIEWERS` and
    /// `WEB_PROXY_AUTH_OPERATORS` (groups, apart by commas) and `WEB_PROXY_AUTH_SYSTEMS`
    /// (groups with what they see, apart by semicolons; default: all), `WEB_PLAIN_SIGNIN` (`allow` or `refuse`, the
    /// default) and `WEB_BADGES` (`public`, the default, or `private`), and what
    /// [`OidcSettings::from_vars`] does.
    ///
    /// # Errors
    /// The first variable that is wrong.
    pub fn from_vars(vars: &Vars) -> Result<Self, ConfigError> {
        let web: SignInVars = config::read("WEB_", vars)?;
        let default = Self::default();
        let proxy_auth = web.proxy_auth()?;
        let proxies = web
            .proxy_from
            .as_deref()
            .map_or(Ok(Networks::default()), str::parse);
        let is_plain_allowed = choice("WEB_PLAIN_SIGNIN", web.plain_signin, ["refuse", "allow"])?;
        Ok(Self {
            users: web.users,
            tokens: web.tokens,
            oidc: OidcSettings::from_vars(vars, is_plain_allowed)?,
            proxy_auth,
            session_idle: age("WEB_SESSION_IDLE", web.session_idle, default.session_idle)?,
            session_lifetime: age(
                "WEB_SESSION_LIFETIME",
                web.session_lifetime,
                default.session_lifetime,
            )?,
            proxies: proxies.map_err(|error| ConfigError::new("WEB_PROXY_FROM", error))?,
            is_plain_allowed,
            are_badges_public: !choice("WEB_BADGES", web.badges, ["public", "private"])?,
        })
    }

    /// Whether somebody is asked who they are.
    #[must_use]
    pub fn is_on(&self) -> bool {
        let files = self.users.is_some() || self.tokens.is_some();
        files || self.proxy_auth.is_some() || self.oidc.is_some()
    }

    /// Reads the files, so that a wrong one is told before anything starts.
    ///
    /// # Errors
    /// A file cannot be read, or a line of it is wrong; by the name of its variable.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.files().map(drop)
    }

    /// The files of users and of tokens.
    pub(super) fn files(&self) -> Result<Files, ConfigError> {
        let refused = |variable: &'static str| {
            move |failure: FileError| ConfigError::new(variable, explained(&failure))
        };
        let users = self.users.as_deref().map(users::follow).transpose();
        let tokens = self.tokens.as_deref().map(tokens::follow).transpose();
        Ok((
            users.map_err(refused("WEB_USERS"))?,
            tokens.map_err(refused("WEB_TOKENS"))?,
        ))
    }

    pub(super) fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            idle: self.session_idle,
            whole: self.session_lifetime,
        }
    }
}

impl SignInVars {
    /// Who sets the rest wants to be asked: nobody in the list must not let in everybody.
    fn no_proxy_auth(&self) -> Result<Option<ProxyAuth>, ConfigError> {
        let others = [
            &self.proxy_auth_user,
            &self.proxy_auth_groups,
            &self.proxy_auth_viewers,
            &self.proxy_auth_operators,
            &self.proxy_auth_systems,
        ];
        match others.iter().any(|it| it.is_some()) {
            false => Ok(None),
            true => Err(ConfigError::new(
                "WEB_PROXY_AUTH_FROM",
                "is required with the other WEB_PROXY_AUTH_ variables, but not set: the \
                 addresses of the proxies",
            )),
        }
    }

    fn proxy_auth(&self) -> Result<Option<ProxyAuth>, ConfigError> {
        let Some(from) = &self.proxy_auth_from else {
            return self.no_proxy_auth();
        };
        let from: Networks = from
            .parse()
            .map_err(|error| ConfigError::new("WEB_PROXY_AUTH_FROM", error))?;
        let header = |variable: &str, text: &Option<String>, default: &str| {
            let text = text.as_deref().unwrap_or(default);
            let problem =
                |_| ConfigError::new(variable, format!("`{text}` is no name of a header"));
            text.parse::<HeaderName>().map_err(problem)
        };
        Ok(Some(ProxyAuth {
            from,
            user_header: header(
                "WEB_PROXY_AUTH_USER",
                &self.proxy_auth_user,
                "x-remote-user",
            )?,
            groups_header: header(
                "WEB_PROXY_AUTH_GROUPS",
                &self.proxy_auth_groups,
                "x-remote-groups",
            )?,
            groups: Groups {
                viewers: read_groups(self.proxy_auth_viewers.as_deref()),
                operators: read_groups(self.proxy_auth_operators.as_deref()),
                systems: read_systems(self.proxy_auth_systems.as_deref())
                    .map_err(|error| ConfigError::new("WEB_PROXY_AUTH_SYSTEMS", error))?,
            },
        }))
    }
}

/// With its cause: the text of a [`ConfigError`] is all that people see.
fn explained(failure: &FileError) -> String {
    let hint = "; `herald user add` and `herald token add` make such files";
    match failure {
        FileError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            format!("{failure}: {source}{hint}")
        }
        FileError::Io { source, .. } => format!("{failure}: {source}"),
        other => other.to_string(),
    }
}

fn age(variable: &str, text: Option<String>, default: Duration) -> Result<Duration, ConfigError> {
    let Some(text) = text else {
        return Ok(default);
    };
    let Age(age) = text
        .parse()
        .map_err(|error| ConfigError::new(variable, error))?;
    match age.is_zero() {
        true => Err(ConfigError::new(variable, "nobody could stay signed in")),
        false => Ok(age),
    }
}

/// Whether it is the second of two words; without a word it is the first.
fn choice(variable: &str, text: Option<String>, words: [&str; 2]) -> Result<bool, ConfigError> {
    let [first, second] = words;
    match text {
        None => Ok(false),
        Some(text) if text == first => Ok(false),
        Some(text) if text == second => Ok(true),
        Some(text) => {
            let problem = format!("`{text}` is neither {first} nor {second}");
            Err(ConfigError::new(variable, problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::SignIn;

    fn read(vars: &[(&str, &str)]) -> Result<SignIn, String> {
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        SignIn::from_vars(&vars).map_err(|error| error.to_string())
    }

    #[test]
    fn nobody_is_asked_unless_somebody_says_so() {
        assert_eq!(read(&[]), Ok(SignIn::default()));
        assert!(!SignIn::default().is_on());
        let found = read(&[
            ("WEB_USERS", "/etc/herald/users"),
            ("WEB_SESSION_IDLE", "30m"),
            ("WEB_PROXY_FROM", "10.0.0.0/8,::1"),
            ("WEB_PLAIN_SIGNIN", "allow"),
            ("WEB_BADGES", "private"),
        ])
        .unwrap();
        assert!(found.is_on() && found.is_plain_allowed && !found.are_badges_public);
        assert_eq!(found.session_idle, Duration::from_secs(1_800));
        assert!(found.proxies.contain([10, 1, 1, 1].into()));
        assert!(read(&[("WEB_TOKENS", "tokens")]).unwrap().is_on());
        let found = read(&[
            ("WEB_PROXY_AUTH_FROM", "10.0.0.7"),
            ("WEB_PROXY_AUTH_USER", "X-Auth-User"),
            ("WEB_PROXY_AUTH_OPERATORS", "ops, on call,"),
        ])
        .unwrap();
        let proxy_auth = found.proxy_auth.clone().unwrap();
        assert!(found.is_on());
        assert_eq!(proxy_auth.user_header, "x-auth-user");
        assert_eq!(proxy_auth.groups_header, "x-remote-groups");
        assert_eq!(proxy_auth.groups.operators, ["ops", "on call"]);
        assert_eq!(proxy_auth.groups.viewers, Vec::<String>::new());
    }

    #[test]
    fn a_wrong_variable_names_itself() {
        let check = |name: &str, value: &str, part: &str| {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(name) && error.contains(part), "{error}");
        };
        check("WEB_SESSION_IDLE", "12", "no length of time");
        check("WEB_SESSION_LIFETIME", "0s", "nobody could stay");
        check("WEB_PROXY_FROM", "proxy", "no address or network");
        check("WEB_PROXY_AUTH_FROM", "proxy", "no address or network");
        check("WEB_PROXY_AUTH_FROM", ",", "no address or network");
        check("WEB_PLAIN_SIGNIN", "yes", "neither refuse nor allow");
        check("WEB_BADGES", "all", "neither public nor private");
        let systems = [
            ("WEB_PROXY_AUTH_FROM", "10.0.0.7"),
            ("WEB_PROXY_AUTH_SYSTEMS", "shop*"),
        ];
        let error = read(&systems).unwrap_err();
        assert!(
            error.starts_with("WEB_PROXY_AUTH_SYSTEMS: `shop*` is no group"),
            "{error}"
        );
        let nobody = [
            ("WEB_PROXY_AUTH_FROM", ""),
            ("WEB_PROXY_AUTH_OPERATORS", "ops"),
        ];
        let error = read(&nobody).unwrap_err();
        assert!(
            error.starts_with("WEB_PROXY_AUTH_FROM: is required"),
            "{error}"
        );
    }
}
