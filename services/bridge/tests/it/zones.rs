//! Bridges that send to each other: each record is once in every store on the way,
//! as the first bridge has read it.

use domain::Entry;
use proto::v1::{
    AppendRequest, Batch, OpenSpool, append_request, append_response,
    ingest_service_client::IngestServiceClient,
};
use testkit::{frame, record, wait_until};
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    store::Store,
    under_test::{PATIENCE, UnderTest},
};

pub(crate) fn burst(numbers: std::ops::Range<u64>) -> Vec<u8> {
    numbers
        .flat_map(|number| frame::pickle(&record(number)))
        .collect()
}

pub(crate) fn to(name: &str, url: &str, rules: &str) -> String {
    format!("[[destination]]\nname = \"{name}\"\nkind = \"herald\"\nurl = \"{url}\"\n{rules}\n")
}

pub(crate) async fn arrive(store: &Store, count: usize) {
    wait_until("the records are there", PATIENCE, async || {
        store.records().len() >= count
    })
    .await;
}

pub(crate) fn messages(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|number| format!("record {number}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_once_in_every_store_on_its_way() {
    let folders: Vec<_> = (0..3)
        .map(|_| tempfile::tempdir().expect("a folder"))
        .collect();
    let stores = [
        Store::start().await,
        Store::start().await,
        Store::start().await,
    ];
    let last = UnderTest::start_in_zone(folders[2].path(), &stores[2], "", &[]).await;
    let routes = to("last", &last.ingest_url(), "");
    let middle = UnderTest::start_in_zone(folders[1].path(), &stores[1], &routes, &[]).await;
    let routes = to("middle", &middle.ingest_url(), "");
    let first = UnderTest::start_in_zone(folders[0].path(), &stores[0], &routes, &[]).await;
    first.send(&burst(0..2_000)).await;
    first.send(b"{\"no\": \"message\"}\n").await;
    for store in &stores {
        arrive(store, 2_000).await;
        wait_until("the dead letter is there", PATIENCE, async || {
            store.dead_letters().len() == 1
        })
        .await;
        assert_eq!(store.messages(), messages(0..2_000));
    }
    // Time of receipt and peer are those of the first bridge.
    let records = stores.each_ref().map(Store::records);
    assert_eq!(records[0], records[1]);
    assert_eq!(records[0], records[2]);
    for bridge in [first, middle, last] {
        bridge.stop().await.expect("a clean end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_of_three_gives_each_record_once_to_every_store() {
    let folders: Vec<_> = (0..3)
        .map(|_| tempfile::tempdir().expect("a folder"))
        .collect();
    let stores = [
        Store::start().await,
        Store::start().await,
        Store::start().await,
    ];
    let ports = [(); 3].map(|()| testkit::port::free());
    let mut bridges = Vec::new();
    for at in 0..3 {
        let next = format!("http://127.0.0.1:{}", ports[(at + 1) % 3]);
        let listen = format!("127.0.0.1:{}", ports[at]);
        let vars = [("BRIDGE_INGEST_LISTEN", &*listen)];
        let routes = to("next", &next, "");
        let folder = folders[at].path();
        bridges.push(UnderTest::start_in_zone(folder, &stores[at], &routes, &vars).await);
    }
    for (at, bridge) in bridges.iter().enumerate() {
        let at = at as u64;
        bridge.send(&burst(at * 1_000..(at + 1) * 1_000)).await;
    }
    for store in &stores {
        arrive(store, 3_000).await;
    }
    // A last record that has gone round tells that nothing else is under way.
    bridges[0].send(&burst(3_000..3_001)).await;
    for store in &stores {
        arrive(store, 3_001).await;
    }
    for bridge in bridges {
        bridge.stop().await.expect("a clean end");
    }
    for store in &stores {
        let mut numbers: Vec<u64> = store
            .messages()
            .iter()
            .map(|text| text[7..].parse().expect("a number"))
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..3_001).collect::<Vec<_>>());
        let entries = store.state().entries.clone();
        assert!(entries.iter().all(|it| matches!(it, Entry::Record(_))));
    }
}

/// What a receiver expects next outlives its restarts, also when nothing of the
/// entries is left in its spool.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_remembers_what_it_has_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let mut next = 1;
    for run in 0..4_u64 {
        let vars = [
            ("BRIDGE_SEGMENT_BYTES", "64KiB"),
            ("BRIDGE_SPOOL_MAX_BYTES", "1MiB"),
        ];
        let bridge = UnderTest::start_in_zone(folder.path(), &store, "", &vars).await;
        let mut sender = Upstream::open(&bridge.ingest_url()).await;
        assert_eq!(sender.opened, next, "run {run}");
        // The last of the former run once more, and some that stand for nothing.
        let from = next.saturating_sub(10).max(1);
        sender.send(from, next + 500).await;
        next += 500;
        assert_eq!(sender.acknowledged(next).await, next);
        sender.skip(next, 7).await;
        next += 7;
        assert_eq!(sender.acknowledged(next).await, next);
        arrive(&store, 500 * (run as usize + 1)).await;
        bridge.stop().await.expect("a clean end");
    }
    assert_eq!(store.records().len(), 2_000);
    let mut numbers = store.messages();
    numbers.dedup();
    assert_eq!(numbers.len(), 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_is_refused_and_so_is_what_means_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::start().await;
    let bridge = UnderTest::start_in_zone(folder.path(), &store, "", &[]).await;
    let mut sender = Upstream::open(&bridge.ingest_url()).await;
    sender.send(5, 9).await;
    assert_eq!(sender.refusal().await, tonic::Code::FailedPrecondition);
    let mut sender = Upstream::open(&bridge.ingest_url()).await;
    sender.batch(1, vec![proto::v1::Entry::default()], "").await;
    assert_eq!(sender.refusal().await, tonic::Code::InvalidArgument);
    let mut sender = Upstream::open(&bridge.ingest_url()).await;
    sender.batch(1, vec![entry(1)], "a mark").await;
    assert_eq!(sender.refusal().await, tonic::Code::InvalidArgument);
    let mut sender = Upstream::open(&bridge.ingest_url()).await;
    assert_eq!(sender.opened, 1, "nothing was taken");
    sender.send(1, 3).await;
    assert_eq!(sender.acknowledged(3).await, 3);
    bridge.stop().await.expect("a clean end");
}

fn entry(number: u64) -> proto::v1::Entry {
    Entry::Record(Box::new(record(number))).into()
}

/// Another bridge, as far as the wire can tell.
struct Upstream {
    opened: u64,
    requests: tokio::sync::mpsc::Sender<AppendRequest>,
    answers: tonic::Streaming<proto::v1::AppendResponse>,
}

impl Upstream {
    async fn open(url: &str) -> Self {
        let (requests, outgoing) = tokio::sync::mpsc::channel(8);
        let open = OpenSpool {
            bridge_id: "6f1e2d3c-0000-4000-8000-000000000001".to_owned(),
            name: "upstream".to_owned(),
            first_sequence: 1,
            ..OpenSpool::default()
        };
        let step = Some(append_request::Step::Open(open));
        requests.send(AppendRequest { step }).await.expect("room");
        let client = runtime::grpc::channel(url).expect("a URL");
        let answers = IngestServiceClient::new(client)
            .append(ReceiverStream::new(outgoing))
            .await
            .expect("a bridge");
        let mut upstream = Self {
            opened: 0,
            requests,
            answers: answers.into_inner(),
        };
        let Some(append_response::Step::Opened(opened)) = upstream.answer().await.expect("opened")
        else {
            panic!("the first answer opens");
        };
        upstream.opened = opened.next_sequence;
        upstream
    }

    async fn answer(&mut self) -> Result<Option<append_response::Step>, tonic::Status> {
        let answer = tokio::time::timeout(PATIENCE, self.answers.message()).await;
        let answer = answer.expect("an answer in time")?;
        Ok(answer.and_then(|it| it.step))
    }

    async fn acknowledged(&mut self, until: u64) -> u64 {
        loop {
            match self.answer().await.expect("an answer") {
                Some(append_response::Step::Acknowledged(ack)) if ack.next_sequence < until => {}
                Some(append_response::Step::Acknowledged(ack)) => return ack.next_sequence,
                other => panic!("{other:?}"),
            }
        }
    }

    async fn refusal(&mut self) -> tonic::Code {
        self.answer().await.expect_err("it refuses").code()
    }

    async fn send(&mut self, first: u64, end: u64) {
        self.batch(first, (first..end).map(entry).collect(), "")
            .await;
    }

    async fn skip(&mut self, first: u64, count: u64) {
        self.batch(first, vec![Entry::Skipped(count).into()], "")
            .await;
    }

    async fn batch(&mut self, first_sequence: u64, entries: Vec<proto::v1::Entry>, mark: &str) {
        let batch = Batch {
            first_sequence,
            entries,
            mark: mark.to_owned(),
        };
        let step = Some(append_request::Step::Batch(batch));
        self.requests
            .send(AppendRequest { step })
            .await
            .expect("room");
    }
}
