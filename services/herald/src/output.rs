//! What people see: answers on stdout, progress on stderr if it is a terminal.

use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Between two looks whether anybody still reads stdout: a pipe does not tell.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Why an answer cannot be written to stdout.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// Whoever read it has had enough: no failure of the command.
    #[error("nobody reads the answer any more")]
    ReaderGone,
    /// Something else.
    #[error("cannot write the answer")]
    Io(#[source] io::Error),
}

/// Writes a piece of an answer to stdout.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(text: &str) -> Result<(), WriteError> {
    let mut stdout = io::stdout().lock();
    let outcome = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    outcome.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => WriteError::ReaderGone,
        _ => WriteError::Io(error),
    })
}

/// Looks whether anybody still reads stdout, without writing to it.
///
/// # Errors
/// Nobody does.
pub(crate) fn check_reader() -> Result<(), WriteError> {
    let stdout = io::stdout();
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let told = poll(&mut watched, Some(&now)).is_ok_and(|ready| ready > 0);
    match told && watched[0].revents().contains(PollFlags::ERR) {
        true => Err(WriteError::ReaderGone),
        false => Ok(()),
    }
}

/// Waits until nobody reads stdout any more.
pub(crate) async fn reader_gone() -> WriteError {
    loop {
        if let Err(gone) = check_reader() {
            return gone;
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// Says something beside the answer on stderr. Nobody reading it is no reason
/// to fail.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "herald: {text}");
}

/// Whether somebody sees the answer and what is said beside it on one terminal.
pub(crate) fn is_for_people() -> bool {
    io::stdout().is_terminal() && io::stderr().is_terminal()
}

/// Whether a bar on stderr would not run into an answer on the same terminal.
pub(crate) fn has_room_for_bar() -> bool {
    io::stderr().is_terminal() && !io::stdout().is_terminal()
}

/// Writes one line to stdout. Nobody reading it is no reason to fail.
pub(crate) fn say(line: impl std::fmt::Display) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// A bar that counts things, hidden where stderr is no terminal.
pub(crate) fn count_bar(total: u64) -> ProgressBar {
    styled(total, "{bar:30} {pos}/{len} records, {per_sec}, {eta} left")
}

/// A bar that counts bytes, hidden where stderr is no terminal.
pub(crate) fn byte_bar(total: u64) -> ProgressBar {
    styled(
        total,
        "{bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
    )
}

/// A bar that counts the blocks of a check, hidden where stderr is no terminal.
pub(crate) fn block_bar() -> ProgressBar {
    styled(0, "{bar:30} {pos}/{len} blocks, {eta} left")
}

fn styled(total: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is fixed");
    ProgressBar::new(total).with_style(style)
}
