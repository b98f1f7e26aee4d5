//! `AuditService`: who has changed what; and who makes a call.

use domain::{Author, AuthorKind};
use proto::{
    access::may_speak_for_others,
    action_from_proto,
    v1::{self, audit_service_server::AuditService},
};
use runtime::tls::Peer;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use super::{limit_of, status_of};
use crate::{
    App,
    audit::{self, Told},
    db::audit_entry::AuditQuery,
};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 1_000;
const WHO_CHARS: usize = 100;

/// The service.
pub(super) struct Audit {
    app: App,
}

impl Audit {
    pub(super) fn new(app: App) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl AuditService for Audit {
    async fn list_audit_entries(
        &self,
        request: Request<v1::ListAuditEntriesRequest>,
    ) -> Result<Response<v1::ListAuditEntriesResponse>, Status> {
        let request = request.into_inner();
        if request.who.chars().count() > WHO_CHARS {
            return Err(Status::invalid_argument("who has more than 100 characters"));
        }
        let actions = request.actions.into_iter().map(action_from_proto);
        let query = AuditQuery {
            before: (request.before > 0).then_some(request.before),
            who: request.who,
            actions: actions.collect::<Result<_, _>>()?,
            from_us: (request.from_us != 0).then_some(request.from_us),
            to_us: (request.to_us != 0).then_some(request.to_us),
            limit: limit_of(request.limit, DEFAULT_LIMIT, MAX_LIMIT)?,
        };
        let deadline = Instant::now() + self.app.config.query_timeout;
        let listed = audit::list(&self.app, query, deadline).await;
        let (entries, has_more) = listed.map_err(|error| status_of(&error))?;
        let next = entries
            .last()
            .filter(|_| has_more)
            .map_or(0, |last| last.id);
        Ok(Response::new(v1::ListAuditEntriesResponse {
            entries: entries.into_iter().map(Into::into).collect(),
            next,
        }))
    }

    async fn add_audit_entry(
        &self,
        request: Request<v1::AddAuditEntryRequest>,
    ) -> Result<Response<v1::AddAuditEntryResponse>, Status> {
        let author = author_of(&request)?;
        let request = request.into_inner();
        let told = Told {
            action: action_from_proto(request.action)?,
            object: request.object,
            detail: request.detail,
            count: request.count,
            ago_ms: request.ago_ms,
        };
        let added = audit::add(&self.app, told, author).await;
        added.map_err(|error| status_of(&error))?;
        Ok(Response::new(v1::AddAuditEntryResponse {}))
    }
}

/// Who makes a call: for whom it says that it is made or, when it does not say, whoever
/// has opened the connection. Where certificates say who that is, only herald-web is
/// believed.
pub(super) fn author_of<T>(request: &Request<T>) -> Result<Author, Status> {
    let peer = request.extensions().get::<Peer>();
    if let Some(author) = proto::author::read(request.metadata())? {
        return match peer {
            Some(peer) if !may_speak_for_others(peer.uris()) => Err(Status::permission_denied(
                "this certificate does not let anybody speak for others",
            )),
            _ => Ok(author),
        };
    }
    let name = peer.and_then(|peer| peer.uris().first());
    let address = request
        .remote_addr()
        .map(|address| address.ip().to_canonical());
    Ok(Author::cut(
        AuthorKind::Client,
        name.map_or("", String::as_str),
        "",
        address,
    ))
}
