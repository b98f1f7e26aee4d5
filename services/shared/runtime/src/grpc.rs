//! gRPC between our services: the client and the server side, both with
//! keepalive and the W3C trace context, and encrypted where they are asked to.

mod client;
mod guard;
mod listener;
mod newcomers;
mod server;
mod trace;

use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};

pub use client::{
    ChannelError, Client, InvalidUrl, channel, channel_of_streams, check_url, secure_channel,
};
pub use guard::guarded;
pub use listener::Listener;
pub use server::serve;
pub use trace::TracedBody;

/// The standard reflection service (v1) over an encoded `FileDescriptorSet`,
/// to be added to the routes of [`serve`].
///
/// # Panics
/// The descriptors are no `FileDescriptorSet`: they are made at build time.
#[must_use]
pub fn reflection(descriptors: &'static [u8]) -> ServerReflectionServer<impl ServerReflection> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(descriptors)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .expect("descriptors are made at build time")
}
