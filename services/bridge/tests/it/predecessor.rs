//! A predecessor's bridge as destination. The stand-in reads as the published one
//! does: four bytes, then once as many as these say, and what comes short is taken
//! for the whole frame.

use std::{
    io::Read,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use bridge::{decode, frame::FrameKind};
use domain::Entry;
use testkit::{frame, record, wait_until};

use crate::{
    store::Store,
    under_test::{PATIENCE, UnderTest},
    zones::{arrive, burst},
};

type Frames = Arc<Mutex<Vec<Vec<u8>>>>;

/// Reads connections one after the other; cuts every connection after
/// `cut_after` frames, as often as `cuts` says.
fn stand_in(cut_after: usize, mut cuts: usize) -> (String, Frames) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a port").to_string();
    let frames = Frames::default();
    let kept = Arc::clone(&frames);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            let is_cut = read_frames(stream, &kept, if cuts > 0 { cut_after } else { usize::MAX });
            cuts -= usize::from(is_cut);
        }
    });
    (address, frames)
}

fn read_frames(mut stream: TcpStream, frames: &Frames, cut_after: usize) -> bool {
    for number in 0.. {
        if number == cut_after {
            let _gone = stream.shutdown(Shutdown::Both);
            return true;
        }
        let mut length = [0; 4];
        if !matches!(stream.read(&mut length), Ok(4)) {
            return false;
        }
        let mut body = vec![0; u32::from_be_bytes(length) as usize];
        let read = stream.read(&mut body).unwrap_or(0);
        body.truncate(read);
        frames.lock().expect("no panic").push(body);
    }
    false
}

fn messages(frames: &Frames) -> Vec<String> {
    let frames = frames.lock().expect("no panic");
    frames
        .iter()
        .map(
            |frame| match decode::decode(FrameKind::Pickle, frame, 0, "") {
                Entry::Record(record) => record.message,
                other => panic!("{other:?}"),
            },
        )
        .collect()
}

fn route(address: &str, rules: &str) -> String {
    format!(
        "[[destination]]\nname = \"old\"\nkind = \"predecessor\"\naddress = \"{address}\"\nrate = 1000\n{rules}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_frame_arrives_whole_and_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = Store::start().await;
    let (address, frames) = stand_in(0, 0);
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &route(&address, ""), &[]).await;
    bridge.send(&burst(0..300)).await;
    arrive(&own, 300).await;
    bridge
        .send(b"{\"message\": \"as JSON\", \"level\": 30}\n{\"no\": 1}\n")
        .await;
    wait_until("they are there", PATIENCE, async || {
        frames.lock().expect("no panic").len() > 300
    })
    .await;
    bridge.stop().await.expect("a clean end");
    let mut expected: Vec<_> = (0..300).map(|number| format!("record {number}")).collect();
    expected.push("as JSON".to_owned());
    assert_eq!(messages(&frames), expected);
    let frames = frames.lock().expect("no panic");
    assert_eq!(frames[7], frame::pickle(&record(7))[4..], "byte by byte");
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = Store::start().await;
    let (address, frames) = stand_in(7, 5);
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &route(&address, ""), &[]).await;
    bridge.send(&burst(0..300)).await;
    wait_until("the last is there", PATIENCE, async || {
        messages(&frames)
            .last()
            .is_some_and(|it| it == "record 299")
    })
    .await;
    bridge.stop().await.expect("a clean end");
    let mut messages = messages(&frames);
    assert!(messages.len() > 300, "some are there twice");
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_hold_there_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = Store::start().await;
    let (address, frames) = stand_in(0, 0);
    let routes = route(&address, "query = \"level>=error\"\nfields = [\"message\"]");
    let bridge = UnderTest::start_in_zone(folder.path(), &own, &routes, &[]).await;
    bridge.send(&burst(0..20)).await;
    arrive(&own, 20).await;
    let expected = own.records().iter().filter(|it| it.level >= 40).count();
    wait_until("they are there", PATIENCE, async || {
        frames.lock().expect("no panic").len() >= expected
    })
    .await;
    bridge.stop().await.expect("a clean end");
    let frames = frames.lock().expect("no panic");
    assert_eq!(frames.len(), expected);
    for frame in frames.iter() {
        let Entry::Record(record) = decode::decode(FrameKind::Pickle, frame, 0, "") else {
            panic!("a record");
        };
        assert!(record.level >= 40 && record.message.starts_with("record "));
        assert_eq!(
            (record.module.as_str(), record.system_id.as_str()),
            ("", "")
        );
    }
}
