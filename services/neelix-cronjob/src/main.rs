//! The neelix-cronjob process.

fn main() {}
