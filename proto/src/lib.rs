//! The gRPC contract of Herald: the types generated from `herald/v1/*.proto`
//! their conversion to and from the domain, who may call what ([`access`]), and for whom
//! a call is made ([`author`]).

pub mod access;
mod alert;
mod audit_entry;
pub mod author;
pub mod codec;
mod entry;
mod error;
mod heartbeat;
mod notification;
mod request;
mod run;
mod saved_search;

pub use audit_entry::action_from_proto;
pub use entry::entries_from_batch;
pub use error::ConvertError;
pub use request::{
    buckets_from_proto, by_from_proto, count_from_request, count_to_request, filter_from_proto,
    filter_to_proto, order_from_proto, order_to_proto, query_from_request, query_to_request,
    scope_from_proto, scope_to_proto,
};

/// Package `herald.v1`.
#[allow(
    missing_docs,
    unused_qualifications,
    unreachable_pub,
    clippy::all,
    reason = "generated"
)]
pub mod v1 {
    tonic::include_proto!("herald.v1");
}

/// What the names of bridges begin with that bring in records of elsewhere.
pub const IMPORT_NAME_PREFIX: &str = "import ";

/// How many bytes `OpenSpool.name` may have.
pub const BRIDGE_NAME_BYTES: usize = 1 << 10;

/// How many entries a batch may have.
pub const BATCH_ENTRIES: usize = 1_000;

/// How many bridges an entry may have left.
pub const MAX_HOPS: usize = 8;

/// The descriptors of the whole contract, for gRPC reflection: an encoded
/// `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/herald.v1.bin"));
