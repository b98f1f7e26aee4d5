//! What requests ask for, between the wire's types and the domain's.

use domain::{ContextScope, CountBy, CountQuery, Order, TextField};

use crate::{ConvertError, v1};

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
