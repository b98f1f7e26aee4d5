//! A range of time cut into equal parts, and what the store holds in it.

use domain::{Micros, Order, RecordFilter};

use crate::{block::BlockMeta, catalog::Catalog};

/// Equal parts of a range of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timeline {
    /// Where each part begins, rising.
    starts: Vec<Micros>,
    to_us: Micros,
}

/// What the store holds of a range of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The first id behind it.
    pub(crate) end: u64,
    /// The range: as asked for or, where it was left open, from the oldest
    /// record and to behind the newest. None without a record whose block's
    /// summary is what was written.
    pub(crate) range_us: Option<(Micros, Micros)>,
}

impl Extent {
    /// What the catalog knows of it; at ends that were asked for as exact as
    /// blocks tell.
    pub(crate) fn of(catalog: &Catalog, filter: &RecordFilter) -> Self {
        let mut extent = Self {
            end: 1,
            range_us: None,
        };
        let view = catalog.view();
        for entry in view.blocks(&(0..u64::MAX), Order::OldestFirst) {
            let meta = &entry.meta;
            extent.end = entry.end();
            if !entry.is_sure {
                continue;
            }
            let (oldest, newest) = (meta.min_received_us, meta.max_received_us);
            if filter.from_us.is_some_and(|from| newest < from)
                || filter.to_us.is_some_and(|to| oldest >= to)
            {
                continue;
            }
            let behind = newest.saturating_add(1);
            extent.range_us = Some(match extent.range_us {
                Some((from, to)) => (from.min(oldest), to.max(behind)),
                None => (oldest, behind),
            });
        }
        drop(view);
        extent.range_us = extent
            .range_us
            .map(|(oldest, behind)| {
                (
                    filter.from_us.unwrap_or(oldest),
                    filter.to_us.unwrap_or(behind),
                )
            })
            .filter(|(from, to)| from < to);
        extent
    }
}

impl Timeline {
    /// Cuts the range from `from_us` to before `to_us` into `count` parts, which
    /// differ by a microsecond at most; none without parts or without a range.
    pub(crate) fn new(range_us: Option<(Micros, Micros)>, count: usize) -> Option<Self> {
        let (from_us, to_us) = range_us?;
        let width = i128::from(to_us) - i128::from(from_us);
        let start = |part: usize| {
            let offset = width * part as i128 / count as i128;
            i64::try_from(i128::from(from_us) + offset).unwrap_or(to_us)
        };
        (count > 0 && width > 0).then(|| Self {
            starts: (0..count).map(start).collect(),
            to_us,
        })
    }

    /// How many parts.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Where each part begins and ends.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Micros, Micros)> {
        let ends = self.starts[1..].iter().chain([&self.to_us]);
        self.starts.iter().copied().zip(ends.copied())
    }

    /// The part of a time; none outside.
    pub(crate) fn part_of(&self, time_us: Micros) -> Option<usize> {
        if time_us >= self.to_us {
            return None;
        }
        self.starts
            .partition_point(|start| *start <= time_us)
            .checked_sub(1)
    }

    /// The part that holds all records of a block.
    pub(crate) fn part_of_block(&self, meta: &BlockMeta) -> Option<usize> {
        let part = self.part_of(meta.min_received_us)?;
        (self.part_of(meta.max_received_us)? == part).then_some(part)
    }

    /// Parts of times that mostly follow each other.
    pub(crate) fn cursor(&self) -> Cursor<'_> {
        Cursor {
            timeline: self,
            part: None,
            from_us: 0,
            to_us: 0,
        }
    }
}

/// Finds parts of times, quickly when the time is in the part before.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    timeline: &'a Timeline,
    part: Option<usize>,
    from_us: Micros,
    to_us: Micros,
}

impl Cursor<'_> {
    /// As [`Timeline::part_of`].
    pub(crate) fn part_of(&mut self, time_us: Micros) -> Option<usize> {
        if !(self.from_us..self.to_us).contains(&time_us) {
            self.part = self.timeline.part_of(time_us);
            let Timeline { starts, to_us } = self.timeline;
            (self.from_us, self.to_us) = match self.part {
                Some(part) => (
                    starts[part],
                    starts.get(part + 1).copied().unwrap_or(*to_us),
                ),
                None => (0, 0),
            };
        }
        self.part
    }
}

#[cfg(test)]
mod tests {
    use super::Timeline;

    #[test]
    fn parts_adjoin_and_hold_their_times() {
        for (from, to, count) in [
            (0, 60, 60),
            (0, 61, 7),
            (-5, 4, 3),
            (10, 13, 7),
            (i64::MIN, i64::MAX, 1_000),
            (5, 6, 1),
        ] {
            let timeline = Timeline::new(Some((from, to)), count).unwrap();
            let parts: Vec<_> = timeline.parts().collect();
            assert_eq!(parts.len(), count);
            assert_eq!((parts[0].0, parts[count - 1].1), (from, to));
            assert!(parts.windows(2).all(|two| two[0].1 == two[1].0));
            let mut cursor = timeline.cursor();
            for time in [from, from + 1, to - 1, to, from / 2 + to / 2] {
                let expected = parts
                    .iter()
                    .position(|part| part.0 <= time && time < part.1);
                assert_eq!(timeline.part_of(time), expected, "{time}");
                assert_eq!(cursor.part_of(time), expected, "{time}");
            }
        }
    }

    #[test]
    fn nothing_has_no_parts() {
        for (range, count) in [(None, 3), (Some((0, 0)), 3), (Some((0, 9)), 0)] {
            assert_eq!(Timeline::new(range, count), None);
        }
    }
}
