//! What people see: answers on stdout, progress on stderr if it is a terminal.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressStyle};

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

fn styled(total: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the template is fixed");
    ProgressBar::new(total).with_style(style)
}
