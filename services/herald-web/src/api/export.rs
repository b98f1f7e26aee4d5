//! `/api/v1/export`: all records that pass, as a file that is streamed.

use axum::{
    body::{Body, Bytes},
    extract::RawQuery,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use domain::Record;
use futures::{StreamExt, stream};
use proto::v1::{ExportRecordsRequest, ExportRecordsResponse};
use tracing::warn;

use super::ApiError;
use crate::{
    app::App,
    request::{
        BadQuery, FILTER, KnownName, Parameters, Reader, read_filter, read_id, read_lower_bound,
        read_order,
    },
    store_client::{Pieces, StoreError},
    utc,
};

/// What it can be asked.
pub(super) const PARAMETERS: &[&[KnownName]] = &[FILTER, OWN];
const OWN: &[KnownName] = &[
    ("format", "format"),
    ("order", "order"),
    ("limit", "limit"),
    ("before", "before"),
    ("after", "after"),
];

/// What the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Ndjson,
}

/// `GET /api/v1/export`
pub(crate) async fn download(app: App, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let parameters = Parameters::read(query.as_deref(), PARAMETERS);
    let mut reader = Reader::new(&parameters);
    let now = utc::now();
    let (filter, _) = read_filter(&mut reader, now, BadQuery::Refuse);
    let format = reader.value("format", Format::read).unwrap_or(Format::Csv);
    let order = reader.value("order", read_order).unwrap_or_default();
    let request = ExportRecordsRequest {
        filter: None,
        order: proto::order_to_proto(order).into(),
        before: reader.value("before", read_id).unwrap_or(0),
        after: reader.value("after", read_lower_bound).unwrap_or(0),
        limit: reader.value("limit", read_limit).unwrap_or(0),
    };
    reader.finish()?;
    let pieces = app.store.export(&filter, request).await?;
    let headers = format.headers(&format!("herald-{}", app.stage.name().to_lowercase()));
    Ok((headers, body(pieces, format)).into_response())
}

/// Rows as the client takes them. A failure of the store is the body's: the
/// connection breaks, and no client takes what it has for the whole file.
fn body(pieces: Pieces<ExportRecordsResponse>, format: Format) -> Body {
    let head = stream::iter(format.head().map(|head| Ok(Bytes::from(head))));
    let rows = stream::try_unfold(pieces, move |mut pieces| async move {
        loop {
            let piece = pieces.next().await.inspect_err(|error| {
                warn!(%error, "an export ended before its last record");
            })?;
            match piece {
                None => return Ok::<_, StoreError>(None),
                Some(piece) if piece.records.is_empty() => {}
                Some(piece) => return Ok(Some((format.rows(piece), pieces))),
            }
        }
    });
    Body::from_stream(head.chain(rows))
}

impl Format {
    /// # Errors
    /// There is no such format.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        match text {
            "csv" => Ok(Self::Csv),
            "ndjson" => Ok(Self::Ndjson),
            _ => Err(format!("`{text}` is no format: use csv or ndjson")),
        }
    }

    /// What a browser is told of a file that is made now, such as
    /// `herald-development-20261123T002241Z.csv`.
    pub(super) fn headers(self, name: &str) -> [(HeaderName, String); 2] {
        let time: String = render::rfc3339(utc::now())[..19]
            .chars()
            .filter(|c| !matches!(c, '-' | ':'))
            .collect();
        let file = format!("{name}-{time}Z.{}", self.extension());
        [
            (header::CONTENT_TYPE, self.content_type().to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{file}\""),
            ),
        ]
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    fn head(self) -> Option<String> {
        (self == Self::Csv).then(render::csv::header)
    }

    fn rows(self, piece: ExportRecordsResponse) -> Bytes {
        let mut rows = String::new();
        for record in piece.records.into_iter().map(Record::from) {
            match self {
                Self::Csv => render::csv::write_row(&mut rows, &record),
                Self::Ndjson => {
                    rows.push_str(&render::json_line(&record));
                    rows.push('\n');
                }
            }
        }
        Bytes::from(rows)
    }
}

fn read_limit(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("at least 1; without it, all".to_owned()),
        Ok(limit) => Ok(limit),
        Err(_) => Err(format!("`{text}` is no number of records")),
    }
}
