//! Tasks without which the store must not go on.

use std::future::Future;

use anyhow::{Context, anyhow};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A task that has to live as long as the store. It is aborted when dropped.
#[derive(Debug)]
pub(crate) struct Vital {
    name: &'static str,
    task: JoinHandle<()>,
    is_over: bool,
}

impl Vital {
    /// Starts it; `name` is for people.
    pub(crate) fn spawn(
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        Self {
            name,
            task: tokio::spawn(work),
            is_over: false,
        }
    }

    /// Resolves when the task panics, or ends although `may_end` was not
    /// cancelled, with what to tell people. Nothing is lost when it is dropped.
    pub(crate) async fn ended_early(&mut self, may_end: &CancellationToken) -> anyhow::Error {
        if !self.is_over {
            let outcome = (&mut self.task).await;
            self.is_over = true;
            match outcome {
                Err(panic) => return self.failure(panic),
                Ok(()) if !may_end.is_cancelled() => {
                    return anyhow!("{} ended before its time", self.name);
                }
                Ok(()) => {}
            }
        }
        std::future::pending().await
    }

    /// Waits for its end, which is due.
    ///
    /// # Errors
    /// It panicked.
    pub(crate) async fn finish(mut self) -> anyhow::Result<()> {
        if self.is_over {
            return Ok(());
        }
        let outcome = (&mut self.task).await;
        outcome.with_context(|| format!("{} failed", self.name))
    }

    fn failure(&self, panic: tokio::task::JoinError) -> anyhow::Error {
        anyhow::Error::new(panic).context(format!("{} failed", self.name))
    }
}

impl Drop for Vital {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use futures::FutureExt;

    use super::*;

    /// What `ended_early` says within a moment.
    async fn told(vital: &mut Vital, may_end: &CancellationToken) -> Option<String> {
        let ended = vital.ended_early(may_end);
        let told = tokio::time::timeout(Duration::from_millis(100), ended).await;
        told.ok().map(|failure| failure.to_string())
    }

    #[tokio::test]
    async fn only_an_end_before_its_time_is_a_failure() {
        let (not_yet, now) = (CancellationToken::new(), CancellationToken::new());
        now.cancel();
        let check = async |work: futures::future::BoxFuture<'static, ()>,
                           may_end: &CancellationToken,
                           expected: Option<&str>| {
            let mut vital = Vital::spawn("the task", work);
            assert_eq!(told(&mut vital, may_end).await.as_deref(), expected);
        };
        let ends = || async {}.boxed();
        check(ends(), &not_yet, Some("the task ended before its time")).await;
        check(ends(), &now, None).await;
        check(pending().boxed(), &not_yet, None).await;
        check(pending().boxed(), &now, None).await;
        for may_end in [&not_yet, &now] {
            let panics = async { panic!("a defect") }.boxed();
            check(panics, may_end, Some("the task failed")).await;
        }
    }

    #[tokio::test]
    async fn an_end_that_was_due_is_waited_for() {
        let may_end = CancellationToken::new();
        let mut vital = Vital::spawn("the task", may_end.clone().cancelled_owned());
        assert_eq!(told(&mut vital, &may_end).await, None);
        may_end.cancel();
        vital.finish().await.unwrap();

        let mut ended = Vital::spawn("the task", async {});
        assert_eq!(told(&mut ended, &may_end).await, None);
        ended.finish().await.unwrap();

        let panicked = Vital::spawn("the task", async { panic!("a defect") });
        let failure = panicked.finish().await.unwrap_err();
        assert_eq!(failure.to_string(), "the task failed");
    }
}
