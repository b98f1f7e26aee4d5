//! Destinations that are too far behind.

use bridge::spool::{Backlog, Begin, Item};

use crate::model::{Store, batch, folder, open};

const FRAMES: u64 = 200;

#[tokio::test]
async fn what_was_given_up_is_no_loss_after_a_restart_either() {
    let dir = folder();
    let backlog = Backlog {
        max_bytes: Some(256 << 10),
        gives_way: false,
    };
    let (spool, _) = open(dir.path());
    let away = spool.reader_from("away", Begin::Oldest, backlog).unwrap();
    let mut reader = spool.reader("store").unwrap();
    let mut store = Store::default();
    store.connect(&mut reader);
    for first in (0..FRAMES).step_by(10) {
        spool
            .append(batch(first..first + 10, 10_000))
            .await
            .unwrap();
    }
    spool.flush().await.unwrap();
    store.drain("store", &spool, &mut reader).await;
    assert_eq!(store.frames.len() as u64, FRAMES);
    drop((away, reader));
    spool.close().await.unwrap();

    let (spool, _) = open(dir.path());
    let mut away = spool.reader_from("away", Begin::Oldest, backlog).unwrap();
    let (mut given_up, mut frames) = (0, Vec::new());
    while given_up + (frames.len() as u64) < FRAMES {
        let chunk = away.next(100, 1 << 20).await.unwrap();
        for item in chunk.items {
            match item {
                Item::Gap { count, reason } => {
                    assert!(reason.starts_with("given up"), "{reason}");
                    given_up += count;
                }
                Item::Frame(frame) => frames.push(frame.bytes),
            }
        }
    }
    assert!(given_up > FRAMES / 2 && !frames.is_empty(), "{given_up}");
    assert!(frames.last().unwrap().starts_with(b"199 "));
    assert_eq!(spool.stats().lost_total, 0);
    spool.close().await.unwrap();
}
