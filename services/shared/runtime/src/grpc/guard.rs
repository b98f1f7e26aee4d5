//! Holds every call against the client's certificate before anything looks at it.

use axum::{
    body::Body,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use tonic::{Status, service::Routes, transport::server::TcpConnectInfo};
use tracing::warn;

use crate::tls::Peer;

/// So much of the name of an unknown method is logged, in bytes.
const LOGGED_BYTES: usize = 200;

/// The same routes for those only whose certificate `may` allows the method, by its
/// URIs and the path. A call without a certificate is refused, and so is one of a
/// method that is not there: nobody learns what there is.
#[must_use]
pub fn guarded(routes: Routes, may: fn(&[String], &str) -> bool) -> Routes {
    let guard = move |request: Request, next: Next| async move {
        let peer = request.extensions().get::<Peer>();
        match peer.is_some_and(|peer| may(peer.uris(), request.uri().path())) {
            true => next.run(request).await,
            false => refused(&request),
        }
    };
    Routes::from(routes.into_axum_router().layer(middleware::from_fn(guard)))
}

fn refused(request: &Request) -> Response {
    let extensions = request.extensions();
    let address = extensions
        .get::<TcpConnectInfo>()
        .and_then(|info| info.remote_addr);
    let uris = extensions.get::<Peer>().map_or(&[][..], Peer::uris);
    let path = request.uri().path();
    let method = path.get(..LOGGED_BYTES).unwrap_or(path);
    warn!(
        peer = address.map(tracing::field::display),
        ?uris,
        method,
        "call refused: the certificate is not for it"
    );
    Status::permission_denied("this certificate is not for this call").into_http::<Body>()
}
