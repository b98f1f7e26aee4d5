//! Who may change something, and from where.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use domain::Stage;

use super::{ChangeError, Guard, name_of_this};
use crate::{
    access::{Role, Who, known},
    config::Changes,
};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });
    pairs.collect()
}

#[test]
fn who_may_change_something_where() {
    let check = |changes, host, expected| {
        let guard = Guard::new(Stage::Testing, changes, false);
        let headers = headers(&[("host", host)]);
        let found = guard.check_place(&Who::Anybody, &Uri::from_static("/saved"), &headers);
        assert_eq!(found, expected, "{changes:?} {host}");
    };
    let foreign = Err(ChangeError::OtherName);
    check(Changes::Local, "localhost:9011", Ok(()));
    check(Changes::Local, "LOCALHOST", Ok(()));
    check(Changes::Local, "herald.localhost:80", Ok(()));
    check(Changes::Local, "127.0.0.1:9011", Ok(()));
    check(Changes::Local, "[::1]:9011", Ok(()));
    check(Changes::Local, "evil.example:9011", foreign);
    check(Changes::Local, "localhost.evil.example", foreign);
    check(Changes::Local, "127.0.0.1.evil.example", foreign);
    check(Changes::Local, "10.0.0.1:9011", foreign);
    check(Changes::Allowed, "logs.example", Ok(()));
    check(Changes::Refused, "localhost:9011", Err(ChangeError::Off));
}

/// Guards against a proxy on this machine lending its place to everybody.
#[test]
fn what_a_proxy_hands_on_was_not_made_here() {
    let check = |changes, name, expected| {
        let guard = Guard::new(Stage::Testing, changes, false);
        let headers = headers(&[("host", "localhost:9011"), (name, "x")]);
        let found = guard.check_place(&Who::Anybody, &Uri::from_static("/saved"), &headers);
        assert_eq!(found, expected, "{changes:?} {name}");
    };
    for name in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        check(Changes::Local, name, Err(ChangeError::Forwarded));
        check(Changes::Allowed, name, Ok(()));
    }
    check(Changes::Local, "x-other", Ok(()));
}

#[test]
fn the_name_of_this_is_a_name() {
    let check = |host, expected: Option<&str>| {
        let found = name_of_this(&Uri::from_static("/"), &headers(&[("host", host)]));
        assert_eq!(found.as_deref(), expected, "{host}");
    };
    check("localhost:9011", Some("localhost"));
    check("logs.example", Some("logs.example"));
    check("[::1]:9011", Some("::1"));
    check("[::1]", Some("::1"));
    check("a\"b", None);
    check("", None);
}

#[test]
fn another_site_changes_nothing() {
    let guard = Guard::new(Stage::Testing, Changes::Local, false);
    let check = |more: &[(&'static str, &'static str)], token: &str, expected| {
        let mut pairs = vec![("host", "localhost:9011")];
        pairs.extend(more);
        let found = guard.check(
            &Who::Anybody,
            &Uri::from_static("/saved"),
            &headers(&pairs),
            token,
        );
        assert_eq!(found, expected, "{more:?} {token}");
    };
    let cookie = (
        "cookie",
        "a=b; herald-form-testing=0123456789abcdef0123456789abcdef",
    );
    check(&[cookie], TOKEN, Ok(()));
    check(&[cookie, ("sec-fetch-site", "same-origin")], TOKEN, Ok(()));
    check(
        &[cookie, ("origin", "http://localhost:9011")],
        TOKEN,
        Ok(()),
    );
    for site in ["cross-site", "same-site", "x"] {
        let site = ("sec-fetch-site", site);
        check(&[cookie, site], TOKEN, Err(ChangeError::OtherSite));
    }
    for origin in ["http://localhost:9021", "http://evil.example", "null", ""] {
        let origin = ("origin", origin);
        check(&[cookie, origin], TOKEN, Err(ChangeError::OtherSite));
    }
    for token in ["", "0", "0123456789abcdef0123456789abcdee", &TOKEN[..31]] {
        check(&[cookie], token, Err(ChangeError::Token));
    }
    check(&[], TOKEN, Err(ChangeError::Token));
    check(&[], "", Err(ChangeError::Token));
    check(
        &[("cookie", "herald-form-testing=")],
        "",
        Err(ChangeError::Token),
    );
}

#[test]
fn programs_change_something_by_json_only() {
    let guard = Guard::new(Stage::Testing, Changes::Local, false);
    let check = |more: &[(&'static str, &'static str)], expected| {
        let mut pairs = vec![("host", "localhost:9011")];
        pairs.extend(more);
        let found = guard.check_json(&Who::Anybody, &Uri::from_static("/api"), &headers(&pairs));
        assert_eq!(found, expected, "{more:?}");
    };
    let json = ("content-type", "application/json");
    check(&[json], Ok(()));
    check(
        &[("content-type", "Application/JSON ; charset=utf-8")],
        Ok(()),
    );
    for other in [
        "text/plain",
        "application/json5",
        "",
        "text/plain; application/json",
    ] {
        check(&[("content-type", other)], Err(ChangeError::NoJson));
    }
    check(&[], Err(ChangeError::NoJson));
    check(
        &[json, ("sec-fetch-site", "cross-site")],
        Err(ChangeError::OtherSite),
    );
    check(
        &[json, ("origin", "http://evil.example")],
        Err(ChangeError::OtherSite),
    );
}

#[test]
fn where_people_sign_in_the_role_decides() {
    let check = |changes, who: &Who, expected| {
        let guard = Guard::new(Stage::Testing, changes, false);
        let headers = headers(&[("host", "logs.example")]);
        let found = guard.check_place(who, &Uri::from_static("/saved"), &headers);
        assert_eq!(found, expected, "{changes:?} {who:?}");
    };
    let viewer = known("anna", Role::Viewer, Some(TOKEN));
    let operator = known("bo", Role::Operator, Some(TOKEN));
    check(Changes::Allowed, &operator, Ok(()));
    check(Changes::Allowed, &viewer, Err(ChangeError::Viewer));
    check(Changes::Allowed, &Who::Nobody, Err(ChangeError::Unknown));
    check(Changes::Refused, &operator, Err(ChangeError::OffForAll));
}

/// Guards against a token that somebody else planted as a cookie.
#[test]
fn forms_are_bound_to_their_session() {
    let guard = Guard::new(Stage::Testing, Changes::Allowed, false);
    let planted = headers(&[
        ("host", "logs.example"),
        (
            "cookie",
            "herald-form-testing=0123456789abcdef0123456789abcdef",
        ),
    ]);
    let check = |who: &Who, token: &str, expected| {
        let found = guard.check(who, &Uri::from_static("/saved"), &planted, token);
        assert_eq!(found, expected, "{who:?} {token}");
    };
    let operator = known("bo", Role::Operator, Some("of the session"));
    check(&operator, "of the session", Ok(()));
    check(&operator, TOKEN, Err(ChangeError::Token));
    check(&operator, "", Err(ChangeError::Token));
    // A program has no forms.
    let program = known("deploy", Role::Operator, None);
    check(&program, TOKEN, Err(ChangeError::Token));
    check(&program, "", Err(ChangeError::Token));
    assert_eq!(guard.token(&operator, &planted).value(), "of the session");
}

#[test]
fn a_token_is_made_once() {
    let guard = Guard::new(Stage::Testing, Changes::Local, false);
    let fresh = guard.token(&Who::Anybody, &HeaderMap::new());
    let cookie = fresh.cookie.clone().unwrap();
    let expected = format!(
        "herald-form-testing={}; Path=/; HttpOnly; SameSite=Strict",
        fresh.value()
    );
    assert_eq!(cookie, expected);
    assert_ne!(
        fresh.value(),
        guard.token(&Who::Anybody, &HeaderMap::new()).value()
    );
    let known = headers(&[(
        "cookie",
        "herald-form-testing=0123456789abcdef0123456789abcdef",
    )]);
    let again = guard.token(&Who::Anybody, &known);
    assert_eq!((again.value(), again.cookie.clone()), (TOKEN, None));
    let https = guard.token(&Who::Anybody, &headers(&[("x-forwarded-proto", "https")]));
    assert!(https.cookie.unwrap().ends_with("; Secure"));
    let own = Guard::new(Stage::Testing, Changes::Local, true);
    let https = own.token(&Who::Anybody, &HeaderMap::new());
    assert!(https.cookie.unwrap().ends_with("; Secure"));
}
