//! Encryption between programs, services and browsers: certificates from files,
//! read again when they change. TLS 1.2 and 1.3 only, by rustls with ring.
//!
//! * [`Files`]: which certificate, key and authorities a service has.
//! * [`Server`]: what answers handshakes; with authorities it asks every client
//!   for a certificate of theirs.
//! * [`Client`]: what opens connections to servers.
//! * [`Peer`]: who a client is.
//! * [`warn_of_plain_listener`], [`warn_of_plain_url`]: what is not encrypted.

mod client;
mod failure;
mod files;
mod peer;
mod plain;
mod reload;
mod server;

use std::sync::Arc;

use rustls::{
    SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    version::{TLS12, TLS13},
};

pub use client::Client;
pub use failure::failure;
pub use files::{File, Files};
pub use peer::Peer;
pub use plain::{warn_of_open_listener, warn_of_plain_listener, warn_of_plain_url};
pub use server::{Server, Stream};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
