//! What requests ask for, between the wire's types and the domain's.

use domain::{
    ContextScope, CountBy, CountQuery, Micros, Order, RecordFilter, RecordQuery, TextField,
};

use crate::{ConvertError, v1};

/// What a filter asks for; without one, everything. Relative times in its query
/// count from `now_us`.
///
/// # Errors
/// When the query cannot be read.
pub fn filter_from_proto(
    filter: Option<v1::RecordFilter>,
    now_us: Micros,
) -> Result<RecordFilter, ConvertError> {
    let filter = filter.unwrap_or_default();
    Ok(RecordFilter {
        condition: query::parse(&filter.query, now_us)?,
        from_us: filter.from_us,
        to_us: filter.to_us,
    })
}

/// The filter that asks for it.
#[must_use]
pub fn filter_to_proto(filter: &RecordFilter) -> v1::RecordFilter {
    v1::RecordFilter {
        query: query::print(&filter.condition),
        from_us: filter.from_us,
        to_us: filter.to_us,
    }
}

/// What a list request asks for.
///
/// # Errors
/// When the query cannot be read, or limit or order are out of range.
pub fn query_from_request(
    request: v1::ListRecordsRequest,
    now_us: Micros,
) -> Result<RecordQuery, ConvertError> {
    let limit = match request.limit {
        0 => RecordQuery::DEFAULT_LIMIT,
        limit if limit as usize > RecordQuery::MAX_LIMIT => return Err(ConvertError::Limit(limit)),
        limit => limit as usize,
    };
    Ok(RecordQuery {
        filter: filter_from_proto(request.filter, now_us)?,
        order: order_from_proto(request.order)?,
        limit,
        before: (request.before > 0).then_some(request.before),
        after: (request.after > 0).then_some(request.after),
    })
}

/// The list request that asks for it.
#[must_use]
pub fn query_to_request(query: &RecordQuery) -> v1::ListRecordsRequest {
    v1::ListRecordsRequest {
        filter: Some(filter_to_proto(&query.filter)),
        order: order_to_proto(query.order).into(),
        limit: saturated(query.limit),
        before: query.before.unwrap_or(0),
        after: query.after.unwrap_or(0),
    }
}

/// What a count request asks for.
///
/// # Errors
/// When the query cannot be read, a name is none of a field that can be counted
/// or a limit is too high.
pub fn count_from_request(
    request: v1::CountRecordsRequest,
    now_us: Micros,
) -> Result<CountQuery, ConvertError> {
    let values_per_field = match request.values_per_field {
        0 => CountQuery::DEFAULT_VALUES,
        values if values as usize > CountQuery::MAX_VALUES => {
            return Err(ConvertError::Values(values));
        }
        values => values as usize,
    };
    let fields = request.fields.into_iter().map(|name| {
        TextField::named(&name)
            .filter(|field| !field.is_prose())
            .ok_or(ConvertError::Field(name))
    });
    Ok(CountQuery {
        filter: filter_from_proto(request.filter, now_us)?,
        fields: fields.collect::<Result<_, _>>()?,
        values_per_field,
        buckets: buckets_from_proto(request.buckets)?,
        by: by_from_proto(request.by)?,
    })
}

/// The count request that asks for it.
#[must_use]
pub fn count_to_request(query: &CountQuery) -> v1::CountRecordsRequest {
    let name = |field: &TextField| field.name().to_owned();
    v1::CountRecordsRequest {
        filter: Some(filter_to_proto(&query.filter)),
        fields: query.fields.iter().map(name).collect(),
        values_per_field: saturated(query.values_per_field),
        buckets: saturated(query.buckets),
        by: match &query.by {
            CountBy::Level => String::new(),
            CountBy::Field(field) => name(field),
        },
    }
}

/// An order of records.
///
/// # Errors
/// When this version does not know it.
pub fn order_from_proto(order: i32) -> Result<Order, ConvertError> {
    match v1::Order::try_from(order) {
        Ok(v1::Order::Unspecified | v1::Order::NewestFirst) => Ok(Order::NewestFirst),
        Ok(v1::Order::OldestFirst) => Ok(Order::OldestFirst),
        Err(_) => Err(ConvertError::Order(order)),
    }
}

/// The order on the wire.
#[must_use]
pub const fn order_to_proto(order: Order) -> v1::Order {
    match order {
        Order::NewestFirst => v1::Order::NewestFirst,
        Order::OldestFirst => v1::Order::OldestFirst,
    }
}

/// A scope of neighbours.
///
/// # Errors
/// When this version does not know it.
pub fn scope_from_proto(scope: i32) -> Result<ContextScope, ConvertError> {
    match v1::ContextScope::try_from(scope) {
        Ok(v1::ContextScope::Unspecified | v1::ContextScope::Everything) => {
            Ok(ContextScope::Everything)
        }
        Ok(v1::ContextScope::System) => Ok(ContextScope::System),
        Ok(v1::ContextScope::Process) => Ok(ContextScope::Process),
        Err(_) => Err(ConvertError::Scope(scope)),
    }
}

/// The scope on the wire.
#[must_use]
pub const fn scope_to_proto(scope: ContextScope) -> v1::ContextScope {
    match scope {
        ContextScope::Everything => v1::ContextScope::Everything,
        ContextScope::System => v1::ContextScope::System,
        ContextScope::Process => v1::ContextScope::Process,
    }
}

/// How many buckets a request asks for.
///
/// # Errors
/// When there are too many.
pub fn buckets_from_proto(buckets: u32) -> Result<usize, ConvertError> {
    match buckets as usize {
        count if count > CountQuery::MAX_BUCKETS => Err(ConvertError::Buckets(buckets)),
        count => Ok(count),
    }
}

/// What a request splits buckets by.
///
/// # Errors
/// When it names no context field.
pub fn by_from_proto(name: String) -> Result<CountBy, ConvertError> {
    if name.is_empty() {
        return Ok(CountBy::Level);
    }
    TextField::CONTEXT
        .into_iter()
        .find(|field| field.name() == name)
        .map(CountBy::Field)
        .ok_or(ConvertError::By(name))
}

/// A number of things that is checked by the other side.
fn saturated(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
