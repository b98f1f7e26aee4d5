//! Who sees some systems only.

use axum::http::HeaderName;
use herald_web::{Groups, ProxyAuth, Rights, Role, SignIn};

use super::{PASSWORD, Site, browser::Browser};

/// The ids of the records that somebody gets. Record 1 is of `system_1`, 2 of `system_2`.
async fn seen(browser: &Browser) -> Vec<u64> {
    let answer = browser.get("/api/v1/records").await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let answer = answer.json();
    let records = answer["records"].as_array().unwrap().iter();
    records
        .map(|record| record["id"].as_u64().unwrap())
        .collect()
}

fn viewer(systems: &str) -> Rights {
    Rights {
        role: Role::Viewer,
        systems: Some(systems.parse().unwrap()),
    }
}

#[tokio::test]
async fn another_limit_in_the_file_ends_what_was_begun() {
    let site = Site::new().await;
    site.users()
        .add("cy", viewer("system_1"), PASSWORD)
        .unwrap();
    let cy = site.signed_in("cy").await;
    assert_eq!(seen(&cy).await, [1]);
    let page = cy.page("/", 200).await;
    assert!(page.contains("sees <bdi>system_1</bdi>"), "{page}");
    assert!(!page.contains("href=\"/rejected\""), "{page}");
    assert_eq!(cy.get("/record/2").await.status.as_u16(), 404);
    let path = site.path("users");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("systems=system_1", "systems=system_*")).unwrap();
    assert_eq!(cy.get("/").await.status.as_u16(), 303);
    let cy = site.signed_in("cy").await;
    assert_eq!(seen(&cy).await, [3, 2, 1]);
    // A limit that is none lets nobody in, rather than everybody see all.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("systems=system_*", "systems=")).unwrap();
    assert_eq!(cy.get("/").await.status.as_u16(), 303);
}

#[tokio::test]
async fn groups_of_a_proxy_say_what_is_seen() {
    let groups = Groups {
        viewers: Vec::new(),
        operators: Vec::new(),
        systems: vec![
            ("one".to_owned(), Some("system_1".parse().unwrap())),
            ("two".to_owned(), Some("system_2".parse().unwrap())),
            ("all".to_owned(), None),
        ],
    };
    let site = Site::with(SignIn {
        proxy_auth: Some(ProxyAuth {
            from: "127.0.0.1".parse().unwrap(),
            user_header: HeaderName::from_static("x-remote-user"),
            groups_header: HeaderName::from_static("x-remote-groups"),
            groups,
        }),
        ..SignIn::default()
    })
    .await;
    let check = async |groups: &'static str, expected: &[u64]| {
        let mut browser = site.browser();
        browser.headers = vec![("x-remote-user", "anna"), ("x-remote-groups", groups)];
        assert_eq!(seen(&browser).await, expected, "{groups}");
    };
    check("one", &[1]).await;
    check("one, two", &[2, 1]).await;
    check("two,all", &[3, 2, 1]).await;
    let mut guest = site.browser();
    guest.headers = vec![("x-remote-user", "bo"), ("x-remote-groups", "guests")];
    assert_eq!(guest.get("/").await.status.as_u16(), 303);
}

#[tokio::test]
async fn a_token_is_limited_and_changes_only_its_own() {
    let site = Site::new().await;
    let rights = Rights {
        role: Role::Operator,
        ..viewer("system_2")
    };
    let token = site.tokens().add("shop", rights, None).unwrap();
    let header = format!("Bearer {token}").leak();
    let mut program = site.browser();
    program.headers = vec![("authorization", header)];
    assert_eq!(seen(&program).await, [2]);
    for path in [
        "/api/v1/dead_letters",
        "/api/v1/gaps",
        "/alerts/rules",
        "/alerts/runs",
    ] {
        assert_eq!(program.get(path).await.status.as_u16(), 403, "{path}");
    }
    assert_eq!(site.web.store.alerts().said, Vec::<String>::new());
}
