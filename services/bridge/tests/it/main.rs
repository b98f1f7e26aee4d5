//! The bridge from its socket to a store's wire: real sockets, a real spool,
//! and a store that speaks the protocol and keeps what it is sent in memory.

mod config;
mod forwarding;
mod frames;
mod limits;
mod noisy;
mod numbered;
mod predecessor;
mod routes;
mod store;
mod tls;
mod under_test;
mod zones;
