//! `RecordService`: lists, one record, its neighbours, dead letters, gaps.

use proto::v1::{self, record_service_server::RecordService};
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::{limit_of, status_of};
use crate::{
    App,
    db::{self, dead_letter::StoredLetter, gap::StoredGap},
    error::StoreError,
    search,
};

const LETTERS: (usize, usize) = (50, 1_000);
const NEIGHBOURS: usize = 1_000;

/// The service.
pub(super) struct Records {
    app: App,
}

impl Records {
    pub(super) fn new(app: App) -> Self {
        Self { app }
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.app.config.query_timeout
    }

    async fn letters(&self, before: u64, limit: usize) -> Result<Vec<StoredLetter>, StoreError> {
        let mut snapshot = self.app.readers.snapshot(self.deadline()).await?;
        Ok(db::dead_letter::list(snapshot.conn(), before, limit).await?)
    }

    async fn gaps(&self, limit: usize) -> Result<Vec<StoredGap>, StoreError> {
        let mut snapshot = self.app.readers.snapshot(self.deadline()).await?;
        Ok(db::gap::list(snapshot.conn(), limit).await?)
    }
}

#[tonic::async_trait]
impl RecordService for Records {
    async fn list_records(
        &self,
        request: Request<v1::ListRecordsRequest>,
    ) -> Result<Response<v1::ListRecordsResponse>, Status> {
        let query = proto::query_from_request(request.into_inner())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let (readers, metrics) = (&self.app.readers, &self.app.metrics);
        let page = metrics
            .timed(
                "list_records",
                search::list(readers, &query, self.deadline(), metrics),
            )
            .await
            .map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::ListRecordsResponse {
            records: page.records.into_iter().map(Into::into).collect(),
            next: page.next.unwrap_or(0),
            partial: page.is_partial,
        }))
    }

    async fn get_record(
        &self,
        request: Request<v1::GetRecordRequest>,
    ) -> Result<Response<v1::GetRecordResponse>, Status> {
        let id = request.into_inner().id;
        let (readers, metrics) = (&self.app.readers, &self.app.metrics);
        let record = metrics
            .timed(
                "get_record",
                search::get(readers, id, self.deadline(), metrics),
            )
            .await
            .map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::GetRecordResponse {
            record: Some(record.into()),
        }))
    }

    async fn get_record_context(
        &self,
        request: Request<v1::GetRecordContextRequest>,
    ) -> Result<Response<v1::GetRecordContextResponse>, Status> {
        let v1::GetRecordContextRequest { id, before, after } = request.into_inner();
        let before = limit_of(before, 0, NEIGHBOURS)?;
        let after = limit_of(after, 0, NEIGHBOURS)?;
        let (readers, metrics) = (&self.app.readers, &self.app.metrics);
        let context = search::context(readers, id, before, after, self.deadline(), metrics);
        let context = metrics
            .timed("get_record_context", context)
            .await
            .map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::GetRecordContextResponse {
            before: context.before.into_iter().map(Into::into).collect(),
            record: Some(context.record.into()),
            after: context.after.into_iter().map(Into::into).collect(),
        }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<v1::ListDeadLettersResponse>, Status> {
        let v1::ListDeadLettersRequest { limit, before } = request.into_inner();
        let limit = limit_of(limit, LETTERS.0, LETTERS.1)?;
        let before = if before == 0 { u64::MAX } else { before };
        let metrics = &self.app.metrics;
        let mut letters = metrics
            .timed("list_dead_letters", self.letters(before, limit + 1))
            .await
            .map_err(|error| status_of(&error))?;
        let has_more = letters.len() > limit;
        letters.truncate(limit);
        let next = letters.last().filter(|_| has_more);
        Ok(Response::new(v1::ListDeadLettersResponse {
            next: next.map_or(0, |last| last.letter.id),
            dead_letters: letters.into_iter().map(letter_to_proto).collect(),
        }))
    }

    async fn list_gaps(
        &self,
        request: Request<v1::ListGapsRequest>,
    ) -> Result<Response<v1::ListGapsResponse>, Status> {
        let limit = limit_of(request.into_inner().limit, LETTERS.0, LETTERS.1)?;
        let gaps = self.app.metrics.timed("list_gaps", self.gaps(limit)).await;
        let gaps = gaps.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::ListGapsResponse {
            gaps: gaps.into_iter().map(gap_to_proto).collect(),
        }))
    }
}

fn letter_to_proto(stored: StoredLetter) -> v1::DeadLetter {
    v1::DeadLetter {
        bridge_id: stored.bridge_id.to_string(),
        sequence: stored.sequence,
        ..stored.letter.into()
    }
}

fn gap_to_proto(stored: StoredGap) -> v1::Gap {
    v1::Gap {
        bridge_id: stored.bridge_id.to_string(),
        first_sequence: stored.first_sequence,
        count: stored.count,
        reason: stored.reason,
        declared_us: stored.declared_us,
    }
}
