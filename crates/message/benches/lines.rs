//! Speed of encoding and decoding payloads of the agents: `cargo bench -p message`.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use message::{Frames, Record};

const NOW: &str = "2025-11-20T04:30:00.123Z";
const SIZES: [usize; 3] = [320, 1_024, 16_384];

fn main() {
    divan::main();
}

/// Builds a payload of about `size` bytes.
fn payload(size: usize) -> String {
    let text = "The journal should fsync a whole group at once; it \\\"costs\\\" 0.16 ms.\\n";
    let text = text.repeat(size.saturating_sub(320) / text.len());
    format!(
        concat!(
            r#"{{"sender_id": "claude_code", "message_id": "msg_001", "timestamp": "2025-11-20T04:30:00Z", "#,
            r#""in_reply_to": "msg_000", "context_id": "review", "content": {{"message": "{}", "action": "review"}}, "#,
            r#""metadata": {{"sender_role": "Agent", "ace_tier": "A", "chain_type": "system_architecture", "shl_tags": ["@Status-Ready"]}}}}"#,
        ),
        text
    )
}

/// Builds the line of a payload.
fn line(payload: &str) -> Vec<u8> {
    let mut line = Vec::new();
    message::encode(&[b"general", payload.as_bytes()], NOW, &mut line);
    line
}

#[divan::bench(args = SIZES)]
fn encode(bencher: Bencher<'_, '_>, size: usize) {
    let payload = payload(size);
    let frames = [b"general", payload.as_bytes()];
    let mut line = Vec::new();
    bencher
        .counter(BytesCount::of_str(&payload))
        .bench_local(|| {
            line.clear();
            message::encode(black_box(&frames), NOW, &mut line);
        });
}

#[divan::bench(args = SIZES)]
fn decode_frames(bencher: Bencher<'_, '_>, size: usize) {
    let payload = payload(size);
    let line = line(&payload);
    let mut frames = Frames::new();
    bencher
        .counter(BytesCount::of_str(&payload))
        .bench_local(|| {
            message::decode_frames(black_box(&line), &mut frames).expect("our own line");
        });
}

#[divan::bench(args = SIZES)]
fn parse_record(bencher: Bencher<'_, '_>, size: usize) {
    let payload = payload(size);
    let line = line(&payload);
    bencher
        .counter(BytesCount::of_str(&payload))
        .bench_local(|| {
            black_box(Record::parse(black_box(&line)).expect("our own line"));
        });
}
