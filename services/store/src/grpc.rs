//! The services of the contract: decode, one call of the domain, encode.

mod alerts;
mod audit;
mod counts;
mod ingest;
mod records;
mod runs;
mod saved_searches;
mod status;

use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use proto::v1::{
    self, alert_service_server::AlertServiceServer, audit_service_server::AuditServiceServer,
    ingest_service_server::IngestServiceServer, record_service_server::RecordServiceServer,
    run_service_server::RunServiceServer, saved_search_service_server::SavedSearchServiceServer,
    status_service_server::StatusServiceServer,
};
use tokio_util::sync::CancellationToken;
use tonic::{Status, service::Routes};
use tracing::error;

use crate::{App, error::StoreError, search::Coverage};

/// What a request may have at most: a batch of 16 MiB, and the rest of its message.
const REQUEST_BYTES: usize = 17 << 20;
/// What a run may find: mails of up to a thousand rules.
const FINDINGS_BYTES: usize = 64 << 20;
/// What an answer may have at most: a page of records, and one huge record.
const RESPONSE_BYTES: usize = 64 << 20;

/// All services; `shutdown` ends their streams in good order.
pub(crate) fn routes(app: &App, shutdown: &CancellationToken) -> Routes {
    let ingest = ingest::Ingest::new(app.journal.clone(), shutdown.clone());
    let records = records::Records::new(app.clone(), shutdown.clone());
    let saved_searches = saved_searches::SavedSearches::new(app.clone());
    let runs = runs::Runs::new(app.clone());
    let alerts = alerts::Alerts::new(app.clone());
    let audit = audit::Audit::new(app.clone());
    let status = status::StatusCalls::new(app.clone(), shutdown.clone());
    let mut routes =
        Routes::new(IngestServiceServer::new(ingest).max_decoding_message_size(REQUEST_BYTES))
            .add_service(
                RecordServiceServer::new(records).max_encoding_message_size(RESPONSE_BYTES),
            )
            .add_service(SavedSearchServiceServer::new(saved_searches))
            .add_service(
                RunServiceServer::new(runs)
                    .max_decoding_message_size(FINDINGS_BYTES)
                    .max_encoding_message_size(RESPONSE_BYTES),
            )
            .add_service(AlertServiceServer::new(alerts).max_encoding_message_size(RESPONSE_BYTES))
            .add_service(AuditServiceServer::new(audit))
            .add_service(StatusServiceServer::new(status));
    if app.config.stage != domain::Stage::Production {
        routes = routes.add_service(runtime::grpc::reflection(proto::DESCRIPTORS));
    }
    match app.config.tls.asks_clients() {
        true => runtime::grpc::guarded(routes, proto::access::may_call),
        false => routes,
    }
}

/// The status of a failure. What is ours to know is logged here, once.
fn status_of(failure: &StoreError) -> Status {
    let text = failure.to_string();
    match failure {
        StoreError::Invalid(_) => Status::invalid_argument(text),
        StoreError::Hole { .. } | StoreError::UnknownBridge(_) => Status::failed_precondition(text),
        StoreError::TooManySearches => Status::failed_precondition(text),
        StoreError::RunGoesOn { .. } | StoreError::AlertEnded(_) => {
            Status::failed_precondition(text)
        }
        StoreError::RunLost(_) => Status::aborted(text),
        StoreError::NotFound(_) | StoreError::NoSearch(_) => Status::not_found(text),
        StoreError::NoAlert(_) | StoreError::NoDelivery(_) => Status::not_found(text),
        StoreError::NameTaken(_) => Status::already_exists(text),
        StoreError::Late => Status::deadline_exceeded(text),
        StoreError::Full => Status::resource_exhausted(text),
        StoreError::Unavailable(_) => Status::unavailable(text),
        StoreError::Database(cause) => internal(cause),
        StoreError::Io(cause) => internal(cause),
    }
}

fn internal(cause: &dyn std::error::Error) -> Status {
    error!(error = %cause, "request failed");
    Status::internal("the store failed; its log says why")
}

/// Reads a request whose query may take some milliseconds to compile, where
/// that holds nobody up.
async fn understood<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, proto::ConvertError> + Send + 'static,
) -> Result<T, Status> {
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.map_err(|_| Status::internal("the store failed; its log says why"))?;
    read.map_err(|error| refused(&error))
}

/// A request that cannot be done as it is.
fn refused(error: &proto::ConvertError) -> Status {
    Status::invalid_argument(error.to_string())
}

fn coverage_to_proto(coverage: &Coverage) -> v1::Coverage {
    let (from_us, to_us) = coverage.received_us.unwrap_or((0, 0));
    v1::Coverage {
        records_total: coverage.total,
        records_covered: coverage.covered,
        from_us,
        to_us,
        damaged_records: coverage.damaged,
    }
}

/// A stream that fails at `shutdown`: it must not look as if it had come to
/// its end.
fn until<T: Send + 'static>(
    shutdown: CancellationToken,
    answers: impl Stream<Item = Result<T, Status>> + Send + Unpin + 'static,
) -> records::Answers<T> {
    let next = move |answers: Option<_>| {
        let shutdown = shutdown.clone();
        async move {
            let mut answers = answers?;
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {
                    let stopping = Status::unavailable("the store is stopping");
                    Some((Err(stopping), None))
                }
                next = StreamExt::next(&mut answers) => next.map(|next| (next, Some(answers))),
            }
        }
    };
    stream::unfold(Some(answers), next).boxed()
}

/// Checks a limit: 0 means the default.
fn limit_of(limit: u32, default: usize, most: usize) -> Result<usize, Status> {
    match limit as usize {
        0 => Ok(default),
        limit if limit <= most => Ok(limit),
        limit => Err(Status::invalid_argument(format!(
            "limit {limit} is above {most}"
        ))),
    }
}

/// How long after the end of a drain calls are cut.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);
