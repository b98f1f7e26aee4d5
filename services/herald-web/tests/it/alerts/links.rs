//! The signed links in mails.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use herald_web::Changes;
use hmac::{Hmac, KeyInit, Mac};
use proto::v1::AuthorKind;
use sha2::Sha256;
use testkit::http::post_form;

use crate::{
    fake_store::{
        Mood,
        alerts::{LINK_KEY, known, now_us},
    },
    web::Web,
};

/// What stands behind the address of a link.
fn signed(id: u64, duration: &str, expires: i64) -> String {
    let said = format!("silence\n{id}\n{duration}\n{expires}");
    let mac = Hmac::<Sha256>::new_from_slice(&LINK_KEY).unwrap();
    let signature = mac.chain_update(said).finalize().into_bytes();
    let signature = URL_SAFE_NO_PAD.encode(signature);
    format!("for={duration}&expires={expires}&signature={signature}")
}

/// Pages that nobody may change anything on.
async fn web() -> Web {
    let web = Web::changed_by(Changes::Refused).await;
    *web.store.alerts() = known();
    web
}

async fn post(web: &Web, id: u64, link: &str) -> (u16, String) {
    let url = format!("{}/alerts/{id}/silence", web.base);
    let response = post_form(&url, &[], link.to_owned()).await.unwrap();
    (response.status.as_u16(), response.text())
}

#[tokio::test]
async fn a_link_asks_first_and_then_silences() {
    let web = web().await;
    let soon = now_us() / 1_000_000 + 60;
    for (duration, length, minutes) in [("1h", "one hour", 60), ("1d", "one day", 1_440)] {
        let link = signed(2, duration, soon);
        let page = web.page(&format!("/alerts/2/silence?{link}"), 200).await;
        assert!(
            page.contains(&format!("Silence for {length}</button>")),
            "{page}"
        );
        assert!(page.contains("no record for 2 h"), "{page}");
        assert!(
            web.store.alerts().said.is_empty(),
            "opening it changes nothing"
        );
        let (status, _) = post(&web, 2, &link).await;
        assert_eq!(status, 303);
        let said = std::mem::take(&mut web.store.alerts().said);
        let expected = format!("2 silenced for Some({minutes}) min by \"link in a mail\"");
        assert_eq!(said, [expected]);
        let author = web.store.audit().pop().unwrap().author.unwrap();
        assert_eq!(
            (author.kind(), &*author.name, &*author.address),
            (AuthorKind::Link, "alert 2", "127.0.0.1")
        );
    }
}

#[tokio::test]
async fn what_is_not_signed_or_too_old_changes_nothing() {
    let web = web().await;
    let now = now_us() / 1_000_000;
    let good = signed(2, "1h", now + 60);
    let check = async |id: u64, link: &str, status: u16, text: &str| {
        let (posted, answer) = post(&web, id, link).await;
        assert_eq!(posted, status, "{link}");
        assert!(answer.contains(text), "{answer}");
        let page = web
            .page(&format!("/alerts/{id}/silence?{link}"), status)
            .await;
        assert!(page.contains(text), "{page}");
        let way = format!("<a href=\"/alerts/{id}\">Show the alert</a>");
        assert!(page.contains(&way), "{page}");
        assert!(!page.contains("<form"), "{page}");
    };
    let wrong = "This link is not valid";
    check(2, &signed(2, "1h", now - 60), 410, "This link has expired").await;
    check(3, &good, 403, wrong).await;
    check(2, &good.replace("1h", "1d"), 403, wrong).await;
    check(2, &good[..good.len() - 1], 403, wrong).await;
    check(2, &signed(2, "9d", now + 60), 403, wrong).await;
    check(2, "", 403, wrong).await;
    check(
        2,
        &format!("for=1h&expires={}&signature=", now + 60),
        403,
        wrong,
    )
    .await;
    let (status, answer) = post(&web, 99, &signed(99, "1h", now + 60)).await;
    assert_eq!(status, 404, "{answer}");
    assert_eq!(
        web.store.alerts().said,
        ["99 silenced for Some(60) min by \"link in a mail\""]
    );
    web.store
        .set_mood(Mood::Broken(tonic::Status::unavailable("gone")));
    let (status, answer) = post(&web, 2, &good).await;
    assert_eq!(status, 503, "{answer}");
}
