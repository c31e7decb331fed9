//! Which messages are asked for, told in a slow way and in the fast one.

use message::{Origin, Record};
use query::{Criteria, Fields, Filter};
use serde_json::Value;

/// Stands between the criteria of the first line.
const BETWEEN: char = '\u{1f}';

/// What is asked for, at most one value for each field.
#[derive(Debug, Default, PartialEq)]
struct Wanted {
    tier: Option<String>,
    chain: Option<String>,
    sender: Option<String>,
    topic: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Filter {
        let value = |value: &Option<String>| value.iter().map(|value| literally(value)).collect();
        let criteria = Criteria {
            tier: value(&self.tier),
            chain: value(&self.chain),
            sender: value(&self.sender),
            topic: value(&self.topic),
            ..Criteria::default()
        };
        Filter::compile(&criteria).expect("there is no pattern")
    }
}

/// Writes a value so that an exclamation mark in front means itself.
fn literally(value: &str) -> String {
    if value.trim_start_matches('\\').starts_with('!') {
        format!("\\{value}")
    } else {
        value.to_owned()
    }
}

/// What a filter sees of a message.
#[derive(Debug)]
struct Message {
    topic: String,
    sender: String,
    tier: String,
    chain: String,
}

impl Message {
    fn of_other(line: &[u8]) -> Self {
        let record = Record::parse(line).expect("it is an object");
        assert_eq!(record.origin, Origin::Other, "{}", line.escape_ascii());
        Self {
            topic: record.topic.into_owned(),
            sender: record.sender.into_owned(),
            tier: record.tier.into_owned(),
            chain: record.chain_type.into_owned(),
        }
    }
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
    let mut part = || parts.next()?.strip_prefix('=').map(str::to_owned);
    let chosen = Wanted {
        tier: part(),
        chain: part(),
        sender: part(),
        topic: part(),
    };
    let filter = chosen.filter();
    assert_eq!(filter.is_empty(), chosen == Wanted::default());
    // Values that occur make more matches than values that are made up.
    let mut asked = vec![chosen];
    for line in lines {
        if let Some(message) = message(line) {
            check(line, &message, &mut asked);
        }
    }
}

fn check(line: &[u8], message: &Message, asked: &mut Vec<Wanted>) {
    const MOST: usize = 12;
    if asked.len() < MOST {
        let start = message.topic.chars().take(3).collect();
        // In the middle of a topic nothing begins.
        asked.push(Wanted {
            topic: Some(message.topic.chars().skip(1).collect()),
            ..Wanted::default()
        });
        asked.push(Wanted {
            tier: Some(message.tier.clone()),
            chain: Some(message.chain.clone()),
            ..Wanted::default()
        });
        asked.push(Wanted {
            sender: Some(message.sender.clone()),
            topic: Some(start),
            ..Wanted::default()
        });
    }
    let fields = Fields::from(Record::parse(line).expect("it is an object"));
    for criteria in asked {
        let found = criteria.filter().matches(&fields);
        assert_eq!(
            found,
            is_wanted(message, criteria),
            "{criteria:?} and {message:?}"
        );
    }
}

fn is_wanted(message: &Message, criteria: &Wanted) -> bool {
    let is = |wanted: &Option<String>, found: &String| {
        wanted.is_none() || wanted.as_ref() == Some(found)
    };
    let topic = criteria.topic.as_deref().unwrap_or_default().as_bytes();
    is(&criteria.tier, &message.tier)
        && is(&criteria.chain, &message.chain)
        && is(&criteria.sender, &message.sender)
        && message.topic.as_bytes().get(..topic.len()) == Some(topic)
}

/// Reads a line as generic JSON, where that can hold it. What the fields of
/// other programs' lines mean is a question for `message`'s own tests; here
/// they stand as they were read, so that only the filter is compared.
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
    Some(if !is_ours && !is_older {
        Message::of_other(line)
    } else if is_older {
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
