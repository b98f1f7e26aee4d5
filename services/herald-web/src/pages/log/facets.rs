//! The facets: which values the context fields have in a view, and how often.

use domain::TextField;
use proto::v1;
use serde::Serialize;

use crate::{
    pages::{
        row::{grouped, short},
        view::View,
    },
    request::link_to,
};

/// A field with its most frequent values.
#[derive(Debug, Serialize)]
pub(in crate::pages) struct Facet {
    name: &'static str,
    values: Vec<Value>,
    /// Records with values that are not listed.
    others: Option<String>,
    /// All of its values, to look through.
    all_href: Option<String>,
}

/// A value and how many records have it.
#[derive(Debug, Serialize)]
struct Value {
    /// Empty for records without one.
    value: String,
    records: String,
    /// Its share of the most frequent value, of 100.
    share: u64,
    is_chosen: bool,
    /// The list with this value only; with any value again where it is chosen. `None`
    /// for a value too long for a link.
    include_href: Option<String>,
    /// The list without this value; `None` as above.
    exclude_href: Option<String>,
}

/// All fields that have a value at all.
pub(super) fn facets(view: &View, counts: &v1::CountRecordsResponse) -> Vec<Facet> {
    let facets = counts.fields.iter();
    facets.filter_map(|field| Facet::new(view, field)).collect()
}

impl Facet {
    /// `None` for a field that no record fills.
    pub(in crate::pages) fn new(view: &View, counts: &v1::FieldCounts) -> Option<Self> {
        let field = TextField::named(&counts.field)?;
        if counts.values.iter().all(|count| count.value.is_empty()) && !counts.more {
            return None;
        }
        let most = counts.values.iter().map(|count| count.records).max();
        let value = |count: &v1::ValueCount| {
            Value::new(view, field, count, most.unwrap_or_default().max(1))
        };
        Some(Self {
            name: field.name(),
            values: counts.values.iter().map(value).collect(),
            others: (counts.others > 0).then(|| grouped(counts.others)),
            all_href: counts.more.then(|| all_values(view, field)),
        })
    }
}

impl Value {
    fn new(view: &View, field: TextField, count: &v1::ValueCount, most: u64) -> Self {
        let is_chosen = view.parameters().get(field.name()) == Some(&count.value);
        Self {
            records: grouped(count.records),
            share: (count.records * 100).div_ceil(most),
            is_chosen,
            include_href: match is_chosen {
                true => Some(view.first(&[(field.name(), None)])),
                false => view.include(field, &count.value),
            },
            exclude_href: view.exclude(field, &count.value),
            value: short(&count.value),
        }
    }
}

/// The page with all values of a field in this view.
fn all_values(view: &View, field: TextField) -> String {
    let parameters = view.parameters().iter();
    let kept = parameters.filter(|(name, _)| !matches!(*name, "before" | "after" | "open"));
    let pairs: Vec<_> = kept.collect();
    link_to(&format!("/values/{}", field.name()), &pairs)
}
