//! A provider of identities in a process of its own: a certified implementation of
//! OpenID Connect (npm's `oidc-provider`) that takes any name without a password.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use testkit::{Installation, Process, certificates::Identity, port, wait_until};
use tokio::net::TcpStream;

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which provider, and whom it knows.
#[derive(Debug, Clone)]
pub struct Provider {
    port: u16,
    options: Value,
}

impl Provider {
    /// One for this Herald, which is not there yet. Its groups of anna are `ops`, of bo
    /// `staff`; all others are in none.
    #[must_use]
    pub fn of(herald: &Installation) -> Self {
        let port = port::free();
        let options = json!({
            "issuer": format!("http://localhost:{port}"),
            "port": port,
            "client": {
                "id": "herald",
                "secret": "known to both & to nobody else",
                "redirect_uri": format!("{}/signin/provider/back", herald.web_url()),
            },
            "people": {"anna": ["ops", "staff"], "bo": ["staff"]},
            "algorithm": "RS256",
            "tells_more_elsewhere": false,
        });
        Self { port, options }
    }

    /// The same with another option of `tests/clients/identity_provider.mjs`.
    #[must_use]
    pub fn with(mut self, option: &str, value: impl Into<Value>) -> Self {
        self.options[option] = value.into();
        self
    }

    /// The same with this certificate.
    #[must_use]
    pub fn encrypted(self, identity: &Identity) -> Self {
        let issuer = format!("https://localhost:{}", self.port);
        self.with("issuer", issuer)
            .with("certificate", identity.certificate.clone())
            .with("key", identity.key.clone())
    }

    /// Its address.
    ///
    /// # Panics
    /// Never: it has one.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.options["issuer"].as_str().expect("a text")
    }

    /// A Herald that lets people sign in there: `ops` are operators, `staff` viewers.
    ///
    /// # Panics
    /// When the options are none.
    #[must_use]
    pub fn known_to(&self, herald: Installation) -> Installation {
        let secret = self.options["client"]["secret"].as_str().expect("a text");
        let file = herald.folder().join("client-secret");
        std::fs::write(&file, format!("{secret}\n")).expect("a file for the secret");
        herald
            .with("WEB_OIDC_ISSUER", self.issuer())
            .with("WEB_OIDC_CLIENT_ID", "herald")
            .with("WEB_OIDC_CLIENT_SECRET_FILE", file.display().to_string())
            .with("WEB_OIDC_SCOPES", "openid profile groups")
            .with("WEB_OIDC_OPERATORS", "ops")
            .with("WEB_OIDC_VIEWERS", "staff")
    }

    /// Starts it, with another key each time, and waits until it takes connections.
    pub async fn start(&self) -> Process {
        let script: PathBuf = [
            env!("CARGO_MANIFEST_DIR"),
            "../clients/identity_provider.mjs",
        ]
        .iter()
        .collect();
        let arguments = [script.display().to_string(), self.options.to_string()];
        let mut process = Process::start("node", arguments, [("NODE_ENV", "test")]);
        wait_until("the provider takes connections", PATIENCE, async || {
            assert!(process.is_running(), "{}", process.stderr());
            TcpStream::connect(("127.0.0.1", self.port)).await.is_ok()
        })
        .await;
        process
    }
}
