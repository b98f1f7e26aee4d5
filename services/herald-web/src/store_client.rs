//! Every question to the store: one deadline, one retry, and errors that tell a
//! store that does not answer from one that says no. It is somebody's who asks: what they
//! do not see is not asked for (`limit`).

mod alerts;
mod audit;
mod change;
mod counts;
mod limit;
mod saved_searches;
mod streams;

use std::{error::Error, sync::Arc, time::Duration};

use domain::{ContextScope, DeadLetter, Record, RecordQuery};
use proto::v1::{
    self, alert_service_client::AlertServiceClient, audit_service_client::AuditServiceClient,
    record_service_client::RecordServiceClient,
    saved_search_service_client::SavedSearchServiceClient,
    status_service_client::StatusServiceClient,
};
use runtime::{
    grpc::{self, ChannelError, Client},
    tls,
};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tracing::warn;

use crate::access::Systems;

pub(crate) use alerts::{AlertPage, AlertQuery, AlertStory, Glance};
pub(crate) use audit::AuditQuery;
pub(crate) use change::ChangeFailure;
pub(crate) use counts::{Counted, Counting};
pub(crate) use streams::Pieces;

/// How long an answer may take, retry included.
const DEADLINE: Duration = Duration::from_secs(5);
/// The deadline the store is told, a little earlier: it can still say what it
/// has found.
const STORE_DEADLINE: Duration = Duration::from_millis(4_500);
/// How long the question for readiness may take.
const READINESS_DEADLINE: Duration = Duration::from_secs(2);
/// Largest answer taken, in bytes; a list that exceeds it is asked for in
/// smaller pieces.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Asks the store; clones share its connections. Answers that go on and on have
/// their own, so that those who do not read them hold up nobody.
#[derive(Debug, Clone)]
pub(crate) struct StoreClient {
    records: RecordServiceClient<Client>,
    tails: RecordServiceClient<Client>,
    exports: RecordServiceClient<Client>,
    searches: SavedSearchServiceClient<Client>,
    alerts: AlertServiceClient<Client>,
    audit: AuditServiceClient<Client>,
    status: StatusServiceClient<Client>,
    health: HealthClient<Client>,
    /// What whoever asks sees; none for all.
    systems: Option<Arc<Systems>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the store does not answer")]
    NoAnswer,
    #[error("there is no such record, or no longer")]
    NotFound,
    #[error("you see some systems only, and this is about all of them")]
    Limited,
    #[error("the answer is too large")]
    TooLarge,
    #[error("the store could not answer this")]
    Failed,
}

/// A list of records, and how to go on.
#[derive(Debug)]
pub(crate) struct RecordPage {
    pub(crate) records: Vec<Record>,
    /// The cursor for the following records; `None` when there are none.
    pub(crate) next: Option<u64>,
    /// The search ended at its deadline.
    pub(crate) partial: bool,
    /// How far the search came, if the store tells.
    pub(crate) coverage: Option<v1::Coverage>,
}

/// A record between its neighbours, all by rising id.
#[derive(Debug)]
pub(crate) struct RecordContext {
    pub(crate) before: Vec<Record>,
    pub(crate) record: Record,
    pub(crate) after: Vec<Record>,
    /// The search for neighbours ended at its deadline.
    pub(crate) partial: bool,
}

/// A dead letter and where it came through.
#[derive(Debug)]
pub(crate) struct StoredDeadLetter {
    pub(crate) letter: DeadLetter,
    pub(crate) bridge_id: String,
    pub(crate) sequence: u64,
}

impl StoreClient {
    /// A client for the store at `url`; connects with the first question.
    pub(crate) fn new(url: &str, tls: &tls::Files) -> Result<Self, ChannelError> {
        let channel = grpc::secure_channel(url, tls)?;
        let records =
            |channel| RecordServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES);
        Ok(Self {
            records: records(channel.clone()),
            tails: records(grpc::channel_of_streams(url, tls)?),
            exports: records(grpc::channel_of_streams(url, tls)?),
            searches: SavedSearchServiceClient::new(channel.clone())
                .max_decoding_message_size(MAX_ANSWER_BYTES),
            alerts: AlertServiceClient::new(channel.clone())
                .max_decoding_message_size(MAX_ANSWER_BYTES),
            audit: AuditServiceClient::new(channel.clone()),
            status: StatusServiceClient::new(channel.clone()),
            health: HealthClient::new(channel),
            systems: None,
        })
    }

    /// Records in the order asked for; fewer than asked for when they are huge.
    pub(crate) async fn list(&self, mut query: RecordQuery) -> Result<RecordPage, StoreError> {
        query.filter = self.narrowed(&query.filter);
        let answer = loop {
            let outcome = answer(|| {
                let mut client = self.records.clone();
                let request = told_deadline(proto::query_to_request(&query));
                async move { client.list_records(request).await }
            });
            match outcome.await {
                Err(StoreError::TooLarge) if query.limit > 1 => {
                    query.limit = query.limit.div_ceil(4);
                }
                outcome => break outcome?,
            }
        };
        Ok(RecordPage {
            records: answer.records.into_iter().map(Record::from).collect(),
            next: (answer.next > 0).then_some(answer.next),
            partial: answer.partial,
            coverage: answer.coverage,
        })
    }

    /// One record.
    pub(crate) async fn record(&self, id: u64) -> Result<Record, StoreError> {
        let answer = answer(|| {
            let mut client = self.records.clone();
            let request = told_deadline(v1::GetRecordRequest { id });
            async move { client.get_record(request).await }
        })
        .await?;
        let record = answer.record.map(Record::from);
        let record = record.filter(|record| self.sees(&record.system_id));
        record.ok_or(StoreError::NotFound)
    }

    /// One record and at most so many neighbours.
    pub(crate) async fn context(
        &self,
        id: u64,
        before: u32,
        after: u32,
        scope: ContextScope,
    ) -> Result<RecordContext, StoreError> {
        if self.systems.is_some() {
            return self.limited_context(id, before, after, scope).await;
        }
        let answer = answer(|| {
            let mut client = self.records.clone();
            let request = told_deadline(v1::GetRecordContextRequest {
                id,
                before,
                after,
                scope: proto::scope_to_proto(scope).into(),
            });
            async move { client.get_record_context(request).await }
        })
        .await?;
        Ok(RecordContext {
            before: answer.before.into_iter().map(Record::from).collect(),
            record: answer.record.ok_or(StoreError::NotFound)?.into(),
            after: answer.after.into_iter().map(Record::from).collect(),
            partial: answer.partial,
        })
    }

    /// Dead letters, newest first, and the cursor for the following.
    pub(crate) async fn dead_letters(
        &self,
        limit: u32,
        before: u64,
    ) -> Result<(Vec<StoredDeadLetter>, Option<u64>), StoreError> {
        self.require_all()?;
        let answer = answer(|| {
            let mut client = self.records.clone();
            let request = told_deadline(v1::ListDeadLettersRequest { limit, before });
            async move { client.list_dead_letters(request).await }
        })
        .await?;
        let letters = answer
            .dead_letters
            .into_iter()
            .map(|mut letter| {
                Ok(StoredDeadLetter {
                    bridge_id: std::mem::take(&mut letter.bridge_id),
                    sequence: letter.sequence,
                    letter: letter.try_into().map_err(|_| StoreError::Failed)?,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok((letters, (answer.next > 0).then_some(answer.next)))
    }

    /// Declared losses, newest first.
    pub(crate) async fn gaps(&self, limit: u32) -> Result<Vec<v1::Gap>, StoreError> {
        self.require_all()?;
        let answer = answer(|| {
            let mut client = self.records.clone();
            let request = told_deadline(v1::ListGapsRequest { limit });
            async move { client.list_gaps(request).await }
        })
        .await?;
        Ok(answer.gaps)
    }

    /// The store at a glance.
    pub(crate) async fn status(&self) -> Result<v1::GetStatusResponse, StoreError> {
        let answer = answer(|| {
            let mut client = self.status.clone();
            let request = told_deadline(v1::GetStatusRequest {});
            async move { client.get_status(request).await }
        })
        .await?;
        match self.systems {
            None => Ok(answer),
            Some(_) => self.limited_status(answer).await,
        }
    }

    /// Whether the store itself says that it can do its work.
    pub(crate) async fn is_ready(&self) -> Result<bool, StoreError> {
        let mut client = self.health.clone();
        let request = client.check(HealthCheckRequest {
            service: "readiness".to_owned(),
        });
        match tokio::time::timeout(READINESS_DEADLINE, request).await {
            Ok(Ok(answer)) => Ok(answer.into_inner().status() == ServingStatus::Serving),
            Ok(Err(status)) => Err(classify(&status)),
            Err(_) => Err(StoreError::NoAnswer),
        }
    }
}

/// Asks, and once more when the connection broke: a store that was started
/// anew is then found.
async fn answer<T, F>(ask: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<Response<T>, Status>>,
{
    let asked = tokio::time::timeout(DEADLINE, async {
        match ask().await {
            Err(status) if is_broken_connection(&status) => ask().await,
            outcome => outcome,
        }
    });
    match asked.await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(classify(&status)),
        Err(_) => {
            warn!("the store did not answer in time");
            Err(StoreError::NoAnswer)
        }
    }
}

fn told_deadline<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(STORE_DEADLINE);
    request
}

fn is_broken_connection(status: &Status) -> bool {
    status.code() == Code::Unavailable || status.source().is_some()
}

fn classify(status: &Status) -> StoreError {
    match status.code() {
        Code::NotFound => StoreError::NotFound,
        Code::OutOfRange => StoreError::TooLarge,
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => {
            StoreError::NoAnswer
        }
        _ if is_broken_connection(status) => StoreError::NoAnswer,
        code => {
            warn!(
                ?code,
                message = status.message(),
                "the store could not answer"
            );
            StoreError::Failed
        }
    }
}
