//! The controls of a record in the middle of its neighbours.

use e2e::{api, browser::Target, site::Site};

use super::{Control, use_all};

#[tokio::test]
async fn a_record_is_taken_apart_in_every_way() {
    let (site, _) = Site::bakery().await;
    let errors = api::all(&site.herald.web_url(), "q=%22order+4711+failed%22").await;
    let at = &format!("/record/{}", errors[0]["id"]);
    let rows = |count: &str| {
        format!("document.querySelectorAll('.records tbody > tr[id]').length {count}")
    };
    let leads = |target: Target<'static>, address: &str| Control::leads(at, target, address);
    use_all(
        &site,
        &[
            Control::does(at, ("link", "more before"), &rows("> 21")),
            Control::does(at, ("link", "more after"), &rows("> 21")),
            leads(".scopes li:nth-child(1) a".into(), "scope=process"),
            leads(".scopes li:nth-child(2) a".into(), "scope=system"),
            leads(("link", "in the log").into(), "/?"),
            leads(("link", "JSON").into(), "/api/v1/records/"),
            leads(("link", "same exception").into(), "fingerprint:"),
            leads(("link", "Only records with this system_id").into(), "/?system_id=payments"),
            leads(("link", "Without records with this system_id").into(), "/?q=-system_id:payments"),
            Control::does(
                at,
                ".exception-part summary",
                "document.querySelector('.exception-part details').open",
            ),
            Control::does(
                at,
                ("button", "Copy module"),
                "[...document.querySelectorAll('button.copy')].some(it => it.textContent === 'copied')",
            )
            .with_scripts(),
        ],
    )
    .await;
}
