//! The rest of a line of this recorder, from its tags on, where no checksum says that it is
//! JSON.

use std::borrow::Cow;

use crate::escape::text;
use crate::links::{Links, PayloadLinks};
use crate::record::OtherJournal;
use crate::scan::{Scan, Scanner, is_string_array};

/// What stands behind the key `shl_tags` in a line of this recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tail<'a> {
    /// The content's JSON.
    pub content: &'a str,
    /// The recorder's clock.
    pub recorded_at: Cow<'a, str>,
    /// As in [`Record`](crate::Record).
    pub key_name: Option<Cow<'a, str>>,
    /// As in [`Record`](crate::Record).
    pub provenance: Option<OtherJournal<'a>>,
    /// As [`Record::links`](crate::Record::links) tells.
    pub in_reply_to: Option<Cow<'a, str>>,
}

/// Reads what stands behind the key `shl_tags` in one pass, with the brace that ends the
/// line: `None` where that is no JSON, or holds anything but the usual members of a message
/// that is JSON, in their order. [`Record::parse`](crate::Record::parse) reads such lines.
///
/// ```
/// let rest = r#"["@a"],"message_id":"m-2","content":{"a":1},"envelope":{"in_reply_to":"m-1","content": 0},"content_at":33,"recorded_at":"now"}"#;
/// let tail = message::tail(rest).expect("usual");
/// assert_eq!(tail.content, r#"{"a":1}"#);
/// assert_eq!(tail.in_reply_to.as_deref(), Some("m-1"));
/// assert!(message::tail(&rest.replace("content_at", "sender")).is_none());
/// ```
#[must_use]
pub fn tail(rest: &str) -> Option<Tail<'_>> {
    read(rest).ok().flatten()
}

fn read(rest: &str) -> Scan<Option<Tail<'_>>> {
    let mut scanner = Scanner::new(rest);
    let tags = scanner.value()?;
    if !is_string_array(tags) || scanner.next_key()?.as_deref() != Some("message_id") {
        return Ok(None);
    }
    scanner.value()?;
    if scanner.next_key()?.as_deref() != Some("content") {
        return Ok(None);
    }
    let content = scanner.value()?;
    let (mut recorded_at, mut key_name, mut provenance) = (None, None, None);
    let mut envelope = None;
    while let Some(key) = scanner.next_key()? {
        match &*key {
            // Of equal keys the last one counts, which takes a parse.
            "envelope" if envelope.is_none() => envelope = Some(PayloadLinks::read(&mut scanner)?),
            "content_at" | "acked" => _ = scanner.value()?,
            "key_name" => key_name = text(scanner.value()?),
            "origin" => provenance = OtherJournal::read(scanner.value()?),
            "recorded_at" => recorded_at = text(scanner.value()?),
            _ => return Ok(None),
        }
    }
    scanner.finish()?;
    if scanner.marks().non_finite {
        return Ok(None);
    }
    let links = match envelope {
        Some(links) => links.links(),
        None => Links::of_payload(content),
    };
    Ok(recorded_at.map(|recorded_at| Tail {
        content,
        recorded_at,
        key_name,
        provenance,
        in_reply_to: links.in_reply_to,
    }))
}
