//! Which keys of a block's filter every match of a condition has.

use std::collections::HashMap;

use domain::{
    Condition, ExtraPath, ExtraTest, Level, NumberField, NumberRange, TextField, TextTest, fold,
};

use super::{Looks, literal};
use crate::block::column::NumberColumn;
use crate::block::facets::FACET_FIELDS;
use crate::block::filter::{
    EXTRA_DEPTH, Key, MANY_EXTRA, extra_text, for_each_id, for_each_phrase, many_pairs,
};

/// More slices than these cost more than they save.
const MAX_SLICES: usize = 12;
/// Keys that one text is looked for by, at most.
const MAX_TEXT_KEYS: usize = 32;
/// A range of so many numbers is looked for number by number.
const MAX_NUMBERS: u64 = 16;

/// What a block with a match has; keys by their place in [`Keys`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Need {
    Anything,
    Key(usize),
    All(Vec<Need>),
    Any(Vec<Need>),
}

/// The keys of a plan.
#[derive(Debug, Default)]
pub(super) struct Keys {
    keys: Vec<(Key, f64)>,
    known: HashMap<Key, usize>,
    by_slice: HashMap<usize, Vec<usize>>,
    /// The slices worth a look, best first.
    pub(super) slices: Vec<usize>,
}

impl Keys {
    /// `weight`: roughly how much it tells, in bits.
    fn add(&mut self, key: Key, weight: f64) -> Need {
        let next = self.keys.len();
        let index = *self.known.entry(key).or_insert(next);
        if index == next {
            self.keys.push((key, weight));
            self.by_slice.entry(key.slice).or_default().push(index);
        }
        Need::Key(index)
    }

    /// The keys that lie in a slice, with their places.
    pub(super) fn in_slice(&self, slice: usize) -> impl Iterator<Item = (usize, Key)> {
        let places = self.by_slice.get(&slice).map_or(&[][..], Vec::as_slice);
        places.iter().map(|index| (*index, self.keys[*index].0))
    }

    /// Orders the slices by what a look at them tells.
    pub(super) fn sort_slices(&mut self, need: &Need) {
        let mut weights = HashMap::new();
        self.weigh(need, 1.0, &mut weights);
        let mut slices: Vec<(usize, f64)> = weights.into_iter().collect();
        slices.sort_by(|(left, one), (right, other)| other.total_cmp(one).then(left.cmp(right)));
        let slices = slices.into_iter().map(|(slice, _)| slice);
        self.slices = slices.take(MAX_SLICES).collect();
    }

    fn weigh(&self, need: &Need, share: f64, weights: &mut HashMap<usize, f64>) {
        match need {
            Need::Anything => {}
            Need::Key(index) => {
                let (key, weight) = self.keys[*index];
                *weights.entry(key.slice).or_default() += weight * share;
            }
            Need::All(all) => all.iter().for_each(|need| self.weigh(need, share, weights)),
            Need::Any(any) => {
                let is_mark =
                    |need: &&Need| matches!(need, Need::Key(key) if self.keys[*key].1 == 0.0);
                let others = any.len() - any.iter().filter(is_mark).count();
                let share = share / others.max(1) as f64;
                any.iter().for_each(|need| self.weigh(need, share, weights));
            }
        }
    }
}

impl Need {
    /// What every match of a condition has.
    pub(super) fn of(condition: &Condition, keys: &mut Keys) -> Self {
        match condition {
            Condition::All(parts) => {
                let mut needs: Vec<Need> = parts.iter().map(|part| Self::of(part, keys)).collect();
                pairs(parts, keys, &mut needs);
                Self::all(needs)
            }
            Condition::Any(parts) => {
                Self::any(parts.iter().map(|part| Self::of(part, keys)).collect())
            }
            Condition::Not(inner) => match &**inner {
                Condition::Not(inner) => Self::of(inner, keys),
                _ => Self::Anything,
            },
            Condition::Contains(text) => Self::text(&fold(text), keys),
            Condition::Finds(pattern) => literal::need(pattern, keys),
            Condition::Text(field, test) => of_field(*field, test, keys),
            Condition::Number(field, range) => of_number(*field, *range, keys),
            Condition::Extra(path, ExtraTest::Text(TextTest::Is(value))) => {
                of_extra(path, value, keys)
            }
            Condition::Extra(..) => Self::Anything,
        }
    }

    pub(super) fn all(mut needs: Vec<Need>) -> Self {
        needs.retain(|need| *need != Self::Anything);
        match needs.len() {
            0 => Self::Anything,
            1 => needs.remove(0),
            _ => Self::All(needs),
        }
    }

    pub(super) fn any(mut needs: Vec<Need>) -> Self {
        if needs.contains(&Self::Anything) {
            return Self::Anything;
        }
        match needs.len() {
            1 => needs.remove(0),
            _ => Self::Any(needs),
        }
    }

    /// A searched text contains this one, which is without case.
    pub(super) fn text(folded: &str, keys: &mut Keys) -> Self {
        let bytes = folded.as_bytes();
        let mut found: Vec<(Key, f64)> = Vec::new();
        let mut add = |key, weight| {
            if found.len() < 8 * MAX_TEXT_KEYS && !found.contains(&(key, weight)) {
                found.push((key, weight));
            }
        };
        for_each_id(bytes, |key| add(key, 8.0));
        for_each_phrase(bytes, |key| add(key, 5.0));
        for gram in bytes.array_windows::<3>() {
            add(
                Key::gram(*gram),
                gram.iter().map(|byte| rarity(*byte)).sum(),
            );
        }
        found.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        found.truncate(MAX_TEXT_KEYS);
        let needs = found.into_iter().map(|(key, weight)| keys.add(key, weight));
        Self::all(needs.collect())
    }

    /// Whether a block can have this, as far as it has been looked at.
    pub(super) fn may_hold(&self, looks: &Looks) -> bool {
        match self {
            Self::Anything => true,
            Self::Key(index) => !looks.is_absent(*index),
            Self::All(all) => all.iter().all(|need| need.may_hold(looks)),
            Self::Any(any) => any.iter().any(|need| need.may_hold(looks)),
        }
    }
}

fn of_field(field: TextField, test: &TextTest, keys: &mut Keys) -> Need {
    let is_searched = TextField::SEARCHED.contains(&field);
    match test {
        TextTest::Is(value) if !field.is_prose() => {
            // What the catalog counts it has ruled out already where it could.
            let weight = if FACET_FIELDS.contains(&field) {
                3.0
            } else {
                7.0
            };
            keys.add(Key::value(field, value.as_bytes()), weight)
        }
        TextTest::Is(text) | TextTest::Contains(text) if is_searched => {
            Need::text(&fold(text), keys)
        }
        TextTest::Like(glob) if is_searched => {
            let pieces = glob.pieces().iter();
            Need::all(pieces.map(|piece| Need::text(&fold(piece), keys)).collect())
        }
        TextTest::Finds(pattern) if is_searched => literal::need(pattern, keys),
        _ => Need::Anything,
    }
}

fn of_number(field: NumberField, range: NumberRange, keys: &mut Keys) -> Need {
    let column = match field {
        NumberField::Line => NumberColumn::Line,
        NumberField::Process => NumberColumn::Process,
        NumberField::Thread => NumberColumn::Thread,
        // The summary tells more of these.
        NumberField::Id | NumberField::Received | NumberField::Created | NumberField::Level => {
            return Need::Anything;
        }
    };
    if range.min > range.max || range.max.abs_diff(range.min) >= MAX_NUMBERS {
        return Need::Anything;
    }
    let numbers = range.min..=range.max;
    Need::any(
        numbers
            .map(|number| keys.add(Key::number(column as u64, number), 6.0))
            .collect(),
    )
}

fn of_extra(path: &ExtraPath, value: &str, keys: &mut Keys) -> Need {
    let Some(text) = extra_text(value).filter(|_| path.0.len() <= EXTRA_DEPTH) else {
        return Need::Anything;
    };
    let key = Key::extra(path.0.iter().map(String::as_str), &text);
    let needs = [key, key.again()].map(|key| {
        let mark = keys.add(key.mark(MANY_EXTRA), 0.0);
        Need::any(vec![keys.add(key, 7.0), mark])
    });
    Need::all(needs.to_vec())
}

/// What conditions on several fields say together of one record.
fn pairs(parts: &[Condition], keys: &mut Keys, needs: &mut Vec<Need>) {
    let value_of = |field: TextField| {
        parts.iter().find_map(|part| match part {
            Condition::Text(named, TextTest::Is(value)) if *named == field => {
                Some((field, Key::value(field, value.as_bytes())))
            }
            _ => None,
        })
    };
    let values: Vec<(TextField, Key)> = TextField::CONTEXT
        .into_iter()
        .filter_map(value_of)
        .collect();
    let bands = bands(parts);
    for (place, (first, one)) in values.iter().enumerate() {
        for (second, other) in &values[place + 1..] {
            let mark = keys.add(one.mark(many_pairs(*first, *second)), 0.0);
            needs.push(Need::any(vec![
                keys.add(Key::pair(*one, *other), 7.0),
                mark,
            ]));
        }
        if let Some(bands) = &bands {
            let mark = one.mark(many_pairs(*first, TextField::LevelName));
            let mut any = vec![keys.add(mark, 0.0)];
            any.extend(
                bands
                    .iter()
                    .map(|band| keys.add(Key::level(*one, *band), 7.0)),
            );
            needs.push(Need::any(any));
        }
    }
}

/// The severities that conditions leave; none when that is all of them.
fn bands(parts: &[Condition]) -> Option<Vec<Level>> {
    let mut bands = Level::ALL.to_vec();
    for part in parts {
        if let Condition::Number(NumberField::Level, range) = part {
            bands.retain(|band| {
                let (low, high) = match band {
                    Level::Debug => (i64::MIN, 19),
                    Level::Critical => (50, i64::MAX),
                    band => (i64::from(band.number()), i64::from(band.number()) + 9),
                };
                range.min <= high && low <= range.max
            });
        }
    }
    (bands.len() < Level::ALL.len()).then_some(bands)
}

/// Roughly how much a character of a gram tells, in bits: digits are in every
/// block in every order, rare letters are not.
fn rarity(folded: u8) -> f64 {
    match folded {
        b'0'..=b'9' | b' ' | b'.' | b':' | b'-' => 0.05,
        b'a'..=b'f' | b'i' | b'n' | b'o' | b'r' | b's' | b't' => 0.2,
        b'j' | b'q' | b'x' | b'z' => 1.5,
        b'a'..=b'z' => 0.6,
        _ => 1.0,
    }
}
