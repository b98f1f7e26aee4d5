//! A browser that keeps its cookies.

use testkit::http::{Response, get_with, post_form};

use crate::web::Web;

pub(super) struct Browser {
    base: String,
    /// Sent with every request.
    pub(super) headers: Vec<(&'static str, &'static str)>,
    /// Names and values.
    pub(super) cookies: Vec<(String, String)>,
}

impl Browser {
    pub(super) fn new(web: &Web) -> Self {
        Self {
            base: web.base.clone(),
            headers: Vec::new(),
            cookies: Vec::new(),
        }
    }

    /// Another one with the same cookies.
    pub(super) fn stolen(&self) -> Self {
        Self {
            base: self.base.clone(),
            headers: self.headers.clone(),
            cookies: self.cookies.clone(),
        }
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        let cookie = self.cookie();
        let mut headers = self.headers.clone();
        headers.push(("cookie", &cookie));
        get_with(&format!("{}{path}", self.base), &headers)
            .await
            .unwrap()
    }

    pub(super) async fn page(&self, path: &str, status: u16) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        answer.text()
    }

    /// Sends a form as it is, with its token in it.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let cookie = self.cookie();
        let mut headers = self.headers.clone();
        headers.push(("cookie", &cookie));
        post_form(&format!("{}{path}", self.base), &headers, form)
            .await
            .unwrap()
    }

    /// Sends a form with the token of a page.
    pub(super) async fn send(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let token = token(&self.get(page).await.text());
        self.post(path, &[fields, &[("token", &token)]].concat())
            .await
    }

    pub(super) async fn sign_in(&mut self, name: &str, password: &str, next: &str) -> Response {
        let page = self.get("/signin").await;
        self.keep(&page);
        let token = token(&page.text());
        let fields = [
            ("name", name),
            ("password", password),
            ("next", next),
            ("token", &token),
        ];
        let answer = self.post("/signin", &fields).await;
        self.keep(&answer);
        answer
    }

    pub(super) async fn sign_out(&mut self) -> Response {
        let answer = self.send("/", "/signout", &[]).await;
        self.keep(&answer);
        answer
    }

    pub(super) fn keep(&mut self, answer: &Response) {
        for cookie in answer.headers.get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn cookie(&self) -> String {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }
}

/// The token that a page's forms carry; nothing without a form.
pub(super) fn token(page: &str) -> String {
    let rest = page
        .split("name=\"token\" value=\"")
        .nth(1)
        .unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}
