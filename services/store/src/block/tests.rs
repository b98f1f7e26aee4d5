//! Blocks as their readers see them: what goes in comes out, what is searched
//! is found, and other bytes are told from a block.

mod damage;
mod generate;
mod round_trip;
mod search;
