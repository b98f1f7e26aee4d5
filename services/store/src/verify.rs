//! Checking everything that is kept: each block against its checksums, its
//! summary, its counts and its filter. While the store runs, or on a file that
//! no store has open.

use std::{path::Path, time::Duration};

use tokio::{sync::mpsc, time::Instant};

use crate::{
    App,
    block::{self, BlockMeta},
    catalog::Catalog,
    db::{self, Database, Readers},
    error::StoreError,
};

/// An answer comes at least this often.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);
/// For one look at the database.
const LOOK_TIME: Duration = Duration::from_secs(30);
/// Readers of a file that no store has open.
const READERS: u32 = 1;

/// How far a check has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Blocks that are to be read.
    pub blocks_total: u64,
    /// Blocks that have been read.
    pub blocks_done: u64,
    /// Records in them that can be read.
    pub records: u64,
    /// What has been found since the last time.
    pub problems: Vec<Problem>,
    /// Everything has been read.
    pub is_done: bool,
}

/// A block that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Id of its first record; 0 when it is not about one block.
    pub first_id: u64,
    /// How many records it holds.
    pub records: u64,
    /// What is wrong with it, for people.
    pub text: String,
}

/// Why a file cannot be checked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct VerifyError(String);

/// Checks a file that no store has open; nothing of it is changed but its
/// schema, which is brought to this version's.
///
/// # Errors
/// When it cannot be opened or read.
pub async fn file(path: &Path, mut told: impl FnMut(Progress)) -> Result<(), VerifyError> {
    let failed = |error: &dyn std::error::Error| VerifyError(error.to_string());
    if !path.is_file() {
        let problem = format!("there is no file `{}`", path.display());
        return Err(VerifyError(problem));
    }
    let database = Database::open(path).await.map_err(|error| failed(&error))?;
    let readers = Readers::new(&database, READERS);
    let outcome = whole_file(&readers, &mut told).await;
    readers.close().await;
    outcome.map_err(|error| match &error {
        StoreError::Database(cause) => failed(cause),
        error => failed(error),
    })
}

async fn whole_file(readers: &Readers, told: &mut impl FnMut(Progress)) -> Result<(), StoreError> {
    let mut snapshot = readers.snapshot(Instant::now() + LOOK_TIME).await?;
    let blocks = db::block::all(snapshot.conn()).await?;
    let structure = db::file::check(snapshot.conn()).await?;
    drop(snapshot);
    let mut check = Check::new(blocks.into_iter().map(|(meta, _)| meta).collect());
    let problems = structure.into_iter().map(|text| Problem {
        first_id: 0,
        records: 0,
        text,
    });
    check.progress.problems.extend(problems);
    while let Some(progress) = check.step(readers).await? {
        told(progress);
    }
    Ok(())
}

/// Checks the blocks of a running store; ends when nobody listens.
pub(crate) async fn run(app: App, progress: mpsc::Sender<Result<Progress, StoreError>>) {
    let mut check = Check::new(metas(&app.catalog));
    loop {
        match check.step(&app.readers).await {
            Ok(Some(step)) => {
                if progress.send(Ok(step)).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                let _ = progress.send(Err(error)).await;
                return;
            }
        }
    }
}

fn metas(catalog: &Catalog) -> Vec<BlockMeta> {
    let mut metas = Vec::new();
    catalog.survey(&(0..u64::MAX), domain::Order::OldestFirst, |entry, _| {
        metas.push(entry.meta.clone());
        std::ops::ControlFlow::Continue(())
    });
    metas
}

struct Check {
    rest: std::vec::IntoIter<BlockMeta>,
    progress: Progress,
}

impl Check {
    fn new(metas: Vec<BlockMeta>) -> Self {
        Self {
            progress: Progress {
                blocks_total: metas.len() as u64,
                ..Progress::default()
            },
            rest: metas.into_iter(),
        }
    }

    /// Checks some blocks; none after the last ones.
    async fn step(&mut self, readers: &Readers) -> Result<Option<Progress>, StoreError> {
        if self.progress.is_done {
            return Ok(None);
        }
        let until = Instant::now() + SIGN_OF_LIFE;
        while Instant::now() < until {
            let Some(meta) = self.rest.next() else {
                self.progress.is_done = true;
                break;
            };
            self.block(readers, meta).await?;
        }
        let problems = std::mem::take(&mut self.progress.problems);
        Ok(Some(Progress {
            problems,
            ..self.progress.clone()
        }))
    }

    async fn block(&mut self, readers: &Readers, meta: BlockMeta) -> Result<(), StoreError> {
        let mut snapshot = readers.snapshot(Instant::now() + LOOK_TIME).await?;
        let kept = db::block::kept(snapshot.conn(), meta.first_id).await?;
        drop(snapshot);
        self.progress.blocks_done += 1;
        // One that has been merged or removed meanwhile was read for that.
        let Some(kept) = kept.filter(|kept| kept.meta.count == meta.count) else {
            return Ok(());
        };
        let checked = tokio::task::spawn_blocking(move || block::check(kept)).await;
        match checked.map_err(|_| StoreError::Unavailable("reading failed"))? {
            Ok(records) => self.progress.records += records,
            Err(error) => self.progress.problems.push(Problem {
                first_id: meta.first_id,
                records: u64::from(meta.count),
                text: error.to_string(),
            }),
        }
        Ok(())
    }
}
