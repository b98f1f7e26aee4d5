//! Judges records and silences by the rules of a file, and tells people.

mod digest;
mod duration;
mod ini;
mod judge;
mod problem;
mod rule;
mod rules;
mod schedule;
mod scope;
