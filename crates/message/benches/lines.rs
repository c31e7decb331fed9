//! Speed of encoding and decoding payloads of the agents: `cargo bench -p message`.

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use message::{Frames, Record};

const NOW: &str = "2025-11-20T04:30:00.123Z";

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

/// Repeats `work` for a while and returns the time of one run in the best of some rounds.
fn time(mut work: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..20 {
        let runs: u32 = 2_000;
        let start = Instant::now();
        for _ in 0..runs {
            work();
        }
        best = best.min(start.elapsed() / runs);
    }
    best
}

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for size in [320, 1_024, 16_384] {
        let payload = payload(size);
        let frames = [b"general", payload.as_bytes()];
        let mut body = Vec::new();
        message::encode(&frames, NOW, &mut body);
        let mut rebuilt = Frames::new();
        let (line, mut buffer) = (body.clone(), Vec::new());
        let runs = [
            (
                "encode",
                time(|| {
                    buffer.clear();
                    message::encode(black_box(&frames), NOW, &mut buffer);
                }),
            ),
            (
                "decode_frames",
                time(|| {
                    message::decode_frames(black_box(&line), &mut rebuilt).expect("our own line");
                }),
            ),
            (
                "Record::parse",
                time(|| {
                    black_box(Record::parse(black_box(&line)).expect("our own line"));
                }),
            ),
        ];
        for (name, time) in runs {
            let rate = payload.len() as f64 / time.as_secs_f64() / 1e9;
            writeln!(
                out,
                "{name:>14}  {:>6} bytes  {time:>10.1?}  {rate:.2} GB/s",
                payload.len()
            )?;
        }
    }
    Ok(())
}
