//! What part 0 of a block decides of a plan, for all rows at once.

use std::ops::Range;
use std::sync::OnceLock;

use domain::{Glob, NumberField, NumberRange};

use super::column::{NumberColumn, TextColumn};
use super::decode::{Block, TextValues};
use super::plan::{Leaf, Needle, Node, Test};
use super::select::{Rows, Sets};
use super::{BlockError, Plan, Selection};

impl Block {
    /// The rows with an id in `ids` that pass, or may pass, as far as part 0
    /// tells. [`Block::scan`] decides the rest.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn select(&self, plan: &Plan, ids: Range<u64>) -> Result<Selection, BlockError> {
        let mut leaves = Vec::new();
        leaves.resize_with(plan.leaves.len(), OnceLock::new);
        let mut selection = Selection {
            rows: Rows::range(self.rows(), self.rows_of(ids)),
            sure: Rows::none(self.rows()),
            leaves,
        };
        let within = Some(&selection.rows);
        let Sets { sure, possible } = self.judge(plan, &plan.root, within, &selection)?;
        selection.rows.intersect(&possible);
        selection.sure = sure;
        Ok(selection)
    }

    fn rows_of(&self, ids: Range<u64>) -> Range<usize> {
        let row = |id: u64| {
            let row = id.saturating_sub(self.meta.first_id);
            usize::try_from(row).map_or(self.rows(), |row| row.min(self.rows()))
        };
        row(ids.start)..row(ids.end)
    }

    /// Rows that are not `within` need not be right.
    fn judge(
        &self,
        plan: &Plan,
        node: &Node,
        within: Option<&Rows>,
        selection: &Selection,
    ) -> Result<Sets, BlockError> {
        match node {
            Node::All(all) => {
                let mut sets = Sets::all(self.rows());
                for node in all {
                    let of_node = self.judge(plan, node, within, selection)?;
                    sets.sure.intersect(&of_node.sure);
                    sets.possible.intersect(&of_node.possible);
                    if within.is_some_and(|within| sets.possible.is_disjoint(within)) {
                        return Ok(Sets::none(self.rows()));
                    }
                }
                Ok(sets)
            }
            Node::Any(any) => {
                let mut sets = Sets::none(self.rows());
                for node in any {
                    let of_node = self.judge(plan, node, within, selection)?;
                    sets.sure.unite(&of_node.sure);
                    sets.possible.unite(&of_node.possible);
                }
                Ok(sets)
            }
            Node::Not(inner) => {
                let Sets { sure, possible } = self.judge(plan, inner, None, selection)?;
                Ok(Sets {
                    sure: possible.complement(self.rows()),
                    possible: sure.complement(self.rows()),
                })
            }
            Node::Leaf(leaf) => self.sets(plan, *leaf, selection).cloned(),
        }
    }

    /// What part 0 decides of a leaf; kept in the selection.
    pub(super) fn sets<'a>(
        &self,
        plan: &Plan,
        leaf: usize,
        selection: &'a Selection,
    ) -> Result<&'a Sets, BlockError> {
        let kept = &selection.leaves[leaf];
        if let Some(sets) = kept.get() {
            return Ok(sets);
        }
        let sets = self.leaf_sets(&plan.leaves[leaf])?;
        Ok(kept.get_or_init(|| sets))
    }

    fn leaf_sets(&self, leaf: &Leaf) -> Result<Sets, BlockError> {
        match leaf {
            Leaf::Contains(needle) => self.any_column(
                &TextColumn::SEARCHED,
                |texts| self.rows_with(texts, needle),
                |column| self.sketched(column, needle),
            ),
            Leaf::Finds(pattern) => self.any_column(
                &TextColumn::SEARCHED,
                |texts| self.rows_where(texts, |text| pattern.finds(text)),
                |_| None,
            ),
            Leaf::Text(column, Test::Needle(needle)) => self.any_column(
                &[*column],
                |texts| self.rows_with(texts, needle),
                |column| self.sketched(column, needle),
            ),
            Leaf::Text(column, Test::Like(glob, needle)) => self.any_column(
                &[*column],
                |texts| self.rows_where(texts, |text| glob.matches(text)),
                |column| {
                    let sets = self.sketched(column, needle)?;
                    match is_anywhere(glob) {
                        true => Some(sets),
                        false => Some(sets.unsure(self.rows())),
                    }
                },
            ),
            Leaf::Text(column, test) => self.any_column(
                &[*column],
                |texts| self.rows_where(texts, |text| test.passes(text)),
                |_| None,
            ),
            Leaf::Extra(path, test, hint) => self.any_column(
                &[TextColumn::Extra],
                |texts| {
                    self.rows_where(texts, |text| hint.may_hold(text) && test.passes(text, path))
                },
                |_| None,
            ),
            Leaf::Number(field, range) => self.number_sets(*field, *range),
        }
    }

    /// The rows that pass in one of these columns, of which some may be in the
    /// chunks; of those the forms of messages may tell something.
    fn any_column(
        &self,
        columns: &[TextColumn],
        rows: impl Fn(&TextValues) -> Result<Option<Rows>, BlockError>,
        sketched: impl Fn(TextColumn) -> Option<Sets>,
    ) -> Result<Sets, BlockError> {
        let mut sets = Sets::none(self.rows());
        for column in columns {
            match self.text_column(*column)? {
                Some(texts) => {
                    if let Some(rows) = rows(texts)? {
                        sets.sure.unite(&rows);
                        sets.possible.unite(&rows);
                    }
                }
                None => match sketched(*column) {
                    Some(of_forms) => {
                        sets.sure.unite(&of_forms.sure);
                        sets.possible.unite(&of_forms.possible);
                    }
                    None => sets.possible = Rows::all(self.rows()),
                },
            }
        }
        Ok(sets)
    }

    /// What the forms of the messages tell of a needle.
    fn sketched(&self, column: TextColumn, needle: &Needle) -> Option<Sets> {
        let sketch = self.sketch.as_ref()?;
        let outline = needle.outline.as_ref()?;
        if column != TextColumn::Message {
            return None;
        }
        sketch.sets(&needle.finder, outline, needle.is_cased, self.rows())
    }

    /// The rows whose value contains the needle; none for none.
    fn rows_with(&self, texts: &TextValues, needle: &Needle) -> Result<Option<Rows>, BlockError> {
        let mut wanted = vec![false; texts.count];
        let mut any = false;
        texts.folded()?.search(&needle.finder, |code| {
            wanted[code] = true;
            any = true;
        });
        Ok(any.then(|| texts.codes.rows(self.rows(), &wanted)))
    }

    /// The rows whose value passes; none for none.
    fn rows_where(
        &self,
        texts: &TextValues,
        passes: impl Fn(&str) -> bool,
    ) -> Result<Option<Rows>, BlockError> {
        let wanted = (0..texts.count)
            .map(|code| Ok(passes(texts.values.get(code)?)))
            .collect::<Result<Vec<bool>, BlockError>>()?;
        let any = wanted.contains(&true);
        Ok(any.then(|| texts.codes.rows(self.rows(), &wanted)))
    }

    fn number_sets(&self, field: NumberField, range: NumberRange) -> Result<Sets, BlockError> {
        let column = match field {
            NumberField::Id => {
                let min = range.min.max(0).cast_unsigned();
                let max = range.max.max(-1).saturating_add(1).cast_unsigned();
                let rows = Rows::range(self.rows(), self.rows_of(min..max.max(min)));
                return Ok(Sets::decided(rows));
            }
            NumberField::Received => NumberColumn::Received,
            NumberField::Created => NumberColumn::Created,
            NumberField::Level => NumberColumn::Level,
            NumberField::Line => NumberColumn::Line,
            NumberField::Process => NumberColumn::Process,
            NumberField::Thread => NumberColumn::Thread,
        };
        let numbers = self.number_column(column)?;
        let wanted: Vec<bool> = numbers
            .values
            .iter()
            .map(|number| range.contains(*number))
            .collect();
        Ok(Sets::decided(numbers.codes.rows(self.rows(), &wanted)))
    }
}

/// Whether a glob matches whatever has its one piece somewhere.
fn is_anywhere(glob: &Glob) -> bool {
    matches!(glob.pieces(), [before, _, after] if before.is_empty() && after.is_empty())
}
