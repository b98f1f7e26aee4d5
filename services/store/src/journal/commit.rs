//! One transaction that takes a range of slots: blocks, dead letters, gaps, how
//! far each bridge has come, and the totals, all or nothing.

use std::{ops::Range, sync::Arc};

use domain::{DeadLetter, Micros, Record};
use sqlx::SqliteConnection;

use super::group::{Body, Group};
use crate::{
    block::{self, Effort, EncodedBlock},
    catalog::Change,
    db::{
        self,
        counter::Totals,
        fault::{Fault, fault},
        gap::StoredGap,
    },
};

/// Why a range was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommitError {
    /// The database, or the encoding.
    #[error("{0}")]
    Database(#[from] sqlx::Error),
    /// Encoding these records panicked: a defect of ours, which they trigger.
    #[error("the records could not be encoded")]
    Encoding,
}

impl CommitError {
    /// Whether it would fail again with the same entries.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Database(error) => fault(error) == Fault::Refused,
            Self::Encoding => true,
        }
    }

    /// What to tell people of an entry that was refused.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.message().to_owned(),
            error => error.to_string(),
        }
    }
}

/// Takes a range of slots. After an error nothing is taken; the connection has
/// then to be opened anew, unless the error is a refusal.
pub(super) async fn commit(
    conn: &mut SqliteConnection,
    group: &Arc<Group>,
    slots: &Range<usize>,
    totals: &Totals,
    now_us: Micros,
) -> Result<(Totals, Change), CommitError> {
    let blocks = encode(group, slots, totals.records + 1).await?;
    let added = blocks
        .iter()
        .map(|(block, _)| (block.meta.clone(), block.facets.clone()));
    let change = Change {
        removed: Vec::new(),
        added: added.collect(),
    };
    db::file::begin(conn).await?;
    let written = write(conn, group, slots, blocks, totals, now_us).await;
    match written {
        Ok(totals) => {
            db::file::commit(conn).await?;
            Ok((totals, change))
        }
        Err(error) => {
            if fault(&error) == Fault::Refused {
                db::file::rollback(conn).await?;
            }
            Err(error.into())
        }
    }
}

async fn write(
    conn: &mut SqliteConnection,
    group: &Group,
    slots: &Range<usize>,
    blocks: Vec<(EncodedBlock, u64)>,
    totals: &Totals,
    now_us: Micros,
) -> sqlx::Result<Totals> {
    let mut totals = *totals;
    for (block, text_bytes) in blocks {
        totals.records += u64::from(block.meta.count);
        db::block::insert(conn, block, text_bytes).await?;
    }
    for slot in &group.slots[slots.clone()] {
        match &slot.body {
            Body::Record(_) | Body::Skipped(_) => {}
            Body::Letter(letter) => {
                totals.dead_letters += 1;
                let letter = DeadLetter {
                    id: totals.dead_letters,
                    ..DeadLetter::clone(letter)
                };
                db::dead_letter::insert(conn, &letter, slot.bridge_id, slot.sequence, now_us)
                    .await?;
            }
            Body::Gap(gap) => {
                totals.lost += gap.frames();
                let gap = StoredGap {
                    bridge_id: slot.bridge_id,
                    first_sequence: slot.sequence,
                    count: gap.frames(),
                    reason: gap.reason.clone(),
                    declared_us: now_us,
                };
                db::gap::insert(conn, &gap).await?;
            }
        }
    }
    for advance in group.advances(slots) {
        let mark = advance.mark.as_deref();
        db::bridge::advance(conn, advance.bridge_id, advance.next_sequence, mark, now_us).await?;
    }
    db::counter::write(conn, &totals).await?;
    Ok(totals)
}

/// The records of the slots as blocks, nearly always one.
async fn encode(
    group: &Arc<Group>,
    slots: &Range<usize>,
    mut first_id: u64,
) -> Result<Vec<(EncodedBlock, u64)>, CommitError> {
    let mut rest = group.records_of(slots);
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        let records = Arc::clone(group);
        let range = rest.clone();
        let (block, bytes) = tokio::task::spawn_blocking(move || {
            let records = &records.records[range];
            let records = &records[..block::batch_len(records)];
            let bytes: usize = records.iter().map(Record::text_bytes).sum();
            (block::encode(first_id, records, Effort::Fast), bytes as u64)
        })
        .await
        .map_err(|_| CommitError::Encoding)?;
        first_id += u64::from(block.meta.count);
        rest.start += block.meta.count as usize;
        blocks.push((block, bytes));
    }
    Ok(blocks)
}
