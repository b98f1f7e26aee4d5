//! Somebody with a browser of their own that does nothing by itself: it keeps cookies, and
//! tells where it is sent to instead of going there.

use testkit::http::{Response, get_with, post_form};

/// A browser that a story leads step by step.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
    /// Of which host and port, the name, and the value.
    pub cookies: Vec<(String, String, String)>,
}

impl Visitor {
    /// Asks for a page.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn get(&mut self, url: &str) -> Response {
        let headers = self.headers_for(url);
        let answer = get_with(url, &borrowed(&headers)).await;
        let answer = answer.expect("an answer");
        self.keep(url, &answer);
        answer
    }

    /// Sends a form.
    ///
    /// # Panics
    /// When nobody answers.
    pub async fn post(&mut self, url: &str, form: &str) -> Response {
        let headers = self.headers_for(url);
        let answer = post_form(url, &borrowed(&headers), form.to_owned()).await;
        let answer = answer.expect("an answer");
        self.keep(url, &answer);
        answer
    }

    /// Leaves a Herald for its provider, to come back to `next`; returns where to.
    ///
    /// # Panics
    /// When it is not sent there.
    pub async fn leave(&mut self, herald: &str, next: &str) -> String {
        let url = format!("{herald}/signin/provider?next={next}");
        let answer = self.get(&url).await;
        location(&url, &answer).unwrap_or_else(|| panic!("{}: {}", answer.status, answer.text()))
    }

    /// Signs in at the provider by this name; returns where that sends the browser back
    /// to at `herald`, which has not been visited yet.
    ///
    /// # Panics
    /// When the provider does something else.
    pub async fn sign_in(&mut self, at: String, name: &str, herald: &str) -> String {
        let mut url = at;
        let mut answer = self.get(&url).await;
        for _ in 0..12 {
            if let Some(to) = location(&url, &answer) {
                if to.starts_with(herald) {
                    return to;
                }
                url = to;
                answer = self.get(&url).await;
                continue;
            }
            let page = answer.text();
            let action = page
                .split("action=\"")
                .nth(1)
                .and_then(|it| it.split('"').next());
            let action = action.unwrap_or_else(|| panic!("no form at {url}: {page}"));
            let form = match page.contains("name=\"login\"") {
                true => format!("prompt=login&login={name}&password=x"),
                false => "prompt=consent".to_owned(),
            };
            url = joined(&url, action);
            answer = self.post(&url, &form).await;
        }
        panic!("the provider goes on and on: {url}");
    }

    /// All of it; returns the answer to who has come back.
    pub async fn arrive(&mut self, herald: &str, name: &str, next: &str) -> Response {
        let at = self.leave(herald, next).await;
        let back = self.sign_in(at, name, herald).await;
        self.get(&back).await
    }

    /// The value of a cookie.
    #[must_use]
    pub fn cookie(&self, url: &str, name: &str) -> Option<&str> {
        let place = place(url);
        let mut cookies = self.cookies.iter();
        let found = cookies.find(|(host, known, _)| host == place && known == name)?;
        Some(&found.2)
    }

    fn headers_for(&self, url: &str) -> Vec<(&'static str, String)> {
        let place = place(url);
        let own = self.cookies.iter().filter(|(host, ..)| host == place);
        let pairs: Vec<String> = own
            .map(|(_, name, value)| format!("{name}={value}"))
            .collect();
        let mut headers = self.headers.clone();
        headers.push(("cookie", pairs.join("; ")));
        headers
    }

    fn keep(&mut self, url: &str, answer: &Response) {
        let place = place(url);
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap_or_default();
            let (name, rest) = text.split_once('=').unwrap_or((text, ""));
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies
                .retain(|(host, known, _)| host != place || known != name);
            if !value.is_empty() {
                let cookie = (place.to_owned(), name.to_owned(), value.to_owned());
                self.cookies.push(cookie);
            }
        }
    }
}

/// Where an answer to `url` sends to.
#[must_use]
pub fn location(url: &str, answer: &Response) -> Option<String> {
    let to = answer.headers.get("location")?.to_str().ok()?;
    Some(joined(url, to))
}

fn joined(url: &str, to: &str) -> String {
    match to.strip_prefix('/') {
        Some(path) => {
            let scheme = url.split("://").next().unwrap_or_default();
            format!("{scheme}://{}/{path}", place(url))
        }
        None => to.to_owned(),
    }
}

/// Host and port.
fn place(url: &str) -> &str {
    let rest = url.split("://").nth(1).unwrap_or_default();
    rest.split(['/', '?']).next().unwrap_or_default()
}

fn borrowed<'h>(headers: &'h [(&'static str, String)]) -> Vec<(&'static str, &'h str)> {
    let pairs = headers.iter().map(|(name, value)| (*name, value.as_str()));
    pairs.collect()
}
