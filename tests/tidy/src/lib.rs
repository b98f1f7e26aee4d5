//! Checks on the source tree itself: what the compiler does not enforce but
//! the design promises. Pure functions find faults in texts; the tests apply
//! them to the tree, and show on examples that they find anything at all.

pub mod crates;
pub mod deployment;
pub mod map;
pub mod source;
pub mod tree;
