//! Entries of the audit log between the wire's types and the domain's.

use domain::{AuditAction, AuditEntry};

use crate::{ConvertError, v1};

impl From<AuditEntry> for v1::AuditEntry {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            at_us: entry.at_us,
            action: v1::AuditAction::from(entry.action).into(),
            object: entry.object,
            detail: entry.detail,
            before: entry.before,
            after: entry.after,
            author: Some(entry.author.into()),
            count: entry.count,
        }
    }
}

impl TryFrom<v1::AuditEntry> for AuditEntry {
    type Error = ConvertError;

    fn try_from(entry: v1::AuditEntry) -> Result<Self, ConvertError> {
        Ok(Self {
            id: entry.id,
            at_us: entry.at_us,
            action: action_from_proto(entry.action)?,
            object: entry.object,
            detail: entry.detail,
            before: entry.before,
            after: entry.after,
            author: entry.author.unwrap_or_default().try_into()?,
            count: entry.count,
        })
    }
}

impl From<AuditAction> for v1::AuditAction {
    fn from(action: AuditAction) -> Self {
        match action {
            AuditAction::AlertAcknowledged => Self::AlertAcknowledged,
            AuditAction::AlertSilenced => Self::AlertSilenced,
            AuditAction::AlertUnsilenced => Self::AlertUnsilenced,
            AuditAction::SearchSaved => Self::SearchSaved,
            AuditAction::SearchChanged => Self::SearchChanged,
            AuditAction::SearchRenamed => Self::SearchRenamed,
            AuditAction::SearchDeleted => Self::SearchDeleted,
            AuditAction::BackupMade => Self::BackupMade,
            AuditAction::StoreVerified => Self::StoreVerified,
            AuditAction::RecordsImported => Self::RecordsImported,
            AuditAction::SignedIn => Self::SignedIn,
            AuditAction::SignInRefused => Self::SignInRefused,
            AuditAction::SignedOut => Self::SignedOut,
        }
    }
}

/// The action with a number of the wire.
///
/// # Errors
/// There is none.
pub fn action_from_proto(number: i32) -> Result<AuditAction, ConvertError> {
    let action = v1::AuditAction::try_from(number).ok();
    let is_it = |known: &AuditAction| Some(v1::AuditAction::from(*known)) == action;
    let found = AuditAction::ALL.into_iter().find(is_it);
    found.ok_or(ConvertError::Unknown("action", number))
}

#[cfg(test)]
mod tests {
    use domain::{AuditAction, AuditEntry, Author, AuthorKind};

    use super::action_from_proto;
    use crate::v1;

    #[test]
    fn entries_come_back_as_they_went() {
        let kinds = [
            AuthorKind::User,
            AuthorKind::Token,
            AuthorKind::Proxy,
            AuthorKind::Link,
            AuthorKind::Unsigned,
            AuthorKind::Client,
        ];
        for (action, kind) in AuditAction::ALL.into_iter().zip(kinds.into_iter().cycle()) {
            let address = Some("2001:db8::1".parse().unwrap());
            let author = Author::cut(kind, "chat", "anna", address);
            let entry = AuditEntry {
                id: 7,
                detail: "more".to_owned(),
                count: 3,
                ..AuditEntry::new(action, "a", author, 5).changing("b", "c")
            };
            let back = AuditEntry::try_from(v1::AuditEntry::from(entry.clone()));
            assert_eq!(back, Ok(entry));
        }
        assert!(action_from_proto(0).is_err());
        assert!(action_from_proto(99).is_err());
    }
}
