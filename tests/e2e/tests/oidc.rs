//! People sign in at a provider of identities, and those who should not get in do not.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::time::Duration;

use e2e::{
    browser::Browser,
    command::shell,
    identity::Provider,
    visitor::{Visitor, location},
};
use testkit::{Installation, Process, certificates::Authority, http, wait_until};

const SOON: Duration = Duration::from_secs(30);
const SESSION: &str = "herald-session-testing";
const FLOW: &str = "herald-signin-testing";

/// A Herald, and the provider that lets people sign in.
struct Site {
    herald: Installation,
    provider: Provider,
    _processes: [Process; 3],
}

impl Site {
    async fn new() -> Self {
        let herald = Installation::new();
        let provider = Provider::of(&herald);
        Self::with(herald, provider).await
    }

    async fn with(herald: Installation, provider: Provider) -> Self {
        let herald = provider.known_to(herald);
        let running = provider.start().await;
        Self {
            _processes: [running, herald.store().await, herald.web().await],
            herald,
            provider,
        }
    }

    fn base(&self) -> String {
        self.herald.web_url()
    }

    fn url(&self, path: &str) -> String {
        self.base() + path
    }

    /// Somebody who has signed in.
    async fn signed_in(&self, name: &str) -> Visitor {
        let mut visitor = Visitor::default();
        let answer = visitor.arrive(&self.base(), name, "/").await;
        assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
        visitor
    }

    /// Whom a page greets; nobody where it leads to where people sign in.
    async fn greeted(&self, visitor: &Visitor) -> Option<String> {
        let mut visitor = visitor.clone();
        let page = visitor.get(&self.url("/status")).await.text();
        let name = page.split("<span class=\"who\"><bdi>").nth(1)?;
        Some(name.split('<').next().unwrap().to_owned())
    }

    /// Who comes back with this is told why not, and has no session.
    async fn refused(&self, visitor: &mut Visitor, back: &str, status: u16, part: &str) {
        let answer = visitor.get(back).await;
        let page = answer.text();
        assert_eq!(answer.status.as_u16(), status, "{back}: {page}");
        assert!(page.contains(part), "{back}: {page}");
        assert!(page.contains("Sign in at localhost"), "a way on: {page}");
        assert_eq!(visitor.cookie(back, SESSION), None);
        assert_eq!(self.greeted(visitor).await, None);
    }
}

#[tokio::test]
async fn people_sign_in_at_the_provider_in_a_browser() {
    let herald = Installation::new();
    let users = herald.folder().join("users").display().to_string();
    let herald = herald.with("WEB_USERS", users);
    let _said = shell(
        &herald,
        "echo 'correct horse' | \"$0\" user add bo",
        herald.folder(),
    );
    let provider = Provider::of(&herald);
    let site = Site::with(herald, provider).await;
    let browser = Browser::start().await;
    for runs_scripts in [true, false] {
        let page = browser.page().await;
        page.scripts(runs_scripts).await;
        page.open(&site.url("/alerts?state=firing")).await;
        if runs_scripts {
            for is_dark in [false, true] {
                page.dark(is_dark).await;
                page.size(390, 844).await;
                page.assert_accessible("signing in at a provider").await;
            }
            page.size(1_400, 900).await;
        }
        assert_eq!(
            page.count("#password").await,
            1,
            "local users have their form"
        );
        page.follow(page.click("a.elsewhere")).await;
        assert!(page.url().await.starts_with(site.provider.issuer()));
        page.fill("input[name=login]", "anna").await;
        page.fill("input[name=password]", "x").await;
        page.follow(page.click("button[type=submit]")).await;
        page.follow(page.click("button[type=submit]")).await;
        assert_eq!(page.url().await, site.url("/alerts?state=firing"));
        assert_eq!(page.text(".account .who").await, "anna operator");
        page.follow(page.click(".account button")).await;
        assert_eq!(page.url().await, site.url("/signin?out=1"));
        page.open(&site.url("/")).await;
        assert_eq!(page.url().await, site.url("/signin"));
        page.open(&site.url("/signin?out=1")).await;
        page.follow(page.click("main .note a")).await;
        let there = page.url().await;
        assert!(there.starts_with(site.provider.issuer()), "{there}");
        page.close().await;
    }
}

#[tokio::test]
async fn groups_say_what_somebody_sees() {
    let herald = Installation::new().with("WEB_OIDC_SYSTEMS", "staff=shop*,web; ops=*");
    let provider = Provider::of(&herald);
    let site = Site::with(herald, provider).await;
    for (name, seen) in [("anna", None), ("bo", Some("sees <bdi>shop*,web</bdi>"))] {
        let mut visitor = site.signed_in(name).await;
        let page = visitor.get(&site.url("/status")).await.text();
        assert_eq!(page.contains("sees <bdi>"), seen.is_some(), "{page}");
        assert!(seen.is_none_or(|seen| page.contains(seen)), "{page}");
        let rejected = visitor.get(&site.url("/rejected")).await.status.as_u16();
        assert_eq!(rejected, if seen.is_some() { 403 } else { 200 }, "{name}");
    }
}

#[tokio::test]
async fn groups_say_who_comes_in() {
    let site = Site::new().await;
    let mut anna = site.signed_in("anna").await;
    assert_eq!(site.greeted(&anna).await.as_deref(), Some("anna"));
    let mut bo = site.signed_in("bo").await;
    let page = bo.get(&site.url("/saved")).await.text();
    assert!(page.contains("this takes the role operator"), "{page}");
    let mut cy = Visitor::default();
    let at = cy.leave(&site.base(), "/").await;
    let back = cy.sign_in(at, "cy", &site.base()).await;
    site.refused(&mut cy, &back, 403, "you are in none of the groups")
        .await;
    let metrics = http::get(&site.url("/metrics")).await.unwrap().text();
    for outcome in ["signed in", "no group"] {
        let counted = format!("outcome=\"{outcome}\"");
        assert!(
            metrics
                .lines()
                .any(|line| line.contains(&counted) && line.contains("way=\"provider\"")),
            "{metrics}"
        );
    }
    // herald-web tells the store afterwards.
    wait_until("the audit log has both", SOON, async || {
        let listed = anna.get(&site.url("/api/v1/audit")).await.text();
        listed.contains("at the provider: you are in none of the groups")
            && listed.contains("\"anna\"")
            && listed.contains("\"at the provider\"")
    })
    .await;
}

/// What comes back is taken of the browser alone that has left, and once.
#[tokio::test]
async fn what_is_forged_or_stolen_on_the_way_is_refused() {
    let site = Site::new().await;
    let base = site.base();
    let mut anna = Visitor::default();
    let at = anna.leave(&base, "/").await;
    for part in [
        "code_challenge=",
        "code_challenge_method=S256",
        "state=",
        "nonce=",
    ] {
        assert!(at.contains(part), "{at}");
    }
    let back = anna.sign_in(at, "anna", &base).await;
    let foreign = "this was begun in another browser";
    let state = |back: &str| {
        let state = back.split("state=").nth(1).unwrap();
        state.split('&').next().unwrap().to_owned()
    };
    let own = state(&back);
    // Of another browser, which has begun nothing or something else.
    site.refused(&mut Visitor::default(), &back, 403, foreign)
        .await;
    let mut victim = Visitor::default();
    let other = victim.leave(&base, "/").await;
    site.refused(&mut victim, &back, 403, foreign).await;
    // Without the state, with another one, with two of them.
    for forged in [
        back.replace(&own, ""),
        back.replace("state=", "stat="),
        back.replace(&own, &own.to_lowercase()),
        back.replace(&own, &state(&other)),
        format!("{back}&state={own}"),
    ] {
        site.refused(&mut anna.clone(), &forged, 403, foreign).await;
    }
    // Of another provider: that was taken, and so it is over for anna, too.
    let other_issuer = back.replace("iss=", "iss=x");
    site.refused(&mut anna.clone(), &other_issuer, 403, foreign)
        .await;
    site.refused(&mut anna, &back, 403, "is over already").await;
    let mut anna = Visitor::default();
    let at = anna.leave(&base, "/").await;
    let back = anna.sign_in(at, "anna", &base).await;
    let mut thief = anna.clone();
    assert_eq!(anna.get(&back).await.status.as_u16(), 303);
    assert_eq!(anna.cookie(&back, FLOW), None);
    site.refused(&mut thief, &back, 403, "is over already")
        .await;
    // The code once more, in a sign-in of the thief's own.
    let code = back
        .split("code=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let mut thief = Visitor::default();
    let mine = state(&thief.leave(&base, "/").await);
    let replayed = format!("{base}/signin/provider/back?code={code}&state={mine}");
    site.refused(
        &mut thief,
        &replayed,
        403,
        "the provider refuses (invalid_grant)",
    )
    .await;
    // Somebody's cookie does not become another's by being changed.
    let mut thief = Visitor::default();
    let mine = state(&thief.leave(&base, "/").await);
    thief.cookies[0].2.insert(4, '1');
    let forged = format!("{base}/signin/provider/back?code={code}&state={mine}");
    site.refused(&mut thief, &forged, 403, foreign).await;
}

#[tokio::test]
async fn what_the_provider_refuses_is_told_plainly() {
    let site = Site::new().await;
    let base = site.base();
    let mut anna = Visitor::default();
    let at = anna.leave(&base, "/").await;
    let page = anna.get(&at).await;
    let form = location(&at, &page).unwrap();
    let abort = anna.get(&format!("{form}/abort")).await;
    let mut to = location(&form, &abort).unwrap();
    while !to.starts_with(&base) {
        let answer = anna.get(&to).await;
        to = location(&to, &answer).unwrap();
    }
    assert!(to.contains("error=access_denied"), "{to}");
    let state = to
        .split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    let mut other = anna.clone();
    site.refused(&mut anna, &to, 403, "the provider refuses (access_denied)")
        .await;
    // What is no code of an error is not repeated.
    let text = format!("{base}/signin/provider/back?error=%3Cb%3ECall+us&state={state}");
    site.refused(&mut other, &text, 403, "is over already")
        .await;
    let mut other = Visitor::default();
    let at = other.leave(&base, "/").await;
    let state = at
        .split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let text = format!("{base}/signin/provider/back?error=%3Cb%3ECall+us&state={state}");
    site.refused(&mut other, &text, 403, "refuses (without a reason)")
        .await;
}

#[tokio::test]
async fn sessions_are_nobody_elses() {
    let site = Site::new().await;
    let base = site.base();
    // A cookie that somebody has planted never becomes a session.
    let host = base.strip_prefix("http://").unwrap().to_owned();
    let planted = (host, SESSION.to_owned(), "x".repeat(43));
    let mut anna = Visitor::default();
    anna.cookies.push(planted.clone());
    let attacker = anna.clone();
    let answer = anna.arrive(&base, "anna", "/").await;
    assert_eq!(answer.status.as_u16(), 303);
    assert!(!anna.cookies.contains(&planted));
    assert_eq!(site.greeted(&attacker).await, None);
    assert_eq!(site.greeted(&anna).await.as_deref(), Some("anna"));
    // Signing in once more ends the former session.
    let former = anna.clone();
    anna.arrive(&base, "anna", "/").await;
    assert_eq!(site.greeted(&former).await, None);
    // A form of another session or site changes nothing, and ends nothing.
    let page = anna.get(&site.url("/status")).await.text();
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let signout = site.url("/signout");
    for wrong in ["", "x", &token[1..]] {
        let answer = anna.post(&signout, &format!("token={wrong}")).await;
        assert_eq!(answer.status.as_u16(), 403, "{wrong}");
    }
    let mut elsewhere = anna.clone();
    elsewhere
        .headers
        .push(("sec-fetch-site", "cross-site".to_owned()));
    let answer = elsewhere.post(&signout, &format!("token={token}")).await;
    assert_eq!(answer.status.as_u16(), 403);
    assert_eq!(site.greeted(&anna).await.as_deref(), Some("anna"));
    // A stolen cookie is worth nothing after signing out.
    let thief = anna.clone();
    let answer = anna.post(&signout, &format!("token={token}")).await;
    assert_eq!(
        location(&signout, &answer).unwrap(),
        site.url("/signin?out=1")
    );
    assert_eq!(site.greeted(&thief).await, None);
    let mut thief = thief;
    let answer = thief.get(&site.url("/api/v1/status")).await;
    assert_eq!(answer.status.as_u16(), 401);
    let page = anna.get(&site.url("/signin?out=1")).await.text();
    assert!(page.contains("sign out there, too"), "{page}");
}

#[tokio::test]
async fn nobody_is_led_elsewhere() {
    let site = Site::new().await;
    let base = site.base();
    let check = async |next: &str, expected: &str| {
        let mut anna = Visitor::default();
        let answer = anna.arrive(&base, "anna", next).await;
        assert_eq!(answer.headers["location"], expected, "{next}");
    };
    check("%2F%3Fq%3Da%2Bb", "/?q=a+b").await;
    check("%2F%2Fevil.example", "/").await;
    check("https%3A%2F%2Fevil.example", "/").await;
    check("%2F%5Cevil.example", "/").await;
    check("%2F%09%2Fevil.example", "/").await;
    check("%2Fsignin%2Fprovider%2Fback%3Fcode%3Dx", "/").await;
    // Where people come back to is what is configured, whatever a request says.
    let mut forger = Visitor::default();
    for (name, value) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example;proto=https"),
        ("x-remote-user", "anna"),
        ("x-remote-groups", "ops"),
    ] {
        forger.headers.push((name, value.to_owned()));
    }
    let answer = forger.get(&site.url("/signin")).await.text();
    assert!(
        answer.contains("Nobody can sign in on this page"),
        "from elsewhere, in plain: {answer}"
    );
    assert!(!answer.contains("evil.example"), "{answer}");
    let answer = forger.get(&site.url("/signin/provider")).await;
    assert_eq!(answer.status.as_u16(), 403);
    forger.headers.truncate(2);
    forger.headers.remove(1);
    let to = forger.leave(&base, "/").await;
    let back = base.replace(':', "%3A").replace('/', "%2F");
    assert!(to.contains(&format!("redirect_uri={back}%2F")), "{to}");
}

/// The provider is away when Herald starts, comes, and has another key later.
#[tokio::test]
async fn a_provider_may_come_late_and_change_its_keys() {
    let herald = Installation::new();
    let provider = Provider::of(&herald);
    let herald = provider.known_to(herald);
    let _store = herald.store().await;
    let web = herald.web().await;
    let page = http::get(&format!("{}/signin", herald.web_url()))
        .await
        .unwrap();
    assert_eq!(page.headers["refresh"], "5");
    assert!(
        page.text().contains("localhost does not answer just now"),
        "{}",
        page.text()
    );
    let leaving = format!("{}/signin/provider", herald.web_url());
    let answer = http::get(&leaving).await.unwrap();
    assert_eq!(answer.status.as_u16(), 503);
    assert!(
        answer.text().contains("the provider does not answer"),
        "{}",
        answer.text()
    );

    let mut running = provider.start().await;
    wait_until("Herald has found the provider", SOON, async || {
        let page = http::get(&format!("{}/signin", herald.web_url())).await;
        !page.unwrap().headers.contains_key("refresh")
    })
    .await;
    let base = herald.web_url();
    let answer = Visitor::default().arrive(&base, "anna", "/").await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());

    running.kill().await;
    let mut early = Visitor::default();
    let at = early.leave(&base, "/").await;
    let _running = provider.start().await;
    let back = early.sign_in(at, "anna", &base).await;
    let answer = early.get(&back).await;
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
    let log = web.stderr() + &web.stdout();
    assert!(
        !log.contains("known to both"),
        "the secret is nowhere: {log}"
    );
}

#[tokio::test]
async fn other_keys_and_what_is_told_elsewhere() {
    for (algorithm, tells_more_elsewhere) in [("ES256", true), ("PS256", false), ("EdDSA", true)] {
        let herald = Installation::new();
        let provider = Provider::of(&herald)
            .with("algorithm", algorithm)
            .with("tells_more_elsewhere", tells_more_elsewhere);
        let site = Site::with(herald, provider).await;
        let anna = site.signed_in("anna").await;
        assert_eq!(
            site.greeted(&anna).await.as_deref(),
            Some("anna"),
            "{algorithm}"
        );
    }
}

/// Only whose certificate the named authority has signed is the provider.
#[tokio::test]
async fn the_provider_has_a_certificate() {
    let authority = Authority::new("of the provider");
    for (signed_by, status) in [(&authority, 303), (&Authority::new("of nobody"), 503)] {
        let herald = Installation::new();
        let file = herald.folder().join("ca.pem");
        std::fs::write(&file, authority.certificate()).unwrap();
        let identity = signed_by.signs(&["localhost"]);
        let provider = Provider::of(&herald).encrypted(&identity);
        let herald = herald.with("WEB_OIDC_CA", file.display().to_string());
        let site = Site::with(herald, provider).await;
        let answer = http::get(&site.url("/signin/provider")).await.unwrap();
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
        if status == 303 {
            let to = location(&site.base(), &answer).unwrap();
            assert!(to.starts_with(site.provider.issuer()), "{to}");
        }
    }
}
