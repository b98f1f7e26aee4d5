//! The records, searched one after the other.

use std::{
    future,
    ops::Deref,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
};

use domain::{Order, Record, RecordFilter, RecordQuery};
use futures::{Stream, StreamExt, stream};
use proto::v1::{self, record_service_server::RecordService};
use tonic::{Request, Response, Status};

use super::{Data, Mood, NOW, Reading, counts, wire};

type Pieces<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Data {
    fn in_order(&self, query: &RecordQuery) -> Vec<Record> {
        let mut found = self.matching(&query.filter);
        found.retain(|record| {
            query.before.is_none_or(|before| record.id < before)
                && query.after.is_none_or(|after| record.id > after)
        });
        if query.order == Order::NewestFirst {
            found.reverse();
        }
        found
    }

    /// The records of a piece; the error that breaks the stream after so many.
    fn breaking(&self, given: usize) -> Result<(), Status> {
        match self.mood() {
            Mood::Breaking(count) if given >= count => {
                Err(Status::unavailable("the store is shutting down"))
            }
            _ => Ok(()),
        }
    }
}

/// The service over the data.
pub(super) struct Records(pub(super) Arc<Data>);

impl Deref for Records {
    type Target = Data;

    fn deref(&self) -> &Data {
        &self.0
    }
}

fn filter_of(filter: Option<v1::RecordFilter>) -> Result<RecordFilter, Status> {
    Ok(proto::filter_from_proto(filter, NOW)?)
}

#[tonic::async_trait]
impl RecordService for Records {
    async fn list_records(
        &self,
        request: Request<v1::ListRecordsRequest>,
    ) -> Result<Response<v1::ListRecordsResponse>, Status> {
        let request = request.into_inner();
        self.questions.lock().unwrap().push(request.clone());
        self.behave().await?;
        let query = proto::query_from_request(request, NOW)?;
        let mut found = self.in_order(&query);
        let partial_after = match self.mood() {
            Mood::Deadline(count) => Some(count),
            _ => None,
        };
        let limit = partial_after.unwrap_or(query.limit);
        let is_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| is_more);
        Ok(Response::new(v1::ListRecordsResponse {
            next: next.map_or(0, |record| record.id),
            records: wire(found),
            partial: partial_after.is_some(),
            coverage: Some(self.coverage(partial_after.unwrap_or(usize::MAX))),
        }))
    }

    async fn get_record(
        &self,
        request: Request<v1::GetRecordRequest>,
    ) -> Result<Response<v1::GetRecordResponse>, Status> {
        self.behave().await?;
        let record = self.record(request.into_inner().id)?;
        Ok(Response::new(v1::GetRecordResponse {
            record: Some(record.into()),
        }))
    }

    async fn get_record_context(
        &self,
        request: Request<v1::GetRecordContextRequest>,
    ) -> Result<Response<v1::GetRecordContextResponse>, Status> {
        self.behave().await?;
        let request = request.into_inner();
        let record = self.record(request.id)?;
        let scope = proto::scope_from_proto(request.scope)?;
        let found = self.matching(&RecordFilter::new(scope.condition(&record)));
        let (before, after): (Vec<_>, Vec<_>) = found
            .into_iter()
            .filter(|neighbour| neighbour.id != record.id)
            .partition(|neighbour| neighbour.id < record.id);
        let first = before.len().saturating_sub(request.before as usize);
        let last = after.len().min(request.after as usize);
        Ok(Response::new(v1::GetRecordContextResponse {
            before: wire(before[first..].to_vec()),
            record: Some(record.into()),
            after: wire(after[..last].to_vec()),
            partial: matches!(self.mood(), Mood::Deadline(_)),
        }))
    }

    type TailRecordsStream = Pieces<v1::TailRecordsResponse>;

    async fn tail_records(
        &self,
        request: Request<v1::TailRecordsRequest>,
    ) -> Result<Response<Self::TailRecordsStream>, Status> {
        self.behave().await?;
        let request = request.into_inner();
        let filter = filter_of(request.filter)?;
        let mut records = self.0.records.subscribe();
        let newest = records.borrow_and_update().len() as u64;
        let after = request.after.unwrap_or(newest);
        records.mark_changed();
        let most = match request.max_per_second {
            0 => usize::MAX,
            // As the store does at the beginning: ten seconds at once.
            most => 10 * most as usize,
        };
        let start = (Reading::new(&self.0), records, (filter, most), after, 0);
        let pieces = stream::unfold(Some(start), async |state| {
            let (reading, mut records, (filter, most), after, given) = state?;
            records.changed().await.ok()?;
            let mut found = records.borrow_and_update().clone();
            let through = found.last().map_or(after, |record| record.id.max(after));
            found.retain(|record| record.id > after && filter.matches(record));
            if let Err(status) = reading.0.breaking(given) {
                return Some((Err(status), None));
            }
            let left_out = found.len().saturating_sub(most);
            found.drain(..left_out);
            let given = given + found.len();
            let piece = v1::TailRecordsResponse {
                records: wire(found),
                through,
                left_out: left_out as u64,
            };
            Some((
                Ok(piece),
                Some((reading, records, (filter, most), through, given)),
            ))
        });
        Ok(Response::new(pieces.boxed()))
    }

    type ExportRecordsStream = Pieces<v1::ExportRecordsResponse>;

    async fn export_records(
        &self,
        request: Request<v1::ExportRecordsRequest>,
    ) -> Result<Response<Self::ExportRecordsStream>, Status> {
        self.behave().await?;
        let request = request.into_inner();
        let query = RecordQuery {
            filter: filter_of(request.filter)?,
            order: proto::order_from_proto(request.order)?,
            before: (request.before > 0).then_some(request.before),
            after: (request.after > 0).then_some(request.after),
            ..RecordQuery::default()
        };
        let mut found = self.in_order(&query);
        if request.limit > 0 {
            found.truncate(request.limit as usize);
        }
        let reading = Reading::new(&self.0);
        let pieces = stream::unfold((reading, found, 0), async |(reading, found, at)| {
            let data = &reading.0;
            let is_endless = matches!(data.mood(), Mood::Endless);
            let record = found.get(if is_endless { 0 } else { at })?.clone();
            data.pieces.fetch_add(1, Ordering::SeqCst);
            let piece = data.breaking(at).map(|()| v1::ExportRecordsResponse {
                through: record.id,
                records: wire(vec![record]),
                coverage: Some(data.coverage(at + 1)),
            });
            Some((piece, (reading, found, at + 1)))
        });
        Ok(Response::new(pieces.boxed()))
    }

    type CountRecordsStream = Pieces<v1::CountRecordsResponse>;

    async fn count_records(
        &self,
        request: Request<v1::CountRecordsRequest>,
    ) -> Result<Response<Self::CountRecordsStream>, Status> {
        self.behave().await?;
        let query = proto::count_from_request(request.into_inner(), NOW)?;
        let all = self.matching(&query.filter);
        let covered = match self.mood() {
            Mood::Deadline(count) => count,
            _ => 1,
        };
        let newest = &all[all.len() - covered.min(all.len())..];
        let first = v1::CountRecordsResponse {
            complete: false,
            coverage: Some(self.coverage(covered)),
            ..counts::count(newest, &query)
        };
        let last = v1::CountRecordsResponse {
            coverage: Some(self.coverage(usize::MAX)),
            ..counts::count(&all, &query)
        };
        let data = Arc::clone(&self.0);
        let rest = stream::once(async move {
            let mut mood = data.mood.subscribe();
            let goes_on = mood.wait_for(|mood| !matches!(mood, Mood::Counting));
            match goes_on.await.unwrap().clone() {
                Mood::Deadline(_) => None,
                Mood::Failing(status) => Some(Err(status)),
                _ => Some(Ok(last)),
            }
        });
        let rest = rest.filter_map(future::ready);
        let answers = stream::iter([Ok(first)]).chain(rest);
        Ok(Response::new(answers.boxed()))
    }

    async fn list_systems(
        &self,
        request: Request<v1::ListSystemsRequest>,
    ) -> Result<Response<v1::ListSystemsResponse>, Status> {
        self.behave().await?;
        let request = request.into_inner();
        let filter = RecordFilter {
            from_us: request.from_us,
            to_us: request.to_us,
            ..RecordFilter::default()
        };
        let found = self.matching(&filter);
        let buckets = proto::buckets_from_proto(request.buckets)?;
        let bounds = counts::bounds(&found, &filter, buckets);
        let mut systems = counts::systems(&found, buckets, &filter);
        let more = systems.len() > request.limit as usize;
        systems.truncate(request.limit as usize);
        Ok(Response::new(v1::ListSystemsResponse {
            systems,
            more,
            partial: matches!(self.mood(), Mood::Deadline(_)),
            coverage: Some(self.coverage(usize::MAX)),
            from_us: bounds.first().copied().unwrap_or(0),
            to_us: bounds.last().copied().unwrap_or(0),
        }))
    }

    async fn list_exceptions(
        &self,
        request: Request<v1::ListExceptionsRequest>,
    ) -> Result<Response<v1::ListExceptionsResponse>, Status> {
        self.behave().await?;
        let request = request.into_inner();
        let filter = filter_of(request.filter)?;
        let found = self.matching(&filter);
        let buckets = proto::buckets_from_proto(request.buckets)?;
        let bounds = counts::bounds(&found, &filter, buckets);
        let mut groups = counts::exceptions(&found, buckets, &filter);
        let more = groups.len() > request.limit as usize;
        groups.truncate(request.limit as usize);
        Ok(Response::new(v1::ListExceptionsResponse {
            groups,
            more,
            partial: matches!(self.mood(), Mood::Deadline(_)),
            coverage: Some(self.coverage(usize::MAX)),
            from_us: bounds.first().copied().unwrap_or(0),
            to_us: bounds.last().copied().unwrap_or(0),
        }))
    }

    async fn list_dead_letters(
        &self,
        request: Request<v1::ListDeadLettersRequest>,
    ) -> Result<Response<v1::ListDeadLettersResponse>, Status> {
        self.behave().await?;
        let request = request.into_inner();
        let letter = v1::DeadLetter {
            id: 7,
            received_us: NOW,
            peer: "10.0.0.7:41234".to_owned(),
            reason: "looks like an HTTP request".to_owned(),
            size_bytes: 1_000,
            sha256: vec![0xab; 32].into(),
            head: b"GET / \xff".to_vec().into(),
            bridge_id: "6f1e2d3c-0000-4000-8000-000000000001".to_owned(),
            sequence: 42,
        };
        let is_asked_for = request.before == 0 || request.before > letter.id;
        Ok(Response::new(v1::ListDeadLettersResponse {
            dead_letters: if is_asked_for {
                vec![letter]
            } else {
                Vec::new()
            },
            next: u64::from(request.limit == 1) * 7,
        }))
    }

    async fn list_gaps(
        &self,
        request: Request<v1::ListGapsRequest>,
    ) -> Result<Response<v1::ListGapsResponse>, Status> {
        self.behave().await?;
        let gap = v1::Gap {
            bridge_id: "6f1e2d3c-0000-4000-8000-000000000001".to_owned(),
            first_sequence: 17,
            count: 2,
            reason: "the disk has destroyed them".to_owned(),
            declared_us: NOW,
            lost: 0,
        };
        Ok(Response::new(v1::ListGapsResponse {
            gaps: vec![gap; (request.into_inner().limit as usize).min(1)],
        }))
    }
}
