//! What every service needs to run: configuration, telemetry, shutdown,
//! health, gRPC. Knows nothing of records.
//!
//! * [`config`]: variables with a prefix into a struct, and errors that name
//!   the variable.
//! * [`telemetry`]: our own logs, metrics and traces.
//! * [`shutdown`], [`process`]: signals and exit codes.
//! * [`health`]: `/healthz`, `/readyz`, `/metrics`.
//! * [`grpc`]: one port for gRPC and HTTP, and the client of such a port; both
//!   carry the trace context.
//! * [`networks`]: lists of addresses.
//! * [`tls`]: encryption of all that, by certificates that may change.

pub mod config;
pub mod grpc;
pub mod health;
pub mod networks;
pub mod process;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
