//! Messages as the API gives them.

use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::Mutex;

use message::Record;
use query::{Body, Entry, Error, Marks, Sink, Summary, Zone};
use render::Drawing;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::sync::held;

/// Of longer contents only the beginning is given, unless all of one message is
/// asked for.
const LONGEST: usize = 16 << 10;
/// The senders' colours.
const COLOURS: usize = 12;
/// How many senders may keep the colour they were given first.
const SENDERS: usize = 10_000;

/// A message. Fields that a message does not have are `null`.
#[derive(Debug, Serialize)]
pub(crate) struct Message {
    pub(crate) number: Option<u64>,
    time: String,
    sender: String,
    key_name: Option<String>,
    topic: String,
    timestamp: String,
    recorded_at: Option<String>,
    tier: String,
    chain_type: String,
    shl_tags: Vec<String>,
    message_id: Option<String>,
    in_reply_to: Option<String>,
    context_id: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    depth: usize,
    is_clipped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(depth: &usize) -> bool {
    *depth == 0
}

impl Message {
    /// When it was recorded, or else sent.
    pub(crate) fn time(&self) -> &str {
        &self.time
    }
}

/// Which colour each sender has: the first that is asked for has the first one.
#[derive(Debug, Default)]
pub(crate) struct Palette(Mutex<HashMap<String, usize>>);

impl Palette {
    pub(crate) fn kind(&self, sender: &str) -> usize {
        // Whoever panicked left a map that is whole.
        let mut senders = held(self.0.lock());
        if let Some(kind) = senders.get(sender) {
            return *kind;
        }
        let kind = senders.len() % COLOURS;
        if senders.len() < SENDERS {
            senders.insert(sender.to_owned(), kind);
        }
        kind
    }
}

/// How messages are given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style<'a> {
    pub(crate) palette: &'a Palette,
    pub(crate) marks: &'a Marks,
    pub(crate) zone: &'a Zone,
    /// As HTML instead of as values.
    pub(crate) draw: bool,
    /// However long it is, and with its line.
    pub(crate) full: bool,
}

impl Style<'_> {
    pub(crate) fn message(&self, entry: &Entry<'_>) -> Option<Message> {
        let record = entry.record().ok()?;
        let links = record.links();
        let limit = if self.full { usize::MAX } else { LONGEST };
        let owned = |text: Option<std::borrow::Cow<'_, str>>| text.map(|text| text.into_owned());
        let time = record.recorded_at.as_ref().unwrap_or(&record.timestamp);
        Some(Message {
            number: entry.number,
            time: time.clone().into_owned(),
            sender: record.sender.clone().into_owned(),
            key_name: owned(record.key_name.clone()),
            topic: record.topic.clone().into_owned(),
            timestamp: record.timestamp.clone().into_owned(),
            recorded_at: owned(record.recorded_at.clone()),
            tier: record.tier.clone().into_owned(),
            chain_type: record.chain_type.clone().into_owned(),
            shl_tags: record.shl_tags.iter().map(|tag| tag.to_string()).collect(),
            message_id: owned(record.message_id.clone()),
            in_reply_to: owned(links.in_reply_to),
            context_id: owned(links.context_id),
            depth: entry.depth,
            is_clipped: record.content.len() > limit,
            text: (!self.draw).then(|| beginning(&Body::of(&record).summary(), limit).to_owned()),
            content: (!self.draw).then(|| content(&record, limit)).flatten(),
            html: self.draw.then(|| self.html(entry, &record, limit)),
            line: self.full.then(|| line_of(entry)),
        })
    }

    fn html(&self, entry: &Entry<'_>, record: &Record<'_>, limit: usize) -> String {
        let drawing = Drawing {
            anchor: entry
                .number
                .map_or_else(String::new, |number| format!("m{number}")),
            kind: self.palette.kind(&record.sender),
            parent: None,
            zone: self.zone,
            marks: self.marks,
            limit,
        };
        let mut html = Vec::new();
        // Memory has no errors.
        let _written = drawing.write(entry.number, record, &mut html);
        String::from_utf8_lossy(&html).into_owned()
    }
}

/// The content as JSON; nothing where it is too long, or nested deeper than JSON is
/// read.
fn content(record: &Record<'_>, limit: usize) -> Option<Box<RawValue>> {
    if record.content.len() > limit {
        return None;
    }
    RawValue::from_string(record.content.clone().into_owned()).ok()
}

/// The line as it was written, or as it stands in the file that was copied.
fn line_of(entry: &Entry<'_>) -> String {
    let original = crate::files::original(entry.line);
    let line = original.as_deref().unwrap_or(entry.line);
    String::from_utf8_lossy(line).into_owned()
}

fn beginning(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Gives each entry to a function, which may end the showing.
pub(crate) struct Each<F>(pub(crate) F);

impl<F: FnMut(&Entry<'_>) -> ControlFlow<()>> Sink for Each<F> {
    fn wants_numbers(&self) -> bool {
        true
    }

    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        match (self.0)(entry) {
            ControlFlow::Continue(()) => Ok(()),
            // It is what ends a showing whose output was closed.
            ControlFlow::Break(()) => Err(Error::Write(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

/// What a showing tells that may have been ended by its sink.
pub(crate) fn unless_ended<T: Default>(shown: Result<T, Error>) -> Result<T, Error> {
    match shown {
        Err(Error::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(T::default()),
        shown => shown,
    }
}
