//! The columns that a table of messages may have.

use std::borrow::Cow;
use std::str::FromStr;

use message::{ContentKind, Record};

use query::Body;
use query::Entry;

/// One value of each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The number.
    Number,
    /// When it was recorded, in the reader's time zone.
    Time,
    /// The first frame.
    Topic,
    /// Who sent it.
    Sender,
    /// The name of the key that proves who sent it.
    KeyName,
    /// The name of the other journal in which it was recorded first.
    Origin,
    /// The sender's clock, as it was written.
    Timestamp,
    /// The tier.
    Tier,
    /// The chain type.
    Chain,
    /// The tags.
    Tags,
    /// The sender's name for it.
    Id,
    /// The name of the message that it answers.
    InReplyTo,
    /// The name of the conversation.
    Context,
    /// The recorder's clock.
    RecordedAt,
    /// The content as JSON.
    Content,
    /// What the content's JSON stands for, where that is not the JSON itself.
    ContentIs,
    /// What a person would read of the content.
    Text,
}

impl Column {
    /// All columns with the names by which they are asked for.
    pub const NAMES: [(&'static str, Self); 17] = [
        ("message_num", Self::Number),
        ("time", Self::Time),
        ("topic", Self::Topic),
        ("sender", Self::Sender),
        ("key_name", Self::KeyName),
        ("origin", Self::Origin),
        ("timestamp", Self::Timestamp),
        ("tier", Self::Tier),
        ("chain_type", Self::Chain),
        ("shl_tags", Self::Tags),
        ("message_id", Self::Id),
        ("in_reply_to", Self::InReplyTo),
        ("context_id", Self::Context),
        ("recorded_at", Self::RecordedAt),
        ("content", Self::Content),
        ("content_is", Self::ContentIs),
        ("text", Self::Text),
    ];

    /// What a program gets of a message unless it asks for something else.
    pub(crate) const DATA: [Self; 14] = [
        Self::Number,
        Self::Topic,
        Self::Sender,
        Self::Timestamp,
        Self::Tier,
        Self::Chain,
        Self::Tags,
        Self::Id,
        Self::InReplyTo,
        Self::Context,
        Self::RecordedAt,
        Self::KeyName,
        Self::ContentIs,
        Self::Content,
    ];

    /// Returns the name by which it is asked for.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut names = Self::NAMES.iter();
        let found = names.find(|(_, column)| *column == self);
        found.map_or("", |(name, _)| name)
    }
}

/// A name that no column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such field")]
pub struct ColumnError;

impl FromStr for Column {
    type Err = ColumnError;

    fn from_str(name: &str) -> Result<Self, ColumnError> {
        let mut names = Self::NAMES.iter();
        let found = names.find(|(known, _)| *known == name);
        found.map(|(_, column)| *column).ok_or(ColumnError)
    }
}

/// A message, as a row of a table.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) number: Option<u64>,
    /// How deep in a conversation's tree it stands.
    pub(crate) depth: usize,
    pub(crate) record: Record<'a>,
}

impl<'a> Row<'a> {
    pub(crate) fn read(entry: &Entry<'a>) -> Result<Self, message::DecodeError> {
        Ok(Self {
            number: entry.number,
            depth: entry.depth,
            record: entry.record()?,
        })
    }

    /// When it was recorded; lines of older recorders tell only what the sender said.
    pub(crate) fn time(&self) -> &str {
        let recorded = self.record.recorded_at.as_deref();
        recorded.unwrap_or(&self.record.timestamp)
    }

    /// Returns the name of the key by which it came, where its sender says another
    /// name: only the key is proven.
    pub(crate) fn other_key(&self) -> Option<&str> {
        other_key(&self.record)
    }

    /// Tells what the content's JSON stands for, where that is not the JSON itself.
    pub(crate) fn content_is(&self) -> Option<&'static str> {
        match self.record.content_kind {
            ContentKind::Text => Some("text"),
            ContentKind::Base64 => Some("base64"),
            _ => None,
        }
    }

    /// Returns a value as text; what the message does not have is `None`.
    pub(crate) fn text(&self, column: Column) -> Option<Cow<'_, str>> {
        let record = &self.record;
        let borrowed = |text: &'_ Cow<'a, str>| Some(text.clone());
        match column {
            Column::Number => self.number.map(|number| Cow::Owned(number.to_string())),
            Column::Time => Some(Cow::Borrowed(self.time())),
            Column::Topic => borrowed(&record.topic),
            Column::Sender => borrowed(&record.sender),
            Column::KeyName => record.key_name.clone(),
            Column::Origin => record.provenance.as_ref().map(|other| other.name.clone()),
            Column::Timestamp => borrowed(&record.timestamp),
            Column::Tier => borrowed(&record.tier),
            Column::Chain => borrowed(&record.chain_type),
            Column::Tags if record.shl_tags.is_empty() => None,
            Column::Tags => Some(Cow::Owned(record.shl_tags.join(", "))),
            Column::Id => record.message_id.clone(),
            Column::InReplyTo => record.links().in_reply_to,
            Column::Context => record.links().context_id,
            Column::RecordedAt => record.recorded_at.clone(),
            Column::Content => borrowed(&record.content),
            Column::ContentIs => self.content_is().map(Cow::Borrowed),
            Column::Text => Some(Cow::Owned(Body::of(record).summary().into_owned())),
        }
    }
}

/// Returns the name of the key by which a message came, where its sender says another.
pub(crate) fn other_key<'r>(record: &'r Record<'_>) -> Option<&'r str> {
    let key = record.key_name.as_deref()?;
    (key != record.sender).then_some(key)
}
