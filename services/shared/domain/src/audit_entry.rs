//! What somebody has changed.

use crate::{Author, Micros};

/// Longest name of what something was done to, in characters.
const MAX_OBJECT: usize = 100;
/// Longest value before and after a change, in characters.
const MAX_VALUE: usize = 500;

/// Something that somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number; rising.
    pub id: u64,
    /// When, by the store's clock.
    pub at_us: Micros,
    /// What was done.
    pub action: AuditAction,
    /// What it was done to: the number of an alert, the name of a saved search, of an
    /// import, or by which somebody has tried to sign in. May be empty.
    pub object: String,
    /// More about it, for people. May be empty.
    pub detail: String,
    /// What there was before; empty for nothing.
    pub before: String,
    /// What there is since; empty for nothing.
    pub after: String,
    /// Who did it.
    pub author: Author,
    /// How many it stands for.
    pub count: u64,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditAction {
    /// Somebody knows of an alert.
    AlertAcknowledged,
    /// Nobody is told of an alert for a while.
    AlertSilenced,
    /// People are told of an alert again.
    AlertUnsilenced,
    /// A search was saved.
    SearchSaved,
    /// A saved search was replaced by another.
    SearchChanged,
    /// A saved search got another name.
    SearchRenamed,
    /// A saved search was deleted.
    SearchDeleted,
    /// The database was copied.
    BackupMade,
    /// All that is kept was checked.
    StoreVerified,
    /// Records of elsewhere were brought in.
    RecordsImported,
    /// Somebody has signed in.
    SignedIn,
    /// Somebody was not let in.
    SignInRefused,
    /// Somebody has signed out.
    SignedOut,
}

impl AuditEntry {
    /// Something that was done to one thing, whose name is cut to what there is room for; what it changed is added by
    /// [`changing`](Self::changing). It gets its id when it is kept.
    #[must_use]
    pub fn new(action: AuditAction, object: &str, author: Author, at_us: Micros) -> Self {
        Self {
            id: 0,
            at_us,
            action,
            object: cut(object, MAX_OBJECT),
            detail: String::new(),
            before: String::new(),
            after: String::new(),
            author,
            count: 1,
        }
    }

    /// With the values before and after, cut to what there is room for.
    #[must_use]
    pub fn changing(self, before: &str, after: &str) -> Self {
        let (before, after) = (cut(before, MAX_VALUE), cut(after, MAX_VALUE));
        Self {
            before,
            after,
            ..self
        }
    }
}

impl AuditAction {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 13] = [
        Self::AlertAcknowledged,
        Self::AlertSilenced,
        Self::AlertUnsilenced,
        Self::SearchSaved,
        Self::SearchChanged,
        Self::SearchRenamed,
        Self::SearchDeleted,
        Self::BackupMade,
        Self::StoreVerified,
        Self::RecordsImported,
        Self::SignedIn,
        Self::SignInRefused,
        Self::SignedOut,
    ];

    /// Its name for programs, such as `alert_silenced`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AlertAcknowledged => "alert_acknowledged",
            Self::AlertSilenced => "alert_silenced",
            Self::AlertUnsilenced => "alert_unsilenced",
            Self::SearchSaved => "search_saved",
            Self::SearchChanged => "search_changed",
            Self::SearchRenamed => "search_renamed",
            Self::SearchDeleted => "search_deleted",
            Self::BackupMade => "backup_made",
            Self::StoreVerified => "store_verified",
            Self::RecordsImported => "records_imported",
            Self::SignedIn => "signed_in",
            Self::SignInRefused => "sign_in_refused",
            Self::SignedOut => "signed_out",
        }
    }

    /// The one with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Whether it happens in herald-web, which tells the store of it.
    #[must_use]
    pub fn is_of_signing_in(self) -> bool {
        matches!(self, Self::SignedIn | Self::SignInRefused | Self::SignedOut)
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{AuditAction, AuditEntry, MAX_VALUE};
    use crate::{Author, AuthorKind};

    #[test]
    fn names_tell_actions_apart() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::named(action.name()), Some(action));
        }
        assert_eq!(AuditAction::named(""), None);
    }

    #[test]
    fn values_are_short() {
        let author = Author::cut(AuthorKind::User, "anna", "", None);
        let entry = AuditEntry::new(AuditAction::SearchChanged, "a", author, 0);
        let check = |text: &str, expected: &str| {
            let entry = entry.clone().changing(text, text);
            assert_eq!((&*entry.before, &*entry.after), (expected, expected));
        };
        let most = "ü".repeat(MAX_VALUE);
        check("", "");
        check(&most, &most);
        check(
            &format!("{most}x"),
            &format!("{}…", "ü".repeat(MAX_VALUE - 1)),
        );
    }
}
