//! A log record as Herald keeps it.

/// A time: microseconds since 1970-01-01T00:00:00Z, negative before.
pub type Micros = i64;

/// A log record of a program.
///
/// An absent text is empty and an absent number is 0: Python's own `None`
/// carries no more meaning. Names follow the HTTP API; the Python attribute is
/// given where it differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Given by the store, rising: the total order. 0 before the store has it.
    pub id: u64,
    /// When the bridge read the record's frame.
    pub received_us: Micros,
    /// When the program made the record (`created`).
    pub created_us: Micros,
    /// Severity by Python's scale (`levelno`).
    pub level: i32,
    /// The program's name of the severity (`levelname`).
    pub level_name: String,
    /// `name`.
    pub logger: String,
    /// The formatted message.
    pub message: String,
    /// `SYSTEM_ID`: the service.
    pub system_id: String,
    /// `SUB_SYSTEM_ID`: by convention the host.
    pub sub_system_id: String,
    /// `SUB_SUB_SYSTEM_ID`.
    pub sub_sub_system_id: String,
    /// `PRODUKT_ID`.
    pub produkt_id: String,
    /// `USER_SPEC_1`.
    pub user_spec_1: String,
    /// `USER_SPEC_2`.
    pub user_spec_2: String,
    /// `package_version`.
    pub package_version: String,
    /// `api_version`.
    pub api_version: String,
    /// `module`.
    pub module: String,
    /// `funcName`.
    pub function: String,
    /// `pathname`.
    pub path: String,
    /// `lineno`.
    pub line: i64,
    /// Process id.
    pub process: i64,
    /// `processName`.
    pub process_name: String,
    /// Thread id.
    pub thread: i64,
    /// `threadName`.
    pub thread_name: String,
    /// The formatted traceback (`exc_text`).
    pub exception: String,
    /// The formatted stack (`stack_info`).
    pub stack: String,
    /// Address and port the record came from.
    pub peer: String,
    /// Every other key of the record as one JSON object; empty for none.
    pub extra: String,
}

impl Record {
    /// How many bytes its texts have together: what makes a record large.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        [
            &self.level_name,
            &self.logger,
            &self.message,
            &self.system_id,
            &self.sub_system_id,
            &self.sub_sub_system_id,
            &self.produkt_id,
            &self.user_spec_1,
            &self.user_spec_2,
            &self.package_version,
            &self.api_version,
            &self.module,
            &self.function,
            &self.path,
            &self.process_name,
            &self.thread_name,
            &self.exception,
            &self.stack,
            &self.peer,
            &self.extra,
        ]
        .iter()
        .map(|text| text.len())
        .sum()
    }
}
