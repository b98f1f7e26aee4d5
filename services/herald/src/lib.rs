//! All of Herald on one machine, and the command line.
