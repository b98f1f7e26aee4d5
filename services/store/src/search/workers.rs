//! The threads that decompress and compare: as many as there are cores,
//! whoever searches. They take work in the order in which it comes, so that
//! many who ask share the cores; and because there are few of them, memory that
//! is kept for the next piece of work is kept few times.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use tokio::sync::oneshot;

use crate::error::StoreError;

type Work = Box<dyn FnOnce() + Send>;

/// The threads; they end when the last clone is gone.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    queue: mpsc::Sender<Work>,
}

impl Workers {
    /// Starts so many threads.
    ///
    /// # Errors
    /// When the machine has no room for them.
    pub(crate) fn start(count: usize) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel::<Work>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..count {
            let waiting = Arc::clone(&waiting);
            thread::Builder::new()
                .name("search".to_owned())
                .spawn(move || work_on(&waiting))?;
        }
        Ok(Self { queue })
    }

    /// Does some milliseconds of work; not at all when nobody waits for it any
    /// more by the time of its turn.
    ///
    /// # Errors
    /// When the work panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let failed = StoreError::Unavailable("reading failed");
        let (answer, outcome) = oneshot::channel();
        let work = Box::new(move || {
            if !answer.is_closed() {
                // Whoever does not take this has gone.
                let _ = answer.send(work());
            }
        });
        match self.queue.send(work) {
            Ok(()) => outcome.await.map_err(|_| failed),
            Err(_) => Err(failed),
        }
    }
}

fn work_on(waiting: &Mutex<mpsc::Receiver<Work>>) {
    loop {
        let work = waiting
            .lock()
            .expect("nothing panics while it holds this lock")
            .recv();
        let Ok(work) = work else {
            return;
        };
        // The panic has been told by the process's hook; whoever waits learns of
        // it because the answer does not come.
        let _ = catch_unwind(AssertUnwindSafe(work));
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::Workers;

    #[tokio::test]
    async fn work_is_done_and_a_panic_ends_nothing_else() {
        let workers = Workers::start(1).unwrap();
        assert_eq!(workers.run(|| 7).await.unwrap(), 7);
        let failed = workers.run(|| std::hint::black_box(None::<u8>).expect("tried"));
        assert!(failed.await.is_err());
        assert_eq!(workers.run(|| 8).await.unwrap(), 8);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_done() {
        let workers = Workers::start(1).unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (done, was_done) = std::sync::mpsc::channel::<()>();
        let mut first = Box::pin(workers.run(move || held.recv()));
        let mut gone = Box::pin(workers.run(move || done.send(())));
        // Both are queued when they have been asked once.
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut gone).now_or_never().is_none());
        drop(gone);
        release.send(()).unwrap();
        first.await.unwrap().unwrap();
        workers.run(|| ()).await.unwrap();
        assert!(was_done.recv().is_err());
    }
}
