//! One stream of the store for all who follow the same view: its rows are made
//! once. Whoever comes from further back, or could not keep up, gets there by a
//! stream of their own.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::RecordFilter;
use proto::v1::TailRecordsResponse;
use tokio::sync::broadcast;

use super::{
    MAX_PER_SECOND,
    piece::{Piece, Writer},
};
use crate::{
    app::App,
    store_client::{Pieces, StoreError},
};

/// Pieces that wait for the slowest; who is slower catches up later.
const WAITING: usize = 16;

/// All feeds that somebody follows; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Feeds {
    feeds: Arc<Mutex<HashMap<String, Arc<Feed>>>>,
}

/// A piece, or why there are no more.
pub(super) type News = Result<Arc<Piece>, Arc<str>>;

#[derive(Debug)]
struct Feed {
    news: broadcast::Sender<News>,
    /// All ids up to this one have been told, or are being told.
    through: AtomicU64,
}

/// Somebody's part of a feed.
#[derive(Debug)]
pub(super) struct Subscription {
    feed: Arc<Feed>,
    pub(super) news: broadcast::Receiver<News>,
}

/// What a feed is made from.
struct Source {
    pieces: Pieces<TailRecordsResponse>,
    writer: Writer,
}

impl Subscription {
    fn of(feed: &Arc<Feed>) -> Self {
        Self {
            news: feed.news.subscribe(),
            feed: Arc::clone(feed),
        }
    }

    /// The id up to which the feed has told before this one began, or later.
    pub(super) fn through(&self) -> u64 {
        self.feed.through.load(Ordering::SeqCst)
    }
}

impl Feeds {
    /// The feed of this name for who sees the same; a new one is made from the newest
    /// record on.
    pub(super) async fn subscribe(
        &self,
        name: String,
        app: &App,
        filter: &RecordFilter,
        writer: impl FnOnce() -> Writer,
    ) -> Result<Subscription, StoreError> {
        let name = format!("{}\n{name}", app.store.sight());
        if let Some(feed) = self.lock().get(&name) {
            return Ok(Subscription::of(feed));
        }
        let mut pieces = app.store.tail(filter, None, MAX_PER_SECOND).await?;
        let first = pieces.next().await?.ok_or(StoreError::NoAnswer)?;
        let mut feeds = self.lock();
        // Somebody may have been quicker.
        if let Some(feed) = feeds.get(&name) {
            return Ok(Subscription::of(feed));
        }
        let feed = Arc::new(Feed {
            news: broadcast::Sender::new(WAITING),
            through: AtomicU64::new(first.through),
        });
        feeds.insert(name.clone(), Arc::clone(&feed));
        let subscription = Subscription::of(&feed);
        drop(feeds);
        let source = Source {
            pieces,
            writer: writer(),
        };
        tokio::spawn(self.clone().run(name, feed, source));
        Ok(subscription)
    }

    /// Tells until the store does not, or nobody listens.
    async fn run(self, name: String, feed: Arc<Feed>, mut source: Source) {
        let problem: Arc<str> = loop {
            let answer = match source.pieces.next().await {
                Ok(Some(answer)) => answer,
                Ok(None) => break StoreError::NoAnswer.to_string().into(),
                Err(failure) => break failure.to_string().into(),
            };
            if self.is_forsaken(&name, &feed) {
                return;
            }
            let Ok(piece) = source.writer.piece(answer) else {
                break "the rows cannot be shown".into();
            };
            // Whoever comes in between knows that this is missing, or gets it.
            feed.through.fetch_max(piece.through, Ordering::SeqCst);
            let _ = feed.news.send(Ok(Arc::new(piece)));
        };
        self.lock().remove(&name);
        let _ = feed.news.send(Err(problem));
    }

    /// Whether nobody listens; then nobody finds it any more.
    fn is_forsaken(&self, name: &str, feed: &Feed) -> bool {
        let mut feeds = self.lock();
        let is_forsaken = feed.news.receiver_count() == 0;
        if is_forsaken {
            feeds.remove(name);
        }
        is_forsaken
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Feed>>> {
        let feeds = self.feeds.lock();
        feeds.expect("nothing panics while it holds this lock")
    }
}
