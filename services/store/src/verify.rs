//! Checking everything that is kept: each block against its checksums, its
//! summary, its counts and its filter. While the store runs, or on a file that
//! no store has open.

use std::{path::Path, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use crate::{
    App,
    block::{self, BlockError, BlockMeta, Kept, UNREADABLE},
    catalog::Catalog,
    db::{self, Database, Readers, fault::is_damage},
    error::StoreError,
};

/// An answer comes at least this often.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);
/// For one look at the database.
const LOOK_TIME: Duration = Duration::from_secs(30);
/// The catalog is told of a change a moment after it has been committed: a
/// block is looked for so often, with a pause.
const LOOKS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);
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
    let mut check = Check::new(blocks.into_iter().map(|(meta, _)| meta).collect(), None);
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
    let _stream = app.metrics.gauges.stream();
    let mut check = Check::new(metas(&app.catalog), Some(app.catalog.clone()));
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
    let view = catalog.view();
    let blocks = view.blocks(&(0..u64::MAX), domain::Order::OldestFirst);
    blocks.map(|entry| entry.meta.clone()).collect()
}

struct Check {
    /// Of a running store: what is not in it any more need not be there.
    catalog: Option<Catalog>,
    rest: std::vec::IntoIter<BlockMeta>,
    progress: Progress,
}

impl Check {
    fn new(metas: Vec<BlockMeta>, catalog: Option<Catalog>) -> Self {
        Self {
            catalog,
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
        self.progress.blocks_done += 1;
        let checked = match self.kept(readers, &meta).await? {
            Ok(Some(kept)) => tokio::task::spawn_blocking(move || block::check(kept))
                .await
                .map_err(|_| StoreError::Unavailable("reading failed"))?,
            Ok(None) => return Ok(()),
            Err(error) => Err(error),
        };
        match checked {
            Ok(records) => self.progress.records += records,
            Err(error) => self.progress.problems.push(Problem {
                first_id: meta.first_id,
                records: u64::from(meta.count),
                text: error.to_string(),
            }),
        }
        Ok(())
    }

    /// What there is of a block; none when it has been merged or removed
    /// meanwhile, and was read for that.
    async fn kept(
        &self,
        readers: &Readers,
        meta: &BlockMeta,
    ) -> Result<Result<Option<Kept>, BlockError>, StoreError> {
        for _ in 0..LOOKS {
            let mut snapshot = readers.snapshot(Instant::now() + LOOK_TIME).await?;
            match db::block::kept(snapshot.conn(), meta.first_id).await {
                Ok(Some(kept)) if kept.meta.count == meta.count => return Ok(Ok(Some(kept))),
                Ok(_) => {}
                Err(error) if is_damage(&error) => return Ok(Err(UNREADABLE)),
                Err(error) => return Err(error.into()),
            }
            drop(snapshot);
            let known = self.catalog.as_ref();
            if known.is_some_and(|known| known.find(meta.first_id, meta.count).is_none()) {
                return Ok(Ok(None));
            }
            sleep(PAUSE).await;
        }
        Ok(Err(BlockError::Damaged("it is not what its summary says")))
    }
}
