//! `StatusService`: the store at a glance, and copies of it.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use domain::AuditAction;
use futures::{Stream, StreamExt};
use prost::Message;
use proto::v1::{self, status_service_server::StatusService};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tracing::warn;

use super::{audit::author_of, records::Answers, status_of, until};
use crate::{
    App, VERSION, audit,
    backup::{self, Piece},
    db::{self, bridge::Bridge},
    error::StoreError,
    verify::{self, Progress},
};

/// A spool that has been silent for so long, while its bridge was heard, has ended.
const ENDED_AFTER_US: i64 = 3_600_000_000;

/// The service.
pub(super) struct StatusCalls {
    app: App,
    shutdown: CancellationToken,
}

impl StatusCalls {
    /// `shutdown` ends streams in good order.
    pub(super) fn new(app: App, shutdown: CancellationToken) -> Self {
        Self { app, shutdown }
    }

    /// Notes who asks for what, before it is done.
    async fn note<T>(&self, action: AuditAction, request: &Request<T>) -> Result<(), Status> {
        let author = author_of(request)?;
        let noted = audit::note(&self.app.journal, action, "", author).await;
        noted.map_err(|error| status_of(&error))
    }

    async fn status(&self) -> Result<v1::GetStatusResponse, StoreError> {
        let deadline = Instant::now() + self.app.config.query_timeout;
        let mut snapshot = self.app.readers.snapshot(deadline).await?;
        let conn = snapshot.conn();
        let totals = db::counter::read(conn).await?;
        let sums = db::block::sums(conn).await?;
        let space = db::file::space(conn).await?;
        let dead_letters = db::dead_letter::count(conn).await?;
        let bridges = db::bridge::list(conn).await?;
        let gauges = &self.app.metrics.gauges;
        let gauge = |gauge: &AtomicU64| gauge.load(Ordering::Relaxed);
        Ok(v1::GetStatusResponse {
            records: sums.records,
            dead_letters,
            lost: totals.lost,
            newest_id: totals.records,
            oldest_received_us: sums.oldest_received_us,
            database_bytes: space.total_bytes,
            free_bytes: space.free_bytes,
            version: VERSION.to_owned(),
            bridges: self.bridges(bridges),
            blocks: sums.blocks,
            blocks_damaged: self.app.catalog.damaged_blocks(),
            small_blocks: gauge(&gauges.small_blocks),
            wal_bytes: gauge(&gauges.wal_bytes),
            retention_s: seconds(self.app.config.retention),
            max_bytes: self.app.config.max_bytes.unwrap_or(0),
            started_us: self.app.uptime.started_us,
        })
    }

    /// With what they have said since it was last written.
    fn bridges(&self, bridges: Vec<Bridge>) -> Vec<v1::BridgeStatus> {
        let mut bridges: Vec<v1::BridgeStatus> = bridges
            .into_iter()
            .map(|mut bridge| {
                if let Some(contact) = self.app.journal.contacts.get(bridge.bridge_id) {
                    bridge.name = contact.name;
                    bridge.contact_us = bridge.contact_us.max(contact.contact_us);
                    bridge.report = contact.report.or(bridge.report);
                }
                bridge_to_proto(bridge)
            })
            .collect();
        bridges.sort_by_key(|bridge| std::cmp::Reverse(bridge.contact_us));
        without_ended(bridges)
    }
}

/// Whole seconds; 0 for what never comes.
fn seconds(age: Duration) -> u64 {
    match age {
        Duration::MAX => 0,
        age => age.as_secs(),
    }
}

/// Every run of a bridge numbers under an identity of its own: leaves out those
/// that have been silent while the bridge went on under another. Expects the
/// newest contact first. A mark is kept for whoever looks for it.
fn without_ended(bridges: Vec<v1::BridgeStatus>) -> Vec<v1::BridgeStatus> {
    let mut newest: HashMap<String, i64> = HashMap::new();
    bridges
        .into_iter()
        .filter(|bridge| {
            let contact_us = bridge.contact_us;
            let heard_us = *newest.entry(bridge.name.clone()).or_insert(contact_us);
            !bridge.mark.is_empty() || heard_us - contact_us < ENDED_AFTER_US
        })
        .collect()
}

#[tonic::async_trait]
impl StatusService for StatusCalls {
    async fn get_status(
        &self,
        _request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        let status = self.app.metrics.timed("get_status", self.status()).await;
        status.map(Response::new).map_err(|error| status_of(&error))
    }

    type BackupStream = Pin<Box<dyn Stream<Item = Result<v1::BackupResponse, Status>> + Send>>;

    async fn backup(
        &self,
        request: Request<v1::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        self.note(AuditAction::BackupMade, &request).await?;
        let pieces = backup::start(&self.app).await;
        let pieces = pieces.map_err(|error| status_of(&error))?;
        let answers = pieces.map(|piece| match piece {
            Ok(Piece { chunk, total_bytes }) => Ok(v1::BackupResponse { chunk, total_bytes }),
            Err(error) => Err(status_of(&error)),
        });
        Ok(Response::new(answers.boxed()))
    }

    type VerifyStream = Answers<v1::VerifyResponse>;

    async fn verify(
        &self,
        request: Request<v1::VerifyRequest>,
    ) -> Result<Response<Self::VerifyStream>, Status> {
        self.note(AuditAction::StoreVerified, &request).await?;
        let (sender, progress) = mpsc::channel(1);
        tokio::spawn(verify::run(self.app.clone(), sender));
        let answers = ReceiverStream::new(progress).map(|progress| match progress {
            Ok(progress) => Ok(progress_to_proto(progress)),
            Err(error) => Err(status_of(&error)),
        });
        Ok(Response::new(until(self.shutdown.clone(), answers)))
    }
}

fn progress_to_proto(progress: Progress) -> v1::VerifyResponse {
    let problems = progress.problems.into_iter();
    v1::VerifyResponse {
        blocks_total: progress.blocks_total,
        blocks_done: progress.blocks_done,
        records: progress.records,
        problems: problems
            .map(|problem| v1::VerifyProblem {
                first_id: problem.first_id,
                records: problem.records,
                text: problem.text,
            })
            .collect(),
        done: progress.is_done,
    }
}

fn bridge_to_proto(bridge: Bridge) -> v1::BridgeStatus {
    let report = bridge.report.and_then(|report| {
        v1::BridgeReport::decode(report.as_slice())
            .inspect_err(|error| warn!(%error, "a bridge's report cannot be read"))
            .ok()
    });
    v1::BridgeStatus {
        bridge_id: bridge.bridge_id.to_string(),
        name: bridge.name,
        next_sequence: bridge.next_sequence,
        contact_us: bridge.contact_us,
        mark: bridge.mark,
        report,
    }
}

#[cfg(test)]
mod tests {
    use proto::v1::BridgeStatus;

    use super::{ENDED_AFTER_US, without_ended};

    #[test]
    fn a_former_identity_is_left_out_and_other_bridges_stay() {
        let now = 10 * ENDED_AFTER_US;
        let spool = |name: &str, contact_us, mark: &str| BridgeStatus {
            name: name.to_owned(),
            contact_us,
            mark: mark.to_owned(),
            ..BridgeStatus::default()
        };
        let twin = spool("one", now - 1, "");
        let silent = spool("two", 5, "");
        let marked = spool("one", 4, "row 7");
        let bridges = vec![
            spool("one", now, ""),
            twin.clone(),
            spool("one", now - ENDED_AFTER_US, ""),
            silent.clone(),
            marked.clone(),
            spool("one", 3, ""),
        ];
        let left = without_ended(bridges);
        assert_eq!(left, [spool("one", now, ""), twin, silent, marked]);
    }
}
