//! What the variables of a Herald on one machine are when nobody sets them.

use std::net::SocketAddr;

use domain::Stage;
use runtime::{
    config::{ConfigError, Vars},
    tls,
};

/// How often neelix runs when it has a process to itself no more.
const NEELIX_INTERVAL: &str = "60s";

/// The variables with their defaults: stage DEVELOPMENT, a store that is where
/// `STORE_LISTEN` puts it, links to where `WEB_LISTEN` puts the pages, and mails
/// that are kept.
///
/// # Errors
/// `STORE_LISTEN` or `WEB_LISTEN` is wrong, or what they depend on.
pub(crate) fn complete(vars: &Vars) -> Result<Vars, ConfigError> {
    let mut vars = vars.clone();
    if !vars.iter().any(|(name, _)| name == "DEV_STAGE") {
        vars.push(("DEV_STAGE".to_owned(), Stage::Development.name().to_owned()));
    }
    let store = store::Config::from_vars(&vars)?;
    let store_url = format!("{}://{}", scheme(&store.tls), reachable(store.listen));
    for name in ["BRIDGE_STORE_URL", "WEB_STORE_URL", "NEELIX_STORE_URL"] {
        default(&mut vars, name, store_url.clone());
    }
    let web = herald_web::Config::from_vars(&vars)?;
    default(
        &mut vars,
        "HERALD_URL",
        format!("{}://{}", scheme(&web.https), known_as(web.listen)),
    );
    default(&mut vars, "NEELIX_INTERVAL", NEELIX_INTERVAL.to_owned());
    default(&mut vars, "NEELIX_SMTP_URL", "keep:".to_owned());
    Ok(vars)
}

/// Whether somebody has set a variable.
pub(super) fn is_set(vars: &Vars, name: &str) -> bool {
    vars.iter().any(|(n, value)| n == name && !value.is_empty())
}

/// Sets a variable that nobody has set.
pub(crate) fn default(vars: &mut Vars, name: &str, value: String) {
    if !is_set(vars, name) {
        vars.push((name.to_owned(), value));
    }
}

/// How an address with these files is spoken to.
pub(super) fn scheme(files: &tls::Files) -> &'static str {
    match files.can_serve() {
        true => "https",
        false => "http",
    }
}

/// The address by which this machine reaches a listener.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Host and port as people type them on this machine.
pub(super) fn known_as(listen: SocketAddr) -> String {
    match listen.ip().is_unspecified() || listen.ip() == std::net::Ipv4Addr::LOCALHOST {
        true => format!("localhost:{}", listen.port()),
        false => listen.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{complete, known_as, reachable};

    #[test]
    fn what_is_set_stays() {
        let vars = [
            ("WEB_LISTEN", "0.0.0.0:7"),
            ("NEELIX_SMTP_URL", "smtps://mail.example"),
        ];
        let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let vars = complete(&vars.to_vec()).unwrap();
        let check = |name: &str, expected: &str| {
            let values = vars.iter().filter(|(n, _)| n == name);
            let values: Vec<_> = values.map(|(_, value)| value.as_str()).collect();
            assert_eq!(values, [expected], "{name}");
        };
        check("DEV_STAGE", "DEVELOPMENT");
        check("NEELIX_STORE_URL", "http://127.0.0.1:9120");
        check("NEELIX_SMTP_URL", "smtps://mail.example");
        check("NEELIX_INTERVAL", "60s");
        check("HERALD_URL", "http://localhost:7");
    }

    #[test]
    fn addresses_are_what_people_type() {
        let check = |listen: &str, expected: &str| {
            assert_eq!(known_as(listen.parse().unwrap()), expected);
        };
        check("0.0.0.0:9020", "localhost:9020");
        check("127.0.0.1:9021", "localhost:9021");
        check("127.0.0.2:9021", "127.0.0.2:9021");
        check("10.0.0.7:9021", "10.0.0.7:9021");
        check("[::]:9021", "localhost:9021");
        let listen = "[::]:7778".parse().unwrap();
        assert_eq!(reachable(listen).to_string(), "[::1]:7778");
    }
}
