//! A line as a record.

use std::borrow::Cow;

use crate::decode::rebuild;
use crate::encode::named;
use crate::error::DecodeError;
use crate::escape::text;
use crate::frames::Frames;
use crate::line::{Line, Origin};
use crate::links::{self, Links};
use crate::scan::Scanner;

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
    pub(crate) links: Option<Links<'a>>,
    /// What the table says of the content; none where it is the whole line.
    pub(crate) said: Option<Cow<'a, str>>,
    pub(crate) line: Line<'a>,
}

impl<'a> Record<'a> {
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

#[cfg(test)]
mod tests;
