//! How commands reach the store, and what they say when they do not.

use domain::Stage;
use runtime::{
    config::{self, ConfigError, Vars},
    grpc::{self, Client},
    tls,
};
use tonic::{Code, Status};

use crate::cli::StoreAddress;

/// The largest answer of the store: a page of records may be large.
pub(crate) const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// A call of the store that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Nobody is there.
    #[error(
        "no store answers at {url}: start Herald with `herald`, or name another one with --store or HERALD_STORE_URL (https:// when it is encrypted)"
    )]
    Unreachable {
        /// Where nobody is.
        url: String,
    },
    /// Somebody is there, but there is no trust.
    #[error(
        "no trust between this command and the store at {url}: {reason}; HERALD_TLS_CA names who signs the store's certificate, HERALD_TLS_CERT and HERALD_TLS_KEY what is shown to it"
    )]
    Untrusted {
        /// Where it is.
        url: String,
        /// What TLS says.
        reason: String,
    },
    /// It answered with an error.
    #[error("the store at {url} refused: {message} ({code:?})")]
    Refused {
        /// Where it is.
        url: String,
        /// gRPC's code.
        code: Code,
        /// What it said.
        message: String,
    },
}

/// The store a command talks to.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl Connection {
    /// Prepares calls to the store at `address`, by default the stage's on
    /// this machine.
    pub(crate) fn new(address: StoreAddress, vars: &Vars) -> Result<Self, ConfigError> {
        let files = tls::Files::from_vars("HERALD_TLS_", vars)?;
        let scheme = if files == tls::Files::default() {
            "http"
        } else {
            "https"
        };
        let url = match address.url {
            Some(url) => url,
            None => format!("{scheme}://127.0.0.1:{}", stage(vars)?.store_port()),
        };
        let client =
            grpc::secure_channel(&url, &files).map_err(|error| error.of("HERALD_STORE_URL"))?;
        Ok(Self { url, client })
    }

    /// What a failed call means to people.
    pub(crate) fn explain(&self, status: &Status) -> CallError {
        let url = self.url.clone();
        if let Some(reason) = tls::failure(status) {
            let reason = reason.to_string();
            return CallError::Untrusted { url, reason };
        }
        match status.code() {
            Code::Unavailable => CallError::Unreachable { url },
            code => CallError::Refused {
                url,
                code,
                // It may quote what somebody logged.
                message: render::terminal::one_line(status.message()).into_owned(),
            },
        }
    }
}

/// The stage the command line works for.
pub(crate) fn stage(vars: &Vars) -> Result<Stage, ConfigError> {
    Ok(config::optional("DEV_STAGE", vars)?.unwrap_or(Stage::Development))
}
