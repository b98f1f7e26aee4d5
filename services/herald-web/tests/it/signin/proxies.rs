//! People whom a proxy in front lets sign in, and those who only say so.

use axum::http::HeaderName;
use herald_web::{Groups, Networks, ProxyAuth, SignIn};

use super::{PASSWORD, Site, browser::token};

const ANNA: [(&str, &str); 2] = [
    ("x-remote-user", "anna x"),
    ("x-remote-groups", "staff, ops"),
];
const BO: [(&str, &str); 2] = [("x-remote-user", "bo"), ("x-remote-groups", "staff")];

fn believed(from: &str) -> SignIn {
    SignIn {
        proxy_auth: Some(ProxyAuth {
            from: from.parse::<Networks>().unwrap(),
            user_header: HeaderName::from_static("x-remote-user"),
            groups_header: HeaderName::from_static("x-remote-groups"),
            groups: Groups {
                viewers: vec!["staff".to_owned()],
                operators: vec!["ops".to_owned()],
                systems: Vec::new(),
            },
        }),
        ..SignIn::default()
    }
}

#[tokio::test]
async fn a_proxy_says_who_asks() {
    let site = Site::with(believed("127.0.0.1")).await;
    let mut anna = site.browser();
    anna.headers = ANNA.to_vec();
    let page = anna.page("/alerts", 200).await;
    assert!(
        page.contains("<bdi>anna x</bdi>") && page.contains("operator"),
        "{page}"
    );
    assert!(
        !page.contains("Sign out"),
        "the proxy signs people out: {page}"
    );
    let answer = anna
        .send("/alerts", "/alerts/2", &[("do", "acknowledge")])
        .await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
    assert_eq!(
        site.web.store.alerts().said,
        ["2 acknowledged by \"anna x\""]
    );

    let mut bo = site.browser();
    bo.headers = BO.to_vec();
    let page = bo.page("/alerts", 200).await;
    assert!(page.contains("this takes the role operator"), "{page}");
    let mut guest = site.browser();
    guest.headers = vec![("x-remote-user", "guest"), ("x-remote-groups", "guests")];
    assert_eq!(guest.get("/").await.status.as_u16(), 303);
}

/// Another site sends a form through the browser of somebody whom the proxy knows.
#[tokio::test]
async fn forms_of_others_change_nothing_behind_a_proxy() {
    let site = Site::with(believed("127.0.0.1")).await;
    let mut anna = site.browser();
    anna.headers = ANNA.to_vec();
    let mut bo = site.browser();
    bo.headers = vec![("x-remote-user", "bo"), ("x-remote-groups", "ops")];
    let foreign = token(&bo.page("/alerts", 200).await);
    assert_ne!(foreign, "");
    for wrong in ["", &foreign, "x"] {
        let answer = anna
            .post("/alerts/2", &[("do", "1h"), ("token", wrong)])
            .await;
        assert_eq!(answer.status.as_u16(), 403, "{wrong}");
    }
    let own = token(&anna.page("/alerts", 200).await);
    anna.headers.push(("sec-fetch-site", "cross-site"));
    let answer = anna
        .post("/alerts/2", &[("do", "1h"), ("token", &own)])
        .await;
    assert_eq!(answer.status.as_u16(), 403);
    assert_eq!(site.web.store.alerts().said, Vec::<String>::new());
}

/// Guards against headers that anybody can write.
#[tokio::test]
async fn forged_headers_are_of_nobody() {
    let site = Site::with(believed("10.0.0.7")).await;
    for more in [
        &[][..],
        &[("x-forwarded-for", "10.0.0.7")],
        &[
            ("x-forwarded-for", "192.0.2.1, 10.0.0.7"),
            ("x-real-ip", "10.0.0.7"),
        ],
        &[("forwarded", "for=10.0.0.7;by=10.0.0.7")],
    ] {
        let mut forger = site.browser();
        forger.headers = [&ANNA[..], more].concat();
        assert_eq!(forger.get("/").await.status.as_u16(), 303, "{more:?}");
        assert_eq!(
            forger.get("/api/v1/status").await.status.as_u16(),
            401,
            "{more:?}"
        );
        let answer = forger.post("/alerts/2", &[("do", "1h")]).await;
        assert_eq!(answer.status.as_u16(), 401, "{more:?}");
    }
    // Nor do they make somebody more than they are.
    let mut bo = site.browser();
    bo.sign_in("bo", PASSWORD, "/").await;
    bo.headers = ANNA.to_vec();
    let page = bo.page("/", 200).await;
    assert!(
        page.contains("<bdi>bo</bdi>") && page.contains("viewer"),
        "{page}"
    );
}
