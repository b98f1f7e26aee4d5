//! The writer's thread panics: everybody who relies on it has to know.

use std::time::Duration;

use bridge::spool::SpoolError;

use crate::model::{batch, folder, open};

#[tokio::test]
async fn a_panic_of_the_writer_ends_the_spool_for_everybody() {
    let dir = folder();
    let (spool, _) = open(dir.path());
    let mut reader = spool.reader("store").unwrap();
    spool.append(batch(0..10, 100)).await.unwrap();
    spool.flush().await.unwrap();
    // What observes a sync runs on the writer's thread.
    spool.observe_syncs(|_| panic!("a defect"));
    spool.append(batch(10..20, 100)).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(10), async {
        let is_panic = |error: &SpoolError| matches!(error, SpoolError::WriterPanicked);
        assert!(is_panic(&spool.flush().await.unwrap_err()));
        assert!(is_panic(&spool.failed().await));
        assert!(is_panic(
            &spool.append(batch(20..30, 100)).await.unwrap_err()
        ));
        assert_eq!(reader.next(1_000, 1 << 20).await.unwrap().items.len(), 10);
        assert!(is_panic(&reader.next(1_000, 1 << 20).await.unwrap_err()));
        assert!(is_panic(&spool.clone().close().await.unwrap_err()));
    });
    told.await.expect("nobody waits for ever");

    // The next start has what was durable, and perhaps what was only written.
    drop(reader);
    let (spool, _) = open(dir.path());
    let entries = spool.stats().durable_sequence - 1;
    assert!((10..=20).contains(&entries), "{entries}");
    spool.close().await.unwrap();
}
