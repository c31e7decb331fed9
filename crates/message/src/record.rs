//! A line as a record.

use std::borrow::Cow;

use crate::decode::rebuild;
use crate::encode::named;
use crate::error::DecodeError;
use crate::escape::{inner, push_string, text};
use crate::frames::Frames;
use crate::legacy;
use crate::line::{Line, Origin};
use crate::links::{self, Links};
use crate::normalise::{Fields, TIER, UNKNOWN, string, tags};
use crate::scan::{Scanner, elements};
use crate::shapes;

/// What the JSON in [`Record::content`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContentKind {
    /// The JSON that was sent.
    Json,
    /// A JSON string that holds the text that was sent.
    Text,
    /// A JSON string that holds the bytes that were sent as base64.
    Base64,
}

/// Another journal, in which a message was recorded first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherJournal<'a> {
    /// Its identity.
    pub journal: Cow<'a, str>,
    /// What people call it.
    pub name: Cow<'a, str>,
    /// The message's number there.
    pub message_num: u64,
}

impl<'a> OtherJournal<'a> {
    pub(crate) fn read(token: &'a str) -> Option<Self> {
        let (mut journal, mut name, mut number) = (None, None, None);
        let read = Scanner::new(token).members(|key, value| match key {
            "journal" => journal = text(value),
            "name" => name = text(value),
            "message_num" => number = value.parse().ok(),
            _ => {}
        });
        read.ok()?;
        Some(Self {
            journal: journal?,
            name: name?,
            message_num: number?,
        })
    }
}

/// A line's fixed fields, whatever wrote it, borrowed from the line where possible.
///
/// A field that is missing or of the wrong type has its default.
///
/// ```
/// use message::{ContentKind, Origin, Record};
///
/// let record = Record::parse(br#"{"message_num":1,"topic":"t","sender":"me","content":{"a":1}}"#)?;
/// assert_eq!(record.message_num, Some(1));
/// assert_eq!(record.sender, "me");
/// assert_eq!(record.tier, "E");
/// assert_eq!(record.content, r#"{"a":1}"#);
/// assert_eq!(record.content_kind, ContentKind::Json);
/// assert_eq!(record.origin, Origin::Other);
/// # Ok::<(), message::DecodeError>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Record<'a> {
    /// The journal's number of the record; older lines have none.
    pub message_num: Option<u64>,
    /// The first frame as text.
    pub topic: Cow<'a, str>,
    /// Who sent the message; `unknown` by default.
    pub sender: Cow<'a, str>,
    /// The sender's clock, verbatim; the recorder's clock by default, and empty without either.
    pub timestamp: Cow<'a, str>,
    /// The tier; `E` by default.
    pub tier: Cow<'a, str>,
    /// The chain type; `unknown` by default.
    pub chain_type: Cow<'a, str>,
    /// The tags.
    pub shl_tags: Vec<Cow<'a, str>>,
    /// The sender's name for the message.
    pub message_id: Option<Cow<'a, str>>,
    /// JSON text, verbatim as far as it fits on one line; see `content_kind`.
    pub content: Cow<'a, str>,
    /// What the text in `content` stands for.
    pub content_kind: ContentKind,
    /// The recorder's clock when the message came.
    pub recorded_at: Option<Cow<'a, str>>,
    /// Whether the sender waited for an acknowledgement.
    pub acked: bool,
    /// The name of the key that the message's connection was opened with: proven,
    /// where `sender` is what the sender says. Only the broker's own lines have one.
    pub key_name: Option<Cow<'a, str>>,
    /// Another journal, in which the message was recorded first. Only the broker's own
    /// lines have one.
    pub provenance: Option<OtherJournal<'a>>,
    /// What wrote the line.
    pub origin: Origin,
    /// Where a table tells them.
    links: Option<Links<'a>>,
    /// What the table says of the content; none where it is the whole line.
    said: Option<Cow<'a, str>>,
    line: Line<'a>,
}

impl<'a> Record<'a> {
    /// Reads a line, with or without its newline.
    ///
    /// # Errors
    ///
    /// Fails if the line is not a JSON object in UTF-8.
    pub fn parse(line: &'a [u8]) -> Result<Self, DecodeError> {
        Self::parse_within(line, 0)
    }

    /// Reads a line that stands in others.
    pub(crate) fn parse_within(line: &'a [u8], depth: usize) -> Result<Self, DecodeError> {
        let mut record = Self::parse_all(line, depth)?;
        (record.content, record.content_kind) = match record.origin {
            Origin::Legacy => (legacy::content(&record.line), ContentKind::Json),
            Origin::Recorder => content(&record.line),
            Origin::Other => record.take_said(),
        };
        Ok(record)
    }

    /// Reads a line but for its content, which is left empty: in a line of the
    /// older recorder that is JSON within JSON, and takes most of the time.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_fields(line: &'a [u8]) -> Result<Self, DecodeError> {
        Self::parse_all(line, 0)
    }

    /// Reads a line but for its content.
    fn parse_all(line: &'a [u8], depth: usize) -> Result<Self, DecodeError> {
        let line = Line::read(line)?;
        Ok(match line.origin() {
            Origin::Other => Self::of_other(line, depth),
            origin => Self::of_recorder(line, origin),
        })
    }

    /// Takes the content of a line of another program, which was found with its fields;
    /// `None` for any other line.
    pub fn take_tabled_content(&mut self) -> Option<(Cow<'a, str>, ContentKind)> {
        (self.origin == Origin::Other).then(|| self.take_said())
    }

    fn take_said(&mut self) -> (Cow<'a, str>, ContentKind) {
        match self.said.take() {
            // As it stands in the line, which may say what it is.
            Some(said) if self.line.content == Some(&*said) => content(&self.line),
            Some(Cow::Borrowed(said)) if !self.line.non_finite => {
                (Cow::Borrowed(said), ContentKind::Json)
            }
            Some(said) => finite(said),
            None if !self.line.non_finite => (whole(&self.line), ContentKind::Json),
            None => finite(whole(&self.line)),
        }
    }

    /// A line of this recorder, or the older one.
    fn of_recorder(line: Line<'a>, origin: Origin) -> Self {
        let (fields, topic) = match origin {
            Origin::Legacy => (legacy::fields(&line), legacy::topic(&line)),
            _ => (own_fields(&line), text_of(line.topic).unwrap_or_default()),
        };
        let recorded_at = text_of(line.recorded_at);
        let timestamp = text_of(fields.timestamp).or_else(|| recorded_at.clone());
        let or_unknown = |token| text_of(token).unwrap_or(Cow::Borrowed(UNKNOWN));
        Self {
            message_num: line.message_num.and_then(|token| token.parse().ok()),
            topic,
            sender: or_unknown(fields.sender),
            timestamp: timestamp.unwrap_or_default(),
            tier: text_of(fields.tier).unwrap_or(Cow::Borrowed(TIER)),
            chain_type: or_unknown(fields.chain_type),
            shl_tags: elements(fields.shl_tags.unwrap_or("[]"))
                .filter_map(text)
                .collect(),
            message_id: text_of(fields.message_id),
            content: Cow::Borrowed(""),
            content_kind: ContentKind::Json,
            recorded_at,
            acked: line.acked == Some("true"),
            key_name: match origin {
                Origin::Recorder => text_of(line.key_name),
                _ => None,
            },
            provenance: match origin {
                Origin::Recorder => line.provenance.and_then(OtherJournal::read),
                _ => None,
            },
            origin,
            links: None,
            said: None,
            line,
        }
    }

    /// A line of another program.
    fn of_other(line: Line<'a>, depth: usize) -> Self {
        let other = shapes::read(&line, depth);
        let recorded_at = text_of(line.recorded_at);
        Self {
            message_num: line.message_num.and_then(|token| token.parse().ok()),
            topic: other.topic.unwrap_or_default(),
            sender: other.sender.unwrap_or(Cow::Borrowed(UNKNOWN)),
            timestamp: other
                .timestamp
                .or_else(|| recorded_at.clone())
                .unwrap_or_default(),
            tier: other.tier.unwrap_or(Cow::Borrowed(TIER)),
            chain_type: other.chain_type.unwrap_or(Cow::Borrowed(UNKNOWN)),
            shl_tags: other.shl_tags,
            message_id: other.id,
            content: Cow::Borrowed(""),
            content_kind: ContentKind::Json,
            recorded_at,
            acked: line.acked == Some("true"),
            key_name: None,
            provenance: None,
            origin: Origin::Other,
            links: Some(other.links),
            said: other.content,
            line,
        }
    }

    /// Returns the content where it stands in the line as it is: in lines of this
    /// recorder, with a checksum or without, of messages that are JSON.
    #[must_use]
    pub fn content_in_line(&self) -> Option<&'a str> {
        let is_as_it_is = self.origin == Origin::Recorder
            && self.line.exact.content_is.is_none()
            && !self.line.non_finite;
        self.line.content.filter(|_| is_as_it_is)
    }

    /// Tells whether the line is JSON: without the `NaN` and `Infinity` that Python
    /// writes.
    #[must_use]
    pub fn is_json(&self) -> bool {
        !self.line.non_finite
    }

    /// Tells whether the line has a member that may be a list of messages; which
    /// they are, [`message_ranges`](crate::message_ranges) tells.
    #[must_use]
    pub fn may_hold_messages(&self) -> bool {
        let mut keys = self.line.others.iter().map(|(key, _)| &**key);
        keys.any(shapes::is_list)
    }

    /// Returns who sent the message and under which name, where both are known;
    /// what [`identity`](crate::identity) says of its frames.
    ///
    /// ```
    /// let record = message::Record::parse(br#"{"sender":"me","message_id":"m-1"}"#)?;
    /// let (sender, id) = record.identity().expect("both are there");
    /// assert_eq!((&*sender, &*id), ("me", "m-1"));
    /// # Ok::<(), message::DecodeError>(())
    /// ```
    #[must_use]
    pub fn identity(&self) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
        let id = self.message_id.as_deref()?;
        named(Cow::Borrowed(&*self.sender), Cow::Borrowed(id))
    }

    /// Rebuilds the frames of the message.
    ///
    /// ```
    /// let mut line = Vec::new();
    /// let frames = [&b"topic"[..], b"\xff\x00", b"", b"more"];
    /// message::encode(&frames, "2025-11-20T04:30:00.123Z", &mut line);
    /// let record = message::Record::parse(&line)?;
    /// assert!(record.frames()?.iter().eq(frames));
    /// # Ok::<(), message::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the fields that make the frames exact are missing, of the
    /// wrong type or contradict each other.
    pub fn frames(&self) -> Result<Frames, DecodeError> {
        let mut frames = Frames::new();
        rebuild(&self.line, &mut frames)?;
        Ok(frames)
    }

    /// Returns the name of the message that it answers, where the table of other
    /// programs' lines tells. Any line's is in [`links`](Self::links).
    #[must_use]
    pub fn tabled_reply(&self) -> Option<Cow<'a, str>> {
        self.links.as_ref()?.in_reply_to.clone()
    }

    /// Returns what the message says of its place in a conversation.
    #[must_use]
    pub fn links(&self) -> Links<'a> {
        match &self.links {
            Some(links) => links.clone().or(links::links(&self.line)),
            None => links::links(&self.line),
        }
    }
}

fn text_of(token: Option<&str>) -> Option<Cow<'_, str>> {
    token.and_then(text)
}

fn own_fields<'a>(line: &Line<'a>) -> Fields<'a> {
    Fields {
        sender: string(&[line.sender]),
        timestamp: string(&[line.timestamp]),
        tier: string(&[line.tier]),
        chain_type: string(&[line.chain_type]),
        shl_tags: tags(&[line.shl_tags]),
        message_id: string(&[line.message_id]),
    }
}

/// Returns a line as a content: without what the journal put around it.
fn whole<'a>(line: &Line<'a>) -> Cow<'a, str> {
    const AROUND: [&str; 2] = ["message_num", "crc"];
    if line.message_num.is_none() {
        return Cow::Borrowed(line.text);
    }
    let mut rest = String::from("{");
    let read = Scanner::new(line.text).members(|key, value| {
        if !AROUND.contains(&key) {
            let before = if rest.len() > 1 { "," } else { "" };
            let mut name = Vec::new();
            push_string(key, &mut name);
            rest += before;
            rest += &String::from_utf8_lossy(&name);
            rest.push(':');
            rest += value;
        }
    });
    rest.push('}');
    match read {
        Ok(()) => Cow::Owned(rest),
        Err(_) => Cow::Borrowed(line.text),
    }
}

/// Quotes a content that holds a token which JSON does not have.
fn finite(content: Cow<'_, str>) -> (Cow<'_, str>, ContentKind) {
    let quoted = match legacy::finite(&content) {
        Cow::Owned(quoted) => Some(quoted),
        Cow::Borrowed(_) => None,
    };
    match quoted {
        Some(quoted) => (Cow::Owned(quoted), ContentKind::Text),
        None => (content, ContentKind::Json),
    }
}

fn content<'a>(line: &Line<'a>) -> (Cow<'a, str>, ContentKind) {
    let token = line.content.unwrap_or("null");
    if line.non_finite
        && let quoted @ Cow::Owned(_) = legacy::finite(token)
    {
        return (quoted, ContentKind::Text);
    }
    let kind = match line.exact.content_is.and_then(inner) {
        Some("text") if token.starts_with('"') => ContentKind::Text,
        Some("base64") if token.starts_with('"') => ContentKind::Base64,
        _ => ContentKind::Json,
    };
    (Cow::Borrowed(token), kind)
}

#[cfg(test)]
mod tests;
