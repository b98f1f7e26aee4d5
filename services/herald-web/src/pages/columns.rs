//! Which columns a list of records has, as `columns=` in its URL says.

use serde::Serialize;

use super::view::View;

/// What may be shown of a record besides time, level and message.
const ALL: [(Column, &str, &str); 7] = [
    (Column::Place, "system", "System, product, user"),
    (Column::Code, "code", "Module, function, line"),
    (Column::Created, "created", "Created"),
    (Column::Logger, "logger", "Logger"),
    (Column::Process, "process", "Process, thread"),
    (Column::Peer, "peer", "Sender"),
    (Column::Extra, "extra", "Extra, behind the message"),
];
const DEFAULT: [Column; 3] = [Column::Place, Column::Code, Column::Extra];
/// The value for no column at all.
const NONE: &str = "none";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Place,
    Code,
    Created,
    Logger,
    Process,
    Peer,
    Extra,
}

/// The columns that are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Columns {
    place: bool,
    code: bool,
    created: bool,
    logger: bool,
    process: bool,
    peer: bool,
    extra: bool,
    /// How many cells a row has.
    count: usize,
}

/// A column in the menu.
#[derive(Debug, Serialize)]
pub(super) struct Choice {
    label: &'static str,
    is_shown: bool,
    /// The list with or without it.
    href: String,
}

impl Default for Columns {
    fn default() -> Self {
        Self::of(&DEFAULT)
    }
}

impl Columns {
    /// Reads names with commas between them.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut shown = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| *name != NONE) {
            let found = ALL.iter().find(|(_, known, _)| *known == name);
            let (column, ..) = found.ok_or_else(|| {
                let names: Vec<_> = ALL.iter().map(|(_, name, _)| *name).collect();
                format!("`{name}` is no column: use {} or {NONE}", names.join(", "))
            })?;
            shown.push(*column);
        }
        Ok(Self::of(&shown))
    }

    /// Whether a row shows what else the record carries.
    pub(super) fn has_extra(&self) -> bool {
        self.extra
    }

    /// The menu.
    pub(super) fn choices(&self, view: &View) -> Vec<Choice> {
        let choice = |(column, _, label): &(Column, &str, &'static str)| {
            let is_shown = self.has(*column);
            let wanted = ALL.iter().filter(|(other, ..)| match other == column {
                true => !is_shown,
                false => self.has(*other),
            });
            let wanted: Vec<_> = wanted.collect();
            let columns: Vec<_> = wanted.iter().map(|(column, ..)| *column).collect();
            let names: Vec<_> = wanted.iter().map(|(_, name, _)| *name).collect();
            let names = names.join(",");
            let value = match names.as_str() {
                "" => Some(NONE),
                _ if Self::of(&columns) == Self::default() => None,
                names => Some(names),
            };
            Choice {
                label,
                is_shown,
                href: view.here(&[("columns", value)]),
            }
        };
        ALL.iter().map(choice).collect()
    }

    fn of(shown: &[Column]) -> Self {
        let has = |column| shown.contains(&column);
        let cells = ALL
            .iter()
            .filter(|(column, ..)| *column != Column::Extra && has(*column));
        Self {
            place: has(Column::Place),
            code: has(Column::Code),
            created: has(Column::Created),
            logger: has(Column::Logger),
            process: has(Column::Process),
            peer: has(Column::Peer),
            extra: has(Column::Extra),
            count: 3 + cells.count(),
        }
    }

    fn has(&self, column: Column) -> bool {
        match column {
            Column::Place => self.place,
            Column::Code => self.code,
            Column::Created => self.created,
            Column::Logger => self.logger,
            Column::Process => self.process,
            Column::Peer => self.peer,
            Column::Extra => self.extra,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Columns;

    #[test]
    fn columns_are_read_by_name() {
        let check = |text: &str, count: usize| {
            assert_eq!(Columns::read(text).map(|columns| columns.count), Ok(count));
        };
        check("system,code,extra", 5);
        check("none", 3);
        check("extra", 3);
        check("logger, peer", 5);
        assert_eq!(Columns::read("system,code,extra"), Ok(Columns::default()));
        let error = Columns::read("colour").unwrap_err();
        assert!(error.starts_with("`colour` is no column: use system, code,"));
    }
}
