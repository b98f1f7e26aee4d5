//! Says aloud what is not encrypted, where that matters.

use std::net::{IpAddr, SocketAddr};

use http::Uri;
use tracing::warn;

/// Warns that whoever is on the way can read and change what is sent to `address`,
/// unless that is this machine. `variable` names the listener.
pub fn warn_of_plain_listener(variable: &str, address: SocketAddr, way_out: &str) {
    if !address.ip().is_loopback() {
        warn!(
            variable,
            %address,
            way_out,
            "NOT ENCRYPTED: whoever is on the way can read and change what is sent here"
        );
    }
}

/// Warns that an encrypted listener asks nobody who they are.
pub fn warn_of_open_listener(variable: &str, address: SocketAddr, way_out: &str) {
    if !address.ip().is_loopback() {
        warn!(
            variable,
            %address,
            way_out,
            "NOBODY IS ASKED FOR A CERTIFICATE: whoever reaches this may do what services may"
        );
    }
}

/// As [`warn_of_plain_listener`], for the server at `url`, which `variable` names.
pub fn warn_of_plain_url(variable: &str, url: &str) {
    if is_plain_and_far(url) {
        warn!(
            variable,
            url,
            way_out = "an https URL",
            "NOT ENCRYPTED: whoever is on the way can read and change what is sent there"
        );
    }
}

fn is_plain_and_far(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    let is_near = match address {
        Some(address) => address.is_loopback(),
        None => host == "localhost",
    };
    uri.scheme_str() == Some("http") && !is_near
}

#[cfg(test)]
mod tests {
    use super::is_plain_and_far;

    #[test]
    fn only_what_leaves_the_machine_in_plain_is_told() {
        let check =
            |url: &str, expected: bool| assert_eq!(is_plain_and_far(url), expected, "{url}");
        check("http://store:9124", true);
        check("http://10.0.0.7:9124", true);
        check("http://[2001:db8::1]:9124", true);
        check("https://store:9124", false);
        check("http://127.0.0.1:9124", false);
        check("http://[::1]:9124", false);
        check("http://localhost:9124", false);
        check("no URL at all", false);
    }
}
