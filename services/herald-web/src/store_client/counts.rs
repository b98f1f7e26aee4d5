//! Questions whose answers are counts.

use std::{sync::Arc, time::Duration};

use domain::{CountQuery, RecordFilter};
use proto::v1;
use tokio::{
    sync::watch,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;
use tonic::{Response, Status};

use super::{DEADLINE, StoreClient, StoreError, answer, classify, told_deadline};

/// A count at work, with the newest answer there is. Dropping it ends the store's
/// work for it.
#[derive(Debug)]
pub(crate) struct Counting {
    newest: watch::Receiver<Option<Counted>>,
    _work: AbortOnDropHandle<()>,
}

/// What a count has found so far, or why it ended.
pub(crate) type Counted = Result<Arc<v1::CountRecordsResponse>, Arc<StoreError>>;

impl Counting {
    /// The newest answer as soon as it is complete, or when so much time is over; and
    /// whether there may be another one.
    pub(crate) async fn within(&mut self, patience: Duration) -> (Option<Counted>, bool) {
        let is_final = |counted: &Option<Counted>| match counted {
            Some(Ok(counts)) => counts.complete,
            Some(Err(_)) => true,
            None => false,
        };
        let waited = timeout(patience, self.newest.wait_for(is_final));
        // An error of `wait_for` is the end of the work: nothing newer comes.
        let is_going_on = waited.await.is_err();
        (self.newest.borrow().clone(), is_going_on)
    }
}

impl StoreClient {
    /// Begins to count.
    pub(crate) fn counting(&self, query: CountQuery) -> Counting {
        let (sender, newest) = watch::channel(None);
        let store = self.clone();
        let work = tokio::spawn(async move {
            let mut best: Option<Arc<v1::CountRecordsResponse>> = None;
            let outcome = store
                .count_stepwise(&query, |counts| {
                    let counts = Arc::new(counts);
                    best = Some(Arc::clone(&counts));
                    sender.send_replace(Some(Ok(counts)));
                })
                .await;
            if let Err(failure) = outcome
                && best.is_none()
            {
                sender.send_replace(Some(Err(Arc::new(failure))));
            }
        });
        Counting {
            newest,
            _work: AbortOnDropHandle::new(work),
        }
    }

    /// Counts, the best there are at the deadline: `complete` tells.
    pub(crate) async fn count(
        &self,
        query: &CountQuery,
    ) -> Result<v1::CountRecordsResponse, StoreError> {
        let mut best = None;
        let outcome = self
            .count_stepwise(query, |counts| best = Some(counts))
            .await;
        match (best, outcome) {
            (Some(counts), Ok(()) | Err(StoreError::NoAnswer)) => Ok(counts),
            (_, Err(failure)) => Err(failure),
            (None, Ok(())) => Err(StoreError::Failed),
        }
    }

    /// Every answer of a count, each better than the one before.
    async fn count_stepwise(
        &self,
        query: &CountQuery,
        mut each: impl FnMut(v1::CountRecordsResponse),
    ) -> Result<(), StoreError> {
        let deadline = Instant::now() + DEADLINE;
        let query = &CountQuery {
            filter: self.narrowed(&query.filter),
            ..query.clone()
        };
        let mut answers = answer(|| {
            let mut client = self.records.clone();
            let request = told_deadline(proto::count_to_request(query));
            async move { client.count_records(request).await }
        })
        .await?;
        loop {
            match timeout_at(deadline, answers.message()).await {
                Ok(Ok(Some(counts))) => each(counts),
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(status)) => return Err(classify(&status)),
                Err(_) => return Err(StoreError::NoAnswer),
            }
        }
    }

    /// Where records come from.
    pub(crate) async fn systems(
        &self,
        request: v1::ListSystemsRequest,
    ) -> Result<v1::ListSystemsResponse, StoreError> {
        let limit = request.limit;
        let request = match self.systems {
            None => request,
            Some(_) => self.more_systems(request),
        };
        let answer = answer(|| {
            let mut client = self.records.clone();
            let request = told_deadline(request);
            async move { client.list_systems(request).await }
        })
        .await?;
        match self.systems {
            None => Ok(answer),
            Some(_) => Ok(self.seen_systems(answer, limit)),
        }
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
            filter: Some(proto::filter_to_proto(&self.narrowed(filter))),
            limit,
            buckets,
        };
        let mut client = self.records.clone();
        client.list_exceptions(told_deadline(request)).await
    }
}
