//! An audit log in memory: what is told, and for whom changes are asked for.

use std::sync::Arc;

use proto::v1::{self, AuditAction, audit_service_server::AuditService};
use tonic::{Request, Response, Status};

use super::{Data, NOW};

/// The service.
pub(super) struct Audit(pub(super) Arc<Data>);

impl Data {
    /// Notes a change, for whom it says that it is made.
    pub(super) fn note<T>(&self, request: &Request<T>, action: AuditAction, object: &str) {
        let author = proto::author::read(request.metadata()).unwrap();
        let mut entries = self.audit.lock().unwrap();
        let id = entries.len() as u64 + 1;
        entries.push(v1::AuditEntry {
            id,
            at_us: NOW + i64::try_from(id).unwrap(),
            action: action.into(),
            object: object.to_owned(),
            author: author.map(Into::into),
            count: 1,
            ..v1::AuditEntry::default()
        });
    }
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_entries(
        &self,
        request: Request<v1::ListAuditEntriesRequest>,
    ) -> Result<Response<v1::ListAuditEntriesResponse>, Status> {
        self.0.behave().await?;
        let asked = request.into_inner();
        let limit = match asked.limit {
            0 => 50,
            limit => limit as usize,
        };
        let is_wanted = |entry: &&v1::AuditEntry| {
            let author = entry.author.clone().unwrap_or_default();
            (asked.before == 0 || entry.id < asked.before)
                && (asked.actions.is_empty() || asked.actions.contains(&entry.action))
                && author.name.contains(&asked.who)
                && (asked.from_us..).contains(&entry.at_us)
        };
        let all = self.0.audit.lock().unwrap();
        let mut found = all.iter().rev().filter(is_wanted).cloned();
        let entries: Vec<_> = found.by_ref().take(limit).collect();
        let last = entries.last().map_or(0, |last| last.id);
        let next = found.next().map_or(0, |_| last);
        Ok(Response::new(v1::ListAuditEntriesResponse {
            entries,
            next,
        }))
    }

    async fn add_audit_entry(
        &self,
        request: Request<v1::AddAuditEntryRequest>,
    ) -> Result<Response<v1::AddAuditEntryResponse>, Status> {
        self.0.behave().await?;
        let told = request.get_ref().clone();
        self.0.note(&request, told.action(), &told.object);
        let mut entries = self.0.audit.lock().unwrap();
        let entry = entries.last_mut().unwrap();
        entry.detail = told.detail;
        entry.count = told.count;
        Ok(Response::new(v1::AddAuditEntryResponse {}))
    }
}
