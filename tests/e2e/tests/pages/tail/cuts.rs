//! The way to the store is cut, in many ways: the page says so within a second and
//! goes on where it was.

use std::time::Duration;

use e2e::site::Site;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{expected, followed, messages, numbered};
use crate::SOON;

/// How long the proxy lets a connection live.
const LIFE: Duration = Duration::from_millis(800);

/// A proxy that cuts every connection; gives its URL.
async fn cutting_proxy(site: &Site) -> String {
    let to = site.herald.web_url().replace("http://", "");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let to = to.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(to).await.unwrap();
                // What ends it, the time or a side, is all the same.
                let _ = timeout(LIFE, copy_bidirectional(&mut client, &mut server)).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn a_proxy_that_cuts_costs_no_record_and_repeats_none() {
    let (site, _) = Site::bakery().await;
    let proxy = cutting_proxy(&site).await;
    let page = site.browser.page().await;
    page.expect_complaint("ERR_");
    page.open(&format!("{proxy}/?tail=1")).await;
    page.until_text(".state", "Following").await;
    for number in 0..20 {
        // One is always under way while the line is cut.
        site.keep(numbered(2 * number..2 * number + 1)).await;
        site.keep(numbered(2 * number + 1..2 * number + 2)).await;
        page.until_text(".flow", &format!("tail {}", 2 * number))
            .await;
    }
    page.until_text(".flow", "tail 39").await;
    assert_eq!(messages(&page).await, expected(0..40));
}

#[tokio::test]
async fn an_outage_is_told_and_nothing_is_missed() {
    let (mut site, _) = Site::bakery().await;
    let page = followed(&site, "/?tail=1").await;
    page.expect_complaint("ERR_");
    site.store.kill().await;
    page.until_text(".state", "the store does not answer").await;
    site.store = site.herald.store().await;
    site.keep(numbered(0..5)).await;
    page.until_within(
        "it follows again",
        SOON,
        "document.querySelector('.state').className === 'state follows'",
    )
    .await;
    page.until_text(".flow", "tail 4").await;

    site.web.kill().await;
    page.until_text(".state", "the connection is lost").await;
    site.keep(numbered(5..9)).await;
    site.web = site.herald.web().await;
    page.until_text(".flow", "tail 8").await;
    page.until_text(".state", "Following").await;
    assert_eq!(messages(&page).await, expected(0..9));
}
