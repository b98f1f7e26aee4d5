//! A filter made ready for blocks.

use domain::{Micros, RecordFilter};
use memchr::memmem::Finder;

use super::column::TextColumn;
use super::filter::{WINDOW, context_key, for_each_id_key, gram_key, slice_holds, slice_of};
use super::{BlockMeta, FILTER_SLICES};

/// More looks than these cost more than they save.
const MAX_PROBES: usize = 12;

/// A compiled [`RecordFilter`].
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) min_level: Option<i32>,
    pub(super) from_us: Option<Micros>,
    pub(super) to_us: Option<Micros>,
    pub(super) context: Vec<(TextColumn, String)>,
    pub(super) needles: Vec<Needle>,
    probes: Vec<Probe>,
}

/// A text to be found, without its case; not empty.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    pub(super) finder: Finder<'static>,
}

/// One look at one slice of a block's filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Which slice, below [`FILTER_SLICES`].
    pub slice: usize,
    /// What a block with a match has in it.
    keys: Vec<u64>,
}

impl Needle {
    fn new(folded: &str) -> Self {
        Self {
            finder: Finder::new(folded.as_bytes()).into_owned(),
        }
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        self.finder
            .find(RecordFilter::fold(text).as_bytes())
            .is_some()
    }
}

impl Plan {
    /// Compiles a filter.
    #[must_use]
    pub fn new(filter: &RecordFilter) -> Self {
        let folded = filter
            .substrings
            .iter()
            .map(|text| RecordFilter::fold(text));
        let mut folded: Vec<_> = folded.filter(|text| !text.is_empty()).collect();
        folded.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
        folded.dedup();
        let context = filter.context.iter();
        Self {
            min_level: filter.min_level,
            from_us: filter.from_us,
            to_us: filter.to_us,
            context: context
                .map(|(field, value)| (TextColumn::of_context(*field), value.clone()))
                .collect(),
            probes: probes(filter, folded.iter().map(|text| text.as_bytes())),
            needles: folded.iter().map(|text| Needle::new(text)).collect(),
        }
    }

    /// Whether a block can hold a match, as far as its summary tells.
    #[must_use]
    pub fn may_match(&self, meta: &BlockMeta) -> bool {
        let highest = meta.levels.last().map_or(i32::MIN, |(level, _)| *level);
        self.min_level.is_none_or(|min| highest >= min)
            && self.from_us.is_none_or(|from| meta.max_received_us >= from)
            && self.to_us.is_none_or(|to| meta.min_received_us < to)
    }

    /// The looks at a block's filter that pay, best first; none when the
    /// filter cannot help. Each rules blocks out on its own.
    #[must_use]
    pub fn probes(&self) -> Vec<Probe> {
        self.probes.clone()
    }

    /// Whether a block can hold a match, as far as this slice of its filter
    /// tells. A damaged slice cannot rule anything out: true.
    #[must_use]
    pub fn probe(&self, probe: &Probe, slice: &[u8]) -> bool {
        slice_holds(slice, probe.slice, &probe.keys).unwrap_or(true)
    }
}

fn probes<'a>(filter: &RecordFilter, needles: impl Iterator<Item = &'a [u8]>) -> Vec<Probe> {
    let mut slices: Vec<(f64, Probe)> = (0..FILTER_SLICES)
        .map(|slice| {
            (
                0.0,
                Probe {
                    slice,
                    keys: Vec::new(),
                },
            )
        })
        .collect();
    let mut add = |key: u64, weight: f64| {
        let (sum, probe) = &mut slices[slice_of(key)];
        if !probe.keys.contains(&key) {
            *sum += weight;
            probe.keys.push(key);
        }
    };
    for (field, value) in &filter.context {
        add(context_key(*field, value.as_bytes()), 6.0);
    }
    for needle in needles {
        for gram in needle.array_windows::<3>() {
            add(gram_key(*gram), gram.iter().map(|byte| rarity(*byte)).sum());
        }
        if needle.len() >= WINDOW {
            for_each_id_key(needle, |key| add(key, 8.0));
        }
    }
    slices.retain(|(_, probe)| !probe.keys.is_empty());
    slices.sort_by(|(left, _), (right, _)| right.total_cmp(left));
    slices
        .into_iter()
        .take(MAX_PROBES)
        .map(|(_, probe)| probe)
        .collect()
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
