//! A full disk: refused, nothing half-written, and on its way again without a
//! restart when there is room.

use std::{fs, path::PathBuf};

use tempfile::TempDir;
use testkit::{Process, wait_for};
use tonic::Code;
use uuid::Uuid;

use crate::harness::{Clients, DEADLINE, bulky, entries, serving_address};

const ONE: Uuid = Uuid::from_u128(1);

/// A store whose folder is a file system of 24 MiB, most of it taken by a ballast.
fn start(folder: &TempDir) -> Process {
    let script = "mount -t tmpfs -o size=24m tmpfs \"$STORE_DATA_DIR\" &&
         head -c 16M /dev/zero > \"$STORE_DATA_DIR/ballast\" && exec \"$0\"";
    let arguments = ["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_store")];
    let folder = folder.path().to_str().unwrap();
    let vars = [
        ("DEV_STAGE", "TESTING"),
        ("STORE_LISTEN", "127.0.0.1:0"),
        ("STORE_DATA_DIR", folder),
        ("STORE_WAL_BYTES", "16MiB"),
    ];
    Process::start("unshare", arguments, vars)
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let folder = TempDir::new().unwrap();
    let mut process = start(&folder);
    let address = wait_for("the store serves", DEADLINE, async || {
        serving_address(&process)
    })
    .await;
    let mut clients = Clients::new(address);

    let (mut bridge, _) = clients.open(ONE).await;
    let mut next = 1;
    let refused = loop {
        match bridge.append(next, bulky(next..next + 200, 7)).await {
            Ok(()) => next += 200,
            Err(refused) => break refused,
        }
        assert!(next < 100_000, "the disk never fills");
    };
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let status = clients.get_status().await;
    assert_eq!((status.records, status.newest_id), (next - 1, next - 1));
    let (mut again, expected) = clients.open(ONE).await;
    assert_eq!(expected, next, "what was refused left nothing behind");
    let refused = again
        .append(next, bulky(next..next + 200, 7))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");

    let ballast = PathBuf::from(format!("/proc/{}/root", process.id()))
        .join(folder.path().strip_prefix("/").unwrap())
        .join("ballast");
    fs::remove_file(ballast).unwrap();
    let (mut bridge, expected) = clients.open(ONE).await;
    assert_eq!(expected, next);
    bridge
        .append(next, bulky(next..next + 200, 7))
        .await
        .unwrap();
    bridge.append(next + 200, entries("a", 0..1)).await.unwrap();
    let ids: Vec<u64> = clients
        .all(1_000)
        .await
        .iter()
        .map(|record| record.id)
        .collect();
    assert_eq!(ids, (1..next + 201).collect::<Vec<_>>());
    assert!(process.is_running());
}
