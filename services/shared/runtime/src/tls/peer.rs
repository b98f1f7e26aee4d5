//! Who has opened an encrypted connection.

use webpki::EndEntityCert;

use super::Stream;

/// A client that has shown a certificate which is taken. Handlers find it in the
/// extensions of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    uris: Vec<String>,
}

impl Peer {
    /// `None` when nobody has asked for a certificate. One whose names cannot be read
    /// has none.
    pub(crate) fn of(stream: &Stream) -> Option<Self> {
        let (_, connection) = stream.get_ref();
        let certificate = connection.peer_certificates()?.first()?;
        let uris = match EndEntityCert::try_from(certificate) {
            Ok(certificate) => certificate.valid_uri_names().map(str::to_owned).collect(),
            Err(_) => Vec::new(),
        };
        Some(Self { uris })
    }

    /// The URIs among the names of the certificate.
    #[must_use]
    pub fn uris(&self) -> &[String] {
        &self.uris
    }
}
