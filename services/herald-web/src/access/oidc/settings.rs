//! How people sign in at a provider: the variables `WEB_OIDC_*`.

use std::{fmt, path::PathBuf};

use runtime::{
    config::{self, ConfigError, Vars},
    tls,
};
use serde::Deserialize;
use url::Url;

use super::address;
use crate::access::{
    Groups,
    rights::{read_groups, read_systems},
};

const ISSUER: &str = "WEB_OIDC_ISSUER";
const DEFAULT_SCOPES: &str = "openid profile email";

/// Which provider lets people sign in, and what is believed of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcSettings {
    /// The provider's address, to the letter as it says itself; all others are found there.
    pub issuer: String,
    /// How the provider knows herald-web.
    pub client_id: String,
    /// And by what; none for a public client.
    pub client_secret: Option<ClientSecret>,
    /// What is asked for, `openid` among it.
    pub scopes: Vec<String>,
    /// The claim with the name of who signs in.
    pub name_claim: String,
    /// The claim with the groups.
    pub groups_claim: String,
    /// What groups give; who is in none gets nothing.
    pub groups: Groups,
    /// Who signs the provider's certificate; without a file, whom the machine trusts.
    pub tls: tls::Files,
    /// Where the pages are for browsers, without a path.
    pub public_url: Url,
    /// The provider may be called without encryption.
    pub is_plain_allowed: bool,
}

/// What proves to the provider that herald-web asks.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

#[derive(Deserialize)]
struct OidcVars {
    issuer: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_secret_file: Option<PathBuf>,
    scopes: Option<String>,
    name_claim: Option<String>,
    groups_claim: Option<String>,
    viewers: Option<String>,
    operators: Option<String>,
    systems: Option<String>,
}

impl ClientSecret {
    /// A secret as it was read.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

impl OidcSettings {
    /// Reads `WEB_OIDC_ISSUER` (a URL; default: no provider) and with it
    /// `WEB_OIDC_CLIENT_ID` and `HERALD_URL` (required), `WEB_OIDC_CLIENT_SECRET` or
    /// `WEB_OIDC_CLIENT_SECRET_FILE` (default: none), `WEB_OIDC_SCOPES` (apart by spaces;
    /// default: `openid profile email`), `WEB_OIDC_NAME_CLAIM` (default:
    /// `preferred_username`), `WEB_OIDC_GROUPS_CLAIM` (default: `groups`),
    /// `WEB_OIDC_VIEWERS` and `WEB_OIDC_OPERATORS` (groups, apart by commas; one of them
    /// is required), `WEB_OIDC_SYSTEMS` (groups with what they see, apart by semicolons;
    /// default: all) and `WEB_OIDC_CA` (default: whom the machine trusts).
    ///
    /// # Errors
    /// The first variable that is wrong or missing.
    pub fn from_vars(vars: &Vars, is_plain_allowed: bool) -> Result<Option<Self>, ConfigError> {
        let oidc: OidcVars = config::read("WEB_OIDC_", vars)?;
        let Some(issuer) = oidc.issuer.clone() else {
            return oidc.nothing();
        };
        address::check(&issuer, is_plain_allowed)
            .map_err(|error| ConfigError::new(ISSUER, format!("`{issuer}` {error}")))?;
        let client_id = oidc.client_id.clone().ok_or_else(|| {
            ConfigError::new(
                "WEB_OIDC_CLIENT_ID",
                "is required with WEB_OIDC_ISSUER, but not set: how the provider knows herald-web",
            )
        })?;
        let groups = Groups {
            viewers: read_groups(oidc.viewers.as_deref()),
            operators: read_groups(oidc.operators.as_deref()),
            systems: read_systems(oidc.systems.as_deref())
                .map_err(|error| ConfigError::new("WEB_OIDC_SYSTEMS", error))?,
        };
        if groups.viewers.is_empty() && groups.operators.is_empty() {
            return Err(ConfigError::new(
                "WEB_OIDC_VIEWERS",
                "nobody could sign in: set the groups whose members read, `*` for everybody whom \
                 the provider lets sign in, or those of operators as WEB_OIDC_OPERATORS",
            ));
        }
        let authorities = tls::File::of_variable("WEB_OIDC_CA", vars)?;
        let tls = tls::Files::default().with_authorities(authorities);
        tls.check()?;
        Ok(Some(Self {
            issuer,
            client_id,
            client_secret: oidc.secret()?,
            scopes: scopes(oidc.scopes.as_deref().unwrap_or(DEFAULT_SCOPES)),
            name_claim: oidc
                .name_claim
                .unwrap_or_else(|| "preferred_username".to_owned()),
            groups_claim: oidc.groups_claim.unwrap_or_else(|| "groups".to_owned()),
            groups,
            tls,
            public_url: public_url(vars, is_plain_allowed)?,
            is_plain_allowed,
        }))
    }

    /// Where the provider sends people back to.
    pub(super) fn redirect_url(&self) -> Url {
        self.page("/signin/provider/back")
    }

    /// An address of herald-web's own, as browsers outside know it.
    pub(super) fn page(&self, path: &str) -> Url {
        let page = self.public_url.join(path);
        page.expect("a path and an origin are a URL")
    }
}

impl OidcVars {
    /// Who sets the rest wants a provider: it must not be left out in silence.
    fn nothing(&self) -> Result<Option<OidcSettings>, ConfigError> {
        let others = [
            &self.client_id,
            &self.client_secret,
            &self.viewers,
            &self.operators,
            &self.systems,
        ];
        let is_file = self.client_secret_file.is_some();
        match is_file || others.iter().any(|it| it.is_some()) {
            false => Ok(None),
            true => Err(ConfigError::new(
                ISSUER,
                "is required with the other WEB_OIDC_ variables, but not set: the provider's \
                 address",
            )),
        }
    }

    fn secret(&self) -> Result<Option<ClientSecret>, ConfigError> {
        const FILE: &str = "WEB_OIDC_CLIENT_SECRET_FILE";
        match (&self.client_secret, &self.client_secret_file) {
            (Some(_), Some(_)) => {
                let problem = "is set with WEB_OIDC_CLIENT_SECRET: which of them is it?";
                Err(ConfigError::new(FILE, problem))
            }
            (Some(secret), None) => Ok(Some(ClientSecret(secret.clone()))),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file).map_err(|error| {
                    let problem = format!("cannot read {}: {error}", file.display());
                    ConfigError::new(FILE, problem)
                })?;
                match text.trim() {
                    "" => Err(ConfigError::new(
                        FILE,
                        format!("there is nothing in {}", file.display()),
                    )),
                    secret => Ok(Some(ClientSecret(secret.to_owned()))),
                }
            }
            (None, None) => Ok(None),
        }
    }
}

fn scopes(text: &str) -> Vec<String> {
    let mut scopes: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if !scopes.iter().any(|scope| scope == "openid") {
        scopes.insert(0, "openid".to_owned());
    }
    scopes
}

fn public_url(vars: &Vars, is_plain_allowed: bool) -> Result<Url, ConfigError> {
    const NAME: &str = "HERALD_URL";
    let text: Option<String> = config::optional(NAME, vars)?;
    let text = text.ok_or_else(|| {
        ConfigError::new(
            NAME,
            "is required with WEB_OIDC_ISSUER, but not set: where the pages are for browsers",
        )
    })?;
    let url = address::check(&text, is_plain_allowed)
        .map_err(|error| ConfigError::new(NAME, format!("`{text}` {error}")))?;
    match url.path() == "/" && url.query().is_none() && url.fragment().is_none() {
        true => Ok(url),
        false => {
            let problem = format!("`{text}` has a path: who signs in comes back without one");
            Err(ConfigError::new(NAME, problem))
        }
    }
}

#[cfg(test)]
pub(super) fn example() -> OidcSettings {
    let vars = [
        ("WEB_OIDC_ISSUER", "https://login.example.com"),
        ("WEB_OIDC_CLIENT_ID", "herald"),
        ("WEB_OIDC_VIEWERS", "*"),
        ("HERALD_URL", "https://logs.example.com"),
    ];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = OidcSettings::from_vars(&vars.into(), false).expect("they are right");
    settings.expect("there is a provider")
}

#[cfg(test)]
mod tests {
    use super::{ClientSecret, OidcSettings, example};

    fn read(vars: &[(&str, &str)]) -> Result<Option<OidcSettings>, String> {
        let vars = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        OidcSettings::from_vars(&vars, false).map_err(|error| error.to_string())
    }

    #[test]
    fn the_standard_gives_the_defaults() {
        assert_eq!(read(&[]), Ok(None));
        let found = example();
        assert_eq!(found.scopes, ["openid", "profile", "email"]);
        assert_eq!(found.name_claim, "preferred_username");
        assert_eq!(found.groups_claim, "groups");
        let back = "https://logs.example.com/signin/provider/back";
        assert_eq!(found.redirect_url().as_str(), back);
        assert_eq!(super::scopes("groups"), ["openid", "groups"]);
        let secret = ClientSecret::new("hidden".to_owned());
        assert_eq!(format!("{secret:?}"), "ClientSecret(..)");
    }

    #[test]
    fn the_secret_may_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "hidden\n").unwrap();
        let vars = |file: &'static str| {
            [
                ("WEB_OIDC_ISSUER", "https://login.example.com"),
                ("WEB_OIDC_CLIENT_ID", "herald"),
                ("WEB_OIDC_OPERATORS", "ops, on call"),
                ("HERALD_URL", "https://logs.example.com/"),
                ("WEB_OIDC_CLIENT_SECRET_FILE", file),
            ]
        };
        let file = path.display().to_string().leak();
        let found = read(&vars(file)).unwrap().unwrap();
        assert_eq!(found.client_secret.unwrap().reveal(), "hidden");
        assert_eq!(found.groups.operators, ["ops", "on call"]);
        let error = read(&vars("/no/file")).unwrap_err();
        assert!(
            error.starts_with("WEB_OIDC_CLIENT_SECRET_FILE: cannot read"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_variable_names_itself() {
        let check = |changed: (&'static str, &'static str), part: &str| {
            let mut vars = vec![
                ("WEB_OIDC_ISSUER", "https://login.example.com"),
                ("WEB_OIDC_CLIENT_ID", "herald"),
                ("WEB_OIDC_VIEWERS", "*"),
                ("WEB_OIDC_CLIENT_SECRET", "hidden"),
                ("HERALD_URL", "https://logs.example.com"),
            ];
            vars.retain(|(name, _)| *name != changed.0);
            vars.push(changed);
            let error = read(&vars).unwrap_err();
            assert!(
                error.starts_with(changed.0) && error.contains(part),
                "{error}"
            );
            assert!(!error.contains("hidden"), "{error}");
        };
        check(("WEB_OIDC_ISSUER", "login"), "is no URL");
        check(("WEB_OIDC_ISSUER", "http://login.example.com"), "http://");
        check(("WEB_OIDC_ISSUER", ""), "is required");
        check(("WEB_OIDC_CLIENT_ID", ""), "is required");
        check(("WEB_OIDC_VIEWERS", " , "), "nobody could sign in");
        check(("WEB_OIDC_CLIENT_SECRET_FILE", "x"), "which of them");
        check(("WEB_OIDC_SYSTEMS", "shop*"), "no group and its systems");
        check(("WEB_OIDC_CA", "/no/file"), "cannot read it");
        check(("HERALD_URL", ""), "is required");
        check(
            ("HERALD_URL", "https://logs.example.com/herald"),
            "has a path",
        );
        check(("HERALD_URL", "http://logs.example.com"), "http://");
    }
}
