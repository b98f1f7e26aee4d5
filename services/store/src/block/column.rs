//! The columns of a block, in the order in which they are stored.

use domain::{Record, TextField};

/// How many columns a block has.
pub(super) const COLUMNS: usize = 27;

/// Columns of integers; the number is the place in the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberColumn {
    Received = 0,
    Created = 1,
    Level = 2,
    Line = 3,
    Process = 4,
    Thread = 5,
}

/// Columns of texts; the number is the place in the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextColumn {
    LevelName = 6,
    Logger = 7,
    System = 8,
    SubSystem = 9,
    SubSubSystem = 10,
    Produkt = 11,
    UserSpec1 = 12,
    UserSpec2 = 13,
    PackageVersion = 14,
    ApiVersion = 15,
    Module = 16,
    Function = 17,
    Path = 18,
    ProcessName = 19,
    ThreadName = 20,
    Peer = 21,
    Message = 22,
    Exception = 23,
    Stack = 24,
    Extra = 25,
    /// Follows from `Exception`: kept so that a search need not compute it.
    Fingerprint = 26,
}

impl NumberColumn {
    pub(super) const ALL: [Self; 6] = [
        Self::Received,
        Self::Created,
        Self::Level,
        Self::Line,
        Self::Process,
        Self::Thread,
    ];

    pub(super) fn of(self, record: &Record) -> i64 {
        match self {
            Self::Received => record.received_us,
            Self::Created => record.created_us,
            Self::Level => i64::from(record.level),
            Self::Line => record.line,
            Self::Process => record.process,
            Self::Thread => record.thread,
        }
    }
}

impl TextColumn {
    /// Those of a record.
    pub(super) const ALL: [Self; 20] = [
        Self::LevelName,
        Self::Logger,
        Self::System,
        Self::SubSystem,
        Self::SubSubSystem,
        Self::Produkt,
        Self::UserSpec1,
        Self::UserSpec2,
        Self::PackageVersion,
        Self::ApiVersion,
        Self::Module,
        Self::Function,
        Self::Path,
        Self::ProcessName,
        Self::ThreadName,
        Self::Peer,
        Self::Message,
        Self::Exception,
        Self::Stack,
        Self::Extra,
    ];

    /// The columns that a text search looks into.
    pub(super) const SEARCHED: [Self; 4] =
        [Self::Function, Self::Module, Self::Message, Self::Exception];

    /// All of a block's: those of a record, and what follows from them.
    pub(super) const STORED: [Self; 21] = {
        let mut stored = [Self::Fingerprint; 21];
        let mut column = 0;
        while column < Self::ALL.len() {
            stored[column] = Self::ALL[column];
            column += 1;
        }
        stored
    };

    pub(super) const fn of_field(field: TextField) -> Self {
        match field {
            TextField::LevelName => Self::LevelName,
            TextField::Logger => Self::Logger,
            TextField::System => Self::System,
            TextField::SubSystem => Self::SubSystem,
            TextField::SubSubSystem => Self::SubSubSystem,
            TextField::Produkt => Self::Produkt,
            TextField::UserSpec1 => Self::UserSpec1,
            TextField::UserSpec2 => Self::UserSpec2,
            TextField::PackageVersion => Self::PackageVersion,
            TextField::ApiVersion => Self::ApiVersion,
            TextField::Module => Self::Module,
            TextField::Function => Self::Function,
            TextField::Path => Self::Path,
            TextField::ProcessName => Self::ProcessName,
            TextField::ThreadName => Self::ThreadName,
            TextField::Peer => Self::Peer,
            TextField::Message => Self::Message,
            TextField::Exception => Self::Exception,
            TextField::Stack => Self::Stack,
            TextField::Fingerprint => Self::Fingerprint,
        }
    }

    /// Empty when the record has no such field.
    pub(super) fn of(self, record: &Record) -> &str {
        match self {
            Self::LevelName => &record.level_name,
            Self::Logger => &record.logger,
            Self::System => &record.system_id,
            Self::SubSystem => &record.sub_system_id,
            Self::SubSubSystem => &record.sub_sub_system_id,
            Self::Produkt => &record.produkt_id,
            Self::UserSpec1 => &record.user_spec_1,
            Self::UserSpec2 => &record.user_spec_2,
            Self::PackageVersion => &record.package_version,
            Self::ApiVersion => &record.api_version,
            Self::Module => &record.module,
            Self::Function => &record.function,
            Self::Path => &record.path,
            Self::ProcessName => &record.process_name,
            Self::ThreadName => &record.thread_name,
            Self::Peer => &record.peer,
            Self::Message => &record.message,
            Self::Exception => &record.exception,
            Self::Stack => &record.stack,
            Self::Extra => &record.extra,
            Self::Fingerprint => "",
        }
    }

    /// None when the record has no such field.
    pub(super) fn of_mut(self, record: &mut Record) -> Option<&mut String> {
        Some(match self {
            Self::LevelName => &mut record.level_name,
            Self::Logger => &mut record.logger,
            Self::System => &mut record.system_id,
            Self::SubSystem => &mut record.sub_system_id,
            Self::SubSubSystem => &mut record.sub_sub_system_id,
            Self::Produkt => &mut record.produkt_id,
            Self::UserSpec1 => &mut record.user_spec_1,
            Self::UserSpec2 => &mut record.user_spec_2,
            Self::PackageVersion => &mut record.package_version,
            Self::ApiVersion => &mut record.api_version,
            Self::Module => &mut record.module,
            Self::Function => &mut record.function,
            Self::Path => &mut record.path,
            Self::ProcessName => &mut record.process_name,
            Self::ThreadName => &mut record.thread_name,
            Self::Peer => &mut record.peer,
            Self::Message => &mut record.message,
            Self::Exception => &mut record.exception,
            Self::Stack => &mut record.stack,
            Self::Extra => &mut record.extra,
            Self::Fingerprint => return None,
        })
    }
}
