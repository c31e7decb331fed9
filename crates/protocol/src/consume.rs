//! What a consumer asks for.

use serde::{Deserialize, Serialize};

/// Asks for messages of the journal from a position on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consume {
    /// The name under which the broker keeps a position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where to begin; with a name behind its position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<From>,
    /// Where to begin while no position is kept for the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<From>,
    /// What to send.
    #[serde(default, skip_serializing_if = "Filter::is_empty")]
    pub filter: Filter,
    /// How many messages may be sent.
    pub credit: u64,
    /// Whether to go on with what is recorded later.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub follow: bool,
    /// Whether the journal's lines are sent in place of the messages' frames.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lines: bool,
    /// How many times as fast as they were recorded messages come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<f64>,
}

/// Where a consumer begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a position must be a message_num from 1 on, \"start\", \"session\", \"now\", \"after\" or {\"time\":\"2025-11-20T04:30:00Z\"}"
)]
pub enum From {
    /// At the message with this number.
    Number(u64),
    /// At a place that has a name.
    Word(Word),
    /// At the first message of a time or later.
    Time {
        /// The time, RFC 3339; without an offset it is UTC.
        time: String,
    },
}

impl From {
    /// What a position looks like, for whoever got it wrong.
    pub const EXPECTED: &str = "a position must be a message_num from 1 on, \"start\", \
        \"session\", \"now\", \"after\" or {\"time\":\"2025-11-20T04:30:00Z\"}";
}

/// A place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// The oldest message that is there.
    Start,
    /// The first message of the current session.
    Session,
    /// The next message to be recorded.
    Now,
    /// The message behind the position that is kept for the name.
    After,
}

/// What to send: all that is given has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// How the topic begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Who sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Its tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Its chain type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// One of its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl Filter {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn yes() -> bool {
    true
}

// serde gives a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_yes(follow: &bool) -> bool {
    *follow
}
