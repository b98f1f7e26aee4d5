//! Waiting for something to become true: polls, with a deadline.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often the condition is looked at.
const PERIOD: Duration = Duration::from_millis(10);

/// Waits until `holds` says so.
///
/// # Panics
/// When it does not within `deadline`; `what` is the end of "waited in vain
/// until".
pub async fn wait_until(what: &str, deadline: Duration, mut holds: impl AsyncFnMut() -> bool) {
    wait_for(what, deadline, async || holds().await.then_some(())).await;
}

/// Waits until `probe` finds something, and returns it.
///
/// # Panics
/// When it does not within `deadline`; `what` is the end of "waited in vain
/// until".
pub async fn wait_for<T>(
    what: &str,
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + deadline;
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(found) = probe().await {
            return found;
        }
        assert!(
            Instant::now() < end,
            "waited in vain until {what} ({deadline:?})"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{wait_for, wait_until};

    #[tokio::test]
    async fn what_is_found_is_returned() {
        let mut rounds = 0;
        let found = wait_for(
            "it is the third round",
            Duration::from_secs(5),
            async || {
                rounds += 1;
                (rounds == 3).then_some(rounds)
            },
        )
        .await;
        assert_eq!(found, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "waited in vain until pigs fly")]
    async fn the_deadline_ends_it() {
        wait_until("pigs fly", Duration::from_millis(30), async || false).await;
    }
}
