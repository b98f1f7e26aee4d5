//! How far an import has come, kept by the store with the records themselves.

use std::path::Path;

use proto::{
    IMPORT_NAME_PREFIX as NAME_PREFIX,
    v1::{GetStatusRequest, status_service_client::StatusServiceClient},
};
use serde::{Deserialize, Serialize};
use store::predecessor::{Predecessor, Row};
use uuid::Uuid;

use crate::connection::Connection;

/// The last row that the store has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// Its number.
    pub(super) rowid: i64,
    /// Its hash.
    pub(super) digest: String,
}

impl Mark {
    /// The mark of a batch that ends with this row.
    pub(super) fn of(row: &Row) -> Self {
        Self {
            rowid: row.rowid,
            digest: row.digest.clone(),
        }
    }

    /// As the store keeps it.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("two plain fields")
    }

    /// From what the store kept; `None` for an empty mark and those of others.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The bridge that an import acts as.
#[derive(Debug)]
pub(super) struct ImportSpool {
    /// Its identity.
    pub(super) bridge_id: Uuid,
    /// Its name on the status page.
    pub(super) name: String,
    /// The last row that the store has of it.
    pub(super) mark: Option<Mark>,
}

impl ImportSpool {
    /// Number of the last row that the store has; 0 for none.
    pub(super) fn rowid(&self) -> i64 {
        self.mark.as_ref().map_or(0, |mark| mark.rowid)
    }
}

/// The bridge under which rows of this very file have been imported before, or
/// a new one. A file is recognised by a row, not by its name: it may have been
/// moved, have grown, or be a later copy.
pub(super) async fn find(
    connection: &Connection,
    predecessor: &mut Predecessor,
    file: &Path,
) -> anyhow::Result<ImportSpool> {
    let status = StatusServiceClient::new(connection.client.clone())
        .get_status(GetStatusRequest {})
        .await
        .map_err(|status| connection.explain(&status))?
        .into_inner();
    let file_name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut found = ImportSpool {
        bridge_id: Uuid::new_v4(),
        name: format!("{NAME_PREFIX}{file_name}"),
        mark: None,
    };
    for bridge in status.bridges {
        let Some(mark) = Mark::from_text(&bridge.mark) else {
            continue;
        };
        if !bridge.name.starts_with(NAME_PREFIX) || mark.rowid <= found.rowid() {
            continue;
        }
        let row = predecessor.row(mark.rowid).await?;
        if row.is_some_and(|row| row.digest == mark.digest) {
            found = ImportSpool {
                bridge_id: bridge.bridge_id.parse()?,
                name: bridge.name,
                mark: Some(mark),
            };
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::Mark;

    #[test]
    fn only_own_marks_are_read() {
        let mark = Mark {
            rowid: 7,
            digest: "a1".to_owned(),
        };
        let check = |text: &str, expected: Option<&Mark>| {
            assert_eq!(Mark::from_text(text).as_ref(), expected, "{text}");
        };
        check(&mark.to_text(), Some(&mark));
        check(r#"{"rowid":7,"digest":"a1"}"#, Some(&mark));
        check("", None);
        check("row 7", None);
        check("{\"rowid\":\"7\"}", None);
    }
}
