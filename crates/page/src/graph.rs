//! Who answers whom, and how fast.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use message::Record;
use query::{Accumulator, Found, Instant};
use serde::Serialize;

/// More messages than this are not looked at.
const MESSAGES: usize = 200_000;
/// The most pairs that are told.
const EDGES: usize = 400;

/// The messages with names, and the answers, by the hashes of the names.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    asked: HashMap<u64, (String, Option<i64>)>,
    answers: Vec<(u64, String, Option<i64>)>,
    is_all: Option<bool>,
}

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Graph {
    /// Whether all messages were looked at.
    is_all: bool,
    edges: Vec<Edge>,
}

#[derive(Debug, Serialize)]
struct Edge {
    /// Who answers.
    from: String,
    /// Whose message it is.
    to: String,
    messages: u64,
    median_seconds: Option<f64>,
}

impl Accumulator for Answers {
    fn add(&mut self, found: &Found<'_>) {
        if self.asked.len() + self.answers.len() >= MESSAGES {
            self.is_all = Some(false);
            return;
        }
        let Ok(record) = Record::parse_fields(found.line) else {
            return;
        };
        let time = record.recorded_at.as_ref().unwrap_or(&record.timestamp);
        let time = Instant::parse(time).map(Instant::milliseconds);
        if let Some(reply) = record.links().in_reply_to {
            let answer = (hash(&reply), record.sender.to_string(), time);
            self.answers.push(answer);
        }
        if let Some(id) = &record.message_id {
            let asked = (record.sender.to_string(), time);
            self.asked.entry(hash(id)).or_insert(asked);
        }
    }

    fn merge(&mut self, other: Self) {
        for (name, asked) in other.asked {
            self.asked.entry(name).or_insert(asked);
        }
        self.answers.extend(other.answers);
        self.is_all = self.is_all.or(other.is_all);
    }
}

impl Answers {
    pub(crate) fn graph(self) -> Graph {
        let mut pairs: HashMap<(String, String), (u64, Vec<i64>)> = HashMap::new();
        for (to, sender, time) in self.answers {
            let Some((asker, asked)) = self.asked.get(&to) else {
                continue;
            };
            let (count, times) = pairs.entry((sender, asker.clone())).or_default();
            *count += 1;
            let taken = time.zip(*asked).map(|(time, asked)| time - asked);
            times.extend(taken.filter(|taken| *taken >= 0));
        }
        let mut edges: Vec<Edge> = pairs
            .into_iter()
            .map(|((from, to), (messages, mut times))| {
                times.sort_unstable();
                let median = times.get(times.len() / 2);
                Edge {
                    from,
                    to,
                    messages,
                    median_seconds: median.map(|time| *time as f64 / 1_000.0),
                }
            })
            .collect();
        edges.sort_by(|a, b| (b.messages, &a.from, &a.to).cmp(&(a.messages, &b.from, &b.to)));
        edges.truncate(EDGES);
        Graph {
            is_all: self.is_all.unwrap_or(true),
            edges,
        }
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
