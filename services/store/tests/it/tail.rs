//! Following: resumed where it was cut, without gap or repeat; who has gone
//! costs nothing; silence is told.

use domain::{Record, RecordFilter};
use proto::v1;
use testkit::wait_until;
use tonic::{Status, Streaming};
use uuid::Uuid;

use crate::{
    harness::{Clients, DEADLINE, Store, as_entries, entries},
    search::record,
};

const ONE: Uuid = Uuid::from_u128(1);

async fn follow(
    clients: &mut Clients,
    query: &str,
    after: Option<u64>,
) -> Result<Streaming<v1::TailRecordsResponse>, Status> {
    let filter = RecordFilter::new(query::parse(query, 0).unwrap());
    let request = v1::TailRecordsRequest {
        filter: Some(proto::filter_to_proto(&filter)),
        after,
        ..v1::TailRecordsRequest::default()
    };
    let news = clients.records.tail_records(request).await;
    news.map(tonic::Response::into_inner)
}

/// Somebody who follows, and goes on where he was after each cut.
struct Follower {
    query: &'static str,
    through: u64,
    news: Option<Streaming<v1::TailRecordsResponse>>,
    records: Vec<Record>,
    cuts: u32,
}

impl Follower {
    fn new(query: &'static str) -> Self {
        Self {
            query,
            through: 0,
            news: None,
            records: Vec::new(),
            cuts: 0,
        }
    }

    /// Takes one answer, or notices a cut.
    async fn step(&mut self, store: &Store) {
        if self.news.is_none() {
            let news = follow(&mut store.clients(), self.query, Some(self.through)).await;
            self.news = Some(news.unwrap());
        }
        let news = self.news.as_mut().unwrap();
        let Ok(Some(answer)) = news.message().await else {
            self.news = None;
            self.cuts += 1;
            return;
        };
        assert!(answer.through >= self.through);
        for record in answer.records {
            let last = self.records.last().map_or(0, |last| last.id);
            assert!(record.id > last.max(self.through) && record.id <= answer.through);
            self.records.push(record.into());
        }
        self.through = answer.through;
    }

    async fn catch_up(&mut self, store: &Store, newest_id: u64) {
        while self.through < newest_id {
            self.step(store).await;
        }
    }
}

#[tokio::test]
async fn who_was_cut_off_goes_on_without_gap_or_repeat() {
    const QUERIES: [&str; 4] = ["*", "straße", "level>=error e", "user_spec_1:\"job 3333\""];
    let mut store = Store::start().await;
    let mut records: Vec<Record> = Vec::new();
    let mut followers: Vec<Follower> = QUERIES.into_iter().map(Follower::new).collect();
    let sizes = [1, 40, 700, 3, 999, 5];
    for (round, size) in sizes.into_iter().cycle().take(18).enumerate() {
        let (mut bridge, first) = store.clients().open(ONE).await;
        assert_eq!(first, records.len() as u64 + 1);
        let batch: Vec<Record> = (first..first + size).map(|id| record(id, 5)).collect();
        bridge.append(first, as_entries(&batch)).await.unwrap();
        records.extend(
            (first..)
                .zip(batch)
                .map(|(id, record)| Record { id, ..record }),
        );
        drop(bridge);
        for (place, follower) in followers.iter_mut().enumerate() {
            match (round + place) % 3 {
                // The slow ones read later what has been sent already.
                0 => {}
                1 => follower.step(&store).await,
                _ => follower.catch_up(&store, first + size - 1).await,
            }
        }
        if round % 4 == 3 {
            store.restart().await;
        }
    }
    for follower in &mut followers {
        follower.catch_up(&store, records.len() as u64).await;
        let filter = RecordFilter::new(query::parse(follower.query, 0).unwrap());
        let expected: Vec<&Record> = records
            .iter()
            .filter(|record| filter.matches(record))
            .collect();
        let found: Vec<&Record> = follower.records.iter().collect();
        assert!(found == expected, "{}: {}", follower.query, found.len());
        assert!(follower.cuts > 0, "{} was never cut", follower.query);
    }
}

#[tokio::test]
async fn who_begins_at_the_end_sees_only_what_comes() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    bridge.append(1, entries("a", 1..11)).await.unwrap();
    let mut news = follow(&mut clients, "*", None).await.unwrap();
    let answer = news.message().await.unwrap().unwrap();
    assert_eq!((answer.records.len(), answer.through), (0, 10));
    bridge.append(11, entries("a", 11..14)).await.unwrap();
    let answer = news.message().await.unwrap().unwrap();
    let ids: Vec<u64> = answer.records.iter().map(|record| record.id).collect();
    assert_eq!((&ids[..], answer.through), (&[11, 12, 13][..], 13));
    // Nothing comes: that is told, too.
    let silence = tokio::time::timeout(DEADLINE, news.message()).await;
    let answer = silence.expect("a sign of life").unwrap().unwrap();
    assert_eq!((answer.records.len(), answer.through), (0, 13));
}

/// Before the first record there is no id to go on from but 0.
#[tokio::test]
async fn who_follows_an_empty_store_misses_no_first_record() {
    let mut store = Store::start().await;
    let mut news = follow(&mut store.clients(), "*", None).await.unwrap();
    let through = news.message().await.unwrap().unwrap().through;
    assert_eq!(through, 0);
    drop(news);
    let (mut bridge, _) = store.clients().open(ONE).await;
    bridge.append(1, entries("a", 1..3)).await.unwrap();
    for _ in 0..2 {
        let mut news = follow(&mut store.clients(), "*", Some(through))
            .await
            .unwrap();
        let answer = news.message().await.unwrap().unwrap();
        assert_eq!((answer.records.len(), answer.through), (2, 2));
        drop(news);
        store.restart().await;
    }
}

#[tokio::test]
async fn ids_that_are_far_away_are_no_trouble() {
    let store = Store::start().await;
    let mut clients = store.clients();
    for after in [0, 1, i64::MAX.cast_unsigned(), u64::MAX - 1, u64::MAX] {
        let mut news = follow(&mut clients, "*", Some(after)).await.unwrap();
        let answer = news.message().await.unwrap().unwrap();
        assert_eq!((answer.records.len(), answer.through), (0, after));
    }
}

#[tokio::test]
async fn the_work_for_who_has_gone_ends() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    for first in (1..40_001).step_by(1_000) {
        let batch = entries("a", first..first + 1_000);
        bridge.append(first, batch).await.unwrap();
    }
    let streams = async || store.metric("herald_store_streams").await;
    assert_eq!(streams().await, Some(0.0));
    let mut held = Vec::new();
    for query in ["*", "level>=error", "nothing at all"] {
        held.push(follow(&mut clients, query, Some(1)).await.unwrap());
    }
    let all = v1::ExportRecordsRequest::default();
    let export = clients.records.export_records(all).await.unwrap();
    wait_until("all of it is under way", DEADLINE, async || {
        streams().await == Some(4.0)
    })
    .await;
    held.truncate(1);
    drop(export);
    wait_until("the others have ended", DEADLINE, async || {
        streams().await == Some(1.0)
    })
    .await;
    drop(held);
    wait_until("all have ended", DEADLINE, async || {
        streams().await == Some(0.0)
    })
    .await;
}
