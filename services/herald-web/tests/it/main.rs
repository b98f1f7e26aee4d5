//! herald-web as its users see it: over HTTP, with a store behind it that
//! speaks the real gRPC contract.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod api;
mod audit;
mod counts;
mod detail;
mod exceptions;
mod export;
mod fake_store;
mod hostile;
mod https;
mod log;
mod openapi;
mod outage;
mod page;
mod places;
mod record;
mod saved;
mod serving;
mod signin;
mod systems;
mod tail;
mod tail_page;
mod text;
mod web;
