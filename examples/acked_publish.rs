//! Publishes messages, and says under which number each is on disk; then reads
//! them back as a consumer that the broker remembers.
//!
//! With a broker on its usual ports:
//!
//! ```console
//! $ cargo run --example acked_publish -- "Hello, Gemini"
//! $ cargo run --example acked_publish -- --endpoint tcp://127.0.0.1:6557 "Hello"
//! ```
#![allow(clippy::print_stdout)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::{Client, Consume, Error};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut endpoint = "tcp://127.0.0.1:5558".to_owned();
    if arguments.first().is_some_and(|first| first == "--endpoint") && arguments.len() > 1 {
        endpoint = arguments.remove(1);
        arguments.remove(0);
    }
    let mut client = Client::connect(&endpoint, Duration::from_secs(30))?;
    // The time makes the names of this run different from those of all others.
    let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    for (number, text) in arguments.iter().enumerate() {
        let payload = serde_json::json!({
            "sender_id": "rust_example",
            "message_id": format!("{run}-{number}"),
            "content": {"message": text},
        });
        let published = client.publish(&[b"greeting", payload.to_string().as_bytes()])?;
        println!("[*] On disk as message {}", published.message_num);
    }
    read_on(&client)?;
    Ok(())
}

/// Shows what was recorded since the last run.
fn read_on(client: &Client) -> Result<(), Error> {
    let mut consumer = client.consume(Consume {
        topic: Some("greeting".to_owned()),
        ends_at_head: true,
        ..Consume::named("rust_example")
    })?;
    while consumer.end().is_none() {
        let Some(message) = consumer.next(Duration::from_secs(10))? else {
            continue;
        };
        let payload = message.frames.last().map(Vec::as_slice);
        let payload = String::from_utf8_lossy(payload.unwrap_or_default());
        println!("[{}] {payload:?}", message.message_num);
    }
    consumer.end().map_or(Ok(()), |end| consumer.ack(end))
}
