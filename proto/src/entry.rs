//! Records and entries between the wire's types and the domain's. Texts move,
//! nothing is copied.

use domain::{DeadLetter, Entry, Gap, Record};

use crate::{ConvertError, v1};

/// More frames than any spool can have lost.
const MAX_LOST: u64 = 1 << 48;

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
                lost: gap.lost,
                reason: gap.reason,
                ..v1::Gap::default()
            }),
            Entry::Skipped(count) => v1::entry::Kind::Skipped(v1::Skipped { count }),
        };
        Self {
            kind: Some(kind),
            origin: None,
        }
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
                lost: gap.lost.min(MAX_LOST),
                reason: gap.reason,
            })),
            v1::entry::Kind::Skipped(v1::Skipped { count: 0 }) => Err(ConvertError::EmptySkip),
            v1::entry::Kind::Skipped(skipped) => Ok(Self::Skipped(skipped.count)),
        }
    }
}

/// The entries of a batch; where they come from is left out.
///
/// # Errors
/// When one of them means nothing.
pub fn entries_from_batch(entries: Vec<v1::Entry>) -> Result<Vec<Entry>, ConvertError> {
    entries.into_iter().map(Entry::try_from).collect()
}
