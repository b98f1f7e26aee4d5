//! What only the text chunks of a block decide of a plan.

use domain::Order;

use super::chunk::Chunk;
use super::column::TextColumn;
use super::decode::Block;
use super::plan::{Leaf, Needle, Node, Test};
use super::select::Rows;
use super::{BlockError, Plan, Selection};

/// With fewer rows than one in so many left, they are looked at one by one.
const SPARSE: usize = 16;

impl Block {
    /// The selected rows of a chunk that pass, in the order of the query, at
    /// most `limit` of them.
    ///
    /// # Errors
    /// When the bytes are damaged.
    pub fn scan(
        &self,
        plan: &Plan,
        selection: &Selection,
        chunk: &Chunk,
        order: Order,
        limit: usize,
    ) -> Result<Vec<u32>, BlockError> {
        let rows = self.passing(plan, selection, chunk)?;
        let mut rows: Vec<u32> = rows.iter().map(|row| row as u32).collect();
        if order == Order::NewestFirst {
            rows.reverse();
        }
        rows.truncate(limit);
        Ok(rows)
    }

    /// The selected rows of a chunk that pass.
    pub(super) fn passing(
        &self,
        plan: &Plan,
        selection: &Selection,
        chunk: &Chunk,
    ) -> Result<Rows, BlockError> {
        let mut rows = Rows::range(self.rows(), chunk.rows.clone());
        rows.intersect(&selection.rows);
        let mut open = rows.clone();
        open.subtract(&selection.sure);
        rows.intersect(&selection.sure);
        if !open.is_empty() {
            let walk = Walk {
                block: self,
                plan,
                selection,
                chunk,
            };
            rows.unite(&walk.decide(&plan.root, open)?);
        }
        Ok(rows)
    }
}

struct Walk<'a> {
    block: &'a Block,
    plan: &'a Plan,
    selection: &'a Selection,
    chunk: &'a Chunk,
}

impl Walk<'_> {
    /// Those of the rows that pass.
    fn decide(&self, node: &Node, mut rows: Rows) -> Result<Rows, BlockError> {
        match node {
            Node::All(all) => {
                for node in all {
                    if rows.is_empty() {
                        break;
                    }
                    rows = self.decide(node, rows)?;
                }
                Ok(rows)
            }
            Node::Any(any) => {
                let mut passing = Rows::none(self.block.rows());
                for node in any {
                    if rows.is_empty() {
                        break;
                    }
                    let found = self.decide(node, rows.clone())?;
                    rows.subtract(&found);
                    passing.unite(&found);
                }
                Ok(passing)
            }
            Node::Not(inner) => {
                let found = self.decide(inner, rows.clone())?;
                rows.subtract(&found);
                Ok(rows)
            }
            Node::Leaf(leaf) => {
                let sets = self.block.sets(self.plan, *leaf, self.selection)?;
                let mut open = rows.clone();
                open.intersect(&sets.possible);
                open.subtract(&sets.sure);
                rows.intersect(&sets.sure);
                if !open.is_empty() {
                    self.check(&self.plan.leaves[*leaf], &mut open)?;
                    rows.unite(&open);
                }
                Ok(rows)
            }
        }
    }

    /// Keeps the rows that pass a leaf by a text of the chunk.
    fn check(&self, leaf: &Leaf, rows: &mut Rows) -> Result<(), BlockError> {
        match leaf {
            Leaf::Contains(needle) => self.check_needle(&TextColumn::SEARCHED, needle, rows),
            Leaf::Finds(pattern) => {
                self.check_each(&TextColumn::SEARCHED, rows, |text| pattern.finds(text))
            }
            Leaf::Text(column, Test::Needle(needle)) => self.check_needle(&[*column], needle, rows),
            Leaf::Text(column, test) => self.check_each(&[*column], rows, |text| test.passes(text)),
            Leaf::Extra(path, test, hint) => self.check_each(&[TextColumn::Extra], rows, |text| {
                hint.may_hold(text) && test.passes(text, path)
            }),
            // Numbers are never in chunks.
            Leaf::Number(..) => Ok(()),
        }
    }

    fn check_each(
        &self,
        columns: &[TextColumn],
        rows: &mut Rows,
        passes: impl Fn(&str) -> bool,
    ) -> Result<(), BlockError> {
        let mut found = Rows::none(self.block.rows());
        for column in columns {
            if let Some(texts) = self.chunk.texts(*column)? {
                for row in rows.iter() {
                    if passes(texts.get(row - self.chunk.rows.start)?) {
                        found.insert(row);
                    }
                }
            }
        }
        rows.intersect(&found);
        Ok(())
    }

    fn check_needle(
        &self,
        columns: &[TextColumn],
        needle: &Needle,
        rows: &mut Rows,
    ) -> Result<(), BlockError> {
        if rows.count() * SPARSE < self.chunk.rows.len() {
            return self.check_each(columns, rows, |text| needle.is_in(text));
        }
        let mut found = Rows::none(self.block.rows());
        for column in columns {
            if let Some(folded) = self.chunk.folded(*column)? {
                let first = self.chunk.rows.start;
                folded.search(&needle.finder, |index| found.insert(first + index));
            }
        }
        rows.intersect(&found);
        Ok(())
    }
}
