//! How a line becomes a record.

use std::borrow::Cow;

use crate::error::DecodeError;
use crate::escape::{inner, push_string, text};
use crate::legacy;
use crate::line::{Line, Origin};
use crate::normalise::{Fields, TIER, UNKNOWN, string, tags};
use crate::record::{ContentKind, OtherJournal, Record};
use crate::scan::{Scanner, elements};
use crate::shapes;

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

    /// Tells whether the line has a member that may be a list of messages; which
    /// they are, [`message_ranges`](crate::message_ranges) tells.
    #[must_use]
    pub fn may_hold_messages(&self) -> bool {
        let mut keys = self.line.others.iter().map(|(key, _)| &**key);
        keys.any(shapes::is_list)
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
