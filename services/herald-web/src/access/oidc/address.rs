//! Which addresses the provider may have: https, and at this machine, or where somebody
//! says that the network is safe, http.

use url::{Host, Url};

/// An address over which secrets would go for everybody to read, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnsafeAddress {
    #[error("is no URL such as https://login.example.com")]
    None,
    #[error(
        "begins with http:// and is not of this machine: use https://, or let \
         WEB_PLAIN_SIGNIN=allow say that this network is safe"
    )]
    Plain,
}

/// The address, if secrets may go there.
///
/// # Errors
/// They may not.
pub(super) fn check(text: &str, is_plain_allowed: bool) -> Result<Url, UnsafeAddress> {
    let url = Url::parse(text).map_err(|_| UnsafeAddress::None)?;
    let has_login = !url.username().is_empty() || url.password().is_some();
    if url.host().is_none() || has_login {
        return Err(UnsafeAddress::None);
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_plain_allowed || is_here(&url) => Ok(url),
        "http" => Err(UnsafeAddress::Plain),
        _ => Err(UnsafeAddress::None),
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{UnsafeAddress, check};

    #[test]
    fn secrets_go_nowhere_in_plain() {
        let check = |text: &str, expected: Option<UnsafeAddress>| {
            assert_eq!(check(text, false).err(), expected, "{text}");
        };
        let (none, plain) = (Some(UnsafeAddress::None), Some(UnsafeAddress::Plain));
        check("https://login.example.com/realms/x", None);
        check("http://localhost:8080", None);
        check("http://127.0.0.1:8080/x?y", None);
        check("http://[::1]:8080", None);
        check("http://login.example.com", plain);
        check("http://localhost.evil.example", plain);
        check("http://127.0.0.1.evil.example", plain);
        check("https://me:secret@login.example.com", none);
        check("ftp://login.example.com", none);
        check("login.example.com", none);
        check("", none);
        assert!(super::check("http://login.example.com", true).is_ok());
    }
}
