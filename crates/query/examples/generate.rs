//! Writes a journal to measure queries on, with lines exactly as the broker's.
//!
//! ```console
//! $ cargo run --release -p query --example generate -- DIR [MIB] [GROUP_KIB] [ARCHIVES]
//! ```
//!
//! The same arguments give the same bytes. `GROUP_KIB` is how much is written
//! and synced at once; `ARCHIVES` closes this many sessions of `MIB` each before
//! the current one, which then has as much again.

use std::error::Error;
use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use journal::Options;
use journal::raw::Writer;

/// 2025-11-20T04:30:00Z
const START: u64 = 1_763_613_000;
/// Milliseconds between two messages, on average: about 62 hours a GiB.
const PAUSE: u64 = 165;
const SENDERS: [(&str, u64); 6] = [
    ("claude_code", 45),
    ("gemini_cli", 30),
    ("llama_local", 12),
    ("orchestrator", 9),
    ("reviewer", 3),
    ("human", 1),
];
const TIERS: [(&str, u64); 3] = [("E", 70), ("C", 22), ("A", 8)];
const CHAINS: [(&str, u64); 7] = [
    ("system_architecture", 30),
    ("testing_validation", 25),
    ("photo_capture", 15),
    ("data_pipeline", 12),
    ("user_interface", 10),
    ("deployment", 6),
    ("incident", 2),
];
const TOPICS: [(&str, u64); 5] = [
    ("general", 40),
    ("design_review", 25),
    ("claude_design_request", 15),
    ("gemini_response", 15),
    ("alerts", 5),
];
const TAGS: [&str; 6] = [
    "@Status-Ready",
    "@Status-Blocked",
    "@Priority-High",
    "@Chain-testing_validation",
    "@Needs-Review",
    "@Decision",
];
/// The further back, the rarer.
const WORDS: [&str; 64] = [
    "the",
    "and",
    "to",
    "is",
    "a",
    "of",
    "in",
    "for",
    "with",
    "that",
    "it",
    "on",
    "this",
    "we",
    "message",
    "design",
    "test",
    "session",
    "broker",
    "journal",
    "record",
    "review",
    "change",
    "file",
    "order",
    "subscriber",
    "publisher",
    "index",
    "result",
    "error",
    "module",
    "thread",
    "recovery",
    "queue",
    "schema",
    "replay",
    "window",
    "sensor",
    "camera",
    "exposure",
    "latency",
    "commit",
    "fixture",
    "branch",
    "checksum",
    "archive",
    "rotation",
    "metric",
    "cursor",
    "payload",
    "benchmark",
    "regression",
    "timeout",
    "deadline",
    "invariant",
    "checkpoint",
    "throughput",
    "backpressure",
    "idempotent",
    "quorum",
    "linearizable",
    "tombstone",
    "bisect",
    "zeppelin",
];

/// Marsaglia's xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn choose<'a>(&mut self, weighted: &[(&'a str, u64)]) -> &'a str {
        let total = weighted.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(total);
        for (value, weight) in weighted {
            if at < *weight {
                return value;
            }
            at -= weight;
        }
        weighted[0].0
    }

    /// A word; the first ones come most often.
    fn word(&mut self) -> &'static str {
        let at = self.below(64) * self.below(64) * self.below(64) / (64 * 64);
        WORDS[usize::try_from(at).unwrap_or(0)]
    }
}

/// Makes one message after the other.
struct Agents {
    random: Random,
    /// Milliseconds since 1970.
    now: u64,
    count: u64,
}

impl Agents {
    fn payload(&mut self, out: &mut String) -> &'static str {
        let (count, random) = (self.count, &mut self.random);
        let sender = random.choose(&SENDERS);
        // A sender's clock is up to two seconds behind.
        let sent = time(self.now - random.below(2_000));
        let (tier, chain) = (random.choose(&TIERS), random.choose(&CHAINS));
        let topic = random.choose(&TOPICS);
        out.clear();
        let _ = write!(
            out,
            r#"{{"sender_id": "{sender}", "message_id": "msg_{count:08}", "timestamp": "{sent}", "#
        );
        if count > 0 && random.below(3) > 0 {
            let other = count - 1 - random.below(count.min(20));
            let _ = write!(out, r#""in_reply_to": "msg_{other:08}", "#);
        }
        let context = count / 40;
        let _ = write!(
            out,
            r#""context_id": "ctx_{context:06}", "content": {{"message": ""#
        );
        self.text(out);
        let action = ["design_review_request", "status", "answer"][(count % 3) as usize];
        let _ = write!(
            out,
            r#"", "action": "{action}"}}, "metadata": {{"sender_role": "Agent", "ace_tier": "{tier}", "chain_type": "{chain}", "shl_tags": ["#
        );
        self.tags(out);
        out.push_str("]}}");
        topic
    }

    fn text(&mut self, out: &mut String) {
        let random = &mut self.random;
        for at in 0..13 + random.below(30) {
            let gap = match random.below(60) {
                _ if at == 0 => "",
                0 => "\\n",
                1 => ": \\\"quoted\\\" ",
                2 => " \\u00fc\\u00df ",
                3 => " → ",
                _ => " ",
            };
            out.push_str(gap);
            out.push_str(random.word());
        }
    }

    fn tags(&mut self, out: &mut String) {
        for at in 0..self.random.below(3) {
            let tag = TAGS[usize::try_from(self.random.below(6)).unwrap_or(0)];
            let _ = write!(out, "{}\"{tag}\"", if at > 0 { ", " } else { "" });
        }
    }
}

fn time(milliseconds: u64) -> String {
    let time: SystemTime = UNIX_EPOCH + Duration::from_millis(milliseconds);
    message::format_time(time).to_string()
}

fn write_session(
    writer: &mut Writer,
    agents: &mut Agents,
    bytes: u64,
    group_bytes: usize,
) -> Result<(), Box<dyn Error>> {
    let mut group = writer.group();
    let mut payload = String::new();
    while writer.session().bytes < bytes {
        while group.bytes().len() < group_bytes {
            agents.now += 1 + agents.random.below(2 * PAUSE);
            let topic = agents.payload(&mut payload);
            let recorded_at = time(agents.now);
            group.push_with(|out| message::encode(&[topic, &payload], &recorded_at, out))?;
            agents.count += 1;
        }
        writer.commit(&[&group])?;
        group.reset(group.next());
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments
        .next()
        .ok_or("usage: generate DIR [MIB] [GROUP_KIB] [ARCHIVES]")?;
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (mib, group_kib, archives) = (number(1024)?, number(256)?, number(0)?);
    let (mut writer, _found) = Writer::open(&dir, Options::default())?;
    if writer.next_number() > 1 {
        return Err(format!("{dir} holds a journal already").into());
    }
    let mut agents = Agents {
        random: Random(0x9E37_79B9_7F4A_7C15),
        now: START * 1_000,
        count: 0,
    };
    let group_bytes = usize::try_from(group_kib << 10)?;
    for _ in 0..archives {
        write_session(&mut writer, &mut agents, mib << 20, group_bytes)?;
        writer.archive(None)?;
    }
    write_session(&mut writer, &mut agents, mib << 20, group_bytes)
}
