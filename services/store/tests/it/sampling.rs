//! Following with a limit: the newest come, the others are counted, and both
//! together are all that passes, over every cut.

use domain::{Record, RecordFilter};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use proto::v1;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

use crate::{
    harness::{Bridge, Clients, Store, as_entries, entries},
    search::{filter, record},
};

const ONE: Uuid = Uuid::from_u128(1);

async fn follow(
    clients: &mut Clients,
    filter: &RecordFilter,
    after: u64,
    max_per_second: u32,
) -> Result<Streaming<v1::TailRecordsResponse>, Status> {
    let request = v1::TailRecordsRequest {
        filter: Some(proto::filter_to_proto(filter)),
        after: Some(after).filter(|after| *after > 0),
        max_per_second,
    };
    let news = clients.records.tail_records(request).await;
    news.map(tonic::Response::into_inner)
}

fn query(text: &str) -> RecordFilter {
    RecordFilter::new(query::parse(text, 0).unwrap())
}

/// Appends records made from their numbers, as many as these sizes say.
async fn append(bridge: &mut Bridge, first: u64, sizes: &[u64]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut next = first;
    for size in sizes {
        let batch: Vec<Record> = (next..next + size).map(|id| record(id, 5)).collect();
        bridge.append(next, as_entries(&batch)).await.unwrap();
        let with_id = |(id, record)| Record { id, ..record };
        records.extend((next..).zip(batch).map(with_id));
        next += size;
    }
    records
}

/// What somebody has been told.
#[derive(Debug)]
struct Told {
    filter: RecordFilter,
    after: u64,
    through: u64,
    ids: Vec<u64>,
    left_out: u64,
}

impl Told {
    fn nothing(filter: RecordFilter, after: u64) -> Self {
        Self {
            filter,
            after,
            through: after,
            ids: Vec::new(),
            left_out: 0,
        }
    }

    /// Takes answers until this id has been looked at.
    async fn take(&mut self, news: &mut Streaming<v1::TailRecordsResponse>, newest_id: u64) {
        while self.through < newest_id {
            let answer = news.message().await.unwrap().unwrap();
            for record in answer.records {
                assert!(self.ids.last().is_none_or(|last| *last < record.id));
                assert!(record.id > self.through && record.id <= answer.through);
                self.ids.push(record.id);
            }
            self.left_out += answer.left_out;
            assert!(answer.through >= self.through);
            self.through = answer.through;
        }
    }

    /// It was told of each of these that passes, and of nothing else.
    fn check(&self, records: &[Record]) {
        let passing: Vec<u64> = records
            .iter()
            .filter(|record| (self.after + 1..=self.through).contains(&record.id))
            .filter(|record| self.filter.matches(record))
            .map(|record| record.id)
            .collect();
        let told = self.ids.len() as u64 + self.left_out;
        assert_eq!(told, passing.len() as u64, "{:?}", self.filter);
        let passes = |id: &u64| passing.binary_search(id).is_ok();
        assert!(self.ids.iter().all(passes), "{:?}", self.filter);
    }
}

#[tokio::test]
async fn shown_and_left_out_are_all_that_passes_over_every_cut() {
    const QUERIES: [&str; 8] = [
        "*",
        "straße",
        "level>=error",
        "level>=error e",
        "-system:system_1",
        "user_spec_1:\"job 3333\"",
        "system:system_1 level<error",
        "/time.*/ OR level:info",
    ];
    let mut store = Store::start().await;
    let mut records = Vec::new();
    let mut told: Vec<Told> = QUERIES
        .into_iter()
        .map(|text| Told::nothing(query(text), 1))
        .collect();
    for round in 0..5 {
        let mut clients = store.clients();
        let (mut bridge, first) = clients.open(ONE).await;
        let mut streams = Vec::new();
        for (place, told) in told.iter().enumerate() {
            let limit = [1, 7, 300][place % 3];
            let news = follow(&mut clients, &told.filter, told.through, limit).await;
            streams.push(news.unwrap());
        }
        records.extend(append(&mut bridge, first, &[1, 40, 700, 3, 999, 5]).await);
        let newest_id = records.len() as u64;
        for (place, (told, news)) in told.iter_mut().zip(&mut streams).enumerate() {
            // Some are cut before they have been told of everything.
            if (round + place) % 3 > 0 {
                told.take(news, newest_id).await;
            }
        }
        drop((bridge, streams));
        store.restart().await;
    }
    let mut clients = store.clients();
    for told in &mut told {
        let news = follow(&mut clients, &told.filter, told.through, 5).await;
        told.take(&mut news.unwrap(), records.len() as u64).await;
        told.check(&records);
    }
    assert!(told[0].left_out > 0);
    assert_eq!(told[5].left_out, 0);
}

#[tokio::test]
async fn every_filter_is_counted_right() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let records = append(&mut bridge, 1, &[300, 1, 20, 999, 2, 450]).await;
    let mut runner = TestRunner::deterministic();
    for after in (0..96).map(|step| 1 + step * 11) {
        let filter = filter().new_tree(&mut runner).unwrap().current();
        let mut told = Told::nothing(filter, after);
        let news = follow(&mut clients, &told.filter, after, 1).await;
        told.take(&mut news.unwrap(), records.len() as u64).await;
        told.check(&records);
    }
}

#[tokio::test]
async fn a_flood_gives_the_newest_within_the_limit() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    for first in (1..5_001).step_by(1_000) {
        let batch = entries("a", first..first + 1_000);
        bridge.append(first, batch).await.unwrap();
    }
    let mut news = follow(&mut clients, &query("*"), 1, 10).await.unwrap();
    let answer = news.message().await.unwrap().unwrap();
    let ids: Vec<u64> = answer.records.iter().map(|record| record.id).collect();
    // Nothing for ten seconds is made up for.
    assert_eq!(ids, Vec::from_iter(4_901..5_001));
    assert_eq!((answer.left_out, answer.through), (4_899, 5_000));
    // What was made up for is gone: the next ones come slowly.
    bridge
        .append(5_001, entries("a", 5_001..5_501))
        .await
        .unwrap();
    let mut told = Told::nothing(query("*"), 5_000);
    told.take(&mut news, 5_500).await;
    assert!(told.ids.len() < 100, "{} are shown", told.ids.len());
    assert_eq!(told.ids.len() as u64 + told.left_out, 500);
}

#[tokio::test]
async fn below_the_limit_nothing_is_left_out() {
    let store = Store::start().await;
    let mut clients = store.clients();
    let (mut bridge, _) = clients.open(ONE).await;
    let records = append(&mut bridge, 1, &[999, 700, 800]).await;
    let texts = ["level>=error e", "user_spec_1:\"job 2333\"", "id<=400"];
    for (text, limit) in texts.into_iter().zip([100, 1, 1_000]) {
        let mut told = Told::nothing(query(text), 1);
        let news = follow(&mut clients, &told.filter, 1, limit).await;
        told.take(&mut news.unwrap(), records.len() as u64).await;
        told.check(&records);
        assert_eq!(told.left_out, 0, "{text}");
        assert!(!told.ids.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn a_limit_that_is_none_is_refused() {
    let store = Store::start().await;
    let refused = follow(&mut store.clients(), &query("*"), 0, 1_001).await;
    let status = refused.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "max_per_second 1001 is above 1000");
}
