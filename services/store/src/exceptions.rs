//! Exceptions, grouped by their fingerprint. Blocks are read newest first, so
//! that the groups to be listed are known early and nothing else is kept.

mod groups;
mod taking;

use std::collections::HashMap;

use domain::{
    Condition, Micros, NumberField, NumberRange, Order, RecordFilter, RecordQuery, TextField,
    TextTest, exception,
};
use tokio::time::Instant;

use crate::{
    App,
    error::StoreError,
    search::{self, Coverage, Question, Walk},
    timeline::{Extent, Timeline},
};
use groups::Groups;
use taking::Exceptions;

/// Which exceptions to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExceptionsQuery {
    pub(crate) filter: RecordFilter,
    /// How many groups at most.
    pub(crate) limit: usize,
    /// Into how many parts the time range is cut.
    pub(crate) buckets: usize,
}

/// Groups, those with the newest record first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExceptionGroups {
    pub(crate) groups: Vec<ExceptionGroup>,
    /// There are more.
    pub(crate) has_more: bool,
    /// The deadline ended the search.
    pub(crate) is_partial: bool,
    pub(crate) coverage: Coverage,
    /// What `recent` is about; none without a record.
    pub(crate) range_us: Option<(Micros, Micros)>,
}

/// Records whose exceptions have the same origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ExceptionGroup {
    /// See [`exception::fingerprint`].
    pub(crate) fingerprint: u64,
    /// See [`exception::kind`]; of the newest record, as the summary.
    pub(crate) kind: String,
    /// See [`exception::summary`].
    pub(crate) summary: String,
    pub(crate) records: u64,
    pub(crate) first_received_us: Micros,
    pub(crate) last_received_us: Micros,
    pub(crate) first_id: u64,
    pub(crate) last_id: u64,
    /// The most frequent systems, by falling number of records.
    pub(crate) systems: Vec<(String, u64)>,
    /// By bucket.
    pub(crate) recent: Vec<u64>,
}

/// Lists exceptions.
pub(crate) async fn list(
    app: &App,
    query: &ExceptionsQuery,
    deadline: Instant,
) -> Result<ExceptionGroups, StoreError> {
    let extent = Extent::of(&app.catalog, &query.filter);
    let none = Condition::Text(TextField::Fingerprint, TextTest::Is(String::new()));
    let filter = RecordFilter {
        condition: Condition::All(vec![
            Condition::Not(Box::new(none)),
            query.filter.condition.clone(),
        ]),
        ..query.filter
    };
    let question = Question {
        filter,
        ids: 1..extent.end,
        order: Order::NewestFirst,
        deadline,
    };
    let timeline = Timeline::new(extent.range_us, query.buckets);
    let mut groups = Groups::new(query.limit, timeline.as_ref().map_or(0, Timeline::len));
    let mut walk = Walk::new(app, question, Exceptions::new(timeline));
    while let Some(step) = walk.next().await? {
        step.yields.iter().for_each(|found| groups.add(found));
    }
    let mut is_partial = !walk.rest().is_empty();
    let (mut groups, has_more) = groups.newest();
    is_partial |= !describe(app, &mut groups, deadline).await?;
    Ok(ExceptionGroups {
        groups,
        has_more,
        is_partial,
        coverage: walk.coverage(),
        range_us: extent.range_us,
    })
}

/// Reads what the newest record of each group says; false when there was not
/// the time.
async fn describe(
    app: &App,
    groups: &mut [ExceptionGroup],
    deadline: Instant,
) -> Result<bool, StoreError> {
    let mut places: HashMap<u64, usize> = (groups.iter().map(|group| group.last_id))
        .zip(0..)
        .collect();
    while let (Some(newest), Some(oldest)) = (places.keys().max(), places.keys().min()) {
        let only =
            |id: &u64| Condition::Number(NumberField::Id, NumberRange::only(id.cast_signed()));
        let query = RecordQuery {
            filter: RecordFilter::new(Condition::Any(places.keys().map(only).collect())),
            order: Order::NewestFirst,
            limit: places.len(),
            before: Some(newest + 1),
            after: oldest.checked_sub(1),
        };
        let page = match search::list(app, &query, deadline).await {
            Ok(page) => page,
            Err(StoreError::Late) => return Ok(false),
            Err(error) => return Err(error),
        };
        for record in &page.records {
            if let Some(group) = places.remove(&record.id) {
                exception::kind(&record.exception).clone_into(&mut groups[group].kind);
                exception::summary(&record.exception).clone_into(&mut groups[group].summary);
            }
        }
        match page.next {
            Some(_) if page.is_partial => return Ok(false),
            // A page is also full by its bytes.
            Some(next) => places.retain(|id, _| *id < next),
            // The others have been removed meanwhile.
            None => break,
        }
    }
    Ok(true)
}
