//! Stylesheet and scripts, embedded. Their addresses hold a hash of all of them, so
//! that they may be kept for ever and modules import each other by relative paths.
//!
//! A stylesheet's new part is a line in `CSS`, a new module one in `FILES`; what
//! `static/js/herald.js` imports is fetched ahead (see `templates/top.html`).

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use crate::gzip;

/// The parts of `herald.css`, in this order.
const CSS: &[&str] = &[
    include_str!("static/css/tokens.css"),
    include_str!("static/css/frame.css"),
    include_str!("static/css/bar.css"),
    include_str!("static/css/log.css"),
    include_str!("static/css/rows.css"),
    include_str!("static/css/detail.css"),
    include_str!("static/css/record.css"),
    include_str!("static/css/list.css"),
    include_str!("static/css/alerts.css"),
    include_str!("static/css/audit.css"),
    include_str!("static/css/help.css"),
    include_str!("static/css/saved.css"),
    include_str!("static/css/signin.css"),
    include_str!("static/css/tail.css"),
];
/// The module that every page loads.
const ENTRY: &str = "herald.js";
/// The scripts by name.
const SCRIPTS: &[(&str, &str)] = &[
    (ENTRY, include_str!("static/js/herald.js")),
    ("copy.js", include_str!("static/js/copy.js")),
    ("facets.js", include_str!("static/js/facets.js")),
    ("histogram.js", include_str!("static/js/histogram.js")),
    ("keys.js", include_str!("static/js/keys.js")),
    ("menus.js", include_str!("static/js/menus.js")),
    ("ready.js", include_str!("static/js/ready.js")),
    ("retry.js", include_str!("static/js/retry.js")),
    ("rows.js", include_str!("static/js/rows.js")),
    ("tail.js", include_str!("static/js/tail.js")),
];

/// All files, as they are sent.
#[derive(Debug)]
pub(crate) struct Assets {
    hash: String,
    files: Vec<File>,
}

#[derive(Debug)]
struct File {
    name: &'static str,
    content_type: &'static str,
    plain: Bytes,
    gzipped: Bytes,
}

impl Assets {
    /// Hashes and compresses them.
    pub(crate) fn new() -> Self {
        let css = File::new("herald.css", "text/css; charset=utf-8", CSS.concat());
        let scripts = SCRIPTS.iter().map(|(name, text)| {
            File::new(name, "text/javascript; charset=utf-8", (*text).to_owned())
        });
        let files: Vec<_> = [css].into_iter().chain(scripts).collect();
        let mut hash = Sha256::new();
        for file in &files {
            hash.update(file.name);
            hash.update(&file.plain);
        }
        let hash = hash.finalize();
        Self {
            hash: hash[..8].iter().map(|byte| format!("{byte:02x}")).collect(),
            files,
        }
    }

    /// Where the stylesheet is.
    pub(crate) fn stylesheet(&self) -> String {
        self.address("herald.css")
    }

    /// Where the module is that every page loads.
    pub(crate) fn script(&self) -> String {
        self.address(ENTRY)
    }

    /// Where the other modules are.
    pub(crate) fn modules(&self) -> Vec<String> {
        let others = SCRIPTS.iter().filter(|(name, _)| *name != ENTRY);
        others.map(|(name, _)| self.address(name)).collect()
    }

    /// Answers a request for a file, under the present hash only.
    pub(crate) fn respond(&self, hash: &str, name: &str, asked: &HeaderMap) -> Response {
        let file = self.files.iter().find(|file| file.name == name);
        let Some(file) = file.filter(|_| hash == self.hash) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let headers = [
            (header::CONTENT_TYPE, file.content_type),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::VARY, "accept-encoding"),
        ];
        if gzip::is_taken(asked) {
            let encoding = [(header::CONTENT_ENCODING, "gzip")];
            return (headers, encoding, file.gzipped.clone()).into_response();
        }
        (headers, file.plain.clone()).into_response()
    }

    fn address(&self, name: &str) -> String {
        format!("/static/{}/{name}", self.hash)
    }
}

impl File {
    fn new(name: &'static str, content_type: &'static str, text: String) -> Self {
        Self {
            name,
            content_type,
            gzipped: gzip::all(text.as_bytes()),
            plain: text.into(),
        }
    }
}
