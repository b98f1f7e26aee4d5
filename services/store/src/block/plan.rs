//! A filter made ready for blocks: a tree of tests, and what of it a block's
//! summary and skip filter can decide.

mod hint;
mod literal;
mod need;

use domain::{
    Condition, ExtraPath, ExtraTest, Glob, NumberField, NumberRange, Pattern, RecordFilter,
    TextField, TextTest, fold,
};
use memchr::memmem::Finder;

use super::BlockMeta;
use super::column::TextColumn;
use super::facets::FACET_FIELDS;
use super::filter::{holds, open_slice};
use super::sketch::Outline;
pub(super) use hint::Hint;
use need::{Keys, Need};

/// A compiled [`RecordFilter`].
#[derive(Debug)]
pub struct Plan {
    pub(super) root: Node,
    pub(super) leaves: Vec<Leaf>,
    need: Need,
    keys: Keys,
}

/// The tree; leaves by their place in [`Plan::leaves`].
#[derive(Debug)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Leaf(usize),
}

/// A test of one record.
#[derive(Debug)]
pub(super) enum Leaf {
    /// A searched text contains the needle.
    Contains(Needle),
    /// The pattern finds something in a searched text.
    Finds(Pattern),
    /// A text passes a test.
    Text(TextColumn, Test),
    /// A number is in a range.
    Number(NumberField, NumberRange),
    /// A value of `extra` passes a test.
    Extra(ExtraPath, ExtraTest, Hint),
}

/// A test of one text.
#[derive(Debug)]
pub(super) enum Test {
    Needle(Needle),
    /// What the glob matches contains the needle, which has its case.
    Like(Glob, Needle),
    Other(TextTest),
}

/// A text to be found; not empty.
#[derive(Debug, Clone)]
pub(super) struct Needle {
    /// Its case counts; else it has none.
    pub(super) is_cased: bool,
    pub(super) finder: Box<Finder<'static>>,
    /// None when the forms of messages tell nothing of it.
    pub(super) outline: Option<Outline>,
}

/// What is known of a block's records together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// None passes.
    Nothing,
    /// Some may pass.
    Something,
    /// All pass.
    Everything,
}

/// Which keys of a plan a block is known to lack, as far as its filter has been
/// looked at.
#[derive(Debug, Clone, Default)]
pub struct Looks {
    absent: Vec<u64>,
}

impl Needle {
    fn new(folded: &str) -> Self {
        Self {
            is_cased: false,
            finder: Box::new(Finder::new(folded.as_bytes()).into_owned()),
            outline: Outline::of(folded),
        }
    }

    fn cased(text: &str) -> Self {
        Self {
            is_cased: true,
            ..Self::new(text)
        }
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        self.finder.find(fold(text).as_bytes()).is_some()
    }
}

impl Test {
    fn new(test: &TextTest) -> Self {
        match test {
            TextTest::Contains(text) if !text.is_empty() => Self::Needle(Needle::new(&fold(text))),
            TextTest::Like(glob) => match glob.pieces().iter().max_by_key(|piece| piece.len()) {
                Some(piece) if !piece.is_empty() => Self::Like(glob.clone(), Needle::cased(piece)),
                _ => Self::Other(test.clone()),
            },
            test => Self::Other(test.clone()),
        }
    }

    /// Whether a text passes.
    pub(super) fn passes(&self, text: &str) -> bool {
        match self {
            Self::Needle(needle) => needle.is_in(text),
            Self::Like(glob, _) => glob.matches(text),
            Self::Other(test) => test.passes(text),
        }
    }
}

impl Plan {
    /// Compiles a filter.
    #[must_use]
    pub fn new(filter: &RecordFilter) -> Self {
        let mut leaves = Vec::new();
        let mut all = Vec::new();
        if filter.from_us.is_some() || filter.to_us.is_some() {
            let range = NumberRange {
                min: filter.from_us.unwrap_or(i64::MIN),
                max: filter.to_us.map_or(i64::MAX, |to| to.saturating_sub(1)),
            };
            all.push(Node::Leaf(leaves.len()));
            leaves.push(Leaf::Number(NumberField::Received, range));
            if filter.to_us == Some(i64::MIN) {
                all.push(Node::Any(Vec::new()));
            }
        }
        all.push(node(&filter.condition, &mut leaves));
        let mut keys = Keys::default();
        let need = Need::of(&filter.condition, &mut keys);
        keys.sort_slices(&need);
        Self {
            root: Node::All(all),
            leaves,
            need,
            keys,
        }
    }

    /// What a block's summary tells. `counted` says how many of its records
    /// pass a leaf of [`Plan::values`], when that is known.
    #[must_use]
    pub fn verdict(&self, meta: &BlockMeta, counted: &dyn Fn(usize) -> Option<u32>) -> Verdict {
        self.judge(&self.root, meta, counted)
    }

    /// How many records of a block can pass, from the same knowledge.
    #[must_use]
    pub fn most(&self, meta: &BlockMeta, counted: &dyn Fn(usize) -> Option<u32>) -> u32 {
        self.most_of(&self.root, meta, counted)
    }

    /// The leaves that ask for one value of a field of [`FACET_FIELDS`]: the
    /// leaf, the field's place, the value.
    pub fn values(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        self.leaves.iter().enumerate().filter_map(|(leaf, test)| {
            let Leaf::Text(column, Test::Other(TextTest::Is(value))) = test else {
                return None;
            };
            let is_column = |field: &TextField| TextColumn::of_field(*field) == *column;
            let place = FACET_FIELDS.iter().position(is_column)?;
            Some((leaf, place, value.as_str()))
        })
    }

    /// The system and the sub system that every match has, if the filter names
    /// both.
    #[must_use]
    pub fn source(&self) -> Option<(&str, &str)> {
        let mut all = vec![&self.root];
        let (mut system, mut sub_system) = (None, None);
        while let Some(node) = all.pop() {
            match node {
                Node::All(nodes) => all.extend(nodes),
                Node::Leaf(leaf) => match &self.leaves[*leaf] {
                    Leaf::Text(TextColumn::System, Test::Other(TextTest::Is(value))) => {
                        system = Some(value.as_str());
                    }
                    Leaf::Text(TextColumn::SubSystem, Test::Other(TextTest::Is(value))) => {
                        sub_system = Some(value.as_str());
                    }
                    _ => {}
                },
                Node::Any(_) | Node::Not(_) => {}
            }
        }
        system.zip(sub_system)
    }

    fn judge(
        &self,
        node: &Node,
        meta: &BlockMeta,
        counted: &dyn Fn(usize) -> Option<u32>,
    ) -> Verdict {
        match node {
            Node::All(all) => {
                let mut verdict = Verdict::Everything;
                for node in all {
                    match self.judge(node, meta, counted) {
                        Verdict::Nothing => return Verdict::Nothing,
                        Verdict::Something => verdict = Verdict::Something,
                        Verdict::Everything => {}
                    }
                }
                verdict
            }
            Node::Any(any) => {
                let mut verdict = Verdict::Nothing;
                for node in any {
                    match self.judge(node, meta, counted) {
                        Verdict::Everything => return Verdict::Everything,
                        Verdict::Something => verdict = Verdict::Something,
                        Verdict::Nothing => {}
                    }
                }
                verdict
            }
            Node::Not(inner) => match self.judge(inner, meta, counted) {
                Verdict::Nothing => Verdict::Everything,
                Verdict::Something => Verdict::Something,
                Verdict::Everything => Verdict::Nothing,
            },
            Node::Leaf(leaf) => match &self.leaves[*leaf] {
                Leaf::Number(field, range) => number_verdict(*field, *range, meta),
                _ => match counted(*leaf) {
                    Some(0) => Verdict::Nothing,
                    Some(count) if count == meta.count => Verdict::Everything,
                    _ => Verdict::Something,
                },
            },
        }
    }

    fn most_of(
        &self,
        node: &Node,
        meta: &BlockMeta,
        counted: &dyn Fn(usize) -> Option<u32>,
    ) -> u32 {
        let most = |node: &Node| self.most_of(node, meta, counted);
        match node {
            Node::All(all) => all.iter().map(most).fold(meta.count, u32::min),
            Node::Any(any) => any
                .iter()
                .map(most)
                .fold(0, u32::saturating_add)
                .min(meta.count),
            Node::Not(_) => meta.count,
            Node::Leaf(leaf) => match &self.leaves[*leaf] {
                Leaf::Number(NumberField::Level, range) => {
                    let passes = |level: &&(i32, u32)| range.contains(i64::from(level.0));
                    meta.levels.iter().filter(passes).map(|level| level.1).sum()
                }
                Leaf::Number(..) => meta.count,
                _ => counted(*leaf).unwrap_or(meta.count),
            },
        }
    }

    /// Whether the sketch of a block helps.
    #[must_use]
    pub fn wants_sketch(&self) -> bool {
        self.leaves.iter().any(|leaf| match leaf {
            Leaf::Contains(needle)
            | Leaf::Text(TextColumn::Message, Test::Needle(needle) | Test::Like(_, needle)) => {
                needle.outline.is_some()
            }
            _ => false,
        })
    }

    /// The slices of a block's filter that are worth a look, best first.
    #[must_use]
    pub fn slices(&self) -> &[usize] {
        &self.keys.slices
    }

    /// Whether a block can hold a match after a look at one slice of its
    /// filter. A damaged slice rules nothing out.
    #[must_use]
    pub fn look(&self, slice: usize, bits: &[u8], looks: &mut Looks) -> bool {
        if let Ok(body) = open_slice(bits, slice) {
            for (index, key) in self.keys.in_slice(slice) {
                if matches!(holds(body, key), Ok(false)) {
                    looks.set_absent(index);
                }
            }
        }
        self.need.may_hold(looks)
    }
}

impl Looks {
    fn set_absent(&mut self, key: usize) {
        if self.absent.len() <= key / 64 {
            self.absent.resize(key / 64 + 1, 0);
        }
        self.absent[key / 64] |= 1 << (key % 64);
    }

    fn is_absent(&self, key: usize) -> bool {
        let word = self.absent.get(key / 64).copied().unwrap_or(0);
        word >> (key % 64) & 1 == 1
    }
}

fn number_verdict(field: NumberField, range: NumberRange, meta: &BlockMeta) -> Verdict {
    let within = |min: i64, max: i64| {
        if max < range.min || min > range.max || range.min > range.max {
            Verdict::Nothing
        } else if range.min <= min && max <= range.max {
            Verdict::Everything
        } else {
            Verdict::Something
        }
    };
    match field {
        NumberField::Id => {
            let first = meta.first_id.cast_signed();
            within(first, first + i64::from(meta.count) - 1)
        }
        NumberField::Received => within(meta.min_received_us, meta.max_received_us),
        NumberField::Created => within(meta.min_created_us, meta.max_created_us),
        NumberField::Level => {
            let passes = |level: &&(i32, u32)| range.contains(i64::from(level.0));
            match meta.levels.iter().filter(passes).count() {
                0 => Verdict::Nothing,
                count if count == meta.levels.len() => Verdict::Everything,
                _ => Verdict::Something,
            }
        }
        NumberField::Line | NumberField::Process | NumberField::Thread => Verdict::Something,
    }
}

/// A condition as a node; cheap tests come first where order does not matter.
fn node(condition: &Condition, leaves: &mut Vec<Leaf>) -> Node {
    let leaf = match condition {
        Condition::All(all) => return Node::All(nodes(all, leaves)),
        Condition::Any(any) => return Node::Any(nodes(any, leaves)),
        Condition::Not(inner) => return Node::Not(Box::new(node(inner, leaves))),
        Condition::Contains(text) => match &*fold(text) {
            "" => return Node::All(Vec::new()),
            folded => Leaf::Contains(Needle::new(folded)),
        },
        Condition::Finds(pattern) => Leaf::Finds(pattern.clone()),
        Condition::Text(field, test) => Leaf::Text(TextColumn::of_field(*field), Test::new(test)),
        Condition::Number(field, range) => Leaf::Number(*field, *range),
        Condition::Extra(path, test) => {
            Leaf::Extra(path.clone(), test.clone(), Hint::of(path, test))
        }
    };
    leaves.push(leaf);
    Node::Leaf(leaves.len() - 1)
}

fn nodes(conditions: &[Condition], leaves: &mut Vec<Leaf>) -> Vec<Node> {
    let mut ordered: Vec<&Condition> = conditions.iter().collect();
    ordered.sort_by_key(|condition| cost(condition));
    ordered
        .into_iter()
        .map(|condition| node(condition, leaves))
        .collect()
}

/// Roughly how dear a test is, in no unit.
fn cost(condition: &Condition) -> u32 {
    let sum = |parts: &[Condition]| parts.iter().map(cost).fold(0, u32::saturating_add);
    match condition {
        Condition::Number(..) => 1,
        Condition::Text(field, TextTest::Is(_)) if !field.is_prose() => 2,
        Condition::Text(..) => 6,
        Condition::Contains(_) => 10,
        Condition::Extra(..) => 40,
        Condition::Finds(_) => 60,
        Condition::All(parts) | Condition::Any(parts) => sum(parts),
        Condition::Not(inner) => cost(inner),
    }
}

#[cfg(test)]
mod tests;
