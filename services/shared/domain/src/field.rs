//! The fields of a record by name: what a condition can look at.

use std::borrow::Cow;

use crate::{Record, exception};

/// A field that holds a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextField {
    /// `level_name`.
    LevelName,
    /// `logger`.
    Logger,
    /// `system_id`.
    System,
    /// `sub_system_id`.
    SubSystem,
    /// `sub_sub_system_id`.
    SubSubSystem,
    /// `produkt_id`.
    Produkt,
    /// `user_spec_1`.
    UserSpec1,
    /// `user_spec_2`.
    UserSpec2,
    /// `package_version`.
    PackageVersion,
    /// `api_version`.
    ApiVersion,
    /// `module`.
    Module,
    /// `function`.
    Function,
    /// `path`.
    Path,
    /// `process_name`.
    ProcessName,
    /// `thread_name`.
    ThreadName,
    /// `peer`.
    Peer,
    /// `message`.
    Message,
    /// `exception`.
    Exception,
    /// `stack`.
    Stack,
    /// `fingerprint`: what groups exceptions, see [`exception::fingerprint`].
    Fingerprint,
}

impl TextField {
    /// All of them.
    pub const ALL: [Self; 20] = [
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
        Self::Fingerprint,
    ];

    /// The fields that free words are looked for in.
    pub const SEARCHED: [Self; 4] = [Self::Message, Self::Function, Self::Module, Self::Exception];

    /// The fields that say where a record belongs.
    pub const CONTEXT: [Self; 6] = [
        Self::System,
        Self::SubSystem,
        Self::SubSubSystem,
        Self::Produkt,
        Self::UserSpec1,
        Self::UserSpec2,
    ];

    /// The field's name everywhere: API, page, query language, proto, block.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LevelName => "level_name",
            Self::Logger => "logger",
            Self::System => "system_id",
            Self::SubSystem => "sub_system_id",
            Self::SubSubSystem => "sub_sub_system_id",
            Self::Produkt => "produkt_id",
            Self::UserSpec1 => "user_spec_1",
            Self::UserSpec2 => "user_spec_2",
            Self::PackageVersion => "package_version",
            Self::ApiVersion => "api_version",
            Self::Module => "module",
            Self::Function => "function",
            Self::Path => "path",
            Self::ProcessName => "process_name",
            Self::ThreadName => "thread_name",
            Self::Peer => "peer",
            Self::Message => "message",
            Self::Exception => "exception",
            Self::Stack => "stack",
            Self::Fingerprint => "fingerprint",
        }
    }

    /// The field of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Whether it holds sentences, in which a value is looked for anywhere and
    /// without case, rather than a name that is compared as a whole.
    #[must_use]
    pub const fn is_prose(self) -> bool {
        matches!(self, Self::Message | Self::Exception | Self::Stack)
    }

    /// The field's text in a record.
    #[must_use]
    pub fn of(self, record: &Record) -> Cow<'_, str> {
        let text = match self {
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
            Self::Fingerprint => return Cow::Owned(exception::fingerprint(&record.exception)),
        };
        Cow::Borrowed(text)
    }
}

/// A field that holds a number; times are microseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NumberField {
    /// `id`.
    Id,
    /// `received_at`.
    Received,
    /// `created`.
    Created,
    /// `level`.
    Level,
    /// `line`.
    Line,
    /// `process`.
    Process,
    /// `thread`.
    Thread,
}

impl NumberField {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Id,
        Self::Received,
        Self::Created,
        Self::Level,
        Self::Line,
        Self::Process,
        Self::Thread,
    ];

    /// The field's name everywhere.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Received => "received_at",
            Self::Created => "created",
            Self::Level => "level",
            Self::Line => "line",
            Self::Process => "process",
            Self::Thread => "thread",
        }
    }

    /// The field of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Whether its numbers are times.
    #[must_use]
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Received | Self::Created)
    }

    /// The field's number in a record.
    #[must_use]
    pub fn of(self, record: &Record) -> i64 {
        match self {
            Self::Id => record.id.cast_signed(),
            Self::Received => record.received_us,
            Self::Created => record.created_us,
            Self::Level => i64::from(record.level),
            Self::Line => record.line,
            Self::Process => record.process,
            Self::Thread => record.thread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NumberField, TextField};

    #[test]
    fn a_name_leads_back_to_its_field() {
        for field in TextField::ALL {
            assert_eq!(TextField::named(field.name()), Some(field));
            assert_eq!(NumberField::named(field.name()), None);
        }
        for field in NumberField::ALL {
            assert_eq!(NumberField::named(field.name()), Some(field));
            assert_eq!(TextField::named(field.name()), None);
        }
    }
}
