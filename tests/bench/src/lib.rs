//! Benchmarks: speed and memory of whole services.
