//! What a block's filter is told of its records besides their texts: values,
//! pairs of values, numbers, values in `extra`.

use std::borrow::Cow;

use domain::{ExtraValue, Level, Record, TextField};

use super::Encoder;
use crate::block::column::{NumberColumn, TextColumn};
use crate::block::dictionary::Dictionary;
use crate::block::filter::{
    EXTRA_DEPTH, EXTRA_VALUES, Grams, Key, MANY_EXTRA, extra_text, many_pairs,
};

/// Pairs of two fields' values are kept up to so many possible ones,
const MAX_PRODUCT: usize = 1 << 16;
/// and up to so many that there are.
const MAX_PAIRS: usize = 2_048;

impl Encoder {
    pub(super) fn add_keys(&mut self, records: &[Record], grams: &mut Grams) {
        for field in TextField::ALL {
            if !field.is_prose() {
                self.add_values(field, records, grams);
            }
        }
        for column in [
            NumberColumn::Line,
            NumberColumn::Process,
            NumberColumn::Thread,
        ] {
            let dictionary = &self.dictionaries[column as usize];
            if dictionary.is_overflown() {
                for number in &self.numbers[column as usize] {
                    grams.add(Key::number(column as u64, *number));
                }
            } else {
                let numbers = dictionary.values().map(super::number);
                numbers.for_each(|number| grams.add(Key::number(column as u64, number)));
            }
        }
        for (place, first) in TextField::CONTEXT.into_iter().enumerate() {
            for second in &TextField::CONTEXT[place + 1..] {
                self.add_pairs(first, *second, grams);
            }
            self.add_levels(first, grams);
        }
        add_extra(records, grams);
    }

    fn add_values(&self, field: TextField, records: &[Record], grams: &mut Grams) {
        let column = TextColumn::of_field(field);
        let dictionary = &self.dictionaries[column as usize];
        if dictionary.is_overflown() {
            for record in records {
                grams.add_value(field, column.of(record).as_bytes());
            }
        } else {
            let values = dictionary.values();
            values.for_each(|value| grams.add_value(field, value));
        }
    }

    fn add_pairs(&mut self, first: TextField, second: TextField, grams: &mut Grams) {
        let (left, right) = (self.dictionary_of(first), self.dictionary_of(second));
        let pairs = match (left, right) {
            (Some(left), Some(right)) => pairs(left, right.codes(), right.len()),
            _ => None,
        };
        let (Some(left), Some(right), Some(pairs)) = (left, right, pairs) else {
            grams.add_mark(many_pairs(first, second));
            return;
        };
        let keys = |field, dictionary: &Dictionary| -> Vec<Key> {
            let values = dictionary.values();
            values.map(|value| Key::value(field, value)).collect()
        };
        let (left, right) = (keys(first, left), keys(second, right));
        for (one, other) in pairs {
            grams.add(Key::pair(left[one], right[other]));
        }
    }

    fn add_levels(&self, field: TextField, grams: &mut Grams) {
        let levels = &self.numbers[NumberColumn::Level as usize];
        let band = |number: &i64| Level::of(*number as i32) as u16;
        let bands: Vec<u16> = levels.iter().map(band).collect();
        let dictionary = self.dictionary_of(field);
        let found = dictionary.and_then(|values| pairs(values, &bands, Level::ALL.len()));
        let (Some(dictionary), Some(found)) = (dictionary, found) else {
            grams.add_mark(many_pairs(field, TextField::LevelName));
            return;
        };
        let keys: Vec<Key> = dictionary
            .values()
            .map(|value| Key::value(field, value))
            .collect();
        for (value, level) in found {
            grams.add(Key::level(keys[value], Level::ALL[level]));
        }
    }

    fn dictionary_of(&self, field: TextField) -> Option<&Dictionary> {
        let dictionary = &self.dictionaries[TextColumn::of_field(field) as usize];
        (!dictionary.is_overflown()).then_some(dictionary)
    }
}

/// The pairs of codes that rows have; none when they are too many.
fn pairs(left: &Dictionary, right: &[u16], right_len: usize) -> Option<Vec<(usize, usize)>> {
    let product = left.len() * right_len;
    if product > MAX_PRODUCT {
        return None;
    }
    let mut seen = vec![false; product];
    let mut pairs = Vec::new();
    for (one, other) in left.codes().iter().zip(right) {
        let (one, other) = (usize::from(*one), usize::from(*other));
        let seen = &mut seen[one * right_len + other];
        if !*seen {
            *seen = true;
            pairs.push((one, other));
        }
    }
    (pairs.len() <= MAX_PAIRS).then_some(pairs)
}

fn add_extra(records: &[Record], grams: &mut Grams) {
    let mut is_overflown = false;
    for record in records.iter().filter(|record| !record.extra.is_empty()) {
        let mut values = 0;
        ExtraValue::visit_all(&record.extra, EXTRA_DEPTH, &mut |path, value| {
            values += 1;
            if values <= EXTRA_VALUES
                && let Some(text) = extra_text(value.text())
            {
                let key = Key::extra(path.iter().map(Cow::as_ref), &text);
                grams.add(key);
                grams.add(key.again());
            }
        });
        is_overflown |= values > EXTRA_VALUES;
    }
    if is_overflown {
        grams.add_mark(MANY_EXTRA);
    }
}
