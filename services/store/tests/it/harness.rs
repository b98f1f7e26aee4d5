//! A store in a temporary folder, and a bridge that speaks to it.

use std::{net::SocketAddr, path::Path, time::Duration};

use domain::{Entry, Gap, Record, RecordQuery, Stage};
use proto::v1::{
    self, AppendRequest, AppendResponse, alert_service_client::AlertServiceClient, append_request,
    append_response, audit_service_client::AuditServiceClient,
    ingest_service_client::IngestServiceClient, record_service_client::RecordServiceClient,
    run_service_client::RunServiceClient, saved_search_service_client::SavedSearchServiceClient,
    status_service_client::StatusServiceClient,
};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use store::Config;
use tempfile::TempDir;
use testkit::{Process, wait_until};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming, transport::Channel};
use uuid::Uuid;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A configuration for a folder.
pub(crate) fn config(folder: &Path) -> Config {
    let vars = [
        ("DEV_STAGE", "TESTING".to_owned()),
        ("STORE_LISTEN", "127.0.0.1:0".to_owned()),
        ("STORE_DATA_DIR", folder.display().to_string()),
    ];
    Config::from_vars(&vars.map(|(name, value)| (name.to_owned(), value)).into()).unwrap()
}

/// A running store.
pub(crate) struct Store {
    pub(crate) folder: TempDir,
    pub(crate) config: Config,
    running: Option<Running>,
}

struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Store {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(TempDir::new().unwrap(), change).await
    }

    pub(crate) async fn start_in(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(folder.path());
        change(&mut config);
        let mut store = Self {
            folder,
            config,
            running: None,
        };
        store.run().await;
        store
    }

    async fn run(&mut self) {
        let listener = TcpListener::bind(self.config.listen).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let config = self.config.clone();
        let task = tokio::spawn(store::serve(listener, config, shutdown.clone()));
        self.running = Some(Running {
            address,
            shutdown,
            task,
        });
        wait_until("the store answers", DEADLINE, async || {
            let mut clients = self.clients();
            clients
                .status
                .get_status(v1::GetStatusRequest {})
                .await
                .is_ok()
        })
        .await;
    }

    pub(crate) async fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.shutdown.cancel();
        running.task.await.unwrap().unwrap();
    }

    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    /// Starts again after [`Store::stop`].
    pub(crate) async fn resume(&mut self) {
        self.run().await;
    }

    /// A connection of somebody else to its database.
    pub(crate) async fn database(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(database(self.folder.path()));
        options.connect().await.unwrap()
    }

    /// A number among what it tells of itself; none when it is not told.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let url = format!("http://{}/metrics", self.address());
        let text = testkit::http::get(&url).await.unwrap().text();
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }

    /// What a query of one number answers.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        let mut conn = self.database().await;
        sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().address
    }

    pub(crate) fn clients(&self) -> Clients {
        Clients::new(self.address())
    }
}

/// The clients of a store.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) alerts: AlertServiceClient<Channel>,
    pub(crate) audit: AuditServiceClient<Channel>,
    pub(crate) ingest: IngestServiceClient<Channel>,
    pub(crate) records: RecordServiceClient<Channel>,
    pub(crate) runs: RunServiceClient<Channel>,
    pub(crate) searches: SavedSearchServiceClient<Channel>,
    pub(crate) status: StatusServiceClient<Channel>,
}

impl Clients {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let channel = Channel::from_shared(format!("http://{address}"))
            .unwrap()
            .connect_lazy();
        Self {
            alerts: AlertServiceClient::new(channel.clone()),
            audit: AuditServiceClient::new(channel.clone()),
            ingest: IngestServiceClient::new(channel.clone()),
            runs: RunServiceClient::new(channel.clone()),
            records: RecordServiceClient::new(channel.clone()).max_decoding_message_size(64 << 20),
            searches: SavedSearchServiceClient::new(channel.clone()),
            status: StatusServiceClient::new(channel),
        }
    }

    pub(crate) async fn list(&mut self, query: RecordQuery) -> v1::ListRecordsResponse {
        let request = proto::query_to_request(&query);
        self.records
            .list_records(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// Every record, oldest first, by pages of `limit`.
    pub(crate) async fn all(&mut self, limit: usize) -> Vec<Record> {
        let mut records = Vec::new();
        let mut after = None;
        loop {
            let page = self
                .list(RecordQuery {
                    order: domain::Order::OldestFirst,
                    limit,
                    after,
                    ..RecordQuery::default()
                })
                .await;
            records.extend(page.records.into_iter().map(Record::from));
            if page.next == 0 {
                return records;
            }
            after = Some(page.next);
        }
    }

    pub(crate) async fn messages(&mut self) -> Vec<String> {
        let records = self.all(1_000).await;
        records.into_iter().map(|record| record.message).collect()
    }

    pub(crate) async fn get_status(&mut self) -> v1::GetStatusResponse {
        let request = v1::GetStatusRequest {};
        self.status.get_status(request).await.unwrap().into_inner()
    }

    /// Opens a spool; returns the bridge and the number the store expects.
    pub(crate) async fn open(&self, bridge_id: Uuid) -> (Bridge, u64) {
        self.try_open(bridge_id).await.unwrap()
    }

    /// Opens a spool of the bridge with this name.
    pub(crate) async fn open_as(&self, bridge_id: Uuid, name: &str) -> (Bridge, u64) {
        self.try_open_as(bridge_id, name.to_owned(), 0)
            .await
            .unwrap()
    }

    /// The same by a process that has been there for so long.
    pub(crate) async fn open_after(&self, bridge_id: Uuid, uptime_ms: u64) -> (Bridge, u64) {
        let name = "bridge".to_owned();
        self.try_open_as(bridge_id, name, uptime_ms).await.unwrap()
    }

    pub(crate) async fn try_open(&self, bridge_id: Uuid) -> Result<(Bridge, u64), Status> {
        let name = format!("bridge {}", bridge_id.as_u128());
        self.try_open_as(bridge_id, name, 0).await
    }

    async fn try_open_as(
        &self,
        bridge_id: Uuid,
        name: String,
        uptime_ms: u64,
    ) -> Result<(Bridge, u64), Status> {
        let (requests, receiver) = mpsc::channel(64);
        let open = append_request::Step::Open(v1::OpenSpool {
            bridge_id: bridge_id.to_string(),
            name,
            first_sequence: 1,
            uptime_ms,
            ..v1::OpenSpool::default()
        });
        let mut bridge = Bridge {
            requests,
            answers: {
                let mut ingest = self.ingest.clone();
                let requests = ReceiverStream::new(receiver);
                ingest.append(requests).await?.into_inner()
            },
            mark: String::new(),
        };
        bridge.send(open).await;
        match bridge.answer().await? {
            append_response::Step::Opened(opened) => {
                bridge.mark = opened.mark;
                Ok((bridge, opened.next_sequence))
            }
            other => panic!("{other:?}"),
        }
    }
}

/// One append stream.
pub(crate) struct Bridge {
    requests: mpsc::Sender<AppendRequest>,
    answers: Streaming<AppendResponse>,
    pub(crate) mark: String,
}

impl Bridge {
    pub(crate) async fn send(&self, step: append_request::Step) {
        // A stream that was refused says so in its answer.
        let _ = self.requests.send(AppendRequest { step: Some(step) }).await;
    }

    pub(crate) async fn answer(&mut self) -> Result<append_response::Step, Status> {
        let answer = self.answers.message().await?;
        let answer = answer.ok_or_else(|| Status::unavailable("end of stream"))?;
        Ok(answer.step.unwrap())
    }

    /// Waits until everything below a number is acknowledged.
    pub(crate) async fn acknowledged(&mut self, next_sequence: u64) -> Result<(), Status> {
        loop {
            match self.answer().await? {
                append_response::Step::Acknowledged(ack) if ack.next_sequence >= next_sequence => {
                    return Ok(());
                }
                append_response::Step::Acknowledged(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn send_batch(&self, first_sequence: u64, entries: Vec<Entry>) {
        self.send(append_request::Step::Batch(v1::Batch {
            first_sequence,
            entries: entries.into_iter().map(Into::into).collect(),
            mark: String::new(),
        }))
        .await;
    }

    /// Sends a batch and waits for its commit.
    pub(crate) async fn append(
        &mut self,
        first_sequence: u64,
        entries: Vec<Entry>,
    ) -> Result<(), Status> {
        let next = first_sequence + entries.iter().map(Entry::width).sum::<u64>();
        self.send_batch(first_sequence, entries).await;
        self.acknowledged(next).await
    }
}

/// Entries with the messages `<prefix> <number>`.
pub(crate) fn entries(prefix: &str, numbers: std::ops::Range<u64>) -> Vec<Entry> {
    numbers
        .map(|number| {
            Entry::Record(Box::new(Record {
                message: format!("{prefix} {number}"),
                ..testkit::record(number)
            }))
        })
        .collect()
}

/// These records as entries.
pub(crate) fn as_entries(records: &[Record]) -> Vec<Entry> {
    let records = records.iter().cloned();
    records
        .map(|record| Entry::Record(Box::new(record)))
        .collect()
}

/// Records of 1 KiB that hardly compress, received at a time.
pub(crate) fn bulky(numbers: std::ops::Range<u64>, received_us: i64) -> Vec<Entry> {
    let noise = |seed: u64| {
        let mut state = seed | 1;
        std::iter::repeat_with(move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(99);
            format!("{:08x}", state >> 32)
        })
    };
    numbers
        .map(|number| {
            Entry::Record(Box::new(Record {
                received_us,
                message: noise(number * 7_919).take(128).collect(),
                ..testkit::record(number)
            }))
        })
        .collect()
}

/// A declared loss.
pub(crate) fn gap(count: u64) -> Entry {
    Entry::Gap(Gap {
        count,
        reason: "destroyed".to_owned(),
        ..Gap::default()
    })
}

/// Where a store's process listens, as its log tells; a port for health comes before.
pub(crate) fn serving_address(process: &Process) -> Option<SocketAddr> {
    let log = process.stderr();
    let mut serving = log.lines().filter(|line| line.contains("\"serving\""));
    let line = serving.next_back()?;
    let (_, address) = line.split_once("\"address\":\"")?;
    address.split('"').next()?.parse().ok()
}

/// The database file of a folder.
pub(crate) fn database(folder: &Path) -> std::path::PathBuf {
    folder.join(format!("herald.sqlite{}", Stage::Testing.suffix()))
}
