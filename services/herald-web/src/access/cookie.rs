//! The cookies that a session, and signing in elsewhere, are known by. Over https they have
//! names that browsers take from nobody but this very host, over https, and for all of it.

use axum::http::{HeaderMap, header};
use domain::Stage;

/// The names of a cookie; each stage has its own, because several are often on one host.
#[derive(Debug, Clone)]
pub(super) struct Cookie {
    plain: String,
    secure: String,
}

impl Cookie {
    /// `what` it is for, such as `session`.
    pub(super) fn new(what: &str, stage: Stage) -> Self {
        let plain = format!("herald-{what}-{}", stage.name().to_lowercase());
        Self {
            secure: format!("__Host-{plain}"),
            plain,
        }
    }

    /// What a browser has sent.
    pub(super) fn read<'h>(&self, headers: &'h HeaderMap, is_https: bool) -> Option<&'h str> {
        let name = self.name(is_https);
        let cookies = headers.get_all(header::COOKIE).iter();
        cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(known, value)| (known == name).then_some(value))
    }

    /// Gives a browser its secret; it forgets it when it is closed.
    pub(super) fn set(&self, secret: &str, is_https: bool) -> String {
        format!("{}={secret}{}", self.name(is_https), attributes(is_https))
    }

    /// The same for so many seconds.
    pub(super) fn set_for(&self, seconds: i64, secret: &str, is_https: bool) -> String {
        let cookie = self.set(secret, is_https);
        format!("{cookie}; Max-Age={seconds}")
    }

    /// Takes it back.
    pub(super) fn remove(&self, is_https: bool) -> String {
        format!(
            "{}=; Max-Age=0{}",
            self.name(is_https),
            attributes(is_https)
        )
    }

    fn name(&self, is_https: bool) -> &str {
        if is_https { &self.secure } else { &self.plain }
    }
}

fn attributes(is_https: bool) -> &'static str {
    match is_https {
        true => "; Path=/; HttpOnly; SameSite=Lax; Secure",
        false => "; Path=/; HttpOnly; SameSite=Lax",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};
    use domain::Stage;

    use super::Cookie;

    #[test]
    fn each_way_has_a_cookie_of_its_own() {
        let cookie = Cookie::new("session", Stage::Testing);
        assert_eq!(
            cookie.set("x", true),
            "__Host-herald-session-testing=x; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            cookie.set("x", false),
            "herald-session-testing=x; Path=/; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            cookie.remove(true),
            "__Host-herald-session-testing=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let mut headers = HeaderMap::new();
        let sent = "a=b; herald-session-testing=plain; __Host-herald-session-testing=safe";
        headers.insert(header::COOKIE, HeaderValue::from_static(sent));
        assert_eq!(cookie.read(&headers, true), Some("safe"));
        assert_eq!(cookie.read(&headers, false), Some("plain"));
        assert_eq!(
            Cookie::new("session", Stage::Production).read(&headers, false),
            None
        );
    }
}
