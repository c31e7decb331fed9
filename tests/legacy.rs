//! The file of the older recorder is taken over as it is.

use serde_json::{Value, json};

use crate::util::broker::{Broker, viewer};
use crate::util::client::{Subscriber, publish};
use crate::util::dir::Dir;
use crate::util::message::agents;
use crate::util::process::run;
use crate::util::record::Record;

/// Two lines with everything in `Metadata`, then two with tier, chain and tags at the top.
const OLDER: &str = include_str!("fixtures/older_recorder.jsonl");

fn taken_over() -> Dir {
    let dir = Dir::new();
    dir.write_current(OLDER);
    dir
}

#[test]
fn the_broker_counts_it_and_goes_on_behind_it() {
    let dir = taken_over();
    let mut broker = Broker::start(&dir);
    broker.wait_for("[*] Loaded 4 messages from previous session\n");
    broker.wait_for("[RECOVERY] System recovered with 4 messages from previous session\n");
    publish(broker.ports.publish, &agents("t", 1, 1));
    dir.wait_lines(5);

    let text = String::from_utf8(dir.current_bytes()).unwrap();
    let new = text
        .strip_prefix(OLDER)
        .expect("the older lines are as they were");
    let record = Record::parse(new.trim_end());
    assert_eq!((record.num(), record.id()), (5, "t-1".to_owned()));
}

#[test]
fn lines_without_a_topic_are_counted_at_the_start_and_go_to_who_wants_everything() {
    let dir = Dir::new();
    let without = OLDER.replace(r#""topic": "general", "#, "");
    dir.write_current(&without);
    let mut broker = Broker::start(&dir);
    broker.wait_for(
        "[*] 2 of them, by an older recorder, carry no topic: only subscribers to everything get them\n",
    );
    let mut all = Subscriber::connect(broker.ports.subscribe, &[""]);
    let topics: Vec<Vec<u8>> = all
        .recv(4)
        .into_iter()
        .map(|frames| frames[0].clone())
        .collect();
    assert_eq!(topics.iter().filter(|topic| topic.is_empty()).count(), 2);
    // Behind a line of the broker's own, nothing is looked at.
    publish(broker.ports.publish, &agents("t", 1, 1));
    dir.wait_lines(5);
    broker.kill9();
    let mut broker = Broker::start(&dir);
    broker.wait_for("[*] 2 of them, by an older recorder, carry no topic");
}

#[test]
fn its_messages_are_replayed_on_their_topics() {
    let dir = taken_over();
    let broker = Broker::start(&dir);
    let mut subscriber = Subscriber::connect(broker.ports.subscribe, &["general"]);
    let replayed = subscriber.recv(3);
    let topics: Vec<&[u8]> = replayed.iter().map(|frames| &*frames[0]).collect();
    assert_eq!(topics, [b"general".as_slice(); 3]);
    let payloads: Vec<Value> = replayed
        .iter()
        .map(|frames| {
            assert_eq!(frames.len(), 2, "topic and payload");
            serde_json::from_slice(&frames[1]).expect("a payload as agents send it")
        })
        .collect();
    let senders: Vec<&Value> = payloads
        .iter()
        .map(|payload| &payload["sender_id"])
        .collect();
    assert_eq!(senders, ["gemini_cli", "claude_code", "llama_local"]);
    let contents: Vec<&Value> = payloads.iter().map(|payload| &payload["content"]).collect();
    assert_eq!(contents[0], &json!({"message": "Hello", "action": "greet"}));
    assert_eq!(contents[1], &json!({"message": "Hello, Gemini – Grüße"}));
    assert_eq!(contents[2], "plain words");
    publish(broker.ports.publish, &agents("general", 1, 1));
    assert_eq!(subscriber.recv(1), agents("general", 1, 1));
}

#[test]
fn the_viewer_shows_it_like_any_other() {
    let dir = taken_over();
    run(&mut viewer(&dir, &["--sender", "gemini_cli"]))
        .with_code(0)
        .without_warning()
        .says("[*] Loaded 4 messages from ")
        .says("gemini_cli → general\n")
        .says("[TIER] E | [CHAIN] testing_validation\n")
        .says("[SHL] @Chain-testing_validation\n")
        .says("[CONTENT]:\n{\n  \"message\": \"Hello\",\n  \"action\": \"greet\"\n}\n")
        .never_says("claude_code");
}

#[test]
fn the_viewer_filters_and_counts_it_like_any_other() {
    let dir = taken_over();
    run(&mut viewer(&dir, &["--tier", "A"]))
        .says("[*] Showing 1 of ")
        .says("claude_code → general");
    run(&mut viewer(
        &dir,
        &["--chain", "photo_capture", "--topic", "status"],
    ))
    .says("[*] Showing 1 of ")
    .says("\"status\": \"done\"");
    run(&mut viewer(&dir, &["--stats", "--brief"]))
        .with_code(0)
        .says("  A-Tier: 1 message (25%)\n")
        .says("  C-Tier: 1 message (25%)\n")
        .says("  E-Tier: 2 messages (50%)\n")
        .says("  photo_capture: 2 messages\n")
        .says("  claude_code: 2 messages\n")
        .says("  llama_local: 1 message\n")
        .says("  From: 2025-11-30T09:35:11.678846")
        .says("  To:   2025-11-30T09:38:00.25");
}
