//! The members of a line, whatever wrote it, as JSON tokens.

use std::borrow::Cow;

use crate::error::DecodeError;
use crate::scan::{Malformed, Scan, Scanner};

/// What wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// This crate's [`encode`](crate::encode()): the frames are exact.
    Recorder,
    /// The older Python recorder: the frames are rebuilt in the agents' wire format.
    Legacy,
    /// Somebody else, by hand for instance.
    Other,
}

/// The tokens of a line; of equal keys the last one.
#[derive(Debug, Default)]
pub(crate) struct Line<'a> {
    pub(crate) message_num: Option<&'a str>,
    pub(crate) topic: Option<&'a str>,
    pub(crate) sender: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    pub(crate) tier: Option<&'a str>,
    pub(crate) chain_type: Option<&'a str>,
    pub(crate) shl_tags: Option<&'a str>,
    pub(crate) message_id: Option<&'a str>,
    pub(crate) content: Option<&'a str>,
    pub(crate) recorded_at: Option<&'a str>,
    /// Only in lines that somebody wrote by hand: ours have them in the payload.
    pub(crate) in_reply_to: Option<&'a str>,
    pub(crate) context_id: Option<&'a str>,
    pub(crate) acked: Option<&'a str>,
    pub(crate) key_name: Option<&'a str>,
    /// Another journal, in which the message was recorded first.
    pub(crate) provenance: Option<&'a str>,
    pub(crate) exact: Exact<'a>,
    pub(crate) legacy: Legacy<'a>,
    /// Members that only other programs write; ours have none.
    pub(crate) others: Vec<(Cow<'a, str>, &'a str)>,
    /// The whole line.
    pub(crate) text: &'a str,
    /// Some number is `NaN` or infinite, which only older recorders write.
    pub(crate) non_finite: bool,
}

/// The fields that make the frames exact.
#[derive(Debug, Default)]
pub(crate) struct Exact<'a> {
    pub(crate) content_is: Option<&'a str>,
    pub(crate) envelope: Option<&'a str>,
    pub(crate) content_at: Option<&'a str>,
    pub(crate) payload: Option<&'a str>,
    pub(crate) topic_base64: Option<&'a str>,
    pub(crate) frames: Option<&'a str>,
    pub(crate) more: Option<&'a str>,
}

/// The fields that only the older recorder writes.
#[derive(Debug, Default)]
pub(crate) struct Legacy<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    pub(crate) speaker_name: Option<&'a str>,
    pub(crate) speaker_role: Option<&'a str>,
    pub(crate) message: Option<&'a str>,
    pub(crate) context_id: Option<&'a str>,
    pub(crate) ace_tier: Option<&'a str>,
    pub(crate) metadata: Metadata<'a>,
}

/// The members of the older recorder's `Metadata`.
#[derive(Debug, Default)]
pub(crate) struct Metadata<'a> {
    pub(crate) zmq_message_id: Option<&'a str>,
    pub(crate) topic: Option<&'a str>,
    pub(crate) chain_type: Option<&'a str>,
    pub(crate) ace_tier: Option<&'a str>,
    pub(crate) shl_tags: Option<&'a str>,
    pub(crate) links: Tokens<'a>,
}

impl<'a> Line<'a> {
    /// Reads a line in one pass.
    pub(crate) fn read(line: &'a [u8]) -> Result<Self, DecodeError> {
        let text = std::str::from_utf8(line).map_err(|error| DecodeError::NotUtf8 {
            offset: error.valid_up_to(),
        })?;
        let mut scanner = Scanner::new(text);
        let not_json = |Malformed { at }| DecodeError::NotJson { offset: at };
        if scanner.peek() != Some(b'{') {
            scanner
                .value_range()
                .and_then(|_| scanner.finish())
                .map_err(not_json)?;
            return Err(DecodeError::NotObject);
        }
        let mut this = Self {
            text: text.trim(),
            ..Self::default()
        };
        this.read_members(&mut scanner).map_err(not_json)?;
        this.non_finite = scanner.marks().non_finite;
        Ok(this)
    }

    fn read_members(&mut self, scanner: &mut Scanner<'a>) -> Scan<()> {
        let mut next = scanner.first_key()?;
        while let Some(key) = next {
            if key == "Metadata" {
                self.legacy.metadata = Metadata::read(scanner)?;
            } else {
                let value = scanner.value()?;
                match self.slot(&key) {
                    Some(slot) => *slot = Some(value),
                    None => self.others.push((key, value)),
                }
            }
            next = scanner.next_key()?;
        }
        scanner.finish()
    }

    /// Returns a member that another program may have written.
    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        let mut others = self.others.iter().rev();
        if let Some((_, value)) = others.find(|(other, _)| other == key) {
            return Some(value);
        }
        self.own(key)
    }

    fn own(&self, key: &str) -> Option<&'a str> {
        match key {
            "topic" => self.topic,
            "sender" => self.sender,
            "timestamp" => self.timestamp,
            "tier" => self.tier,
            "chain_type" => self.chain_type,
            "shl_tags" => self.shl_tags,
            "message_id" => self.message_id,
            "content" => self.content,
            "in_reply_to" => self.in_reply_to,
            "context_id" => self.context_id,
            "payload" => self.exact.payload,
            "origin" => self.provenance,
            "ace_tier" => self.legacy.ace_tier,
            "Timestamp" => self.legacy.timestamp,
            _ => None,
        }
    }

    /// Gives each key that [`get`](Self::get) may find.
    pub(crate) fn for_each_key(&self, mut key_is: impl FnMut(&str)) {
        const OWN: [&str; 14] = [
            "topic",
            "sender",
            "timestamp",
            "tier",
            "chain_type",
            "shl_tags",
            "message_id",
            "content",
            "in_reply_to",
            "context_id",
            "payload",
            "origin",
            "ace_tier",
            "Timestamp",
        ];
        self.others.iter().for_each(|(key, _)| key_is(key));
        let own = OWN.into_iter().filter(|key| self.own(key).is_some());
        own.for_each(key_is);
    }

    fn slot(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        Some(match key {
            "message_num" => &mut self.message_num,
            "topic" => &mut self.topic,
            "sender" => &mut self.sender,
            "timestamp" => &mut self.timestamp,
            "tier" => &mut self.tier,
            "chain_type" => &mut self.chain_type,
            "shl_tags" => &mut self.shl_tags,
            "message_id" => &mut self.message_id,
            "content" => &mut self.content,
            "recorded_at" => &mut self.recorded_at,
            "in_reply_to" => &mut self.in_reply_to,
            "context_id" => &mut self.context_id,
            "acked" => &mut self.acked,
            "key_name" => &mut self.key_name,
            "origin" => &mut self.provenance,
            _ => return self.exact.slot(key).or_else(|| self.legacy.slot(key)),
        })
    }

    /// Tells by its fields what wrote the line.
    pub(crate) fn origin(&self) -> Origin {
        let stamped = self.recorded_at.is_some_and(|token| token.starts_with('"'));
        if stamped && self.topic.is_some() && self.content.is_some() {
            Origin::Recorder
        } else if self.legacy.speaker_name.is_some() || self.legacy.message.is_some() {
            Origin::Legacy
        } else {
            Origin::Other
        }
    }
}

impl<'a> Exact<'a> {
    fn slot(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        Some(match key {
            "content_is" => &mut self.content_is,
            "envelope" => &mut self.envelope,
            "content_at" => &mut self.content_at,
            "payload" => &mut self.payload,
            "topic_base64" => &mut self.topic_base64,
            "frames" => &mut self.frames,
            "more" => &mut self.more,
            _ => return None,
        })
    }
}

impl<'a> Legacy<'a> {
    fn slot(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        Some(match key {
            "Id" => &mut self.id,
            "Timestamp" => &mut self.timestamp,
            "SpeakerName" => &mut self.speaker_name,
            "SpeakerRole" => &mut self.speaker_role,
            "Message" => &mut self.message,
            "ContextId" => &mut self.context_id,
            "ace_tier" => &mut self.ace_tier,
            _ => return None,
        })
    }
}

impl<'a> Metadata<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Scan<Self> {
        let mut members = Self::default();
        scanner.members(|key, value| {
            if let Some(slot) = members.slot(key) {
                *slot = Some(value);
            }
        })?;
        Ok(members)
    }

    fn slot(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        Some(match key {
            "zmq_message_id" => &mut self.zmq_message_id,
            "topic" => &mut self.topic,
            "chain_type" => &mut self.chain_type,
            "ace_tier" => &mut self.ace_tier,
            "shl_tags" => &mut self.shl_tags,
            "in_reply_to" => &mut self.links.in_reply_to,
            "context_id" => &mut self.links.context_id,
            _ => return None,
        })
    }
}

/// The members of an object that say so, as JSON tokens; of equal keys the last one.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tokens<'a> {
    pub(crate) in_reply_to: Option<&'a str>,
    pub(crate) context_id: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    pub(crate) fn take(&mut self, key: &str, value: &'a str) {
        match key {
            "in_reply_to" => self.in_reply_to = Some(value),
            "context_id" => self.context_id = Some(value),
            _ => {}
        }
    }
}
