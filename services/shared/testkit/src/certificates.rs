//! Certificates for tests: an authority, and what it signs.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

/// Somebody whose signature others may trust.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its key, in the PEM format.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Authority {
    /// An authority that nobody else knows.
    ///
    /// # Panics
    /// When no certificate can be made of the name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate").pem();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// Its own certificate, in the PEM format.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A certificate for these names: addresses, URIs such as `herald://bridge/b1`, or
    /// names of hosts.
    #[must_use]
    pub fn signs(&self, names: &[&str]) -> Identity {
        self.signs_until(names, Duration::days(1))
    }

    /// One that has expired yesterday.
    #[must_use]
    pub fn signed_once(&self, names: &[&str]) -> Identity {
        self.signs_until(names, -Duration::days(1))
    }

    fn signs_until(&self, names: &[&str], from_now: Duration) -> Identity {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.iter().map(|name| alternative(name)).collect();
        params.not_before = OffsetDateTime::now_utc() - Duration::days(30);
        params.not_after = OffsetDateTime::now_utc() + from_now;
        // Python asks for it from 3.13 on.
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer);
        Identity {
            certificate: signed.expect("a certificate").pem(),
            key: key.serialize_pem(),
        }
    }

    /// The variables of a service with this identity that trusts this authority;
    /// `prefix` is such as `STORE_TLS_`. Their files are in `folder`.
    #[must_use]
    pub fn vars(&self, prefix: &str, identity: &Identity, folder: &Path) -> Vec<(String, String)> {
        let mut vars = identity.vars(prefix, folder);
        let file = write(folder, &format!("{prefix}CA.pem"), &self.certificate);
        vars.push((format!("{prefix}CA"), file.display().to_string()));
        vars
    }
}

impl Identity {
    /// The variables of a service with this identity; their files are in `folder`.
    #[must_use]
    pub fn vars(&self, prefix: &str, folder: &Path) -> Vec<(String, String)> {
        let files = [("CERT", &self.certificate), ("KEY", &self.key)];
        let vars = files.into_iter().map(|(name, text)| {
            let file = write(folder, &format!("{prefix}{name}.pem"), text);
            (format!("{prefix}{name}"), file.display().to_string())
        });
        vars.collect()
    }
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).expect("a folder");
    file
}

fn alternative(name: &str) -> SanType {
    let text = || name.try_into().expect("a name in ASCII");
    match name.parse::<IpAddr>() {
        Ok(address) => SanType::IpAddress(address),
        Err(_) if name.contains("://") => SanType::URI(text()),
        Err(_) => SanType::DnsName(text()),
    }
}
