//! Which key of a frame belongs to which field of a record.

use domain::Record;

/// What is done with a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Message,
    LevelName,
    Logger,
    System,
    SubSystem,
    SubSubSystem,
    Produkt,
    UserSpec1,
    UserSpec2,
    PackageVersion,
    ApiVersion,
    Module,
    Function,
    Path,
    ProcessName,
    ThreadName,
    Exception,
    Stack,
    Line,
    Process,
    Thread,
    Level,
    Created,
    /// `message` beside `msg`: goes to `extra` unless it is the same.
    Alias,
    /// Follows from the path.
    FileName,
    /// Follows from the time.
    Milliseconds,
    /// Goes to `extra` unless it is `None`.
    Optional,
    /// Its members go to `extra`.
    Extra,
}

impl Field {
    /// What an attribute of Python's `LogRecord`, or one that ps.basic adds, is
    /// to us.
    pub(super) fn of_attribute(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"name" => Self::Logger,
            b"msg" => Self::Message,
            b"args" | b"exc_info" | b"taskName" | b"relativeCreated" => Self::Optional,
            b"levelname" => Self::LevelName,
            b"levelno" => Self::Level,
            b"pathname" => Self::Path,
            b"filename" => Self::FileName,
            b"module" => Self::Module,
            b"exc_text" => Self::Exception,
            b"stack_info" => Self::Stack,
            b"lineno" => Self::Line,
            b"funcName" => Self::Function,
            b"created" => Self::Created,
            b"msecs" => Self::Milliseconds,
            b"thread" => Self::Thread,
            b"threadName" => Self::ThreadName,
            b"processName" => Self::ProcessName,
            b"process" => Self::Process,
            b"message" => Self::Alias,
            b"package_version" => Self::PackageVersion,
            b"api_version" => Self::ApiVersion,
            b"SYSTEM_ID" => Self::System,
            b"SUB_SYSTEM_ID" => Self::SubSystem,
            b"SUB_SUB_SYSTEM_ID" => Self::SubSubSystem,
            b"PRODUKT_ID" => Self::Produkt,
            b"USER_SPEC_1" => Self::UserSpec1,
            b"USER_SPEC_2" => Self::UserSpec2,
            _ => return None,
        })
    }

    /// What a key of a JSON object is to us that is not a `LogRecord`'s
    /// `__dict__`: attributes and the names of Herald's own interface.
    pub(super) fn of_json(key: &[u8]) -> Option<Self> {
        Some(match key {
            b"level" => Self::Level,
            b"level_name" => Self::LevelName,
            b"logger" => Self::Logger,
            b"system_id" => Self::System,
            b"sub_system_id" => Self::SubSystem,
            b"sub_sub_system_id" => Self::SubSubSystem,
            b"produkt_id" => Self::Produkt,
            b"user_spec_1" => Self::UserSpec1,
            b"user_spec_2" => Self::UserSpec2,
            b"function" => Self::Function,
            b"path" => Self::Path,
            b"line" => Self::Line,
            b"process_name" => Self::ProcessName,
            b"thread_name" => Self::ThreadName,
            b"exception" => Self::Exception,
            b"stack" => Self::Stack,
            b"extra" => Self::Extra,
            _ => return Self::of_attribute(key),
        })
    }

    /// The record's text that the field is.
    pub(super) fn text(self, record: &mut Record) -> Option<&mut String> {
        Some(match self {
            Self::Message => &mut record.message,
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
            Self::Exception => &mut record.exception,
            Self::Stack => &mut record.stack,
            _ => return None,
        })
    }

    /// The record's number that the field is.
    pub(super) fn number(self, record: &mut Record) -> Option<&mut i64> {
        Some(match self {
            Self::Line => &mut record.line,
            Self::Process => &mut record.process,
            Self::Thread => &mut record.thread,
            _ => return None,
        })
    }

    /// Whether ps.basic writes the word `None` for an absent value.
    pub(super) fn may_say_none(self) -> bool {
        matches!(
            self,
            Self::System
                | Self::SubSystem
                | Self::SubSubSystem
                | Self::Produkt
                | Self::UserSpec1
                | Self::UserSpec2
                | Self::PackageVersion
                | Self::ApiVersion
        )
    }
}
