//! People sign in in a real browser, and programs by tokens, at a Herald whose users the
//! command line makes.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{fs, os::unix::fs::PermissionsExt};

use e2e::{
    browser::Page,
    command::{fail, shell, succeed},
    site::Site,
};
use testkit::{Installation, http};

const PASSWORD: &str = "correct horse";

/// Where anna is an operator and bo a viewer.
async fn herald() -> Installation {
    let herald = Installation::new();
    let file = |name: &str| herald.folder().join(name).display().to_string();
    let (users, tokens) = (file("users"), file("tokens"));
    let herald = herald.with("WEB_USERS", users).with("WEB_TOKENS", tokens);
    add(&herald, "anna --role operator");
    add(&herald, "bo");
    succeed(&herald, &["token", "add", "first"]).await;
    herald
}

fn add(herald: &Installation, arguments: &str) -> String {
    let script = format!("echo '{PASSWORD}' | \"$0\" user add {arguments}");
    shell(herald, &script, herald.folder())
}

async fn sign_in(page: &Page, name: &str) {
    page.fill("#name", name).await;
    page.fill("#password", PASSWORD).await;
    page.follow(page.click("main button")).await;
}

#[tokio::test]
async fn people_sign_in_and_out_in_a_browser() {
    let site = Site::of(herald().await).await;
    for runs_scripts in [true, false] {
        let page = site.browser.page().await;
        page.scripts(runs_scripts).await;
        page.expect_complaint("status of 403");
        page.open(&site.url("/alerts?state=firing")).await;
        assert_eq!(
            page.url().await,
            site.url("/signin?next=%2Falerts%3Fstate%3Dfiring")
        );
        page.fill("#name", "anna").await;
        page.fill("#password", "wrong wrong").await;
        page.follow(page.click("main button")).await;
        let problem = page.text("#problem").await;
        assert!(
            problem.contains("nobody of this name and password"),
            "{problem}"
        );
        if runs_scripts {
            for is_dark in [false, true] {
                page.dark(is_dark).await;
                page.size(390, 844).await;
                page.assert_accessible("signing in").await;
            }
            page.size(1_400, 900).await;
        }
        sign_in(&page, "anna").await;
        assert_eq!(page.url().await, site.url("/alerts?state=firing"));
        assert_eq!(page.text(".account .who").await, "anna operator");
        if runs_scripts {
            page.assert_accessible("a page of somebody who is signed in")
                .await;
        }
        page.follow(page.click(".account button")).await;
        assert_eq!(page.url().await, site.url("/signin?out=1"));
        page.open(&site.url("/")).await;
        assert_eq!(page.url().await, site.url("/signin"));
    }
}

/// From a form in a browser to the audit log's page, and to its file.
#[tokio::test]
async fn operators_see_who_has_done_what() {
    let herald = herald().await;
    let token = succeed(&herald, &["token", "add", "auditor", "--role", "operator"]).await;
    let site = Site::of(herald).await;
    for runs_scripts in [true, false] {
        let page = site.browser.page().await;
        page.scripts(runs_scripts).await;
        page.expect_complaint("status of 403");
        page.open(&site.url("/signin?next=/saved")).await;
        page.fill("#name", "anna").await;
        page.fill("#password", "wrong wrong").await;
        page.follow(page.click("main button")).await;
        sign_in(&page, "anna").await;
        let name = format!("Night {runs_scripts}");
        page.open(&site.url("/saved?view=%2F%3Fq%3Doven")).await;
        page.fill("#name", &name).await;
        page.follow(page.click(("button", "Save"))).await;
        page.follow(page.click(("link", "Audit"))).await;
        assert_eq!(page.url().await, site.url("/audit"));
        let saved = page.text(".audit tbody tr:first-child").await;
        for text in [
            "anna",
            "signed in · this machine",
            "search saved",
            &name,
            "q=oven",
        ] {
            assert!(saved.contains(text), "{text} in {saved}");
        }
        if runs_scripts {
            page.assert_accessible("the audit log").await;
        }
        page.until_text("main", "wrong password").await;
        page.follow(page.click(".account button")).await;
        sign_in(&page, "bo").await;
        assert!(!page.has(("link", "Audit")).await);
        page.open(&site.url("/audit")).await;
        page.until_text("main", "This takes the role operator.")
            .await;
        page.follow(page.click(".account button")).await;
    }
    let url = site.url("/api/v1/audit/export?format=ndjson&action=search_saved");
    let authorization = format!("Bearer {}", token.trim());
    let answer = http::get_with(&url, &[("authorization", &authorization)]).await;
    let text = answer.unwrap().text();
    let entries: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |at: usize| (&entries[at]["author"]["name"], &entries[at]["object"]);
    assert_eq!(entries.len(), 2, "{text}");
    assert_eq!(of(0), (&"anna".into(), &"Night false".into()));
    assert_eq!(of(1), (&"anna".into(), &"Night true".into()));
    assert!(!text.contains(PASSWORD));
}

#[tokio::test]
async fn a_viewer_is_told_what_is_missing() {
    let site = Site::of(herald().await).await;
    let page = site.browser.page().await;
    page.expect_complaint("status of 403");
    page.open(&site.url("/signin")).await;
    sign_in(&page, "bo").await;
    // A form that was open when somebody became a viewer.
    let send = "const form = document.querySelector('.account'); form.action = '/saved'; \
                form.querySelector('button').click()";
    page.follow(async {
        page.evaluate(send).await;
    })
    .await;
    let main = page.text("main").await;
    assert!(main.contains("This takes the role operator."), "{main}");
    assert!(main.contains("You are bo, with the role viewer."), "{main}");
    page.assert_accessible("what is not allowed").await;
}

#[tokio::test]
async fn the_command_line_keeps_users_and_tokens() {
    let herald = herald().await;
    let users = succeed(&herald, &["user", "list"]).await;
    assert_eq!(users, "anna  operator\nbo  viewer\n");
    for name in ["users", "tokens"] {
        let file = herald.folder().join(name);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        assert!(!fs::read_to_string(file).unwrap().contains(PASSWORD));
    }
    fail(&herald, &["user", "password", "cy"], 1, "10 to 1024 bytes").await;
    fail(&herald, &["user", "remove", "cy"], 1, "no user `cy`").await;
    fail(&Installation::new(), &["user", "list"], 2, "WEB_USERS").await;
    fail(&Installation::new(), &["token", "list"], 2, "WEB_TOKENS").await;

    let _store = herald.store().await;
    let _web = herald.web().await;
    let token = succeed(&herald, &["token", "add", "probe", "--expires", "1d"]).await;
    let tokens = succeed(&herald, &["token", "list"]).await;
    assert!(
        tokens.contains("first  viewer  never ends\nprobe  viewer  ends 2"),
        "{tokens}"
    );
    let url = format!("{}/api/v1/status", herald.web_url());
    let authorization = format!("Bearer {}", token.trim());
    let ask = async || {
        let answer = http::get_with(&url, &[("authorization", &authorization)]).await;
        answer.unwrap().status.as_u16()
    };
    assert_eq!(ask().await, 200);
    succeed(&herald, &["token", "remove", "probe"]).await;
    assert_eq!(ask().await, 401);
    assert_eq!(http::get(&url).await.unwrap().status.as_u16(), 401);
}
