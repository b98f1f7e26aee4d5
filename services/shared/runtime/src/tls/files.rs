//! Which files hold a service's certificate, key and authorities, and what is in
//! them.

use std::path::{Path, PathBuf};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::{Client, Server};
use crate::config::{self, ConfigError, Vars};

/// A file and the variable or key that names it, for errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Such as `STORE_TLS_CERT`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

impl File {
    /// The file that the variable `name` names, if it is set.
    ///
    /// # Errors
    /// None but those of reading a variable.
    pub fn of_variable(name: &str, vars: &Vars) -> Result<Option<Self>, ConfigError> {
        let path: Option<PathBuf> = config::optional(name, vars)?;
        let name = name.to_owned();
        Ok(path.map(|path| Self { name, path }))
    }

    fn wrong(&self, problem: &str) -> ConfigError {
        ConfigError::new(&self.name, format!("{}: {problem}", self.path.display()))
    }

    fn read(&self) -> Result<Vec<u8>, ConfigError> {
        std::fs::read(&self.path).map_err(|error| self.wrong(&format!("cannot read it: {error}")))
    }
}

/// The files of a service, all in the PEM format. All of them may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    own: Option<Own>,
    authorities: Option<File>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Own {
    certificate: File,
    key: File,
}

impl Files {
    /// The files that `<prefix>CERT`, `<prefix>KEY` and `<prefix>CA` name, as far as
    /// they are set. `prefix` is such as `STORE_TLS_`.
    ///
    /// # Errors
    /// A certificate without a key or the other way round, or a file that cannot be
    /// used.
    pub fn from_vars(prefix: &str, vars: &Vars) -> Result<Self, ConfigError> {
        let file = |name: &str| File::of_variable(&format!("{prefix}{name}"), vars);
        let files = Self {
            own: None,
            authorities: file("CA")?,
        };
        let files = match (file("CERT")?, file("KEY")?) {
            (None, None) => files,
            (Some(certificate), Some(key)) => files.with_own(certificate, key),
            (Some(_), None) => return Err(lacks(prefix, "KEY", "CERT")),
            (None, Some(_)) => return Err(lacks(prefix, "CERT", "KEY")),
        };
        files.check()?;
        Ok(files)
    }

    /// The same with another certificate and its key.
    #[must_use]
    pub fn with_own(self, certificate: File, key: File) -> Self {
        Self {
            own: Some(Own { certificate, key }),
            ..self
        }
    }

    /// The same with other authorities, or with none.
    #[must_use]
    pub fn with_authorities(self, authorities: Option<File>) -> Self {
        Self {
            authorities,
            ..self
        }
    }

    /// The same, with what is missing taken from `other`.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            own: self.own.or_else(|| other.own.clone()),
            authorities: self.authorities.or_else(|| other.authorities.clone()),
        }
    }

    /// Whether there is a certificate to serve with.
    #[must_use]
    pub fn can_serve(&self) -> bool {
        self.own.is_some()
    }

    /// Whether a server with these files asks every client for a certificate.
    #[must_use]
    pub fn asks_clients(&self) -> bool {
        self.authorities.is_some()
    }

    /// What answers handshakes of gRPC and HTTP; `None` without a certificate.
    /// Call it within a tokio runtime.
    ///
    /// # Errors
    /// A file that cannot be used, or authorities without a certificate: who asks
    /// others for one must have one.
    pub fn server(&self) -> Result<Option<Server>, ConfigError> {
        match (&self.own, &self.authorities) {
            (Some(_), _) => Server::new(self).map(Some),
            (None, None) => Ok(None),
            (None, Some(file)) => Err(ConfigError::new(
                &file.name,
                "who asks others for a certificate needs one: set the certificate and the key, too",
            )),
        }
    }

    /// What opens connections: it shows the certificate, if there is one, and
    /// trusts the authorities, by default those of the machine. Call it within a
    /// tokio runtime.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn client(&self) -> Result<Client, ConfigError> {
        Client::new(self)
    }

    /// Reads everything once.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn check(&self) -> Result<(), ConfigError> {
        let roots = self.authorities()?.unwrap_or_else(RootCertStore::empty);
        super::client::trusting(roots, self).map(drop)
    }

    pub(super) fn paths(&self) -> Vec<&Path> {
        let own = self.own.iter().flat_map(|own| [&own.certificate, &own.key]);
        own.chain(&self.authorities)
            .map(|file| file.path.as_path())
            .collect()
    }

    /// The certificate with what links it to its authority, and its key.
    pub(super) fn identity(&self) -> Result<Option<Identity>, ConfigError> {
        let Some(Own { certificate, key }) = &self.own else {
            return Ok(None);
        };
        let key_bytes = key.read()?;
        let key = PrivateKeyDer::from_pem_slice(&key_bytes)
            .map_err(|_| key.wrong("there is no private key in it in the PEM format"))?;
        Ok(Some(Identity {
            chain: certificates(certificate)?,
            key,
        }))
    }

    /// Whose certificates are trusted; `None` when no file says so.
    pub(super) fn authorities(&self) -> Result<Option<RootCertStore>, ConfigError> {
        let Some(file) = &self.authorities else {
            return Ok(None);
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(file)? {
            let added = roots.add(certificate);
            added.map_err(|error| file.wrong(&format!("an authority in it is none: {error}")))?;
        }
        Ok(Some(roots))
    }

    /// A certificate that cannot be used with its key.
    pub(super) fn mismatch(&self, error: &rustls::Error) -> ConfigError {
        match &self.own {
            Some(Own { certificate, key }) => {
                let problem = format!("it cannot be used with the key of {}: {error}", key.name);
                certificate.wrong(&problem)
            }
            None => ConfigError::new("TLS", error),
        }
    }
}

/// A certificate and its key, read.
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

fn certificates(file: &File) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let bytes = file.read()?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(file.wrong("there is no certificate in it in the PEM format")),
    }
}

fn lacks(prefix: &str, missing: &str, given: &str) -> ConfigError {
    let problem = format!("is required with {prefix}{given}, but not set");
    ConfigError::new(format!("{prefix}{missing}"), problem)
}

#[cfg(test)]
mod tests {
    use super::Files;

    #[test]
    fn what_is_missing_or_none_is_named() {
        let check = |vars: &[(&str, &str)], expected: &str| {
            let vars = vars
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let error = Files::from_vars("X_TLS_", &vars).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        };
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        check(
            &[("X_TLS_CERT", here)],
            "X_TLS_KEY: is required with X_TLS_CERT",
        );
        check(
            &[("X_TLS_KEY", here)],
            "X_TLS_CERT: is required with X_TLS_KEY",
        );
        check(
            &[("X_TLS_CA", "/no/file")],
            "X_TLS_CA: /no/file: cannot read it",
        );
        check(&[("X_TLS_CA", here)], "X_TLS_CA: ");
        check(&[("X_TLS_CERT", here), ("X_TLS_KEY", here)], "X_TLS_KEY: ");
    }

    #[test]
    fn nothing_set_is_nothing() {
        let vars = vec![("X_TLS_CERT".to_owned(), String::new())];
        let files = Files::from_vars("X_TLS_", &vars).unwrap();
        assert_eq!(files, Files::default());
        assert!(files.server().unwrap().is_none());
    }
}
