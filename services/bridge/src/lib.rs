//! Takes log records over TCP, spools them, and passes them on exactly once.
