//! What filters and statistics see of a message, however it was read.

use std::borrow::Cow;

use message::ContentKind;

use crate::line_end;
use crate::time::Instant;

/// The fixed fields of a message, borrowed from its line where possible.
///
/// Most lines are read by their shape alone, without parsing the content; any
/// other line is parsed. The values are the same.
///
/// ```
/// use query::Fields;
///
/// let line = br#"{"topic":"t","sender":"gem\u0069ni","content":{"a":"b"}}"#;
/// let fields = Fields::from(message::Record::parse(line)?);
/// assert_eq!(&*fields.sender, b"gemini");
/// assert_eq!(&*fields.tier, b"E");
/// # Ok::<(), message::DecodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fields<'a> {
    /// The first frame.
    pub topic: Cow<'a, [u8]>,
    /// Who sent the message.
    pub sender: Cow<'a, [u8]>,
    /// The sender's clock, as it was written.
    pub timestamp: Cow<'a, [u8]>,
    /// The tier.
    pub tier: Cow<'a, [u8]>,
    /// The chain type.
    pub chain: Cow<'a, [u8]>,
    /// The tags.
    pub tags: Tags<'a>,
    /// The sender's name for the message.
    pub id: Option<Cow<'a, [u8]>>,
    /// The recorder's clock; older recorders wrote none.
    pub recorded_at: Option<Cow<'a, [u8]>>,
    /// The name of the key, as far as it was parsed: see [`key_name`](Self::key_name).
    pub(crate) key: Option<Cow<'a, [u8]>>,
    /// The name of another journal, in the same way: see [`origin`](Self::origin).
    pub(crate) other_journal: Option<Cow<'a, [u8]>>,
    /// The content.
    pub content: Content<'a>,
    /// The name of the message that it answers, if it answers any; `None` where nobody
    /// has looked: then it is somewhere in the line.
    pub(crate) in_reply_to: Option<Option<Cow<'a, [u8]>>>,
}

/// The tags of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags<'a> {
    /// A JSON array of strings without escapes.
    Token(&'a [u8]),
    /// The tags themselves.
    Parsed(Vec<Cow<'a, str>>),
}

/// The content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// The part of a line of ours that begins with the content's JSON.
    From(&'a [u8]),
    /// A line of any other shape, which is parsed again to get at the content.
    Of(&'a [u8]),
    /// The content's JSON, which holds no text where it is base64.
    Parsed(Cow<'a, str>, ContentKind),
}

impl Tags<'_> {
    /// Gives the tags, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let (token, parsed) = match self {
            Self::Token(token) => (*token, &[][..]),
            Self::Parsed(tags) => (&[][..], &tags[..]),
        };
        // Without escapes, what stands between the first two quotes is the
        // first tag, between the next two the second one, and so on.
        let between = token.split(|byte| *byte == b'"').skip(1).step_by(2);
        between.chain(parsed.iter().map(|tag| tag.as_bytes()))
    }
}

impl<'a> From<message::Record<'a>> for Fields<'a> {
    fn from(record: message::Record<'a>) -> Self {
        Self {
            in_reply_to: record.tabled_reply().map(|name| Some(bytes(name))),
            topic: bytes(record.topic),
            sender: bytes(record.sender),
            timestamp: bytes(record.timestamp),
            tier: bytes(record.tier),
            chain: bytes(record.chain_type),
            tags: Tags::Parsed(record.shl_tags),
            id: record.message_id.map(bytes),
            recorded_at: record.recorded_at.map(bytes),
            key: record.key_name.map(bytes),
            other_journal: record.provenance.map(|other| bytes(other.name)),
            content: Content::Parsed(record.content, record.content_kind),
        }
    }
}

impl<'a> Fields<'a> {
    /// Parses a line of any shape; its content only where somebody asks for it.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, message::DecodeError> {
        let record = message::Record::parse_fields(line)?;
        Ok(Self {
            content: Content::Of(line),
            ..Self::from(record)
        })
    }
}

impl Fields<'_> {
    /// Returns the name of the key that the message's connection was opened with,
    /// which proves what `sender` only says; `None` where the recorder has no keys.
    ///
    /// In a line that was read by its shape it is looked for when somebody asks.
    #[must_use]
    #[inline]
    pub fn key_name(&self) -> Option<Cow<'_, [u8]>> {
        match &self.content {
            Content::From(rest) => line_end::key_name(rest),
            _ => self.key.as_deref().map(Cow::Borrowed),
        }
    }

    /// Returns the name of the other journal in which the message was recorded first;
    /// `None` where it was recorded here first.
    ///
    /// In a line that was read by its shape it is looked for when somebody asks.
    #[must_use]
    pub fn origin(&self) -> Option<Cow<'_, [u8]>> {
        match &self.content {
            Content::From(rest) => line_end::origin(rest).map(Cow::Borrowed),
            _ => self.other_journal.as_deref().map(Cow::Borrowed),
        }
    }

    /// Returns when it was recorded, or else sent, in milliseconds since 1970;
    /// `None` where neither tells.
    pub(crate) fn time(&self) -> Option<i64> {
        let time = self.recorded_at.as_ref().unwrap_or(&self.timestamp);
        let time = Instant::parse(std::str::from_utf8(time).ok()?)?;
        Some(time.milliseconds())
    }
}

pub(crate) fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}
