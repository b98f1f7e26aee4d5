//! Where records come from: each system on each host, from the catalog where it
//! knows the sources of a block, from the block's columns where not.

mod table;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use domain::{Micros, Order, RecordFilter, TextField};
use tokio::time::Instant;

use crate::{
    App,
    block::{Block, BlockError, Chunk, Source},
    catalog::{Entry, SUB_SYSTEM, SYSTEM, Symbols},
    error::StoreError,
    search::{Coverage, Harvest, Question, Walk},
    timeline::{Extent, Timeline},
};
use table::{Part, Table};

/// So many sources are taken over in a millisecond or two.
const MANY: usize = 50_000;

/// Which systems to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SystemsQuery {
    /// Only records received at or after this time.
    pub(crate) from_us: Option<Micros>,
    /// Only records received before this time.
    pub(crate) to_us: Option<Micros>,
    /// Into how many parts the range is cut.
    pub(crate) buckets: usize,
    /// How many at most.
    pub(crate) limit: usize,
}

/// Systems, those with the newest record first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Systems {
    pub(crate) systems: Vec<System>,
    /// There are more.
    pub(crate) has_more: bool,
    /// The deadline ended the search.
    pub(crate) is_partial: bool,
    pub(crate) coverage: Coverage,
    /// What `recent` is about; none without a record.
    pub(crate) range_us: Option<(Micros, Micros)>,
}

/// A system on a host, and its records in the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct System {
    pub(crate) system_id: Arc<str>,
    pub(crate) sub_system_id: Arc<str>,
    pub(crate) first_received_us: Micros,
    pub(crate) last_received_us: Micros,
    pub(crate) last_id: u64,
    pub(crate) records: u64,
    /// By bucket.
    pub(crate) recent: Vec<u64>,
}

/// Lists systems. Of more than fit into memory some are left out, and there are
/// more.
pub(crate) async fn list(
    app: &App,
    query: &SystemsQuery,
    deadline: Instant,
) -> Result<Systems, StoreError> {
    let filter = RecordFilter {
        from_us: query.from_us,
        to_us: query.to_us,
        ..RecordFilter::default()
    };
    let extent = Extent::of(&app.catalog, &filter);
    let question = Question {
        filter,
        ids: 1..extent.end,
        order: Order::NewestFirst,
        deadline,
    };
    let timeline = Timeline::new(extent.range_us, query.buckets);
    let parts = timeline.as_ref().map_or(0, Timeline::len);
    let table = Arc::new(Mutex::new(Table::new(parts)));
    let sources = Sources {
        timeline,
        table: Arc::clone(&table),
    };
    let mut walk = Walk::new(app, question, sources);
    while walk.next().await?.is_some() {}
    let table = table.lock();
    let (systems, has_more) = table
        .expect("nothing panics while it holds this lock")
        .newest(query.limit);
    Ok(Systems {
        systems,
        has_more,
        is_partial: !walk.rest().is_empty(),
        coverage: walk.coverage(),
        range_us: extent.range_us,
    })
}

/// Takes sources from records.
struct Sources {
    timeline: Option<Timeline>,
    table: Arc<Mutex<Table>>,
}

/// Sources of blocks that need not be read.
#[derive(Debug, Default)]
struct Known {
    /// By system and sub system; the numbers are symbols until they are resolved.
    parts: HashMap<(u32, u32), Part>,
    texts: Vec<(Arc<str>, Arc<str>, Part)>,
    added: usize,
}

impl Harvest for Sources {
    type Yield = ();
    type Sums = Known;

    fn add_entry(&self, sums: &mut Known, entry: &Entry, _symbols: &Symbols) -> bool {
        let Some(sources) = &entry.sources else {
            return false;
        };
        let mut bucket = None;
        if let Some(timeline) = &self.timeline {
            bucket = timeline.part_of_block(&entry.meta);
            if bucket.is_none() {
                return false;
            }
        }
        sums.added += sources.len();
        for source in sources {
            let key = (source.system, source.sub_system);
            let part = sums.parts.entry(key).or_default();
            part.add_source(source, entry.meta.first_id, bucket);
        }
        true
    }

    fn is_long(&self, sums: &Known) -> bool {
        sums.added > MANY
    }

    fn resolve(&self, sums: &mut Known, symbols: &Symbols) {
        let parts = std::mem::take(&mut sums.parts).into_iter();
        let text = |((system, sub_system), part): ((u32, u32), Part)| {
            (
                symbols.shared_text(SYSTEM, system),
                symbols.shared_text(SUB_SYSTEM, sub_system),
                part,
            )
        };
        sums.texts = parts.map(text).collect();
    }

    fn of_sums(&self, sums: Known) -> Option<()> {
        if sums.texts.is_empty() {
            return None;
        }
        let mut table = self.table();
        for (system, sub_system, part) in &sums.texts {
            table.add(system, sub_system, part);
        }
        Some(())
    }

    fn needs_chunks(&self, block: &Block) -> bool {
        block.is_chunked(TextField::System) || block.is_chunked(TextField::SubSystem)
    }

    fn wanted(&self, _so_far: &[()]) -> usize {
        usize::MAX
    }

    fn of_rows(
        &self,
        block: &Block,
        chunk: Option<&Chunk>,
        rows: &[u32],
    ) -> Result<(), BlockError> {
        let systems = block.coded(TextField::System, chunk)?;
        let sub_systems = block.coded(TextField::SubSystem, chunk)?;
        let received = block.received()?;
        let mut cursor = self.timeline.as_ref().map(Timeline::cursor);
        let mut parts: HashMap<(usize, usize), Part> = HashMap::new();
        for row in rows {
            let time_us = received.get(*row);
            let bucket = cursor.as_mut().and_then(|cursor| cursor.part_of(time_us));
            let key = (systems.code(*row), sub_systems.code(*row));
            let source = Source {
                system: 0,
                sub_system: 0,
                records: 1,
                first_received_us: time_us,
                last_received_us: time_us,
                last_row: *row,
            };
            let part = parts.entry(key).or_default();
            part.add_source(&source, block.meta().first_id, bucket);
        }
        let mut named = Vec::with_capacity(parts.len());
        for ((system, sub_system), part) in parts {
            named.push((systems.text(system)?, sub_systems.text(sub_system)?, part));
        }
        let mut table = self.table();
        for (system, sub_system, part) in &named {
            table.add(system, sub_system, part);
        }
        Ok(())
    }
}

impl Sources {
    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        let table = self.table.lock();
        table.expect("nothing panics while it holds this lock")
    }
}
