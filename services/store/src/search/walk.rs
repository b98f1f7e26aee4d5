//! A walk over all blocks that may hold a match: planned from the catalog,
//! done in pieces of which two run at a time, given out in order.

mod planning;

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, atomic::AtomicUsize},
    time::Duration,
};

use domain::{Order, RecordFilter};
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Coverage, Harvest, piece,
    ranges::{join, take_out},
};
use crate::{
    App,
    block::{BlockError, Plan, Verdict},
    catalog::Entry,
    error::StoreError,
};
use planning::is_in_time;

/// Blocks of the first piece.
const FIRST_BLOCKS: usize = 8;
/// The same where the filter rules out most blocks.
const FIRST_FILTERED: usize = 16;
/// Pieces under way: one more than are worked on as a rule, so that nobody waits
/// while the first of them is late.
const PIECES: usize = 3;
/// A block that is not as the catalog says is looked for again after a pause,
/// for so long.
const MISSED_PAUSE: Duration = Duration::from_millis(2);
const MISSED_TIME: Duration = Duration::from_secs(1);

/// What is looked for, and where.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) filter: RecordFilter,
    pub(crate) ids: Range<u64>,
    pub(crate) order: Order,
    pub(crate) deadline: Instant,
}

/// A part of the answer.
#[derive(Debug)]
pub(crate) struct Step<Y> {
    pub(crate) yields: Vec<Y>,
}

/// What all pieces share.
pub(super) struct Shared<H> {
    pub(super) app: App,
    pub(super) plan: Plan,
    pub(super) order: Order,
    pub(super) deadline: Instant,
    pub(super) harvest: H,
    /// How many records pieces open together, by what they have found so far.
    pub(super) stride: AtomicUsize,
    filter: RecordFilter,
    progress: Progress,
}

/// How far a walk has come, for those who do not wait for its steps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    coverage: Arc<Mutex<Coverage>>,
}

/// Some neighbouring blocks.
pub(super) struct Piece<Y> {
    /// Those that may hold a match, in order.
    pub(super) blocks: Vec<Candidate>,
    /// What others gave without being read, and which those are.
    pub(super) yields: Vec<Y>,
    given: Given,
    /// All ids up to the next piece.
    pub(super) ids: Range<u64>,
    /// Where each of its blocks ends, in order, and what it adds to the coverage.
    pub(super) seen: VecDeque<(u64, Coverage)>,
}

/// A block that may hold a match.
pub(super) struct Candidate {
    pub(super) entry: Arc<Entry>,
    pub(super) verdict: Verdict,
    /// How many of its records can pass.
    pub(super) most: u32,
}

/// How a piece ended.
pub(super) struct Outcome<Y> {
    pub(super) yields: Vec<Y>,
    /// What has not been looked at: because there is enough, because the
    /// blocks have changed, or because it is late.
    pub(super) rest: Range<u64>,
    pub(super) is_late: bool,
    /// Records of blocks that turned out to be damaged.
    pub(super) damaged: u64,
    /// The block that was not as the catalog said.
    pub(super) changed: Option<Arc<Entry>>,
}

/// Ids of blocks that the catalog knows enough of, and what each covers.
type Given = Vec<(Range<u64>, Coverage)>;
type Running<Y> = AbortOnDropHandle<Result<Outcome<Y>, StoreError>>;

/// A walk under way; whoever drops it ends it.
pub(crate) struct Walk<H: Harvest> {
    shared: Arc<Shared<H>>,
    /// Ids that no piece has.
    ids: Range<u64>,
    running: VecDeque<(Range<u64>, Given, Running<H::Yield>)>,
    /// Ids before all of these that a piece has left over, in order.
    left_over: Vec<Range<u64>>,
    pace: usize,
    planned: usize,
    has_begun: bool,
    is_late: bool,
    /// A block that is not as the catalog says, and since when.
    missed: Option<(Arc<Entry>, Instant)>,
}

impl Progress {
    /// How far it came.
    pub(crate) fn coverage(&self) -> Coverage {
        let coverage = *self.lock();
        Coverage {
            // What has come since it began counts, too.
            total: coverage.total.max(coverage.covered),
            ..coverage
        }
    }

    fn lock(&self) -> MutexGuard<'_, Coverage> {
        let coverage = self.coverage.lock();
        coverage.expect("nothing panics while it holds this lock")
    }
}

impl<H> Shared<H> {
    /// These blocks have been looked at.
    pub(super) fn cover(&self, blocks: impl Iterator<Item = (u64, Coverage)>) {
        let mut coverage = self.progress.lock();
        blocks.for_each(|(_, more)| coverage.add(&more));
    }
}

impl<H: Harvest> Walk<H> {
    /// Begins a walk; nothing is read before [`Walk::next`].
    pub(crate) fn new(app: &App, question: Question, harvest: H) -> Self {
        let plan = Plan::new(&question.filter);
        let progress = Progress::default();
        progress.lock().total = total(app, &question);
        let pace = match plan.slices().is_empty() {
            true => FIRST_BLOCKS,
            false => FIRST_FILTERED,
        };
        Self {
            pace: pace.min(harvest.most_blocks()),
            planned: 0,
            shared: Arc::new(Shared {
                app: app.clone(),
                plan,
                order: question.order,
                deadline: question.deadline,
                harvest,
                stride: AtomicUsize::new(0),
                filter: question.filter,
                progress,
            }),
            ids: question.ids,
            running: VecDeque::new(),
            left_over: Vec::new(),
            has_begun: false,
            is_late: false,
            missed: None,
        }
    }

    /// The next part of the answer; none at the end, or when it is late.
    pub(crate) async fn next(&mut self) -> Result<Option<Step<H::Yield>>, StoreError> {
        if self.is_late {
            return Ok(None);
        }
        self.take_up_left_over();
        let wanted = self.shared.harvest.wanted(&[]);
        let mut promised = 0;
        while self.running.len() < PIECES && !self.ids.is_empty() {
            // One piece often is enough, but for what is known to be rare.
            if !self.has_begun && !self.running.is_empty() && promised >= wanted {
                break;
            }
            let piece = self.plan();
            promised += piece
                .blocks
                .iter()
                .map(|block| block.most as usize)
                .sum::<usize>();
            self.running.push_back(self.start(piece));
        }
        self.has_begun = true;
        let Some((_, given, running)) = self.running.pop_front() else {
            return Ok(None);
        };
        let outcome = running
            .await
            .map_err(|_| StoreError::Unavailable("reading failed"))??;
        self.is_late = outcome.is_late;
        self.shared.progress.lock().damaged += outcome.damaged;
        self.miss(outcome.changed).await;
        self.leave_over(outcome.rest, given);
        Ok(Some(Step {
            yields: outcome.yields,
        }))
    }

    /// A block that has changed is in the catalog as it is now a moment later:
    /// the writer commits, then tells the catalog. One that stays away has been
    /// lost.
    async fn miss(&mut self, changed: Option<Arc<Entry>>) {
        let Some(entry) = changed else {
            self.missed = None;
            return;
        };
        match &self.missed {
            Some((missed, since)) if missed.meta == entry.meta => {
                if since.elapsed() >= MISSED_TIME {
                    let error = BlockError::Damaged("it is not what its summary says");
                    self.shared.app.metrics.set_aside(&entry, &error);
                }
            }
            _ => self.missed = Some((entry, Instant::now())),
        }
        sleep(MISSED_PAUSE).await;
    }

    /// What has not been looked at.
    pub(crate) fn rest(&self) -> Range<u64> {
        let mut rest = self.ids.clone();
        self.left_over.iter().for_each(|ids| join(&mut rest, ids));
        for (ids, ..) in &self.running {
            join(&mut rest, ids);
        }
        rest
    }

    /// How far it came.
    pub(crate) fn coverage(&self) -> Coverage {
        self.shared.progress.coverage()
    }

    /// The same for those who do not wait for its steps.
    pub(crate) fn progress(&self) -> Progress {
        self.shared.progress.clone()
    }

    /// Remembers what a piece has left over: its rest without the blocks that
    /// have given what they have. By the time it is planned again these may have
    /// been merged with others, which are then read for the other rows only.
    fn leave_over(&mut self, rest: Range<u64>, given: Given) {
        let mut left_over = Vec::from_iter(Some(rest).filter(|rest| !rest.is_empty()));
        for (ids, coverage) in given {
            if take_out(&mut left_over, &ids, self.shared.order) {
                self.shared.cover(std::iter::once((ids.end, coverage)));
            }
        }
        self.left_over = left_over;
    }

    /// Plans again what a piece has left over, with the blocks as the catalog
    /// has them by now.
    fn take_up_left_over(&mut self) {
        let later = std::mem::take(&mut self.running);
        let behind = self.ids.clone();
        for left_over in std::mem::take(&mut self.left_over) {
            self.ids = left_over;
            while !self.ids.is_empty() {
                let piece = self.plan();
                self.running.push_back(self.start(piece));
            }
        }
        self.running.extend(later);
        self.ids = behind;
    }

    fn start(&self, mut piece: Piece<H::Yield>) -> (Range<u64>, Given, Running<H::Yield>) {
        let (ids, given) = (piece.ids.clone(), std::mem::take(&mut piece.given));
        let is_patient = self.has_begun;
        let running = tokio::spawn(piece::run(Arc::clone(&self.shared), piece, is_patient));
        (ids, given, AbortOnDropHandle::new(running))
    }
}

/// Records of all blocks that reach into the ids and times asked for.
fn total(app: &App, question: &Question) -> u64 {
    let view = app.catalog.view();
    let blocks = view.blocks(&question.ids, question.order);
    let in_time = blocks.filter(|entry| is_in_time(&question.filter, entry));
    in_time.map(|entry| u64::from(entry.meta.count)).sum()
}
