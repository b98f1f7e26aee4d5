//! The browser's protocol: JSON messages that end with a NUL, in both directions.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{ChildStdin, ChildStdout},
    sync::oneshot,
};

use super::watch::Watch;

/// What a command gave, or what the browser says against it.
pub(super) type Answer = Result<Value, String>;

/// The line to a browser; one for all its pages.
#[derive(Debug)]
pub(super) struct Pipe {
    input: tokio::sync::Mutex<ChildStdin>,
    next: AtomicU64,
    /// Commands without an answer; `None` when the line is cut.
    waiting: Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>,
    /// Who wants to know what happens in a session.
    watches: Mutex<HashMap<String, Arc<Watch>>>,
}

impl Pipe {
    /// Reads in the background for as long as the browser writes.
    pub(super) fn open(input: ChildStdin, output: ChildStdout) -> Arc<Self> {
        let pipe = Arc::new(Self {
            input: input.into(),
            next: AtomicU64::new(1),
            waiting: Mutex::new(Some(HashMap::new())),
            watches: Mutex::default(),
        });
        // The reader must not keep the line open by itself.
        let reader = Arc::downgrade(&pipe);
        tokio::spawn(async move {
            let mut output = BufReader::new(output);
            let mut message = Vec::new();
            while let Ok(1..) = output.read_until(0, &mut message).await {
                let Some(pipe) = reader.upgrade() else { return };
                if message.pop() == Some(0)
                    && let Ok(message) = serde_json::from_slice(&message)
                {
                    pipe.take(message);
                }
                message.clear();
            }
            if let Some(pipe) = reader.upgrade() {
                *lock(&pipe.waiting) = None;
            }
        });
        pipe
    }

    /// Gives a command, to a session or to the browser itself.
    ///
    /// # Errors
    /// When the browser refuses it, or is gone.
    pub(super) async fn call(&self, session: Option<&str>, method: &str, params: Value) -> Answer {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        match &mut *lock(&self.waiting) {
            Some(waiting) => waiting.insert(id, sender),
            None => return Err("the browser is gone".to_owned()),
        };
        let mut command = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        let mut input = self.input.lock().await;
        let written = input.write_all(&bytes).await;
        drop(input);
        written.map_err(|error| format!("the browser is gone: {error}"))?;
        answer
            .await
            .unwrap_or_else(|_| Err("the browser is gone".to_owned()))
    }

    /// Closes what is looked at in a session, with the context that it is alone in.
    ///
    /// # Errors
    /// When it has been closed, or the browser is gone.
    pub(super) async fn close(&self, session: &str, context: &Value) -> Answer {
        lock(&self.watches).remove(session);
        let context = json!({"browserContextId": context});
        self.call(None, "Target.disposeBrowserContext", context)
            .await
    }

    /// Has everything that happens in a session told to `watch`.
    pub(super) fn watch(&self, session: &str, watch: Arc<Watch>) {
        lock(&self.watches).insert(session.to_owned(), watch);
    }

    fn take(self: &Arc<Self>, mut message: Value) {
        if let Some(id) = message["id"].as_u64() {
            let waiting = lock(&self.waiting)
                .as_mut()
                .and_then(|waiting| waiting.remove(&id));
            let answer = match message["error"]["message"].as_str() {
                Some(error) => Err(error.to_owned()),
                None => Ok(message["result"].take()),
            };
            if let Some(waiting) = waiting {
                // Who asked may have gone away at a deadline.
                let _ = waiting.send(answer);
            }
            return;
        }
        let session = message["sessionId"].as_str().unwrap_or_default();
        let watch = lock(&self.watches).get(session).cloned();
        if let (Some(watch), Some(method)) = (watch, message["method"].as_str()) {
            watch.note(method, &message["params"]);
            if method == "Page.javascriptDialogOpening" {
                self.close_dialog(session);
            }
        }
    }

    /// A page that shows a dialog does nothing else until somebody closes it.
    fn close_dialog(self: &Arc<Self>, session: &str) {
        let (pipe, session) = (Arc::clone(self), session.to_owned());
        tokio::spawn(async move {
            let close = json!({"accept": false});
            // A page that is gone has no dialog either.
            let _ = pipe
                .call(Some(&session), "Page.handleJavaScriptDialog", close)
                .await;
        });
    }
}

/// What is kept here is whole at any time.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
