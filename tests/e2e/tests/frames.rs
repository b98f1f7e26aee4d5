//! However TCP cuts and joins what a program sends, every frame is stored, in
//! order. (The predecessor took a short read for a whole frame: of 3,000
//! records sent at once it stored 155.)

#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::time::Duration;

use domain::Record;
use e2e::{
    account::{arrived, numbered},
    api,
};
use serde_json::Value;
use testkit::{Installation, frame};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const SOON: Duration = Duration::from_secs(30);

async fn connect(herald: &Installation) -> TcpStream {
    let stream = TcpStream::connect(herald.bridge_address()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Lets the kernel hand over what was written before more is.
async fn pause() {
    tokio::time::timeout(Duration::from_micros(200), std::future::pending::<()>())
        .await
        .unwrap_err();
}

#[tokio::test]
async fn a_burst_of_3000_frames_in_one_send_is_stored_in_order() {
    let herald = Installation::new();
    let _up = herald.up().await;
    let count = 3_000;
    type Encode = fn(&Record) -> Vec<u8>;
    let encodings: [(&str, Encode); 3] = [
        ("pickle", frame::pickle),
        ("json", frame::json),
        ("lines", frame::json_line),
    ];
    for (name, encode) in encodings {
        let burst: Vec<u8> = (0..count)
            .flat_map(|number| encode(&numbered(name, number)))
            .collect();
        connect(&herald).await.write_all(&burst).await.unwrap();
        let filters = format!("user_spec_1={name}");
        let records = api::exactly(&herald.web_url(), &filters, count as usize, SOON).await;
        assert_eq!(arrived(&records)[name], count);
        check_fields(&records[4], &numbered(name, 4));
    }
}

/// The fields of one record, whichever way it was encoded.
fn check_fields(found: &Value, sent: &Record) {
    let texts = [
        ("level_name", &sent.level_name),
        ("logger", &sent.logger),
        ("system_id", &sent.system_id),
        ("sub_system_id", &sent.sub_system_id),
        ("package_version", &sent.package_version),
        ("path", &sent.path),
        ("thread_name", &sent.thread_name),
    ];
    for (field, expected) in texts {
        assert_eq!(api::text(found, field), expected);
    }
    assert_eq!(found["level"], sent.level);
    assert_eq!(found["thread"], sent.thread);
    assert_eq!(found["extra"]["attempt"], 4);
    assert_eq!(found["created"], "2023-11-14T22:13:20.004000Z");
}

#[tokio::test]
async fn every_split_point_of_two_frames_is_harmless() {
    let herald = Installation::new();
    let _up = herald.up().await;
    let frames = |name: &str| {
        let pair = [numbered(name, 0), numbered(name, 1)];
        pair.iter().flat_map(frame::pickle).collect::<Vec<u8>>()
    };
    let length = frames("at-0000").len();
    for at in 1..length {
        let bytes = frames(&format!("at-{at:04}"));
        let mut stream = connect(&herald).await;
        stream.write_all(&bytes[..at]).await.unwrap();
        pause().await;
        stream.write_all(&bytes[at..]).await.unwrap();
    }
    let expected = (length - 1) * 2;
    let records = api::exactly(&herald.web_url(), "", expected, SOON).await;
    let counts = arrived(&records);
    assert_eq!(counts.len(), length - 1);
    assert!(counts.values().all(|&count| count == 2));
}

#[tokio::test]
async fn one_byte_per_send_is_enough() {
    let herald = Installation::new();
    let _up = herald.up().await;
    let mut stream = connect(&herald).await;
    let bytes: Vec<u8> = (0..3)
        .flat_map(|number| frame::pickle(&numbered("bytes", number)))
        .collect();
    for byte in bytes {
        stream.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let records = api::exactly(&herald.web_url(), "", 3, SOON).await;
    assert_eq!(arrived(&records)["bytes"], 3);
}
