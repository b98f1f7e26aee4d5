//! SIGTERM cancels the token; the process itself stays.

use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

#[tokio::test]
async fn sigterm_cancels_the_token() {
    let token = runtime::shutdown::on_signal();
    assert!(!token.is_cancelled());
    kill_process(getpid(), Signal::TERM).unwrap();
    let cancelled = tokio::time::timeout(Duration::from_secs(10), token.cancelled()).await;
    assert_eq!(cancelled, Ok(()));
}
