//! What those try who should not get in; each is refused.

use testkit::http::post_form;

use super::{PASSWORD, Site, browser::token};

const SESSION: &str = "herald-session-development";

#[tokio::test]
async fn a_stolen_cookie_is_worth_nothing_after_sign_out() {
    let site = Site::new().await;
    let mut anna = site.signed_in("anna").await;
    let thief = anna.stolen();
    thief.page("/", 200).await;
    let follower = anna.stolen();
    let followed = tokio::spawn(async move { follower.get("/tail").await });
    testkit::wait_until(
        "somebody follows",
        std::time::Duration::from_secs(20),
        async || site.web.store.streams() > 0,
    )
    .await;
    anna.sign_out().await;
    assert_eq!(thief.get("/").await.status.as_u16(), 303);
    assert_eq!(thief.get("/api/v1/records").await.status.as_u16(), 401);
    let answer = thief.post("/alerts/2", &[("do", "1h")]).await;
    assert_eq!(answer.status.as_u16(), 401);
    // What was followed ends, too.
    assert_eq!(followed.await.unwrap().status.as_u16(), 200);
}

/// Somebody plants a cookie, lets another one sign in with it, and uses it.
#[tokio::test]
async fn a_planted_cookie_never_becomes_a_session() {
    let site = Site::new().await;
    let planted = (SESSION.to_owned(), "x".repeat(43));
    let mut anna = site.browser();
    anna.cookies.push(planted.clone());
    let attacker = anna.stolen();
    anna.sign_in("anna", PASSWORD, "/").await;
    anna.page("/", 200).await;
    assert!(!anna.cookies.contains(&planted));
    assert_eq!(attacker.get("/").await.status.as_u16(), 303);
    // Signing in once more ends the former session.
    let former = anna.stolen();
    anna.sign_in("bo", PASSWORD, "/").await;
    assert!(anna.page("/", 200).await.contains("<bdi>bo</bdi>"));
    assert_eq!(former.get("/").await.status.as_u16(), 303);
}

#[tokio::test]
async fn forms_of_another_session_or_site_change_nothing() {
    let site = Site::new().await;
    let anna = site.signed_in("anna").await;
    let other = site.signed_in("anna").await;
    let foreign = token(&other.page("/alerts", 200).await);
    let own = token(&anna.page("/alerts", 200).await);
    assert_ne!(own, foreign);
    for wrong in ["", &foreign, "x", &own[1..]] {
        let answer = anna
            .post("/alerts/2", &[("do", "1h"), ("token", wrong)])
            .await;
        assert_eq!(answer.status.as_u16(), 403, "{wrong}");
        let answer = anna.post("/signout", &[("token", wrong)]).await;
        assert_eq!(answer.status.as_u16(), 403, "{wrong}");
    }
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "http://evil.example"),
    ] {
        let mut elsewhere = anna.stolen();
        elsewhere.headers.push(header);
        let answer = elsewhere
            .post("/alerts/2", &[("do", "1h"), ("token", &own)])
            .await;
        assert_eq!(answer.status.as_u16(), 403, "{header:?}");
        let answer = elsewhere.post("/signout", &[("token", &own)]).await;
        assert_eq!(answer.status.as_u16(), 403, "{header:?}");
    }
    assert_eq!(site.web.store.alerts().said, Vec::<String>::new());
    anna.page("/", 200).await;
    // Nobody is signed in as somebody else by a form of another site.
    let fields = [("name", "bo"), ("password", PASSWORD)];
    assert_eq!(
        site.browser()
            .post("/signin", &fields)
            .await
            .status
            .as_u16(),
        403
    );
    let url = format!("{}/signin", site.web.base);
    let form = format!("name=bo&password={PASSWORD}&token=");
    let answer = post_form(&url, &[], form).await.unwrap();
    assert_eq!(answer.status.as_u16(), 403);
}

#[tokio::test]
async fn nobody_is_led_elsewhere() {
    let site = Site::new().await;
    for elsewhere in [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\t/evil",
    ] {
        let answer = site.browser().sign_in("anna", PASSWORD, elsewhere).await;
        assert_eq!(answer.status.as_u16(), 303);
        assert_eq!(answer.headers["location"], "/", "{elsewhere}");
    }
    let answer = site.browser().get("//evil.example/").await;
    let to = answer
        .headers
        .get("location")
        .map(|to| to.to_str().unwrap());
    assert!(to.is_none_or(|to| to == "/signin"), "{to:?}");
}

#[tokio::test]
async fn passwords_are_not_guessed() {
    let site = Site::new().await;
    let mut texts = Vec::new();
    for name in ["anna", "nobody"] {
        let answer = site.browser().sign_in(name, "wrong wrong", "/").await;
        assert_eq!(answer.status.as_u16(), 403);
        let text = answer.text();
        let told = text.split("id=\"problem\"").nth(1).unwrap();
        texts.push(told.split("</p>").next().unwrap().to_owned());
    }
    assert_eq!(texts[0], texts[1], "who there is, nobody is told");
    // The waits double: soon they are longer than an answer takes, on any machine.
    let mut answers = Vec::new();
    while answers.last() != Some(&429) {
        let answer = site.browser().sign_in("anna", "wrong wrong", "/").await;
        answers.push(answer.status.as_u16());
        assert!(answers.len() <= 12, "{answers:?}");
        if answer.status.as_u16() == 429 {
            let wait = answer.headers["retry-after"].to_str().unwrap();
            assert!((1..=61).contains(&wait.parse::<u64>().unwrap()), "{wait}");
            let text = answer.text();
            assert!(text.contains("tried too often"), "{text}");
        }
    }
    assert!(answers.len() >= 5, "five are free: {answers:?}");
    site.signed_in("bo").await;
}

/// Neither an empty name or password, nor one of any size or form, gets anywhere.
#[tokio::test]
async fn odd_names_and_passwords_are_refused() {
    let site = Site::new().await;
    let long = "x".repeat(50_000);
    for (name, password) in [
        ("", ""),
        ("anna", ""),
        ("ANNA", PASSWORD),
        ("anna\0", PASSWORD),
        ("anna role=operator", PASSWORD),
        (&long, PASSWORD),
        ("bo", &long),
        ("# Who signs in", "x"),
    ] {
        let answer = site.browser().sign_in(name, password, "/").await;
        assert_eq!(answer.status.as_u16(), 403, "{:.20}", name);
    }
}
