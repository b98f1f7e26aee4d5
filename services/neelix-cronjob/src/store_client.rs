//! Every question to the store. An answer that a deadline has cut short is never
//! taken for a whole one: what it left out is asked for again, in smaller pieces.

mod count;
mod records;
mod run;

use std::time::Duration;

use proto::v1::{
    alert_service_client::AlertServiceClient, record_service_client::RecordServiceClient,
    run_service_client::RunServiceClient,
};
use runtime::{
    config::ConfigError,
    grpc::{self, Client},
    tls,
};
use tonic::{Code, Request, Response, Status};

pub(crate) use run::{Begun, Commitment};

/// How long an answer may take: longer than the store takes for one.
const DEADLINE: Duration = Duration::from_secs(30);
/// The largest answer taken: a page of records may be large.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Asks the store; clones share its connection.
#[derive(Debug, Clone)]
pub(crate) struct StoreClient {
    records: RecordServiceClient<Client>,
    alerts: AlertServiceClient<Client>,
    pub(crate) runs: RunServiceClient<Client>,
    url: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Nobody is there.
    #[error("no store answers at {0}")]
    Unreachable(String),
    /// Another run has begun since.
    #[error("another run has begun: this one has lost its lease")]
    LeaseLost,
    /// It said no.
    #[error("the store refused to {what}: {message} ({code:?})")]
    Refused {
        what: &'static str,
        code: Code,
        message: String,
    },
    /// Even the smallest question took too long.
    #[error("the store is too slow to {0}")]
    TooSlow(&'static str),
    /// It said something that means nothing.
    #[error("the store's answer to {0} means nothing")]
    Meaningless(&'static str),
}

impl StoreClient {
    /// Prepares a connection. Call it within a tokio runtime.
    ///
    /// # Errors
    /// `url` is no address of a server, or a certificate cannot be used.
    pub(crate) fn new(url: &str, tls: &tls::Files) -> Result<Self, ConfigError> {
        let client =
            grpc::secure_channel(url, tls).map_err(|error| error.of("NEELIX_STORE_URL"))?;
        Ok(Self {
            records: RecordServiceClient::new(client.clone())
                .max_decoding_message_size(MAX_ANSWER_BYTES),
            alerts: AlertServiceClient::new(client.clone())
                .max_decoding_message_size(MAX_ANSWER_BYTES),
            runs: RunServiceClient::new(client)
                .max_decoding_message_size(MAX_ANSWER_BYTES)
                .max_encoding_message_size(MAX_ANSWER_BYTES),
            url: url.to_owned(),
        })
    }

    /// What a failed call means.
    fn explain(&self, what: &'static str, status: &Status) -> StoreError {
        match status.code() {
            Code::Unavailable => StoreError::Unreachable(self.url.clone()),
            Code::Aborted => StoreError::LeaseLost,
            Code::DeadlineExceeded | Code::Cancelled => StoreError::TooSlow(what),
            code => StoreError::Refused {
                what,
                code,
                message: crate::ini::short(status.message()),
            },
        }
    }

    /// Waits for an answer, but not for ever.
    async fn answer<T>(
        &self,
        what: &'static str,
        asked: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(DEADLINE, asked).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(self.explain(what, &status)),
            Err(_) => Err(StoreError::TooSlow(what)),
        }
    }
}

fn told_deadline<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}
