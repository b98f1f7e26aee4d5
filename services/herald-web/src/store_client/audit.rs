//! Who has changed what; and for whom a change is made.

use domain::{AuditAction, AuditEntry, Author, Micros};
use proto::v1;
use tonic::Request;

use super::{ChangeFailure, StoreClient, StoreError, answer, change::changed, told_deadline};
use crate::audit::Happened;

/// Which entries somebody wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AuditQuery {
    /// Empty for all.
    pub(crate) who: String,
    /// None for all.
    pub(crate) action: Option<AuditAction>,
    pub(crate) from_us: Option<Micros>,
    pub(crate) to_us: Option<Micros>,
    pub(crate) limit: u32,
    /// Only ids below; 0 for no bound.
    pub(crate) before: u64,
}

impl StoreClient {
    /// Entries, newest first, and the cursor for the following; not for who sees some
    /// systems only.
    pub(crate) async fn audit_entries(
        &self,
        query: &AuditQuery,
    ) -> Result<(Vec<AuditEntry>, Option<u64>), StoreError> {
        self.require_all()?;
        let actions = query.action.map(v1::AuditAction::from);
        let answer = answer(|| {
            let mut client = self.audit.clone();
            let request = told_deadline(v1::ListAuditEntriesRequest {
                limit: query.limit,
                before: query.before,
                who: query.who.clone(),
                actions: actions.into_iter().map(Into::into).collect(),
                from_us: query.from_us.unwrap_or(0),
                to_us: query.to_us.unwrap_or(0),
            });
            async move { client.list_audit_entries(request).await }
        })
        .await?;
        let entries = answer.entries.into_iter();
        let entries = entries.map(|entry| entry.try_into().map_err(|_| StoreError::Failed));
        let entries = entries.collect::<Result<_, StoreError>>()?;
        Ok((entries, (answer.next > 0).then_some(answer.next)))
    }

    /// Notes what has happened here.
    pub(crate) async fn add_audit_entry(&self, happened: &Happened) -> Result<(), ChangeFailure> {
        let mut client = self.audit.clone();
        let request = v1::AddAuditEntryRequest {
            action: v1::AuditAction::from(happened.action).into(),
            object: happened.object.clone(),
            detail: happened.detail.clone(),
            count: happened.count,
            ago_ms: u64::try_from(happened.ago().as_millis()).unwrap_or(u64::MAX),
        };
        changed(client.add_audit_entry(in_name_of(&happened.author, request))).await?;
        Ok(())
    }
}

/// A request that changes something, for somebody.
pub(super) fn in_name_of<T>(author: &Author, message: T) -> Request<T> {
    let mut request = told_deadline(message);
    proto::author::attach(&mut request, author);
    request
}
