//! A walk over all blocks that may hold a match: planned from the catalog,
//! done in pieces of which two run at a time, given out in order.

use std::{
    collections::VecDeque,
    ops::{ControlFlow, Range},
    sync::Arc,
    time::Duration,
};

use domain::{Order, RecordFilter};
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::{Coverage, Harvest, piece};
use crate::{
    App,
    block::{BlockError, BlockMeta, Plan, Verdict},
    catalog::Entry,
    error::StoreError,
};

/// Blocks of the first piece, of the largest, and how they grow.
const FIRST_BLOCKS: usize = 8;
const MOST_BLOCKS: usize = 256;
const GROWTH: usize = 4;
/// The same where the filter rules out most blocks.
const FIRST_FILTERED: usize = 128;
const MOST_FILTERED: usize = 1_024;
/// Blocks that are planned at a time: the writer waits for it.
const PLANNED_BLOCKS: usize = 2_048;
/// Pieces under way.
const PIECES: usize = 2;
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
}

/// Some neighbouring blocks.
pub(super) struct Piece<Y> {
    /// Those that may hold a match, in order.
    pub(super) blocks: Vec<(Arc<Entry>, Verdict)>,
    /// What others gave without being read, with their first ids.
    pub(super) yields: Vec<(u64, Y)>,
    /// All ids up to the next piece.
    pub(super) ids: Range<u64>,
    /// Of all its blocks.
    coverage: Coverage,
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

type Running<Y> = AbortOnDropHandle<Result<Outcome<Y>, StoreError>>;

/// A walk under way; whoever drops it ends it.
pub(crate) struct Walk<H: Harvest> {
    shared: Arc<Shared<H>>,
    /// Ids that no piece has.
    ids: Range<u64>,
    running: VecDeque<(Range<u64>, Coverage, Running<H::Yield>)>,
    /// Ids before all of these that a piece has left over.
    left_over: Range<u64>,
    pace: usize,
    has_begun: bool,
    is_late: bool,
    /// A block that is not as the catalog says, and since when.
    missed: Option<(Arc<Entry>, Instant)>,
    coverage: Coverage,
    /// Of the piece that has left something over.
    left_coverage: Coverage,
}

impl<H: Harvest> Walk<H> {
    /// Begins a walk; nothing is read before [`Walk::next`].
    pub(crate) fn new(app: &App, question: Question, harvest: H) -> Self {
        let plan = Plan::new(&question.filter);
        let total = total(app, &question);
        Self {
            pace: match plan.slices().is_empty() {
                true => FIRST_BLOCKS,
                false => FIRST_FILTERED,
            },
            shared: Arc::new(Shared {
                app: app.clone(),
                plan,
                order: question.order,
                deadline: question.deadline,
                harvest,
            }),
            ids: question.ids,
            running: VecDeque::new(),
            left_over: 0..0,
            has_begun: false,
            is_late: false,
            missed: None,
            coverage: Coverage {
                total,
                ..Coverage::default()
            },
            left_coverage: Coverage::default(),
        }
    }

    /// The next part of the answer; none at the end, or when it is late.
    pub(crate) async fn next(&mut self) -> Result<Option<Step<H::Yield>>, StoreError> {
        if self.is_late {
            return Ok(None);
        }
        self.take_up_left_over();
        let width = if self.has_begun { PIECES } else { 1 };
        while self.running.len() < width && !self.ids.is_empty() {
            let piece = self.plan();
            self.running.push_back(self.start(piece));
        }
        self.has_begun = true;
        let Some((_, coverage, running)) = self.running.pop_front() else {
            return Ok(None);
        };
        let outcome = running
            .await
            .map_err(|_| StoreError::Unavailable("reading failed"))??;
        self.is_late = outcome.is_late;
        self.coverage.damaged += outcome.damaged;
        self.miss(outcome.changed).await;
        if outcome.rest.is_empty() {
            self.coverage.add(&coverage);
        } else {
            self.left_coverage = coverage;
        }
        self.left_over = outcome.rest;
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
        join(&mut rest, &self.left_over);
        for (ids, ..) in &self.running {
            join(&mut rest, ids);
        }
        rest
    }

    /// How far it came.
    pub(crate) fn coverage(&self) -> Coverage {
        let mut coverage = self.coverage;
        if !self.left_over.is_empty() {
            coverage.add(&Coverage {
                covered: self
                    .left_coverage
                    .covered
                    .saturating_sub(self.left_records()),
                ..self.left_coverage
            });
        }
        // What has come since it began counts, too.
        coverage.total = coverage.total.max(coverage.covered);
        coverage
    }

    /// Records of what a piece has left over.
    fn left_records(&self) -> u64 {
        let ids = &self.left_over;
        let mut records = 0;
        let survey = |entry: &Arc<Entry>, _: &_| {
            let (start, end) = (entry.meta.first_id.max(ids.start), entry.end().min(ids.end));
            records += end.saturating_sub(start);
            ControlFlow::Continue(())
        };
        self.shared
            .app
            .catalog
            .survey(ids, self.shared.order, survey);
        records
    }

    /// Plans again what a piece has left over, with the blocks as the catalog
    /// has them by now.
    fn take_up_left_over(&mut self) {
        let left_over = std::mem::take(&mut self.left_over);
        let behind = std::mem::replace(&mut self.ids, left_over);
        let later = std::mem::take(&mut self.running);
        let mut left = Coverage::default();
        while !self.ids.is_empty() {
            let piece = self.plan();
            left.add(&piece.coverage);
            self.running.push_back(self.start(piece));
        }
        // What the piece had done before it left this over.
        let before = std::mem::take(&mut self.left_coverage);
        self.coverage.add(&Coverage {
            covered: before.covered.saturating_sub(left.covered),
            damaged: before.damaged.saturating_sub(left.damaged),
            ..before
        });
        self.running.extend(later);
        self.ids = behind;
    }

    fn start(&self, piece: Piece<H::Yield>) -> (Range<u64>, Coverage, Running<H::Yield>) {
        let (ids, coverage) = (piece.ids.clone(), piece.coverage);
        let is_patient = self.has_begun;
        let running = tokio::spawn(piece::run(Arc::clone(&self.shared), piece, is_patient));
        (ids, coverage, AbortOnDropHandle::new(running))
    }

    /// The next piece, from what the catalog says now.
    fn plan(&mut self) -> Piece<H::Yield> {
        let shared = Arc::clone(&self.shared);
        let Shared { plan, harvest, .. } = &*shared;
        let mut piece = Piece {
            blocks: Vec::new(),
            yields: Vec::new(),
            ids: self.ids.clone(),
            coverage: Coverage::default(),
        };
        let wanted: Vec<(usize, usize, &str)> = plan.values().collect();
        let mut symbols_of = None;
        let (mut seen, mut edge) = (0, None);
        shared
            .app
            .catalog
            .survey(&self.ids, shared.order, |entry, symbols| {
                if piece.blocks.len() >= self.pace || seen >= PLANNED_BLOCKS {
                    return ControlFlow::Break(());
                }
                seen += 1;
                edge = Some(self.edge(entry));
                let is_damaged = entry.is_damaged();
                piece.coverage.add(&coverage_of(&entry.meta, is_damaged));
                if is_damaged {
                    return ControlFlow::Continue(());
                }
                let known: &Vec<(usize, usize, Option<u32>)> =
                    symbols_of.get_or_insert_with(|| {
                        let symbol = |(leaf, field, value): &(usize, usize, &str)| {
                            (*leaf, *field, symbols.find(*field, value))
                        };
                        wanted.iter().map(symbol).collect()
                    });
                let counted = |leaf: usize| {
                    let place = known.binary_search_by_key(&leaf, |(of, ..)| *of).ok()?;
                    let (_, field, symbol) = known[place];
                    entry.count_of(field, symbol)
                };
                let verdict = match entry.is_sure {
                    true => plan.verdict(&entry.meta, &counted),
                    false => Verdict::Something,
                };
                match verdict {
                    Verdict::Nothing => {}
                    Verdict::Everything if self.is_within(entry) => {
                        match harvest.of_entry(entry, symbols) {
                            Some(given) => piece.yields.push((entry.meta.first_id, given)),
                            None => piece.blocks.push((Arc::clone(entry), Verdict::Everything)),
                        }
                    }
                    verdict => piece.blocks.push((Arc::clone(entry), verdict)),
                }
                ControlFlow::Continue(())
            });
        let is_last = piece.blocks.len() < self.pace && seen < PLANNED_BLOCKS;
        if let Some(edge) = edge.filter(|_| !is_last) {
            let (near, far) = match shared.order {
                Order::NewestFirst => (edge..self.ids.end, self.ids.start..edge),
                Order::OldestFirst => (self.ids.start..edge, edge..self.ids.end),
            };
            piece.ids = near;
            self.ids = far;
        } else {
            self.ids = 0..0;
        }
        let most = match plan.slices().is_empty() {
            true => MOST_BLOCKS,
            false => MOST_FILTERED,
        };
        self.pace = (self.pace * GROWTH).min(most);
        piece
    }

    fn is_within(&self, entry: &Entry) -> bool {
        self.ids.start <= entry.meta.first_id && entry.end() <= self.ids.end
    }

    /// Where the ids of a block end, in the order of the walk.
    fn edge(&self, entry: &Entry) -> u64 {
        match self.shared.order {
            Order::NewestFirst => entry.meta.first_id.max(self.ids.start),
            Order::OldestFirst => entry.end().min(self.ids.end),
        }
    }
}

fn coverage_of(meta: &BlockMeta, is_damaged: bool) -> Coverage {
    let records = u64::from(meta.count);
    Coverage {
        total: 0,
        covered: records,
        damaged: if is_damaged { records } else { 0 },
        received_us: Some((meta.min_received_us, meta.max_received_us)),
    }
}

/// The smallest range that holds both.
fn join(ids: &mut Range<u64>, other: &Range<u64>) {
    if ids.is_empty() {
        *ids = other.clone();
    } else if !other.is_empty() {
        *ids = ids.start.min(other.start)..ids.end.max(other.end);
    }
}

/// Records of all blocks that reach into the ids and times asked for.
fn total(app: &App, question: &Question) -> u64 {
    let RecordFilter { from_us, to_us, .. } = question.filter;
    let mut total = 0;
    app.catalog
        .survey(&question.ids, question.order, |entry, _| {
            let meta = &entry.meta;
            let is_in_time = !entry.is_sure
                || from_us.is_none_or(|from| meta.max_received_us >= from)
                    && to_us.is_none_or(|to| meta.min_received_us < to);
            total += u64::from(meta.count) * u64::from(is_in_time);
            ControlFlow::Continue(())
        });
    total
}
