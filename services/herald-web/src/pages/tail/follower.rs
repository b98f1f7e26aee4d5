//! Somebody who follows: from where they were to where the feed is, then with it.

use axum::body::Bytes;
use domain::RecordFilter;
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast::error::RecvError, mpsc},
    time::timeout,
};

use super::{
    MAX_PER_SECOND,
    feed::{News, Subscription},
    piece::{self, Writer},
};
use crate::{
    app::App,
    live::{self, COMMENT_INTERVAL, UNTAKEN_TIME},
    store_client::StoreError,
};

/// A follower at work.
pub(super) struct Follower {
    pub(super) app: App,
    pub(super) filter: RecordFilter,
    pub(super) writer: Writer,
    /// All ids up to this one have been told; none when they have come from nowhere.
    pub(super) told: Option<u64>,
    pub(super) subscription: Subscription,
    pub(super) events: mpsc::Sender<Vec<Bytes>>,
    /// Their place among those who may follow.
    pub(super) _place: OwnedSemaphorePermit,
}

/// Why somebody follows no longer.
enum End {
    /// They have gone, or take nothing any more.
    Gone,
    /// There is nothing more to tell, and why.
    Problem(String),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Problem(error.to_string())
    }
}

impl Follower {
    /// Until they go, or the store does not answer.
    pub(super) async fn run(mut self) {
        let gone = self.events.clone();
        tokio::select! {
            end = self.follow() => {
                if let Err(End::Problem(message)) = end {
                    // Whoever does not take this has gone.
                    let _ = self.send(vec![live::problem_text(&message).into()]).await;
                }
            }
            () = gone.closed() => {}
        }
    }

    async fn follow(&mut self) -> Result<(), End> {
        self.catch_up().await?;
        let through = self.told.unwrap_or_else(|| self.subscription.through());
        self.send(vec![piece::sign_of_life(through).into()]).await?;
        let mut is_behind = false;
        loop {
            if is_behind {
                self.catch_up().await?;
            }
            is_behind = false;
            match timeout(COMMENT_INTERVAL, self.subscription.news.recv()).await {
                Ok(Ok(news)) => self.tell(news).await?,
                Ok(Err(RecvError::Lagged(_))) => is_behind = true,
                Ok(Err(RecvError::Closed)) => return Err(StoreError::NoAnswer.into()),
                Err(_) => self.send(vec![Bytes::from_static(b": alive\n\n")]).await?,
            }
        }
    }

    async fn tell(&mut self, news: News) -> Result<(), End> {
        let piece = news.map_err(|problem| End::Problem(problem.to_string()))?;
        self.send(piece.events(self.told.unwrap_or(0))).await?;
        self.told = self.told.max(Some(piece.through));
        Ok(())
    }

    /// To where the feed is, or further.
    async fn catch_up(&mut self) -> Result<(), End> {
        let Some(mut told) = self.told else {
            return Ok(());
        };
        if told >= self.subscription.through() {
            return Ok(());
        }
        let store = &self.app.store;
        let mut pieces = store.tail(&self.filter, Some(told), MAX_PER_SECOND).await?;
        while told < self.subscription.through() {
            let answer = pieces.next().await?.ok_or(StoreError::NoAnswer)?;
            let piece = self.writer.piece(answer);
            let piece = piece.map_err(|_| End::Problem("the rows cannot be shown".to_owned()))?;
            self.send(piece.events(told)).await?;
            told = told.max(piece.through);
            self.told = Some(told);
        }
        Ok(())
    }

    async fn send(&self, events: Vec<Bytes>) -> Result<(), End> {
        let sent = self.events.send_timeout(events, UNTAKEN_TIME).await;
        sent.map_err(|_| End::Gone)
    }
}
