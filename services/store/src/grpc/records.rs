//! `RecordService`: lists, one record, its neighbours, streams of records, dead
//! letters, gaps.

use std::{num::NonZeroU32, pin::Pin};

use futures::{Stream, StreamExt};
use proto::v1::{self, record_service_server::RecordService};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{counts, coverage_to_proto, limit_of, refused, status_of, understood, until};
use crate::{
    App,
    clock::now_us,
    db::{self, dead_letter::StoredLetter, gap::StoredGap},
    error::StoreError,
    export::{self, ExportQuery},
    search,
    tail::{self, TailQuery},
};

/// Answers of a stream.
pub(super) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

const LETTERS: (usize, usize) = (50, 1_000);
const NEIGHBOURS: usize = 1_000;

/// The service.
pub(super) struct Records {
    app: App,
    shutdown: CancellationToken,
}

impl Records {
    /// `shutdown` ends streams in good order.
    pub(super) fn new(app: App, shutdown: CancellationToken) -> Self {
        Self { app, shutdown }
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
        let request = request.into_inner();
        let query = understood(|| proto::query_from_request(request, now_us())).await?;
        let metrics = &self.app.metrics;
        let page = metrics
            .timed(
                "list_records",
                search::list(&self.app, &query, self.deadline()),
            )
            .await
            .map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::ListRecordsResponse {
            records: page.records.into_iter().map(Into::into).collect(),
            next: page.next.unwrap_or(0),
            partial: page.is_partial,
            coverage: Some(coverage_to_proto(&page.coverage)),
        }))
    }

    async fn get_record(
        &self,
        request: Request<v1::GetRecordRequest>,
    ) -> Result<Response<v1::GetRecordResponse>, Status> {
        let id = request.into_inner().id;
        let metrics = &self.app.metrics;
        let record = metrics
            .timed("get_record", search::get(&self.app, id, self.deadline()))
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
        let request = request.into_inner();
        let before = limit_of(request.before, 0, NEIGHBOURS)?;
        let after = limit_of(request.after, 0, NEIGHBOURS)?;
        let scope = proto::scope_from_proto(request.scope).map_err(|error| refused(&error))?;
        let neighbours = (before, after);
        let context = search::context(&self.app, request.id, scope, neighbours, self.deadline());
        let metrics = &self.app.metrics;
        let context = metrics
            .timed("get_record_context", context)
            .await
            .map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::GetRecordContextResponse {
            before: context.before.into_iter().map(Into::into).collect(),
            record: Some(context.record.into()),
            after: context.after.into_iter().map(Into::into).collect(),
            partial: context.is_partial,
        }))
    }

    type TailRecordsStream = Answers<v1::TailRecordsResponse>;

    async fn tail_records(
        &self,
        request: Request<v1::TailRecordsRequest>,
    ) -> Result<Response<Self::TailRecordsStream>, Status> {
        let v1::TailRecordsRequest {
            filter,
            after,
            max_per_second,
        } = request.into_inner();
        if max_per_second > tail::MAX_PER_SECOND {
            let most = tail::MAX_PER_SECOND;
            let text = format!("max_per_second {max_per_second} is above {most}");
            return Err(Status::invalid_argument(text));
        }
        let query = TailQuery {
            filter: understood(|| proto::filter_from_proto(filter, now_us())).await?,
            after,
            max_per_second: NonZeroU32::new(max_per_second),
        };
        let (sender, news) = mpsc::channel(1);
        tokio::spawn(tail::follow(self.app.clone(), query, sender));
        let answers = ReceiverStream::new(news).map(|news| match news {
            Ok(news) => Ok(v1::TailRecordsResponse {
                records: news.records.into_iter().map(Into::into).collect(),
                through: news.through,
                left_out: news.left_out,
            }),
            Err(error) => Err(status_of(&error)),
        });
        Ok(Response::new(until(self.shutdown.clone(), answers)))
    }

    type ExportRecordsStream = Answers<v1::ExportRecordsResponse>;

    async fn export_records(
        &self,
        request: Request<v1::ExportRecordsRequest>,
    ) -> Result<Response<Self::ExportRecordsStream>, Status> {
        let request = request.into_inner();
        let query = understood(|| export_from_request(request)).await?;
        let (sender, pieces) = mpsc::channel(1);
        tokio::spawn(export::run(self.app.clone(), query, sender));
        let answers = ReceiverStream::new(pieces).map(|piece| match piece {
            Ok(piece) => Ok(v1::ExportRecordsResponse {
                records: piece.records.into_iter().map(Into::into).collect(),
                through: piece.through,
                coverage: Some(coverage_to_proto(&piece.coverage)),
            }),
            Err(error) => Err(status_of(&error)),
        });
        Ok(Response::new(until(self.shutdown.clone(), answers)))
    }

    type CountRecordsStream = Answers<v1::CountRecordsResponse>;

    async fn count_records(
        &self,
        request: Request<v1::CountRecordsRequest>,
    ) -> Result<Response<Self::CountRecordsStream>, Status> {
        let answers = counts::count_records(&self.app, request.into_inner())?;
        Ok(Response::new(until(self.shutdown.clone(), answers)))
    }

    async fn list_systems(
        &self,
        request: Request<v1::ListSystemsRequest>,
    ) -> Result<Response<v1::ListSystemsResponse>, Status> {
        let list = counts::list_systems(&self.app, request.into_inner());
        Ok(Response::new(list.await?))
    }

    async fn list_exceptions(
        &self,
        request: Request<v1::ListExceptionsRequest>,
    ) -> Result<Response<v1::ListExceptionsResponse>, Status> {
        let list = counts::list_exceptions(&self.app, request.into_inner());
        Ok(Response::new(list.await?))
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

fn export_from_request(
    request: v1::ExportRecordsRequest,
) -> Result<ExportQuery, proto::ConvertError> {
    Ok(ExportQuery {
        filter: proto::filter_from_proto(request.filter, now_us())?,
        order: proto::order_from_proto(request.order)?,
        before: (request.before > 0).then_some(request.before),
        after: (request.after > 0).then_some(request.after),
        limit: (request.limit > 0).then_some(request.limit),
    })
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
        lost: 0,
    }
}
