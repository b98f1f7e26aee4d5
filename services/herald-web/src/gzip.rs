//! Answers compressed for who takes that. A page goes out part by part: each part is
//! flushed, so that a browser shows it at once.

use std::io::{self, Write};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use flate2::{Compression, write::GzEncoder};
use futures::{StreamExt, stream};

/// Whether whoever asks takes gzip.
pub(crate) fn is_taken(asked: &HeaderMap) -> bool {
    let accepted = asked.get_all(header::ACCEPT_ENCODING).iter();
    let mut codings = accepted.filter_map(|value| value.to_str().ok());
    codings.any(|value| value.split(',').any(names_gzip))
}

/// A whole text, as small as it gets.
pub(crate) fn all(text: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.expect("memory takes everything").into()
}

/// Compresses pages.
pub(crate) async fn compress(request: Request, next: Next) -> Response {
    let is_taken = is_taken(request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let content_type = headers.get(header::CONTENT_TYPE);
    if !content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html")) {
        return response;
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if !is_taken {
        return response;
    }
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.remove(header::CONTENT_LENGTH);
    response.map(compressed)
}

fn names_gzip(coding: &str) -> bool {
    let mut parts = coding.split(';').map(str::trim);
    let is_named = matches!(parts.next(), Some("gzip" | "*"));
    let is_refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
    is_named && !is_refused
}

fn compressed(body: Body) -> Body {
    let encoder = GzEncoder::new(Vec::new(), Compression::new(5));
    let pieces = body.into_data_stream();
    let steps = stream::try_unfold(Some((pieces, encoder)), async |state| {
        let Some((mut pieces, mut encoder)) = state else {
            return Ok::<_, io::Error>(None);
        };
        match pieces.next().await {
            Some(piece) => {
                encoder.write_all(&piece.map_err(io::Error::other)?)?;
                encoder.flush()?;
                let written = std::mem::take(encoder.get_mut());
                Ok(Some((Bytes::from(written), Some((pieces, encoder)))))
            }
            None => Ok(Some((Bytes::from(encoder.finish()?), None))),
        }
    });
    Body::from_stream(steps)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::is_taken;

    #[test]
    fn gzip_is_sent_to_who_takes_it() {
        let check = |accepted: &'static str, expected: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(is_taken(&headers), expected, "{accepted}");
        };
        check("gzip, deflate, br", true);
        check("br;q=1.0, gzip;q=0.5", true);
        check("*", true);
        check("br", false);
        check("gzip;q=0", false);
        check("", false);
        assert!(!is_taken(&HeaderMap::new()));
    }
}
