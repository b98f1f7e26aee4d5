//! The text chunks of one block: fetched one by one, looked through beside the
//! tasks that serve the network.

use std::sync::Arc;

use domain::Record;

use super::{Ended, Search, round::Opened};
use crate::{
    block::BlockError,
    db::{self, Snapshot},
    error::StoreError,
};

impl Search<'_> {
    /// Adds the matches of a block until the page is full.
    pub(super) async fn scan(
        &mut self,
        snapshot: &mut Snapshot,
        opened: Opened,
    ) -> Result<Ended, StoreError> {
        let opened = Arc::new(opened);
        for chunk in opened.block.chunks(&opened.selection, self.order) {
            let part = match opened.block.part_of(chunk) {
                Some(part) => db::block::part(snapshot.conn(), opened.meta.first_id, part).await?,
                None => Some(Vec::new()),
            };
            let (plan, order) = (self.plan.clone(), self.order);
            let limit = self.limit - self.found.len();
            let from = opened.clone();
            let matches = aside(move || {
                let part = part.ok_or(BlockError::Damaged("a part is missing"))?;
                let chunk = from.block.open_chunk(chunk, part)?;
                let rows = from
                    .block
                    .scan(&plan, &from.selection, &chunk, order, limit)?;
                from.block.records(&chunk, &rows)
            })
            .await?;
            match matches {
                Ok(records) => self.add(records),
                Err(error) => {
                    self.damaged(&opened.meta, &error);
                    break;
                }
            }
            if self.is_full() {
                return Ok(Ended::Full);
            }
        }
        Ok(Ended::Between)
    }

    fn add(&mut self, records: Vec<Record>) {
        for record in records {
            if self.is_full() {
                return;
            }
            self.found_bytes += size_of_val(&record) + record.text_bytes();
            self.looked_at(record.id);
            self.found.push(record);
        }
    }
}

/// Runs work of some milliseconds where it holds nobody up.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| StoreError::Unavailable("reading failed"))
}
