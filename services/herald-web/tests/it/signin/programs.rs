//! Programs with tokens.

use std::time::Duration;

use herald_web::Role;
use serde_json::json;
use testkit::{
    http::{Response, get_with, post},
    wait_until,
};

use super::Site;

const DEADLINE: Duration = Duration::from_secs(40);

async fn ask(site: &Site, path: &str, authorization: &str) -> Response {
    let url = format!("{}{path}", site.web.base);
    get_with(&url, &[("authorization", authorization)])
        .await
        .unwrap()
}

#[tokio::test]
async fn a_program_shows_its_token() {
    let site = Site::new().await;
    let token = site.tokens().add("probe", Role::Viewer, None).unwrap();
    for scheme in ["Bearer", "bearer"] {
        let answer = ask(&site, "/api/v1/records", &format!("{scheme} {token}")).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    }
    let page = ask(&site, "/alerts", &format!("Bearer {token}"))
        .await
        .text();
    assert!(
        page.contains("<bdi>probe</bdi>") && !page.contains("Sign out"),
        "{page}"
    );
    site.tokens().remove("probe").unwrap();
    let answer = ask(&site, "/api/v1/records", &format!("Bearer {token}")).await;
    assert_eq!(answer.status.as_u16(), 401);
}

/// Guards against a tail that outlives its token.
#[tokio::test]
async fn what_a_program_follows_ends_with_its_token() {
    let site = Site::new().await;
    let in_a_while = (time::OffsetDateTime::now_utc().unix_timestamp() + 12) * 1_000_000;
    for (name, expires) in [("removed", None), ("expiring", Some(in_a_while))] {
        let token = site.tokens().add(name, Role::Viewer, expires).unwrap();
        let other = site.tokens().add("other", Role::Viewer, None).unwrap();
        let follow = |token: &str| {
            let url = format!("{}/api/v1/tail", site.web.base);
            let authorization = format!("Bearer {token}");
            tokio::spawn(async move { get_with(&url, &[("authorization", &authorization)]).await })
        };
        let nobody = async || site.web.store.streams() == 0;
        wait_until("nobody follows", DEADLINE, nobody).await;
        let (tail, stays) = (follow(&token), follow(&other));
        let both = async || site.web.store.streams() == 2;
        wait_until("both follow", DEADLINE, both).await;
        if expires.is_none() {
            site.tokens().remove(name).unwrap();
        }
        wait_until("it ends", DEADLINE, async || tail.is_finished()).await;
        assert!(tail.await.unwrap().unwrap().text().contains("following"));
        assert!(!stays.is_finished());
        site.tokens().remove("other").unwrap();
        wait_until("the other ends", DEADLINE, async || stays.is_finished()).await;
    }
}

#[tokio::test]
async fn without_a_token_that_holds_nothing_is_told() {
    let site = Site::new().await;
    let ended = site.tokens().add("ended", Role::Operator, Some(1)).unwrap();
    let url = format!("{}/api/v1/records", site.web.base);
    let answer = get_with(&url, &[]).await.unwrap();
    assert_eq!(answer.status.as_u16(), 401);
    assert_eq!(
        answer.headers["www-authenticate"],
        "Bearer realm=\"herald\""
    );
    let told = answer.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(told.contains("Authorization: Bearer"), "{told}");
    for wrong in [
        &format!("Bearer {ended}"),
        "Bearer ",
        "Bearer herald_",
        "Basic YW5uYTpjb3JyZWN0IGhvcnNl",
        "Bearer",
    ] {
        let answer = ask(&site, "/api/v1/records", wrong).await;
        assert_eq!(answer.status.as_u16(), 401, "{wrong}");
    }
    // A wrong token is told also to who is signed in.
    let anna = site.signed_in("anna").await;
    let mut both = anna.stolen();
    both.headers.push(("authorization", "Bearer herald_guess"));
    assert_eq!(both.get("/api/v1/records").await.status.as_u16(), 401);
    assert_eq!(both.get("/").await.status.as_u16(), 401);
}

#[tokio::test]
async fn a_program_says_for_whom_it_acts_beside_its_own_name() {
    let site = Site::new().await;
    let viewer = site.tokens().add("probe", Role::Viewer, None).unwrap();
    let chat = site.tokens().add("chat", Role::Operator, None).unwrap();
    let send = async |token: &str, content_type: &str| {
        let url = format!("{}/api/v1/alerts/2/acknowledge", site.web.base);
        let authorization = format!("Bearer {token}");
        let headers = [
            ("content-type", content_type),
            ("authorization", &authorization),
        ];
        post(&url, &headers, json!({"by": "anna"}).to_string())
            .await
            .unwrap()
    };
    let answer = send(&viewer, "application/json").await;
    assert_eq!(answer.status.as_u16(), 403);
    let told = answer.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(told, "this takes the role operator");
    assert_eq!(send(&chat, "text/plain").await.status.as_u16(), 403);
    assert_eq!(site.web.store.alerts().said, Vec::<String>::new());
    let answer = send(&chat, "application/json").await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    assert_eq!(
        site.web.store.alerts().said,
        ["2 acknowledged by \"anna (by chat)\""]
    );
}
