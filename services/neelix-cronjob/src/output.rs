//! What people and programs see on stdout and stderr.

use std::{
    fmt,
    io::{self, ErrorKind, Write},
};

/// Writes one line to stdout. That nobody reads on is no failure.
///
/// # Errors
/// It cannot be written.
pub(crate) fn say(line: impl fmt::Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Says something beside the answer on stderr. Nobody reading it is no reason to fail.
pub(crate) fn note(line: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
