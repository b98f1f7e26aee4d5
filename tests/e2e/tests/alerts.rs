//! From a log call to a mail and back: `herald up`, a rules file, a mail server.
#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::{fs, path::Path, time::Duration};

use e2e::{browser::Browser, command::shell, program};
use serde_json::Value;
use testkit::{Installation, MailServer, Process, http, mail_server::header, python, wait_for};

const SOON: Duration = Duration::from_mins(1);
const GUIDE: &str = include_str!("../../../docs/guide/alerts.md");

/// A Herald that judges every second by the rules in its folder.
fn herald(server: Option<&MailServer>) -> Installation {
    let herald = Installation::new().with("NEELIX_INTERVAL", "1s");
    let rules = herald.folder().join("ps_neelix_t.cfg");
    let herald = herald.with("NEELIX_RULES", rules.display().to_string());
    match server {
        Some(server) => herald.with("NEELIX_SMTP_URL", server.url()),
        None => herald,
    }
}

fn write_rules(herald: &Installation, rules: &str) {
    fs::write(herald.folder().join("ps_neelix_t.cfg"), rules).unwrap();
}

/// The fenced blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap())
        .collect()
}

/// Waits for a mail whose subject begins so.
async fn mail(server: &MailServer, subject: &str) -> Value {
    wait_for(&format!("a mail `{subject}` has come"), SOON, async || {
        let mails = server.mails().into_iter();
        mails
            .into_iter()
            .find(|mail| header(mail, "Subject").starts_with(subject))
    })
    .await
}

async fn alerts(herald: &Installation) -> Vec<Value> {
    let url = format!("{}/api/v1/alerts", herald.web_url());
    let answer = http::get(&url).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    answer["alerts"].as_array().unwrap().clone()
}

/// Waits until an alert of a rule is as wanted.
async fn alert(herald: &Installation, rule: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
    wait_for(
        &format!("an alert of {rule} is as wanted"),
        SOON,
        async || {
            let found = alerts(herald).await.into_iter();
            found
                .into_iter()
                .find(|alert| alert["rule"] == rule && is_wanted(alert))
        },
    )
    .await
}

async fn log(herald: &Installation, message: &str, system: &str) {
    let address = herald.bridge_address();
    let (host, port) = address.split_once(':').unwrap();
    let code = format!(
        "import logging, logging.handlers\n\
         log = logging.getLogger('story')\n\
         log.addHandler(logging.handlers.SocketHandler('{host}', {port}))\n\
         log.error({message:?}, extra={{'SYSTEM_ID': {system:?}, 'SUB_SYSTEM_ID': 'h1'}})\n"
    );
    let mut process = Process::start(&python::newest().path, ["-c", &code], [("A", "")]);
    assert!(process.end(SOON).await.success(), "{}", process.stderr());
}

#[tokio::test]
async fn the_guide_holds_to_the_letter() {
    let server = MailServer::start(&[]).await;
    let herald = herald(Some(&server));
    let _up = herald.up().await;
    let rules = blocks(GUIDE, "ini");
    write_rules(&herald, rules[0]);
    let address = herald.bridge_address();
    let (host, port) = address.split_once(':').unwrap();
    let to_bridge = format!(" log --host {host} --port {port} ");
    for script in blocks(GUIDE, "sh") {
        for line in script.lines() {
            let line = line.replacen("herald", "\"$0\"", 1);
            // The ports of a test are not those of a stage.
            let line = line.replacen(" log ", &to_bridge, 1);
            let said = shell(&herald, &line, herald.folder());
            assert!(
                !said.is_empty() || line.contains(" log "),
                "{line} says nothing"
            );
        }
    }
    let fired = mail(&server, "[TESTING] FIRING shop").await;
    assert!(fired.to_string().contains("no more bread"), "{fired}");
    mail(&server, "[TESTING] TEST shop").await;
    let alert = alert(&herald, "shop", |_| true).await;
    assert_eq!(alert["condition"], "MSG=no more bread");
}

#[test]
fn every_example_of_the_guide_is_a_rules_file() {
    let herald = herald(None);
    let examples = blocks(GUIDE, "ini");
    assert!(examples.len() > 8, "{}", examples.len());
    for example in examples {
        let file = herald.folder().join("example.cfg");
        fs::write(&file, example).unwrap();
        let said = shell(&herald, "\"$0\" neelix check example.cfg", herald.folder());
        assert!(!said.contains("warning"), "{example}\n{said}");
    }
}

#[tokio::test]
async fn a_system_that_falls_silent_is_told_of_once_and_so_is_its_return() {
    let server = MailServer::start(&[]).await;
    let herald = herald(Some(&server));
    write_rules(
        &herald,
        "[cellar]\nMAIL_TO=a@example.com, b@example.com\nAGE=3s\n",
    );
    let _up = herald.up().await;
    log(&herald, "the cellar is cool", "cellar").await;
    let fired = mail(&server, "[TESTING] FIRING cellar").await;
    assert_eq!(header(&fired, "To"), "a@example.com, b@example.com");
    alert(&herald, "cellar", |alert| alert["state"] == "firing").await;
    log(&herald, "the cellar is cool again", "cellar").await;
    mail(&server, "[TESTING] RESOLVED cellar").await;
    alert(&herald, "cellar", |alert| alert["state"] == "resolved").await;
    // Each of the two gets each mail once.
    wait_for("each has each mail", SOON, async || {
        (server.taken() >= 4).then_some(())
    })
    .await;
    let subjects = server.mails();
    for state in ["FIRING", "RESOLVED"] {
        let wanted = format!("[TESTING] {state} cellar");
        let of_state = subjects
            .iter()
            .filter(|mail| header(mail, "Subject").starts_with(&wanted));
        let mut ids: Vec<_> = of_state.map(|mail| header(mail, "Message-ID")).collect();
        let count = ids.len();
        ids.dedup();
        assert_eq!(count, 2 * ids.len(), "{ids:?}");
    }
}

#[tokio::test]
async fn without_a_mail_server_the_page_has_the_mails() {
    let herald = herald(None);
    write_rules(&herald, "[shop]\nMSG=no more bread\n");
    let _up = herald.up().await;
    log(&herald, "no more bread", "shop").await;
    let alert = alert(&herald, "shop", |alert| alert["told"]["kept"] == 1).await;
    let page = format!("{}/alerts/{}", herald.web_url(), alert["id"]);
    let page = http::get(&page).await.unwrap();
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(page.contains("test@somewhere.com"), "{page}");
}

#[tokio::test]
async fn a_link_in_a_mail_asks_and_then_silences() {
    let server = MailServer::start(&[]).await;
    let herald = herald(Some(&server));
    let herald_url = herald.web_url();
    let herald = herald.with("HERALD_URL", herald_url.clone());
    write_rules(&herald, "[shop]\nMSG=no more bread\n");
    let _up = herald.up().await;
    log(&herald, "no more bread", "shop").await;
    let fired = mail(&server, "[TESTING] FIRING shop").await;
    let text = fired["parts"]["text/plain"].as_str().unwrap();
    let is_link = |word: &&str| word.starts_with(&herald_url) && word.contains("/silence?for=1h");
    let link = text.split_whitespace().find(is_link).expect("a link");
    let browser = Browser::start().await;
    let page = browser.page().await;
    page.open(link).await;
    // Mail programs open links: that alone changes nothing.
    page.until_text("main", "Opening it has changed nothing")
        .await;
    page.assert_accessible("the question of a link").await;
    alert(&herald, "shop", |alert| alert["silenced_until"].is_null()).await;
    page.follow(page.click(("button", "Silence for one hour")))
        .await;
    alert(&herald, "shop", |alert| alert["silenced_until"].is_string()).await;
    // A changed link is none.
    let forged = link.replace("for=1h", "for=1d");
    page.expect_complaint("status of 403");
    page.open(&forged).await;
    page.until_text("main", "This link is not valid").await;
}

#[tokio::test]
async fn a_broken_rules_file_stops_nothing_and_is_told() {
    let herald = herald(None);
    write_rules(&herald, "[shop]\nMGS=no more bread\n");
    let up = herald.up().await;
    wait_for("the log tells of it", SOON, async || {
        up.stderr().contains("MGS").then_some(())
    })
    .await;
    let runs = format!("{}/alerts/runs", herald.web_url());
    wait_for("the page tells of it", SOON, async || {
        let page = http::get(&runs).await.unwrap();
        let page = String::from_utf8(page.body.to_vec()).unwrap();
        page.contains("ps_neelix_t.cfg:2").then_some(())
    })
    .await;
    write_rules(&herald, "[shop]\nMSG=no more bread\n");
    log(&herald, "no more bread", "shop").await;
    alert(&herald, "shop", |_| true).await;
}

#[tokio::test]
async fn what_the_predecessors_database_promises_is_told() {
    let server = MailServer::start(&[]).await;
    let herald = herald(Some(&server)).with("STORE_RETENTION", "36500d");
    let rules = "[old_shop]\nMAIL_TO=a@example.com\nMSG=of the predecessor\nAGE=60*60*2\n";
    write_rules(&herald, rules);
    let file = herald.folder().join("herald.sqlite_d");
    make_predecessor(&file).await;
    let store = herald.store().await;
    let _ = shell(
        &herald,
        "\"$0\" import herald.sqlite_d 2>/dev/null",
        herald.folder(),
    );
    drop(store);
    let _up = herald.up().await;
    alert(&herald, "old_shop", |alert| alert["condition"] == "AGE=2h").await;
    let fired = mail(&server, "[TESTING] FIRING old_shop").await;
    assert!(fired.to_string().contains("of the predecessor"), "{fired}");
}

async fn make_predecessor(file: &Path) {
    let arguments = [file.to_str().unwrap(), "1", "100"];
    program::run(
        &python::newest(),
        "predecessor_database.py",
        &arguments,
        &[],
    )
    .await;
}
