//! Upkeep that needs the one writer: small steps, each its own transaction,
//! done between two commits so that none waits long.

use domain::{AuditEntry, Micros};
use sqlx::SqliteConnection;

use super::{Contacts, Seen};
use crate::{
    alerts, audit,
    block::EncodedBlock,
    catalog::Change,
    clock::now_us,
    db::{
        self,
        file::{Checkpoint, CheckpointMode, Space},
    },
    error::StoreError,
    runs, saved_searches,
};

/// For how long the writer waits for another one, in ms: there is none but
/// SQLite itself, which closes a former connection.
const WRITE_WAIT_MS: u32 = 1_000;
/// Systems that one step writes: some milliseconds.
const STEP_SYSTEMS: usize = 1_000;

/// A block by its first id and count: a merged block has another count.
pub(crate) type BlockKey = (u64, u32);

/// A step.
#[derive(Debug)]
pub(crate) enum Step {
    /// Puts one block in the place of several, if all are still there.
    Replace {
        sources: Vec<BlockKey>,
        block: Box<EncodedBlock>,
        text_bytes: u64,
    },
    /// Removes blocks.
    Remove(Vec<BlockKey>),
    /// Removes dead letters taken before a time, at most so many.
    RemoveLetters(Micros, u32),
    /// Removes gaps declared before a time, at most so many.
    RemoveGaps(Micros, u32),
    /// Removes alerts that ended, and runs that began, before a time, and what
    /// belongs to them, a few at a time.
    RemoveAlerts { before_us: Micros, now_us: Micros },
    /// Removes entries of the audit log from before a time, and what is too much, a
    /// few at a time.
    RemoveAuditEntries(Micros),
    /// Gives free pages back to the file system.
    Vacuum { bytes: u64 },
    /// Empties the write-ahead log, waiting for readers at most so long.
    Truncate { wait_ms: u32 },
    /// Writes what bridges have said of themselves.
    SaveContacts(Contacts),
    /// Writes a part of the systems seen, if there is something to write.
    SaveSystems(Seen),
    /// Changes the saved searches, as a person asked for.
    ChangeSearches(saved_searches::Change),
    /// Changes an alert, as a person asked for.
    ChangeAlert(alerts::Change),
    /// Notes what somebody did.
    AddAuditEntry(Box<AuditEntry>),
    /// Does what a run of neelix asked for.
    ChangeRun(Box<runs::Change>),
    /// Only measures.
    Measure,
}

/// Why a change was not made that somebody asked for.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The name is taken.
    Taken,
    /// There is none of this name.
    Missing,
    /// There are as many as there may be.
    TooMany,
    /// For this reason.
    Because(StoreError),
}

/// Why a change of alerts or runs was not made; nothing is changed then.
#[derive(Debug)]
pub(crate) enum Undone {
    /// It may not be made.
    Refused(StoreError),
    /// The database failed.
    Failed(sqlx::Error),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<sqlx::Error> for Undone {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

/// What a step did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Rows, or blocks, that were changed or removed.
    pub(crate) changed: u64,
    /// Id of the run that has begun.
    pub(crate) run_id: u64,
    /// Why nothing was.
    pub(crate) refusal: Option<Refusal>,
    /// The file afterwards.
    pub(crate) space: Space,
}

/// Does a step. After an error nothing is changed, and the connection has to be
/// opened anew.
pub(super) async fn run(conn: &mut SqliteConnection, step: Step) -> sqlx::Result<(Done, Change)> {
    let mut blocks = Change::default();
    let mut refusal = None;
    let mut run_id = 0;
    let changed = match step {
        Step::Truncate { wait_ms } => {
            let checkpoint = truncate(conn, wait_ms).await?;
            u64::from(!checkpoint.blocked)
        }
        Step::Measure => 0,
        Step::ChangeSearches(change) => {
            db::file::begin(conn).await?;
            let outcome = saved_searches::apply(conn, change).await?;
            db::file::commit(conn).await?;
            refusal = outcome.err();
            u64::from(refusal.is_none())
        }
        Step::ChangeAlert(change) => {
            db::file::begin(conn).await?;
            let outcome = alerts::apply(conn, change).await;
            refusal = end(conn, outcome).await?.err();
            u64::from(refusal.is_none())
        }
        Step::ChangeRun(change) => {
            db::file::begin(conn).await?;
            let outcome = runs::apply(conn, *change).await;
            match end(conn, outcome).await? {
                Ok(id) => run_id = id,
                Err(why) => refusal = Some(why),
            }
            u64::from(refusal.is_none())
        }
        step => {
            db::file::begin(conn).await?;
            let changed = change(conn, step, &mut blocks).await?;
            db::file::commit(conn).await?;
            changed
        }
    };
    let done = Done {
        changed,
        run_id,
        refusal,
        space: db::file::space(conn).await?,
    };
    Ok((done, blocks))
}

/// Commits what was changed; after a refusal undoes it.
async fn end<T>(
    conn: &mut SqliteConnection,
    outcome: Result<T, Undone>,
) -> sqlx::Result<Result<T, Refusal>> {
    match outcome {
        Ok(outcome) => {
            db::file::commit(conn).await?;
            Ok(Ok(outcome))
        }
        Err(Undone::Refused(error)) => {
            db::file::rollback(conn).await?;
            Ok(Err(Refusal::Because(error)))
        }
        Err(Undone::Failed(error)) => Err(error),
    }
}

async fn change(conn: &mut SqliteConnection, step: Step, blocks: &mut Change) -> sqlx::Result<u64> {
    match step {
        Step::Replace {
            sources,
            block,
            text_bytes,
        } => replace(conn, sources, *block, text_bytes, blocks).await,
        Step::Remove(keys) => {
            for (first_id, count) in keys {
                if db::block::remove(conn, first_id, count).await? {
                    blocks.removed.push((first_id, count));
                }
            }
            Ok(blocks.removed.len() as u64)
        }
        Step::RemoveLetters(before_us, limit) => {
            db::dead_letter::remove_before(conn, before_us, limit).await
        }
        Step::RemoveGaps(before_us, limit) => db::gap::remove_before(conn, before_us, limit).await,
        Step::RemoveAlerts { before_us, now_us } => alerts::remove(conn, before_us, now_us).await,
        Step::RemoveAuditEntries(before_us) => audit::remove(conn, before_us).await,
        Step::AddAuditEntry(entry) => {
            db::audit_entry::insert(conn, &entry).await?;
            Ok(1)
        }
        Step::Vacuum { bytes } => {
            db::file::vacuum(conn, bytes).await?;
            Ok(0)
        }
        Step::SaveContacts(contacts) => save(conn, &contacts).await,
        Step::SaveSystems(seen) => save_systems(conn, &seen).await,
        Step::Truncate { .. }
        | Step::ChangeSearches(_)
        | Step::ChangeAlert(_)
        | Step::ChangeRun(_)
        | Step::Measure => Ok(0),
    }
}

/// All or nothing: a source that retention has removed leaves the others as
/// they are.
async fn replace(
    conn: &mut SqliteConnection,
    sources: Vec<BlockKey>,
    block: EncodedBlock,
    text_bytes: u64,
    blocks: &mut Change,
) -> sqlx::Result<u64> {
    for (first_id, count) in &sources {
        if !db::block::exists(conn, *first_id, *count).await? {
            return Ok(0);
        }
    }
    for (first_id, count) in &sources {
        db::block::remove(conn, *first_id, *count).await?;
    }
    blocks
        .added
        .push((block.meta.clone(), block.facets.clone()));
    db::block::insert(conn, block, text_bytes).await?;
    let changed = sources.len() as u64;
    blocks.removed = sources;
    Ok(changed)
}

async fn save(conn: &mut SqliteConnection, contacts: &Contacts) -> sqlx::Result<u64> {
    db::watch::set_alive(conn, now_us()).await?;
    let unwritten = contacts.take_unwritten();
    let count = unwritten.len() as u64;
    for (bridge_id, contact) in unwritten {
        db::bridge::contact(
            conn,
            bridge_id,
            &contact.name,
            contact.contact_us,
            contact.report,
        )
        .await?;
    }
    Ok(count)
}

/// How much of it was written: 0 at the end.
async fn save_systems(conn: &mut SqliteConnection, seen: &Seen) -> sqlx::Result<u64> {
    let Some(part) = seen.take_unwritten(STEP_SYSTEMS) else {
        return Ok(0);
    };
    for (system_id, sub_system_id) in &part.forgotten {
        db::system::remove(conn, system_id, sub_system_id).await?;
    }
    for system in &part.systems {
        db::system::put(conn, system).await?;
    }
    if let Some(seen_id) = part.through_id {
        db::watch::set_seen(conn, seen_id).await?;
    }
    Ok(1)
}

async fn truncate(conn: &mut SqliteConnection, wait_ms: u32) -> sqlx::Result<Checkpoint> {
    db::file::busy_timeout(conn, wait_ms).await?;
    let checkpoint = db::file::checkpoint(conn, CheckpointMode::Truncate).await;
    db::file::busy_timeout(conn, WRITE_WAIT_MS).await?;
    checkpoint
}
