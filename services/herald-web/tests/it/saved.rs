//! Saved searches: saved, opened, renamed and deleted by forms, by nobody from
//! elsewhere, and with every problem told at its form.

use herald_web::Changes;
use testkit::http::{Response, get_with, post_form};

use crate::{fake_store::Mood, web::Web};

/// A browser that keeps its cookie.
struct Browser<'w> {
    web: &'w Web,
    cookie: String,
    token: String,
}

impl<'w> Browser<'w> {
    async fn open(web: &'w Web) -> Self {
        let page = web.get("/saved").await;
        let cookie = page.headers["set-cookie"].to_str().unwrap();
        let (cookie, attributes) = cookie.split_once(';').unwrap();
        assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Strict");
        let token = cookie.split_once('=').unwrap().1.to_owned();
        let page = page.text();
        assert!(page.contains(&format!("name=\"token\" value=\"{token}\"")));
        Self {
            web,
            cookie: cookie.to_owned(),
            token,
        }
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let token = ("token", self.token.as_str());
        self.send_with(path, &[], &[fields, &[token]].concat())
            .await
    }

    async fn send_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Response {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let cookie = [("cookie", self.cookie.as_str())];
        let url = format!("{}{path}", self.web.base);
        post_form(&url, &[&cookie, headers].concat(), form)
            .await
            .unwrap()
    }

    /// A change that succeeds, and the page that it leads to.
    async fn change(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let response = self.send(path, fields).await;
        assert_eq!(response.status.as_u16(), 303, "{}", response.text());
        let location = response.headers["location"].to_str().unwrap();
        let url = format!("{}{location}", self.web.base);
        let page = get_with(&url, &[("cookie", &self.cookie)]).await.unwrap();
        assert!(!page.headers.contains_key("set-cookie"));
        page.text()
    }

    /// A change that fails, and the page that says why.
    async fn fail(&self, path: &str, fields: &[(&str, &str)], status: u16) -> String {
        let response = self.send(path, fields).await;
        assert_eq!(response.status.as_u16(), status, "{}", response.text());
        response.text()
    }
}

/// Names and queries by the API.
async fn searches(web: &Web) -> Vec<(String, String)> {
    let answer = web.json("/api/v1/saved_searches", 200).await;
    let searches = answer["saved_searches"].as_array().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let pairs = searches.iter();
    pairs
        .map(|s| (text(&s["name"]), text(&s["query"])))
        .collect()
}

fn pair(name: &str, query: &str) -> (String, String) {
    (name.to_owned(), query.to_owned())
}

#[tokio::test]
async fn a_view_is_saved_opened_renamed_and_deleted() {
    let web = Web::with(Vec::new()).await;
    let log = web.page("/?level=ERROR&from=-12h&before=7", 200).await;
    let link = "/saved?view=%2F%3Flevel%3DERROR%26from%3D-12h";
    assert!(log.contains(&format!("href=\"{link}\"")), "{log}");
    let page = web.page(link, 200).await;
    assert!(
        page.contains("value=\"/?level=ERROR&amp;from=-12h\""),
        "{page}"
    );
    assert!(
        page.contains("<span class=\"key\">level</span> <bdi>ERROR</bdi>"),
        "{page}"
    );
    assert!(page.contains("Nothing has been saved yet"));

    let browser = Browser::open(&web).await;
    let view = "http://here/?level=ERROR&from=-12h&after=5#r6";
    let page = browser
        .change("/saved", &[("name", " Night <b> "), ("view", view)])
        .await;
    assert!(
        page.contains("<bdi>Night &lt;b&gt;</bdi></a> <span class=\"done\" role=\"status\">saved")
    );
    assert!(
        page.contains("href=\"/?level=ERROR&amp;from=-12h\""),
        "{page}"
    );
    assert_eq!(
        searches(&web).await,
        [pair("Night <b>", "level=ERROR&from=-12h")]
    );

    let log = web.page("/?level=ERROR&from=-12h", 200).await;
    let entry = "<li><a href=\"/?level=ERROR&amp;from=-12h\" aria-current=\"true\"><bdi>Night &lt;b&gt;</bdi></a></li>";
    assert!(log.contains(entry), "{log}");

    let renaming = [("name", "Night <b>"), ("new_name", "Night")];
    let page = browser.change("/saved/rename", &renaming).await;
    assert!(page.contains("<bdi>Night</bdi>"), "{page}");
    let page = browser.change("/saved/delete", &[("name", "Night")]).await;
    assert!(page.contains("Nothing has been saved yet"), "{page}");
    assert_eq!(searches(&web).await, []);
}

#[tokio::test]
async fn problems_are_told_at_the_form_with_what_was_typed() {
    let web = Web::with(Vec::new()).await;
    let browser = Browser::open(&web).await;
    for name in ["one", "two"] {
        browser
            .change("/saved", &[("name", name), ("view", "q=1")])
            .await;
    }
    let check = async |path: &str, fields: &[(&str, &str)], status, expected: &[&str]| {
        let page = browser.fail(path, fields, status).await;
        for text in expected {
            assert!(page.contains(text), "{fields:?}: no {text} in {page}");
        }
    };
    check(
        "/saved",
        &[("name", "ONE"), ("view", "q=2")],
        409,
        &[
            "a saved search named `ONE` exists already",
            "value=\"ONE\"",
            "value=\"q=2\"",
            "name=\"overwrite\"",
        ],
    )
    .await;
    check(
        "/saved",
        &[("name", " "), ("view", "/record/7?a=\"<")],
        400,
        &[
            "the name is empty: give it one",
            "`/record/7` is not the log page",
            "value=\"/record/7?a=&quot;&lt;\"",
        ],
    )
    .await;
    check(
        "/saved",
        &[("name", "x"), ("view", "colour=red")],
        400,
        &["colour: no such parameter"],
    )
    .await;
    check(
        "/saved/rename",
        &[("name", "one"), ("new_name", "Two")],
        409,
        &[
            "a saved search named `Two` exists already",
            "name=\"new_name\" type=\"text\" value=\"Two\"",
            "<details class=\"change\" open>",
        ],
    )
    .await;
    let missing = ["there is no saved search named `three`"];
    check("/saved/delete", &[("name", "three")], 404, &missing).await;
    check(
        "/saved/rename",
        &[("name", "three"), ("new_name", "x")],
        404,
        &missing,
    )
    .await;
    web.store
        .set_mood(Mood::Broken(tonic::Status::unavailable("gone")));
    let fields = [("name", "typed"), ("view", "q=typed")];
    check(
        "/saved",
        &fields,
        503,
        &[
            "the store does not answer",
            "value=\"typed\"",
            "value=\"q=typed\"",
        ],
    )
    .await;
    web.store.set_mood(Mood::Well);
    assert_eq!(
        searches(&web).await,
        [pair("one", "q=1"), pair("two", "q=1")]
    );
    let overwriting = [("name", "ONE"), ("view", "q=2"), ("overwrite", "1")];
    browser.change("/saved", &overwriting).await;
    assert_eq!(
        searches(&web).await,
        [pair("ONE", "q=2"), pair("two", "q=1")]
    );
}

#[tokio::test]
async fn nobody_elsewhere_changes_anything() {
    let web = Web::with(Vec::new()).await;
    let browser = Browser::open(&web).await;
    let token = browser.token.clone();
    let check = async |headers: &[(&str, &str)], token: &str| {
        for path in ["/saved", "/saved/rename", "/saved/delete"] {
            let fields = [("name", "x"), ("view", "q=1"), ("token", token)];
            let response = browser.send_with(path, headers, &fields).await;
            assert_eq!(response.status.as_u16(), 403, "{path} {headers:?} {token}");
        }
    };
    check(&[], "").await;
    check(&[], "00000000000000000000000000000000").await;
    check(&[("sec-fetch-site", "cross-site")], &token).await;
    check(&[("origin", "http://evil.example")], &token).await;
    check(&[("host", "evil.example")], &token).await;
    assert_eq!(searches(&web).await, []);
    let no_cookie = Browser {
        cookie: "a=b".to_owned(),
        ..Browser::open(&web).await
    };
    no_cookie
        .fail("/saved", &[("name", "x"), ("view", "q=1")], 403)
        .await;
    let large = "x".repeat(70_000);
    let page = browser
        .fail("/saved", &[("name", &large), ("view", "")], 413)
        .await;
    assert!(page.contains("a form has at most 65536 bytes"), "{page}");
    assert_eq!(web.get("/saved/delete").await.status.as_u16(), 405);
    let url = format!("{}/saved", web.base);
    let page = get_with(&url, &[("host", "evil.example")]);
    let page = page.await.unwrap().text();
    assert!(!page.contains("<form"), "{page}");
    assert!(
        page.contains("changes are made at localhost only"),
        "{page}"
    );
}

#[tokio::test]
async fn where_changes_are_off_searches_are_read_only() {
    let web = Web::changed_by(Changes::Refused).await;
    let page = web.page("/saved", 200).await;
    assert!(!page.contains("<form"), "{page}");
    assert!(page.contains("WEB_CHANGES=allow"), "{page}");
    let url = format!("{}/saved", web.base);
    let response = post_form(&url, &[], "name=x&view=".to_owned())
        .await
        .unwrap();
    assert_eq!(response.status.as_u16(), 403);
    let web = Web::changed_by(Changes::Allowed).await;
    let browser = Browser::open(&web).await;
    let fields = [
        ("name", "x"),
        ("view", ""),
        ("token", browser.token.as_str()),
    ];
    let host = [("host", "logs.example"), ("origin", "https://logs.example")];
    let response = browser.send_with("/saved", &host, &fields).await;
    assert_eq!(response.status.as_u16(), 303);
}

/// Guards against a proxy on the same machine making everybody somebody at this machine.
#[tokio::test]
async fn through_a_proxy_that_nobody_has_named_nothing_is_changed() {
    let web = Web::with(Vec::new()).await;
    for header in [("x-forwarded-for", "192.0.2.9"), ("via", "1.1 proxy")] {
        let url = format!("{}/saved", web.base);
        let answer = get_with(&url, &[header]).await.unwrap();
        let page = answer.text();
        assert!(page.contains("this came through a proxy"), "{page}");
        assert!(!page.contains("method=\"post\""), "{page}");
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let token = cookie.split_once('=').unwrap().1;
        let form = format!("name=x&view=%2F&token={token}");
        let headers = [header, ("cookie", &cookie)];
        let answer = post_form(&url, &headers, form).await.unwrap();
        assert_eq!(answer.status.as_u16(), 403);
    }
    assert!(
        web.page("/saved", 200)
            .await
            .contains("Nothing has been saved yet")
    );
}
