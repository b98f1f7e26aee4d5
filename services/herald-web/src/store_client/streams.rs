//! Answers that come in pieces. Dropping one ends the store's work for it.

use std::time::Duration;

use domain::RecordFilter;
use proto::v1;
use tokio::time::timeout;
use tonic::Streaming;

use super::{StoreClient, StoreError, answer, classify};

/// The store sends something every few seconds; a silence this long means that
/// it hangs.
const SILENCE: Duration = Duration::from_secs(60);

/// An answer in pieces.
#[derive(Debug)]
pub(crate) struct Pieces<T> {
    stream: Streaming<T>,
}

impl<T> Pieces<T> {
    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<T>, StoreError> {
        match timeout(SILENCE, self.stream.message()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(status)) => Err(classify(&status)),
            Err(_) => Err(StoreError::NoAnswer),
        }
    }
}

impl StoreClient {
    /// Records as they are taken, from the first id above `after` on; none for
    /// those above the newest. At most so many a second, or all for 0.
    pub(crate) async fn tail(
        &self,
        filter: &RecordFilter,
        after: Option<u64>,
        max_per_second: u32,
    ) -> Result<Pieces<v1::TailRecordsResponse>, StoreError> {
        let stream = answer(|| {
            let mut client = self.tails.clone();
            let request = v1::TailRecordsRequest {
                filter: Some(proto::filter_to_proto(&self.narrowed(filter))),
                after,
                max_per_second,
            };
            async move { client.tail_records(request).await }
        })
        .await?;
        Ok(Pieces { stream })
    }

    /// All records that pass, no faster than they are read; `request` says how, its own
    /// filter counts for nothing.
    pub(crate) async fn export(
        &self,
        filter: &RecordFilter,
        request: v1::ExportRecordsRequest,
    ) -> Result<Pieces<v1::ExportRecordsResponse>, StoreError> {
        let request = v1::ExportRecordsRequest {
            filter: Some(proto::filter_to_proto(&self.narrowed(filter))),
            ..request
        };
        let stream = answer(|| {
            let mut client = self.exports.clone();
            let request = request.clone();
            async move { client.export_records(request).await }
        })
        .await?;
        Ok(Pieces { stream })
    }
}
