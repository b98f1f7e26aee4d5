//! Records themselves.

use std::ops::{ControlFlow, Range};

use domain::{ContextScope, Order, Record, RecordFilter, RecordQuery};
use proto::v1;

use super::{DEADLINE, StoreClient, StoreError, told_deadline};

/// How often a list that a deadline has cut short is gone on with.
const MAX_PAGES: usize = 1_000;
/// Longer texts of records are cut when they only show what happened.
const SHOWN_BYTES: usize = 8 << 10;

impl StoreClient {
    /// Records that pass a filter, of a range of ids, at most so many.
    pub(crate) async fn list(
        &self,
        filter: &RecordFilter,
        ids: Range<u64>,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let mut records: Vec<Record> = Vec::new();
        let mut query = RecordQuery {
            filter: filter.clone(),
            order,
            limit,
            before: Some(ids.end),
            after: ids.start.checked_sub(1).filter(|after| *after > 0),
        };
        for _ in 0..MAX_PAGES {
            query.limit = limit - records.len();
            let mut client = self.records.clone();
            let request = told_deadline(proto::query_to_request(&query));
            let page = self.answer(LIST, client.list_records(request)).await?;
            records.extend(page.records.into_iter().map(|record| cut(record.into())));
            if records.len() >= limit || page.next == 0 {
                return Ok(records);
            }
            match order {
                Order::OldestFirst => query.after = Some(page.next),
                Order::NewestFirst => query.before = Some(page.next),
            }
        }
        Err(StoreError::TooSlow(LIST))
    }

    /// A record of a system between its neighbours, by id; none when it is gone.
    pub(crate) async fn around(&self, id: u64, each: u32) -> Result<Vec<Record>, StoreError> {
        let mut client = self.records.clone();
        let request = told_deadline(v1::GetRecordContextRequest {
            id,
            before: each,
            after: each,
            scope: proto::scope_to_proto(ContextScope::System).into(),
        });
        let asked = client.get_record_context(request);
        let context = match self.answer("show neighbours", asked).await {
            Err(StoreError::Refused {
                code: tonic::Code::NotFound,
                ..
            }) => return Ok(Vec::new()),
            context => context?,
        };
        let records = context
            .before
            .into_iter()
            .chain(context.record)
            .chain(context.after);
        Ok(records.map(|record| cut(record.into())).collect())
    }

    /// All records that pass a filter, of a range of ids, by rising id, until `each`
    /// has had enough.
    pub(crate) async fn each(
        &self,
        filter: &RecordFilter,
        ids: Range<u64>,
        mut each: impl FnMut(&v1::Record) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut client = self.records.clone();
        let request = v1::ExportRecordsRequest {
            filter: Some(proto::filter_to_proto(filter)),
            order: proto::order_to_proto(Order::OldestFirst).into(),
            before: ids.end,
            after: ids.start.saturating_sub(1),
            limit: 0,
        };
        let mut pieces = self.answer(EXPORT, client.export_records(request)).await?;
        loop {
            let piece = match tokio::time::timeout(DEADLINE, pieces.message()).await {
                Ok(Ok(Some(piece))) => piece,
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(status)) => return Err(self.explain(EXPORT, &status)),
                Err(_) => return Err(StoreError::TooSlow(EXPORT)),
            };
            for record in &piece.records {
                if each(record).is_break() {
                    return Ok(());
                }
            }
        }
    }
}

const LIST: &str = "list records";
const EXPORT: &str = "export records";

/// A record with texts no longer than a mail could show.
fn cut(mut record: Record) -> Record {
    for text in [
        &mut record.message,
        &mut record.exception,
        &mut record.stack,
    ] {
        if text.len() > SHOWN_BYTES {
            text.truncate(text.floor_char_boundary(SHOWN_BYTES));
            text.push('…');
            text.shrink_to_fit();
        }
    }
    if record.extra.len() > SHOWN_BYTES {
        // Half of a JSON object is none.
        record.extra = String::new();
    }
    record
}
