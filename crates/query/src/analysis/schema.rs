//! The numbers of an analysis, in the form in which they are written.

use serde::Serialize;

/// Statistics of a conversation; times are RFC 3339 in the reader's time zone.
///
/// This is the schema of the statistics in JSON. A field is added without
/// another notice; when one changes its meaning or goes away, `schema` grows.
#[derive(Debug, Clone, Serialize)]
pub struct AnalysisReport {
    /// The version of the schema.
    pub schema: u32,
    /// What was read.
    pub source: String,
    /// Whether only some of the messages were asked for.
    pub is_filtered: bool,
    /// How many messages there are.
    pub messages: u64,
    /// How many bytes their lines have.
    pub bytes: u64,
    /// Messages by tier, in the order of the names.
    pub tiers: Vec<Named>,
    /// Messages by chain type, most first.
    pub chains: Vec<Named>,
    /// Messages by sender, most first.
    pub senders: Vec<Sender>,
    /// Messages by the name of the key that their connection was opened with, most
    /// first; empty where the recorder has no keys.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Named>,
    /// Messages by topic, most first.
    pub topics: Vec<Named>,
    /// Messages by tag, most first.
    pub tags: Vec<Named>,
    /// The earliest and the latest timestamp, as senders wrote them.
    pub timestamps: Option<Range>,
    /// How many messages were recorded when.
    pub activity: Option<Activity>,
    /// The longest time without a message.
    pub longest_silence: Option<Silence>,
    /// How long replies took.
    pub replies: ReplyTimes,
    /// Questions that nobody has answered.
    pub open_questions: OpenQuestions,
    /// What was found damaged.
    pub damage: Damaged,
    /// Numbers that are missing; not told where messages were filtered, or where
    /// there are too many gaps.
    pub gaps: Option<Gaps>,
}

/// Messages with one name; without a name those that are over the limit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Named {
    /// The name.
    pub name: Option<String>,
    /// How many messages.
    pub messages: u64,
    /// Their share of all messages, from 0 to 1.
    pub share: f64,
}

/// What one sender said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sender {
    /// The name; none for those that are over the limit.
    pub name: Option<String>,
    /// How many messages.
    pub messages: u64,
    /// How many bytes their lines have.
    pub bytes: u64,
    /// The share of all messages, from 0 to 1.
    pub share: f64,
    /// When the first and the last one was recorded.
    pub recorded: Option<Range>,
    /// How long this sender's replies took.
    pub replies: ReplyTimes,
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The first time.
    pub first: String,
    /// The last time.
    pub last: String,
}

/// How many messages came when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// How long a bucket is.
    pub unit: Unit,
    /// How many of these units a bucket has.
    pub units: i64,
    /// The buckets, also empty ones, in the order of time.
    pub buckets: Vec<Bucket>,
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

/// The messages of an hour or of some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// When it begins.
    pub start: String,
    /// How many messages.
    pub messages: u64,
}

/// A time without messages.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Silence {
    /// How long it is.
    pub seconds: f64,
    /// Whether that is exact; otherwise the longest one is shorter than that.
    pub is_exact: bool,
    /// The message before and the one after, where that is known.
    pub between: Option<Range>,
}

/// How long replies took; the median and the 95th percentile are times that occur.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ReplyTimes {
    /// How many replies to messages that are there; an estimate, if `one_in`
    /// of the open questions is more than 1.
    pub count: u64,
    /// Half of them took no longer.
    pub median_seconds: Option<f64>,
    /// Of a hundred, 95 took no longer.
    pub p95_seconds: Option<f64>,
}

/// Messages that ask for something and are not answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OpenQuestions {
    /// How many; an estimate, if `one_in` is more than 1.
    pub count: u64,
    /// One in this many names was looked at.
    pub one_in: u64,
    /// The newest of those that were looked at, newest first.
    pub newest: Vec<OpenQuestion>,
}

/// A message that asks for something.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OpenQuestion {
    /// Its number; older recorders gave none.
    pub message_num: Option<u64>,
    /// The sender's name for it.
    pub message_id: String,
    /// Who asks.
    pub sender: String,
    /// The topic.
    pub topic: String,
    /// When it was recorded.
    pub recorded: Option<String>,
    /// What it says.
    pub text: String,
}

/// Lines that are not as they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// How many stretches hold no record.
    pub damaged_lines: u64,
    /// How many messages have a checksum that does not fit.
    pub altered_messages: u64,
}

/// Numbers that are missing between others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Gaps {
    /// How many gaps.
    pub count: u64,
    /// How many numbers are missing in all of them.
    pub missing: u64,
    /// The first and the last number of the first gaps.
    pub first: Vec<(u64, u64)>,
}
