//! Whatever comes in on the bridge's port: nothing of it is executed, nothing
//! stops, and what is no record is kept as a dead letter with its reason and
//! its sender.

#![allow(clippy::unwrap_used, reason = "a test fails where it fails")]

use std::time::Duration;

use e2e::{account::numbered, api, chance::Chance};
use serde_json::Value;
use testkit::{Installation, frame, http, wait_for};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const SOON: Duration = Duration::from_secs(30);

/// Sends bytes on a connection of their own; returns the sender's address.
async fn send(herald: &Installation, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(herald.bridge_address()).await.unwrap();
    let address = stream.local_addr().unwrap().to_string();
    // The bridge may close as soon as it knows enough.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    address
}

async fn dead_letter(herald: &Installation, peer: &str) -> Value {
    let url = format!("{}/api/v1/dead_letters?limit=100", herald.web_url());
    wait_for(&format!("{peer} has a dead letter"), SOON, async || {
        let letters = http::get_json(&url).await?;
        let letters = letters["dead_letters"].as_array()?.clone();
        letters.into_iter().find(|letter| letter["peer"] == peer)
    })
    .await
}

#[tokio::test]
async fn what_is_no_record_becomes_a_dead_letter() {
    let herald = Installation::new();
    let mut up = herald.up().await;
    let proof = herald.folder().join("executed");
    let command = format!("touch {}", proof.display());
    let system = format!("cposix\nsystem\n(X{}{command}tR.", length(&command));
    let eval = format!("c__builtin__\neval\n(V__import__('os').system('{command}')\ntR.");
    let check = async |what: &str, bytes: &[u8]| {
        let peer = send(&herald, bytes).await;
        let letter = dead_letter(&herald, &peer).await;
        let reason = api::text(&letter, "reason");
        assert!(reason.len() > 10, "{what}: {reason}");
        assert!(letter["size_bytes"].as_u64().unwrap() > 0, "{what}");
        reason.to_owned()
    };
    let framed = |body: &[u8]| frame::length_prefixed(body);
    check("a call of os.system", &framed(system.as_bytes())).await;
    check("a call of eval", &framed(eval.as_bytes())).await;
    check(
        "a truncated pickle",
        &framed(&frame::pickle_body(&numbered("x", 0))[..200]),
    )
    .await;
    check("a pickle of a number", &framed(b"\x80\x04K\x07.")).await;
    check("a dictionary without a message", &framed(b"}.")).await;
    check(
        "100,000 nested lists",
        &framed(&[b"]".repeat(100_000), b"a".repeat(99_999), b".".to_vec()].concat()),
    )
    .await;
    check(
        "an integer of a million digits",
        &framed(&[b"L", &b"9".repeat(900_000)[..], b"L\n."].concat()),
    )
    .await;
    check(
        "a memo number of four billion",
        &framed(b"}r\xff\xff\xff\xff."),
    )
    .await;
    check("an empty frame", &framed(b"")).await;
    check("JSON of another shape", &framed(b"{\"a\": [1, 2")).await;
    check("a line that is no JSON", b"{oops}\n").await;
    check(
        "JSON nested deeply",
        &framed(&[b"{\"msg\":", &b"[".repeat(100_000)[..]].concat()),
    )
    .await;
    let reason = check("a web browser", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(reason.contains("HTTP"), "{reason}");
    let reason = check(
        "a TLS client",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    )
    .await;
    assert!(reason.contains("TLS"), "{reason}");

    let peer = send(&herald, &framed(&vec![b'x'; 3 << 20])).await;
    let letter = dead_letter(&herald, &peer).await;
    assert_eq!(letter["size_bytes"], 3 << 20);
    assert_eq!(
        api::text(&letter, "head_base64").len(),
        65_536_usize.div_ceil(3) * 4
    );

    send(&herald, &framed(&laughs())).await;
    send(&herald, &frame::pickle(&numbered("honest", 0))).await;
    api::exactly(&herald.web_url(), "user_spec_1=honest", 1, SOON).await;
    assert!(!proof.exists(), "a pickle was executed");
    assert!(up.is_running());
    let errors = up.stderr();
    assert!(!errors.contains("panicked"), "{errors}");
}

/// A text in ten lists in ten lists ..., 40 levels deep: small to write down,
/// endless to write out.
fn laughs() -> Vec<u8> {
    let mut pickle = b"}(Vmsg\nVha\nq\x000".to_vec();
    for memo in 0..40_u8 {
        pickle.extend_from_slice(b"](");
        pickle.extend_from_slice(&[b'h', memo].repeat(10));
        pickle.extend_from_slice(&[b'e', b'q', memo + 1, b'0']);
    }
    pickle.extend_from_slice(b"h\x28u.");
    pickle
}

fn length(text: &str) -> String {
    let length = u32::try_from(text.len()).unwrap().to_le_bytes();
    length.map(char::from).iter().collect()
}

#[tokio::test]
async fn random_bytes_do_no_harm() {
    let mut chance = Chance::from_environment();
    let herald = Installation::new();
    let mut up = herald.up().await;
    for _ in 0..300 {
        let length = 1 + chance.below(2_000) as usize;
        let mut bytes = chance.bytes(length);
        if chance.below(2) == 0 {
            bytes = frame::length_prefixed(&bytes);
        }
        send(&herald, &bytes).await;
        let mut damaged = frame::pickle(&numbered("damaged", 0));
        let at = 4 + chance.below(damaged.len() as u64 - 4) as usize;
        damaged[at] ^= 1 << chance.below(8);
        send(&herald, &damaged).await;
    }
    send(&herald, &frame::pickle(&numbered("honest", 0))).await;
    api::exactly(&herald.web_url(), "user_spec_1=honest", 1, SOON).await;
    assert!(up.is_running());
    let errors = up.stderr();
    assert!(!errors.contains("panicked"), "{errors}");
}
