//! A whole block against what is kept beside it: what a search believes without
//! looking must be true.

use std::collections::HashMap;

use domain::{Micros, Record, TextField};

use super::column::TextColumn;
use super::facets::{Counts, FACET_FIELDS};
use super::filter::{Key, holds, open_slice};
use super::frame::Press;
use super::sketch::{Sketch, Sketcher};
use super::text::END;
use super::{
    BlockError, BlockMeta, FILTER_MIN_RECORDS, FILTER_SLICES, Facets, SKETCH_PART, decode,
};

/// Everything that is kept of a block.
#[derive(Debug)]
pub struct Kept {
    /// Its summary.
    pub meta: BlockMeta,
    /// Its facets as they are stored.
    pub facets: Vec<u8>,
    /// Its parts, in order.
    pub parts: Vec<Vec<u8>>,
    /// Its sketch, where it has one.
    pub sketch: Option<Vec<u8>>,
    /// The slices of its filter, in order.
    pub filter: Vec<Vec<u8>>,
}

/// Reads all of a block and compares; gives how many records it has.
///
/// # Errors
/// When bytes are damaged, a part is missing, or summary, facets or filter say
/// something else than the records.
pub fn check(kept: Kept) -> Result<u64, BlockError> {
    let Kept {
        meta,
        facets,
        parts,
        sketch,
        filter,
    } = kept;
    let facets = Facets::read(&meta, &facets)?;
    let records = decode(&meta, parts)?;
    check_meta(&meta, &records)?;
    check_facets(&facets, &records)?;
    check_filter(&meta, &filter, &records)?;
    if let Some(sketch) = sketch {
        check_sketch(&meta, &sketch, &records)?;
    }
    Ok(records.len() as u64)
}

/// The forms are those of the messages, in the order in which they first come.
fn check_sketch(meta: &BlockMeta, sketch: &[u8], records: &[Record]) -> Result<(), BlockError> {
    let place = SKETCH_PART as u32;
    let kept = Sketch::read(sketch, meta.first_id, place, records.len())?;
    let mut sketcher = Sketcher::default();
    sketcher.start(records.len());
    for record in records {
        let message = match kept.is_cased() {
            true => record.message.as_str().into(),
            false => domain::fold(&record.message),
        };
        sketcher.add(&[message.as_bytes(), &[END]].concat());
    }
    let again = sketcher.part(meta.first_id, place, &mut Press::default());
    let again =
        again.and_then(|part| Sketch::read(&part, meta.first_id, place, records.len()).ok());
    match again {
        Some(again) if again.tells_the_same(&kept) => Ok(()),
        _ => Err(BlockError::Damaged("its sketch is not of its messages")),
    }
}

fn check_meta(meta: &BlockMeta, records: &[Record]) -> Result<(), BlockError> {
    let bounds = |time: fn(&Record) -> Micros| {
        let times = records.iter().map(time);
        times.clone().min().zip(times.max())
    };
    let received = Some((meta.min_received_us, meta.max_received_us));
    let created = Some((meta.min_created_us, meta.max_created_us));
    if bounds(|record| record.received_us) != received
        || bounds(|record| record.created_us) != created
    {
        return Err(BlockError::Damaged(
            "its times are not those of its records",
        ));
    }
    let count = |level| {
        records
            .iter()
            .filter(|record| record.level == level)
            .count()
    };
    let levels: u32 = meta.levels.iter().map(|(_, count)| count).sum();
    let is_right = |(level, records): &(i32, u32)| count(*level) == *records as usize;
    if levels != meta.count || !meta.levels.iter().all(is_right) {
        return Err(BlockError::Damaged(
            "its levels are not those of its records",
        ));
    }
    Ok(())
}

fn check_facets(facets: &Facets, records: &[Record]) -> Result<(), BlockError> {
    for (field, counts) in FACET_FIELDS.iter().zip(&facets.fields) {
        let Some(counts) = counts else {
            continue;
        };
        let mut left: HashMap<&str, u32> = counts
            .iter()
            .map(|(value, count)| (value.as_str(), *count))
            .collect();
        for record in records {
            match left.get_mut(&*field.of(record)) {
                Some(count) if *count > 0 => *count -= 1,
                _ => {
                    return Err(BlockError::Damaged(
                        "its counts are not those of its records",
                    ));
                }
            }
        }
        if left.values().any(|count| *count > 0) {
            return Err(BlockError::Damaged(
                "its counts are not those of its records",
            ));
        }
    }
    check_sources(facets, records)
}

fn check_sources(facets: &Facets, records: &[Record]) -> Result<(), BlockError> {
    let ([Some(systems), Some(sub_systems), ..], Some(_)) = (&facets.fields, &facets.sources)
    else {
        return Ok(());
    };
    let places = |counts: &'_ Counts| -> HashMap<String, u32> {
        let values = counts.iter().map(|(value, _)| value.clone());
        values.zip(0..).collect()
    };
    let (systems, sub_systems) = (places(systems), places(sub_systems));
    let place = |places: &HashMap<String, u32>, value: &str| places.get(value).copied();
    let mut right = Facets {
        fields: facets.fields.clone(),
        sources: None,
    };
    right.set_sources(records.iter().map(|record| {
        (
            place(&systems, &record.system_id).unwrap_or(u32::MAX),
            place(&sub_systems, &record.sub_system_id).unwrap_or(u32::MAX),
            record.received_us,
        )
    }));
    match right.sources == facets.sources {
        true => Ok(()),
        false => Err(BlockError::Damaged(
            "its sources are not those of its records",
        )),
    }
}

fn check_filter(
    meta: &BlockMeta,
    filter: &[Vec<u8>],
    records: &[Record],
) -> Result<(), BlockError> {
    let slices = match (meta.count as usize) < FILTER_MIN_RECORDS {
        true => 0,
        false => FILTER_SLICES,
    };
    if filter.len() != slices {
        return Err(BlockError::Damaged("a slice of its filter is missing"));
    }
    let mut bodies = Vec::with_capacity(slices);
    for (index, slice) in filter.iter().enumerate() {
        bodies.push(open_slice(slice, index)?);
    }
    if bodies.is_empty() {
        return Ok(());
    }
    let has = |key: Key| holds(bodies[key.slice], key);
    for record in records {
        for field in TextField::ALL {
            let value = field.of(record);
            if !field.is_prose() && !has(Key::value(field, value.as_bytes()))? {
                return Err(BlockError::Damaged("its filter lacks a value"));
            }
        }
        for column in TextColumn::SEARCHED {
            let folded = domain::fold(column.of(record));
            for gram in folded.as_bytes().array_windows::<3>() {
                if !has(Key::gram(*gram))? {
                    return Err(BlockError::Damaged("its filter lacks a text"));
                }
            }
        }
    }
    Ok(())
}
