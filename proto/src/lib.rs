//! The gRPC contract of Herald: the types generated from `herald/v1/*.proto`
//! and their conversion to and from the domain.

mod convert;

pub use convert::{ConvertError, entries_from_batch, query_from_request, query_to_request};

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

/// How many bytes `OpenSpool.name` may have.
pub const BRIDGE_NAME_BYTES: usize = 1 << 10;

/// The descriptors of the whole contract, for gRPC reflection: an encoded
/// `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/herald.v1.bin"));
