//! Between the wire's types and the domain's. Texts move, nothing is copied.

use domain::{ContextField, DeadLetter, Entry, Gap, Order, Record, RecordFilter, RecordQuery};

use crate::v1;

/// A message that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// An entry of a batch without a kind.
    #[error("an entry is neither a record, a dead letter nor a gap")]
    EmptyEntry,
    /// A gap of no numbers.
    #[error("a gap covers no number")]
    EmptyGap,
    /// A hash of another length.
    #[error("sha256 has {0} bytes instead of 32")]
    HashLength(usize),
    /// More records asked for than a list may have.
    #[error("limit {0} is above {max}", max = RecordQuery::MAX_LIMIT)]
    Limit(u32),
    /// An order this version does not know.
    #[error("order {0} is unknown")]
    Order(i32),
}

impl From<Record> for v1::Record {
    fn from(record: Record) -> Self {
        let Record {
            id,
            received_us,
            created_us,
            level,
            level_name,
            logger,
            message,
            system_id,
            sub_system_id,
            sub_sub_system_id,
            produkt_id,
            user_spec_1,
            user_spec_2,
            package_version,
            api_version,
            module,
            function,
            path,
            line,
            process,
            process_name,
            thread,
            thread_name,
            exception,
            stack,
            peer,
            extra,
        } = record;
        Self {
            id,
            received_us,
            created_us,
            level,
            level_name,
            logger,
            message,
            system_id,
            sub_system_id,
            sub_sub_system_id,
            produkt_id,
            user_spec_1,
            user_spec_2,
            package_version,
            api_version,
            module,
            function,
            path,
            line,
            process,
            process_name,
            thread,
            thread_name,
            exception,
            stack,
            peer,
            extra,
        }
    }
}

impl From<v1::Record> for Record {
    fn from(record: v1::Record) -> Self {
        let v1::Record {
            id,
            received_us,
            created_us,
            level,
            level_name,
            logger,
            message,
            system_id,
            sub_system_id,
            sub_sub_system_id,
            produkt_id,
            user_spec_1,
            user_spec_2,
            package_version,
            api_version,
            module,
            function,
            path,
            line,
            process,
            process_name,
            thread,
            thread_name,
            exception,
            stack,
            peer,
            extra,
        } = record;
        Self {
            id,
            received_us,
            created_us,
            level,
            level_name,
            logger,
            message,
            system_id,
            sub_system_id,
            sub_sub_system_id,
            produkt_id,
            user_spec_1,
            user_spec_2,
            package_version,
            api_version,
            module,
            function,
            path,
            line,
            process,
            process_name,
            thread,
            thread_name,
            exception,
            stack,
            peer,
            extra,
        }
    }
}

impl From<DeadLetter> for v1::DeadLetter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            id: letter.id,
            received_us: letter.received_us,
            peer: letter.peer,
            reason: letter.reason,
            size_bytes: letter.size_bytes,
            sha256: letter.sha256.to_vec().into(),
            head: letter.head.into(),
            bridge_id: String::new(),
            sequence: 0,
        }
    }
}

impl TryFrom<v1::DeadLetter> for DeadLetter {
    type Error = ConvertError;

    fn try_from(letter: v1::DeadLetter) -> Result<Self, ConvertError> {
        let mut head = Vec::from(letter.head);
        head.truncate(Self::HEAD_BYTES);
        Ok(Self {
            id: letter.id,
            received_us: letter.received_us,
            peer: letter.peer,
            reason: letter.reason,
            size_bytes: letter.size_bytes,
            sha256: letter
                .sha256
                .as_ref()
                .try_into()
                .map_err(|_| ConvertError::HashLength(letter.sha256.len()))?,
            head,
        })
    }
}

impl From<Entry> for v1::Entry {
    fn from(entry: Entry) -> Self {
        let kind = match entry {
            Entry::Record(record) => v1::entry::Kind::Record((*record).into()),
            Entry::DeadLetter(letter) => v1::entry::Kind::DeadLetter((*letter).into()),
            Entry::Gap(gap) => v1::entry::Kind::Gap(v1::Gap {
                count: gap.count,
                reason: gap.reason,
                ..v1::Gap::default()
            }),
        };
        Self { kind: Some(kind) }
    }
}

impl TryFrom<v1::Entry> for Entry {
    type Error = ConvertError;

    fn try_from(entry: v1::Entry) -> Result<Self, ConvertError> {
        match entry.kind.ok_or(ConvertError::EmptyEntry)? {
            v1::entry::Kind::Record(record) => Ok(Self::Record(Box::new(record.into()))),
            v1::entry::Kind::DeadLetter(letter) => {
                Ok(Self::DeadLetter(Box::new(letter.try_into()?)))
            }
            v1::entry::Kind::Gap(gap) if gap.count == 0 => Err(ConvertError::EmptyGap),
            v1::entry::Kind::Gap(gap) => Ok(Self::Gap(Gap {
                count: gap.count,
                reason: gap.reason,
            })),
        }
    }
}

/// The entries of a batch.
///
/// # Errors
/// When one of them means nothing.
pub fn entries_from_batch(entries: Vec<v1::Entry>) -> Result<Vec<Entry>, ConvertError> {
    entries.into_iter().map(Entry::try_from).collect()
}

/// What a list request asks for.
///
/// # Errors
/// When limit or order are out of range.
pub fn query_from_request(request: v1::ListRecordsRequest) -> Result<RecordQuery, ConvertError> {
    let order = match v1::Order::try_from(request.order) {
        Ok(v1::Order::Unspecified | v1::Order::NewestFirst) => Order::NewestFirst,
        Ok(v1::Order::OldestFirst) => Order::OldestFirst,
        Err(_) => return Err(ConvertError::Order(request.order)),
    };
    let limit = match request.limit {
        0 => RecordQuery::DEFAULT_LIMIT,
        limit if limit as usize > RecordQuery::MAX_LIMIT => return Err(ConvertError::Limit(limit)),
        limit => limit as usize,
    };
    Ok(RecordQuery {
        filter: request.filter.map(filter_from_proto).unwrap_or_default(),
        order,
        limit,
        before: (request.before > 0).then_some(request.before),
        after: (request.after > 0).then_some(request.after),
    })
}

/// The list request that asks for it.
#[must_use]
pub fn query_to_request(query: RecordQuery) -> v1::ListRecordsRequest {
    let order = match query.order {
        Order::NewestFirst => v1::Order::NewestFirst,
        Order::OldestFirst => v1::Order::OldestFirst,
    };
    v1::ListRecordsRequest {
        filter: Some(filter_to_proto(query.filter)),
        order: order.into(),
        limit: u32::try_from(query.limit).unwrap_or(u32::MAX),
        before: query.before.unwrap_or(0),
        after: query.after.unwrap_or(0),
    }
}

fn filter_from_proto(filter: v1::RecordFilter) -> RecordFilter {
    let context = [
        (ContextField::System, filter.system_id),
        (ContextField::SubSystem, filter.sub_system_id),
        (ContextField::SubSubSystem, filter.sub_sub_system_id),
        (ContextField::Produkt, filter.produkt_id),
        (ContextField::UserSpec1, filter.user_spec_1),
        (ContextField::UserSpec2, filter.user_spec_2),
    ];
    RecordFilter {
        substrings: filter.substrings,
        context: context
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect(),
        min_level: filter.min_level,
        from_us: filter.from_us,
        to_us: filter.to_us,
    }
}

fn filter_to_proto(filter: RecordFilter) -> v1::RecordFilter {
    let mut message = v1::RecordFilter {
        substrings: filter.substrings,
        min_level: filter.min_level,
        from_us: filter.from_us,
        to_us: filter.to_us,
        ..v1::RecordFilter::default()
    };
    for (field, value) in filter.context {
        *match field {
            ContextField::System => &mut message.system_id,
            ContextField::SubSystem => &mut message.sub_system_id,
            ContextField::SubSubSystem => &mut message.sub_sub_system_id,
            ContextField::Produkt => &mut message.produkt_id,
            ContextField::UserSpec1 => &mut message.user_spec_1,
            ContextField::UserSpec2 => &mut message.user_spec_2,
        } = value;
    }
    message
}
