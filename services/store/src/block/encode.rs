//! Records to a block.

mod keys;

use std::sync::{Mutex, MutexGuard};

use domain::{Record, exception};

use super::bytes::{put_varint, seal, zigzag};
use super::chunk::{Fragments, join, put_chunks};
use super::codes::put_codes;
use super::column::{COLUMNS, NumberColumn, TextColumn};
use super::dictionary::{Dictionary, GROUP_ROWS, derivation};
use super::facets::{FACET_FIELDS, Facets};
use super::filter::Grams;
use super::frame::Press;
use super::numbers::{cost_bits, put_numbers};
use super::sketch::Sketcher;
use super::{
    BlockMeta, Effort, EncodedBlock, FILTER_MIN_RECORDS, FORMAT, MAX_RECORDS, SKETCH_PART,
};

/// How many bytes of text one block takes at most, unless one record alone has more.
const BATCH_BYTES: usize = 16 << 20;
/// Encoders kept for the next user: one for commits, one for merging.
const IDLE_ENCODERS: usize = 2;
/// Kinds of columns; stored.
pub(super) mod kind {
    /// All 0, or all empty.
    pub(in crate::block) const EMPTY: u8 = 0;
    /// The same value in every row.
    pub(in crate::block) const CONSTANT: u8 = 1;
    /// Values and codes.
    pub(in crate::block) const DICTIONARY: u8 = 2;
    /// Numbers one by one, or texts in chunks.
    pub(in crate::block) const PLAIN: u8 = 3;
    /// `created` as what it is later than `received`.
    pub(in crate::block) const RELATIVE: u8 = 4;
}

/// Where a dictionary column's codes come from; stored.
pub(super) mod source {
    /// Each row has a value of its own: there are none.
    pub(in crate::block) const ROWS: u8 = 0;
    /// They follow.
    pub(in crate::block) const OWN: u8 = 1;
    /// From another column's codes, by a table.
    pub(in crate::block) const DERIVED: u8 = 2;
}

/// How many of these records, from the front, one block should take: as many
/// as fit, at least one when there is one.
#[must_use]
pub fn batch_len(records: &[Record]) -> usize {
    let mut bytes = 0;
    let fits = records.iter().take(MAX_RECORDS).take_while(|record| {
        bytes += TextColumn::ALL
            .iter()
            .map(|c| c.of(record).len())
            .sum::<usize>();
        bytes <= BATCH_BYTES
    });
    fits.count().max(records.len().min(1))
}

/// Encodes records, whose ids become `first_id`, `first_id + 1`, ... (their
/// own `id` is not looked at). Working memory, a few MiB, is kept for those who
/// encode next.
///
/// # Panics
/// Without records, or with more than [`MAX_RECORDS`].
#[must_use]
pub fn encode(first_id: u64, records: &[Record], effort: Effort) -> EncodedBlock {
    assert!(
        (1..=MAX_RECORDS).contains(&records.len()),
        "a block holds 1 to 8,192 records"
    );
    let mut encoder = idle().pop().unwrap_or_default();
    encoder.press.set_effort(effort);
    let block = encoder.encode(first_id, records);
    let mut idle = idle();
    if idle.len() < IDLE_ENCODERS {
        idle.push(encoder);
    }
    block
}

/// Encoders that nobody uses: shared, because threads that encode now and then
/// would each keep one.
fn idle() -> MutexGuard<'static, Vec<Encoder>> {
    static IDLE: Mutex<Vec<Encoder>> = Mutex::new(Vec::new());
    IDLE.lock()
        .expect("nothing panics while it holds this lock")
}

#[derive(Default)]
struct Encoder {
    press: Press,
    numbers: [Vec<i64>; NumberColumn::ALL.len()],
    dictionaries: [Dictionary; COLUMNS],
    parents: [Option<Derived>; COLUMNS],
    grams: Option<Grams>,
    sketcher: Sketcher,
    joined: Vec<u8>,
}

/// A column's codes as they follow from another column's.
struct Derived {
    parent: usize,
    map: Vec<u16>,
}

impl Encoder {
    fn encode(&mut self, first_id: u64, records: &[Record]) -> EncodedBlock {
        self.gather(records);
        self.derive(records.len());
        let mut grams =
            (records.len() >= FILTER_MIN_RECORDS).then(|| self.grams.take().unwrap_or_default());
        if let Some(grams) = &mut grams {
            self.add_dictionaries(grams);
            self.add_keys(records, grams);
        }
        let mut parts = vec![Vec::new()];
        let chunked: Vec<TextColumn> = TextColumn::ALL
            .into_iter()
            .filter(|column| self.dictionaries[*column as usize].is_overflown())
            .collect();
        let chunk_rows = if chunked.is_empty() {
            Vec::new()
        } else {
            self.sketcher.start(records.len());
            let mut fragments = grams.as_mut().map(|grams| Fragments {
                grams,
                sketcher: &mut self.sketcher,
            });
            put_chunks(
                first_id,
                records,
                &chunked,
                &mut self.press,
                &mut fragments,
                &mut parts,
            )
        };
        let has_sketch = grams.is_some() && chunked.contains(&TextColumn::Message);
        let sketch = has_sketch.then(|| {
            self.sketcher
                .part(first_id, SKETCH_PART as u32, &mut self.press)
        });
        parts[0] = self.part_0(first_id, records.len(), &chunk_rows);
        let filter = match &mut grams {
            Some(grams) => grams.take_slices(),
            None => Vec::new(),
        };
        self.grams = grams.or(self.grams.take());
        EncodedBlock {
            meta: self.meta(first_id, records.len()),
            facets: self.facets(),
            parts,
            sketch: sketch.flatten(),
            filter,
        }
    }

    /// Takes the records into numbers and dictionaries.
    fn gather(&mut self, records: &[Record]) {
        self.numbers.iter_mut().for_each(Vec::clear);
        for dictionary in &mut self.dictionaries {
            dictionary.start(records.len());
        }
        self.dictionaries[TextColumn::Fingerprint as usize].start_unbounded(records.len());
        // A few rows through all columns, then the next: they stay in the cache.
        for group in records.chunks(GROUP_ROWS) {
            for column in NumberColumn::ALL {
                let values = group.iter().map(|record| column.of(record));
                self.numbers[column as usize].extend(values);
            }
            for column in TextColumn::ALL {
                let values = group.iter().map(|record| column.of(record).as_bytes());
                self.dictionaries[column as usize].extend(values);
            }
        }
        self.gather_fingerprints(records);
        // Times hardly repeat: they have no dictionary.
        for column in &NumberColumn::ALL[2..] {
            for group in self.numbers[*column as usize].chunks(GROUP_ROWS) {
                let bytes = group.iter().map(|value| value.to_le_bytes());
                let bytes: Vec<[u8; 8]> = bytes.collect();
                self.dictionaries[*column as usize].extend(bytes.iter().map(|b| &b[..]));
            }
        }
    }

    fn gather_fingerprints(&mut self, records: &[Record]) {
        let (mut before, mut fingerprint) = ("", String::new());
        let dictionary = &mut self.dictionaries[TextColumn::Fingerprint as usize];
        for record in records {
            if record.exception != before {
                before = &record.exception;
                fingerprint = exception::fingerprint(before);
            }
            dictionary.extend(std::iter::once(fingerprint.as_bytes()));
        }
    }

    /// Finds columns that follow from another one, such as a thread's name
    /// from its number: they need no codes.
    fn derive(&mut self, rows: usize) {
        self.parents = Default::default();
        let coded = |column: &usize| {
            let dictionary = &self.dictionaries[*column];
            !dictionary.is_overflown() && (2..rows).contains(&dictionary.len())
        };
        let mut columns: Vec<usize> = (2..COLUMNS).filter(coded).collect();
        columns.sort_by_key(|column| self.dictionaries[*column].len());
        while let Some(child) = columns.pop() {
            // From the largest to the smallest: what is still in the list has
            // no more values; what was taken out and kept its codes may be a
            // parent, the one with the fewest values giving the shortest table.
            let mut best: Option<Derived> = None;
            for parent in (2..COLUMNS).filter(coded) {
                let known = columns.contains(&parent) || parent == child;
                if known || self.parents[parent].is_some() {
                    continue;
                }
                let (from, to) = (&self.dictionaries[parent], &self.dictionaries[child]);
                let shorter = best.as_ref().is_none_or(|best| from.len() < best.map.len());
                if shorter && let Some(map) = derivation(from, to) {
                    best = Some(Derived { parent, map });
                }
            }
            self.parents[child] = best;
        }
    }

    fn add_dictionaries(&self, grams: &mut Grams) {
        let mut joined = Vec::new();
        for column in TextColumn::SEARCHED {
            let dictionary = &self.dictionaries[column as usize];
            if !dictionary.is_overflown() {
                join(dictionary.values().map(text), &mut joined);
                grams.add_texts(&joined, dictionary.len());
            }
        }
    }

    fn facets(&self) -> Facets {
        let mut facets = Facets::default();
        for (place, field) in FACET_FIELDS.into_iter().enumerate() {
            let dictionary = &self.dictionaries[TextColumn::of_field(field) as usize];
            if dictionary.is_overflown() {
                continue;
            }
            let mut counts = vec![0; dictionary.len()];
            for code in dictionary.codes() {
                counts[usize::from(*code)] += 1;
            }
            let values = dictionary.values().map(|value| text(value).to_owned());
            facets.set(place, values.zip(counts).collect());
        }
        let codes = |column: TextColumn| {
            let codes = self.dictionaries[column as usize].codes().iter();
            codes.map(|code| u32::from(*code))
        };
        let systems = codes(TextColumn::System).zip(codes(TextColumn::SubSystem));
        let received = self.numbers[NumberColumn::Received as usize].iter();
        let rows = systems.zip(received);
        facets.set_sources(rows.map(|((system, sub), received)| (system, sub, *received)));
        facets
    }

    fn part_0(&mut self, first_id: u64, rows: usize, chunk_rows: &[usize]) -> Vec<u8> {
        let mut part = vec![FORMAT as u8];
        put_varint(&mut part, rows as u64);
        put_varint(&mut part, chunk_rows.len() as u64);
        for rows in chunk_rows {
            put_varint(&mut part, *rows as u64);
        }
        let mut body = Vec::new();
        let kinds = NumberColumn::ALL.map(|column| (column as usize, Some(column)));
        let texts = TextColumn::STORED.map(|column| (column as usize, None));
        for (index, number) in kinds.into_iter().chain(texts) {
            body.clear();
            let kind = match number {
                Some(column) => self.put_number_column(&mut body, column),
                None => self.put_text_column(&mut body, index),
            };
            part.push(kind);
            if kind != kind::EMPTY {
                put_varint(&mut part, body.len() as u64);
                part.extend_from_slice(&body);
            }
        }
        seal(&mut part, first_id, 0);
        part
    }

    fn put_number_column(&mut self, body: &mut Vec<u8>, column: NumberColumn) -> u8 {
        let values = &self.numbers[column as usize];
        if values.iter().all(|value| *value == values[0]) {
            if values[0] == 0 {
                return kind::EMPTY;
            }
            put_varint(body, zigzag(values[0]));
            return kind::CONSTANT;
        }
        let dictionary = &self.dictionaries[column as usize];
        match column {
            NumberColumn::Received => {}
            NumberColumn::Created => {
                let received = &self.numbers[NumberColumn::Received as usize];
                let pairs = values.iter().zip(received);
                let later: Vec<i64> = pairs.map(|(c, r)| c.wrapping_sub(*r)).collect();
                if cost_bits(&later) < cost_bits(values) {
                    put_numbers(&mut self.press, body, &later);
                    return kind::RELATIVE;
                }
            }
            _ if dictionary.is_overflown() || dictionary.len() == values.len() => {}
            _ => {
                let values: Vec<i64> = dictionary.values().map(number).collect();
                self.put_codes(body, column as usize);
                put_numbers(&mut self.press, body, &values);
                return kind::DICTIONARY;
            }
        }
        put_numbers(&mut self.press, body, &self.numbers[column as usize]);
        kind::PLAIN
    }

    fn put_text_column(&mut self, body: &mut Vec<u8>, column: usize) -> u8 {
        let dictionary = &self.dictionaries[column];
        if dictionary.is_overflown() {
            return kind::PLAIN;
        }
        if dictionary.len() == 1 {
            let value = dictionary.values().next().unwrap_or_default();
            if value.is_empty() {
                return kind::EMPTY;
            }
            self.press.put(body, value);
            return kind::CONSTANT;
        }
        join(dictionary.values().map(text), &mut self.joined);
        self.put_codes(body, column);
        self.press.put(body, &self.joined);
        kind::DICTIONARY
    }

    /// Appends how many values a dictionary has, and its codes.
    fn put_codes(&mut self, body: &mut Vec<u8>, column: usize) {
        let dictionary = &self.dictionaries[column];
        let mut codes = Vec::new();
        if dictionary.len() == dictionary.codes().len() {
            codes.push(source::ROWS);
        } else if let Some(derived) = &self.parents[column] {
            codes.extend([source::DERIVED, derived.parent as u8]);
            put_codes(&mut self.press, &mut codes, &derived.map, dictionary.len());
        } else {
            codes.push(source::OWN);
            put_codes(
                &mut self.press,
                &mut codes,
                dictionary.codes(),
                dictionary.len(),
            );
        }
        put_varint(body, dictionary.len() as u64);
        put_varint(body, codes.len() as u64);
        body.extend_from_slice(&codes);
    }

    fn meta(&self, first_id: u64, rows: usize) -> BlockMeta {
        let bounds = |column: NumberColumn| {
            let values = &self.numbers[column as usize];
            let all = values.iter().copied();
            all.clone().min().zip(all.max()).expect("there are records")
        };
        let (min_received_us, max_received_us) = bounds(NumberColumn::Received);
        let (min_created_us, max_created_us) = bounds(NumberColumn::Created);
        let mut numbers = self.numbers[NumberColumn::Level as usize].clone();
        numbers.sort_unstable();
        let level = |same: &[i64]| (same[0] as i32, same.len() as u32);
        BlockMeta {
            first_id,
            count: rows as u32,
            min_received_us,
            max_received_us,
            min_created_us,
            max_created_us,
            levels: numbers.chunk_by(i64::eq).map(level).collect(),
        }
    }
}

fn text(value: &[u8]) -> &str {
    std::str::from_utf8(value).expect("only texts were pushed")
}

fn number(value: &[u8]) -> i64 {
    i64::from_le_bytes(value.try_into().expect("only 8 bytes were pushed"))
}
