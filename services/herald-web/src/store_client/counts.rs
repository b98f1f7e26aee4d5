//! Questions whose answers are counts.

use domain::{CountQuery, RecordFilter};
use proto::v1;
use tokio::time::{Instant, timeout_at};
use tonic::{Response, Status};

use super::{DEADLINE, StoreClient, StoreError, answer, classify, told_deadline};

impl StoreClient {
    /// Counts, the best there are at the deadline: `complete` tells.
    pub(crate) async fn count(
        &self,
        query: &CountQuery,
    ) -> Result<v1::CountRecordsResponse, StoreError> {
        let deadline = Instant::now() + DEADLINE;
        let mut answers = answer(|| {
            let mut client = self.records.clone();
            let request = told_deadline(proto::count_to_request(query));
            async move { client.count_records(request).await }
        })
        .await?;
        let mut best = None;
        let failure = loop {
            match timeout_at(deadline, answers.message()).await {
                Ok(Ok(Some(counts))) => best = Some(counts),
                Ok(Ok(None)) => return best.ok_or(StoreError::Failed),
                Ok(Err(status)) => break classify(&status),
                Err(_) => break StoreError::NoAnswer,
            }
        };
        match failure {
            StoreError::NoAnswer => best.ok_or(failure),
            failure => Err(failure),
        }
    }

    /// Where records come from.
    pub(crate) async fn systems(
        &self,
        request: v1::ListSystemsRequest,
    ) -> Result<v1::ListSystemsResponse, StoreError> {
        answer(|| {
            let mut client = self.records.clone();
            let request = told_deadline(request);
            async move { client.list_systems(request).await }
        })
        .await
    }

    /// Exceptions by their fingerprint.
    pub(crate) async fn exceptions(
        &self,
        filter: &RecordFilter,
        limit: u32,
        buckets: u32,
    ) -> Result<v1::ListExceptionsResponse, StoreError> {
        answer(|| self.ask_for_exceptions(filter, limit, buckets)).await
    }

    async fn ask_for_exceptions(
        &self,
        filter: &RecordFilter,
        limit: u32,
        buckets: u32,
    ) -> Result<Response<v1::ListExceptionsResponse>, Status> {
        let request = v1::ListExceptionsRequest {
            filter: Some(proto::filter_to_proto(filter)),
            limit,
            buckets,
        };
        let mut client = self.records.clone();
        client.list_exceptions(told_deadline(request)).await
    }
}
