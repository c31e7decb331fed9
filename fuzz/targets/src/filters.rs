//! Which messages are asked for, told in a slow way and in the fast one.

use message::Record;
use query::{Criteria, Filter};
use serde_json::Value;

/// Stands between the criteria of the first line.
const BETWEEN: char = '\u{1f}';

/// What a filter sees of a message.
#[derive(Debug)]
struct Message {
    topic: String,
    sender: String,
    tier: String,
    chain: String,
}

/// Takes the first line for criteria, tier, chain, sender and topic, of which
/// those that begin with `=` are meant, and tests the other lines with them.
///
/// # Panics
/// Where a filter finds other messages than a reader who knows only generic JSON.
pub fn filters(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let head = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let mut parts = head.split(BETWEEN);
    let mut part = || Some(parts.next()?.strip_prefix('=')?.to_owned());
    let chosen = Criteria {
        tier: part(),
        chain: part(),
        sender: part(),
        topic: part(),
    };
    assert_eq!(
        Filter::compile(&chosen).is_empty(),
        chosen == Criteria::default()
    );
    // Values that occur make more matches than values that are made up.
    let mut asked = vec![chosen];
    for line in lines {
        if let Some(message) = message(line) {
            check(line, &message, &mut asked);
        }
    }
}

fn check(line: &[u8], message: &Message, asked: &mut Vec<Criteria>) {
    const MOST: usize = 12;
    if asked.len() < MOST {
        let start = message.topic.chars().take(3).collect();
        // In the middle of a topic nothing begins.
        asked.push(Criteria {
            topic: Some(message.topic.chars().skip(1).collect()),
            ..Criteria::default()
        });
        asked.push(Criteria {
            tier: Some(message.tier.clone()),
            chain: Some(message.chain.clone()),
            ..Criteria::default()
        });
        asked.push(Criteria {
            sender: Some(message.sender.clone()),
            topic: Some(start),
            ..Criteria::default()
        });
    }
    let record = Record::parse(line).expect("it is an object");
    for criteria in asked {
        let found = Filter::compile(criteria).matches(&record);
        assert_eq!(
            found,
            is_wanted(message, criteria),
            "{criteria:?} and {message:?}"
        );
    }
}

fn is_wanted(message: &Message, criteria: &Criteria) -> bool {
    let is = |wanted: &Option<String>, found: &String| {
        wanted.is_none() || wanted.as_ref() == Some(found)
    };
    let topic = criteria.topic.as_deref().unwrap_or_default().as_bytes();
    is(&criteria.tier, &message.tier)
        && is(&criteria.chain, &message.chain)
        && is(&criteria.sender, &message.sender)
        && message.topic.as_bytes().get(..topic.len()) == Some(topic)
}

/// Reads a line as generic JSON, where that can hold it.
fn message(line: &[u8]) -> Option<Message> {
    let value: Value = serde_json::from_slice(line).ok()?;
    let members = value.as_object()?;
    let metadata = &value["Metadata"];
    let has = |key: &str| members.contains_key(key);
    let is_ours = value["recorded_at"].is_string() && has("topic") && has("content");
    let is_older = !is_ours && (has("SpeakerName") || has("Message"));
    let first = |candidates: &[&Value], default: &str| {
        let mut present = candidates.iter().filter(|value| !value.is_null());
        let text = present.next().and_then(|value| value.as_str());
        text.unwrap_or(default).to_owned()
    };
    Some(if is_older {
        Message {
            topic: first(&[&metadata["topic"], &value["topic"]], ""),
            sender: first(&[&value["SpeakerName"]], "unknown"),
            tier: first(&[&metadata["ace_tier"], &value["ace_tier"]], "E"),
            chain: first(&[&metadata["chain_type"], &value["chain_type"]], "unknown"),
        }
    } else {
        Message {
            topic: first(&[&value["topic"]], ""),
            sender: first(&[&value["sender"]], "unknown"),
            tier: first(&[&value["tier"]], "E"),
            chain: first(&[&value["chain_type"]], "unknown"),
        }
    })
}
