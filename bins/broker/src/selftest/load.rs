//! Publishes without end, and remembers which number each message got.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use client::{Client, Published};
use serde_json::json;

/// How many messages are on their way at a time.
const CHUNK: usize = 100;
/// A broker that is killed again and again may need some tries.
const PATIENCE: Duration = Duration::from_secs(60);

/// The numbers of all messages, in the order of their names.
pub(super) type Sent = Vec<u64>;

/// The name of a message.
pub(super) fn name(index: usize) -> String {
    format!("selftest-{index}")
}

/// Starts to publish, until it is told to stop.
pub(super) fn start(
    port: u16,
    stop: Arc<AtomicBool>,
) -> anyhow::Result<JoinHandle<anyhow::Result<Sent>>> {
    std::thread::Builder::new()
        .name("load".to_owned())
        .spawn(move || publish(port, &stop))
        .context("cannot start a thread")
}

fn publish(port: u16, stop: &AtomicBool) -> anyhow::Result<Sent> {
    let mut client = Client::connect(&format!("tcp://127.0.0.1:{port}"), PATIENCE)?;
    let mut sent = Sent::new();
    while !stop.load(Ordering::SeqCst) {
        let messages: Vec<Vec<Vec<u8>>> = (sent.len()..sent.len() + CHUNK)
            .map(|index| vec![b"selftest".to_vec(), payload(index)])
            .collect();
        let published = client.publish_all(&messages).context("publishing failed")?;
        sent.extend(
            published
                .iter()
                .map(|Published { message_num, .. }| message_num),
        );
    }
    Ok(sent)
}

/// A message of one to two thousand bytes.
fn payload(index: usize) -> Vec<u8> {
    let padding = "x".repeat(1000 + index % 1000);
    let payload = json!({
        "sender_id": "selftest", "message_id": name(index), "content": {"padding": padding},
    });
    payload.to_string().into_bytes()
}
