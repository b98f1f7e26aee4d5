//! A tab: where it is, what is in it, and that nothing was wrong with it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use testkit::wait_until;

use super::{
    PATIENCE,
    pipe::{Answer, Pipe},
    poll,
    watch::{Watch, exception},
};

/// A tab of the browser, with cookies of its own. It closes when it is dropped; when
/// the browser has complained about anything that was not expected, the test fails.
#[derive(Debug)]
pub struct Page {
    pipe: Arc<Pipe>,
    session: String,
    context: Value,
    watch: Arc<Watch>,
    runs_scripts: AtomicBool,
}

impl Page {
    pub(super) async fn open_tab(pipe: &Arc<Pipe>) -> Self {
        let call = async |method, params| {
            let answer = pipe.call(None, method, params).await;
            answer.unwrap_or_else(|error| panic!("{method}: {error}"))
        };
        let mut context = call("Target.createBrowserContext", json!({})).await;
        let context = context["browserContextId"].take();
        let tab = json!({"url": "about:blank", "browserContextId": context});
        let tab = call("Target.createTarget", tab).await;
        let attach = json!({"targetId": tab["targetId"], "flatten": true});
        let session = call("Target.attachToTarget", attach).await;
        let session = session["sessionId"].as_str().expect("a session").to_owned();
        let watch = Arc::new(Watch::default());
        pipe.watch(&session, Arc::clone(&watch));
        let page = Self {
            pipe: Arc::clone(pipe),
            session,
            context,
            watch,
            runs_scripts: AtomicBool::new(true),
        };
        for domain in ["Page", "Runtime", "Log", "Audits", "DOM", "Accessibility"] {
            page.call(&format!("{domain}.enable"), json!({})).await;
        }
        page.call(
            "Emulation.setFocusEmulationEnabled",
            json!({"enabled": true}),
        )
        .await;
        page.size(1_400, 900).await;
        page
    }

    /// Closes the tab; what was wrong with it is told here.
    pub async fn close(self) {
        let closed = self.pipe.close(&self.session, &self.context).await;
        closed.unwrap_or_else(|error| panic!("the tab does not close: {error}"));
    }

    /// Shows an address and waits until all of it is there.
    ///
    /// # Panics
    /// When nobody answers there.
    pub async fn open(&self, url: &str) {
        self.begin(url).await;
        self.loaded().await;
    }

    /// Shows an address; returns as soon as an answer has begun.
    ///
    /// # Panics
    /// When nobody answers there.
    pub async fn begin(&self, url: &str) {
        let answer = self.call("Page.navigate", json!({"url": url})).await;
        let error = &answer["errorText"];
        assert!(error.is_null(), "{url}: {error}");
    }

    /// Waits until the document and what it names are there.
    pub async fn loaded(&self) {
        self.until("the page is loaded", "document.readyState === 'complete'")
            .await;
    }

    /// Does something that leads to another address (or the same anew), and
    /// waits until that is shown.
    ///
    /// # Panics
    /// When it leads nowhere.
    pub async fn follow(&self, action: impl Future<Output = ()>) {
        let before = self.watch.navigations();
        action.await;
        wait_until("the page leads somewhere", PATIENCE, async || {
            self.watch.navigations() > before
        })
        .await;
        self.loaded().await;
    }

    /// The browser's button.
    ///
    /// # Panics
    /// When there is nothing to go back to.
    pub async fn back(&self) {
        self.step(-1).await;
    }

    /// The browser's button.
    ///
    /// # Panics
    /// When there is nothing to go forward to.
    pub async fn forward(&self) {
        self.step(1).await;
    }

    async fn step(&self, by: i64) {
        let history = self.call("Page.getNavigationHistory", json!({})).await;
        let index = history["currentIndex"].as_i64().unwrap_or_default() + by;
        let entry = usize::try_from(index).ok();
        let entry = entry.and_then(|index| history["entries"].get(index));
        let entry = entry.unwrap_or_else(|| panic!("nothing {by} away in {history}"));
        let to = json!({"entryId": entry["id"]});
        self.follow(async {
            self.call("Page.navigateToHistoryEntry", to).await;
        })
        .await;
    }

    /// Loads it anew, as the button does.
    pub async fn reload(&self) {
        self.follow(async {
            self.call("Page.reload", json!({})).await;
        })
        .await;
    }

    /// The address that is shown.
    pub async fn url(&self) -> String {
        self.string("location.href").await
    }

    /// The value of an expression in the page; promises are waited for.
    ///
    /// # Panics
    /// When it throws.
    pub async fn evaluate(&self, script: &str) -> Value {
        let answer = self.run(script).await;
        answer.unwrap_or_else(|error| panic!("{error} in {script}"))
    }

    /// The same, as text.
    pub async fn string(&self, script: &str) -> String {
        let value = self.evaluate(script).await;
        match value {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// The visible text of the first element that a selector finds.
    ///
    /// # Panics
    /// When it finds none.
    pub async fn text(&self, selector: &str) -> String {
        self.string(&format!(
            "document.querySelector({}).innerText",
            quoted(selector)
        ))
        .await
    }

    /// The visible text of every element that a selector finds.
    pub async fn texts(&self, selector: &str) -> Vec<String> {
        let found = format!(
            "[...document.querySelectorAll({})].map(it => it.innerText)",
            quoted(selector)
        );
        let found = self.evaluate(&found).await;
        let texts = found.as_array().into_iter().flatten();
        texts
            .filter_map(|it| Some(it.as_str()?.to_owned()))
            .collect()
    }

    /// How many elements a selector finds.
    pub async fn count(&self, selector: &str) -> u64 {
        let count = format!("document.querySelectorAll({}).length", quoted(selector));
        self.evaluate(&count).await.as_u64().unwrap_or_default()
    }

    /// Whether an expression is true now.
    pub async fn holds(&self, script: &str) -> bool {
        self.run(script).await == Ok(Value::Bool(true))
    }

    /// Waits until an expression is true; `what` is the end of "waited in vain
    /// until".
    ///
    /// # Panics
    /// When it does not become so.
    pub async fn until(&self, what: &str, script: &str) {
        self.until_within(what, PATIENCE, script).await;
    }

    /// The same with another patience.
    ///
    /// # Panics
    /// When it does not become so within `deadline`.
    pub async fn until_within(&self, what: &str, deadline: Duration, script: &str) {
        // Between two documents there is nothing to ask.
        let holds = async || self.holds(script).await.then_some(());
        if poll(deadline, holds).await.is_none() {
            let (url, seen) = self.seen().await;
            panic!("waited in vain until {what} ({deadline:?}): {script} at {url}: {seen}");
        }
    }

    /// Waits until an element that a selector finds shows a text.
    ///
    /// # Panics
    /// When it does not.
    pub async fn until_text(&self, selector: &str, part: &str) {
        let script = format!(
            "[...document.querySelectorAll({})].some(it => it.innerText.includes({}))",
            quoted(selector),
            quoted(part)
        );
        self.until(&format!("{selector} shows `{part}`"), &script)
            .await;
    }

    /// From now on a complaint of the browser that holds this text is wanted.
    pub fn expect_complaint(&self, part: &str) {
        self.watch.expect(part);
    }

    /// What the browser has complained about so far, but for what is expected.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.watch.complaints()
    }

    /// From the next document on, scripts of the page run or do not.
    pub async fn scripts(&self, run: bool) {
        self.call(
            "Emulation.setScriptExecutionDisabled",
            json!({"value": !run}),
        )
        .await;
        self.runs_scripts.store(run, Ordering::Relaxed);
    }

    /// Where it is and what there begins, for a failed test.
    pub(super) async fn seen(&self) -> (Value, Value) {
        let begin = "(document.body?.innerText ?? '').slice(0, 1000)";
        let url = self.run("location.href").await;
        let seen = self.run(begin).await;
        (url.unwrap_or_default(), seen.unwrap_or_default())
    }

    pub(super) fn runs_scripts(&self) -> bool {
        self.runs_scripts.load(Ordering::Relaxed)
    }

    pub(super) async fn run(&self, script: &str) -> Answer {
        let expression = json!({
            "expression": script, "returnByValue": true, "awaitPromise": true,
        });
        let answer = self.try_call("Runtime.evaluate", expression).await?;
        value_of(answer)
    }

    pub(super) async fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.try_call(method, params).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    pub(super) async fn try_call(&self, method: &str, params: Value) -> Answer {
        let answer = self.pipe.call(Some(&self.session), method, params);
        tokio::time::timeout(PATIENCE, answer)
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // Tabs that nobody looks at any more keep the browser at work.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (session, context) = (self.session.clone(), self.context.clone());
            let pipe = Arc::clone(&self.pipe);
            runtime.spawn(async move { pipe.close(&session, &context).await });
        }
        if !thread::panicking() {
            let complaints = self.complaints();
            assert!(complaints.is_empty(), "{}", complaints.join("\n"));
        }
    }
}

/// The value in an answer of `Runtime.evaluate` or `callFunctionOn`.
pub(super) fn value_of(mut answer: Value) -> Answer {
    match &answer["exceptionDetails"] {
        Value::Null => Ok(answer["result"]["value"].take()),
        details => Err(exception(details)),
    }
}

/// A text as a script has it.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
