//! A line back to the frames it was made from.

use crate::error::DecodeError;
use crate::escape::{decode_base64, inner, push_unescaped, text};
use crate::frames::Frames;
use crate::legacy;
use crate::line::{Line, Origin};
use crate::scan::{Scanner, elements};

/// Rebuilds the frames of a line, byte for byte, into `out`.
///
/// The line may end with a newline. What `out` held before is removed. The
/// order of the fields, whitespace between them and unknown fields do not
/// matter. A line of the older recorder gives the frames `[topic, payload]` in
/// the agents' wire format.
///
/// ```
/// let line = r#"{"message_num":7,"topic":"t","content":[1, 2],"recorded_at":"2025-11-20T04:30:00.123Z"}"#;
/// let mut frames = message::Frames::new();
/// message::decode_frames(line.as_bytes(), &mut frames)?;
/// assert_eq!(frames.iter().collect::<Vec<_>>(), [&b"t"[..], b"[1, 2]"]);
/// # Ok::<(), message::DecodeError>(())
/// ```
///
/// # Errors
///
/// Fails if the line is not a JSON object in UTF-8, or if the fields that make
/// the frames exact are missing, of the wrong type or contradict each other.
/// `out` is empty then.
pub fn decode_frames(line: &[u8], out: &mut Frames) -> Result<(), DecodeError> {
    out.clear();
    rebuild(&Line::read(line)?, out)
}

/// What becomes of a line's frames: they are told in parts, in order.
pub(crate) trait Sink {
    /// Forgets all frames.
    fn clear(&mut self);
    /// A part stands in the line as it is.
    fn plain(&mut self, part: &str);
    /// A part stands in the line with the escapes of a JSON string.
    fn escaped(&mut self, part: &str);
    /// A part stands in the line as base64.
    fn base64(&mut self, part: &str) -> Result<(), base64::DecodeError>;
    /// No more belongs to the frame.
    fn end_frame(&mut self);
    /// Returns how many frames have ended.
    fn count(&self) -> usize;
}

impl Sink for Frames {
    fn clear(&mut self) {
        Self::clear(self);
    }

    fn plain(&mut self, part: &str) {
        self.bytes_mut().extend_from_slice(part.as_bytes());
    }

    fn escaped(&mut self, part: &str) {
        push_unescaped(part, self.bytes_mut());
    }

    fn base64(&mut self, part: &str) -> Result<(), base64::DecodeError> {
        decode_base64(part, self.bytes_mut())
    }

    fn end_frame(&mut self) {
        self.end();
    }

    fn count(&self) -> usize {
        self.len()
    }
}

/// Rebuilds the frames of a line that has been read.
pub(crate) fn rebuild(line: &Line<'_>, out: &mut impl Sink) -> Result<(), DecodeError> {
    out.clear();
    let result = match line.origin() {
        Origin::Legacy => {
            let frames = legacy::frames(line);
            for frame in &frames {
                out.plain(frame);
                out.end_frame();
            }
            return Ok(());
        }
        origin => (origin, push_frames(line, out)),
    };
    match result {
        (_, Ok(())) => Ok(()),
        (Origin::Recorder, Err(error)) => {
            out.clear();
            Err(error)
        }
        // Somebody else's `payload` or `frames` need not mean what ours do.
        (_, Err(_)) => {
            out.clear();
            push_plain_topic(line, out);
            out.plain(line.content.unwrap_or("null"));
            out.end_frame();
            Ok(())
        }
    }
}

fn push_frames(line: &Line<'_>, out: &mut impl Sink) -> Result<(), DecodeError> {
    let count = match line.exact.frames {
        None => 2,
        Some(token) => number("frames", token)?,
    };
    if count > 0 {
        push_topic(line, out)?;
    }
    if count > 1 {
        push_payload(line, out)?;
        out.end_frame();
    }
    if let Some(more) = line.exact.more {
        push_more(more, out)?;
    }
    let found = out.count() as u64;
    if found != count {
        return Err(DecodeError::FrameCount {
            expected: count,
            found,
        });
    }
    Ok(())
}

fn push_topic(line: &Line<'_>, out: &mut impl Sink) -> Result<(), DecodeError> {
    match line.exact.topic_base64 {
        None => push_plain_topic(line, out),
        Some(token) => {
            push_bytes("topic_base64", token, out)?;
            out.end_frame();
        }
    }
    Ok(())
}

fn push_plain_topic(line: &Line<'_>, out: &mut impl Sink) {
    out.escaped(line.topic.and_then(inner).unwrap_or_default());
    out.end_frame();
}

fn push_payload(line: &Line<'_>, out: &mut impl Sink) -> Result<(), DecodeError> {
    let exact = &line.exact;
    let content = line.content.unwrap_or("null");
    match (exact.payload, exact.envelope, exact.content_at) {
        (Some(payload), None, None) => push_text("payload", payload, out),
        (None, Some(envelope), Some(at)) => {
            push_joined(envelope, number("content_at", at)?, content, out)
        }
        (None, None, None) => match exact.content_is.map(inner) {
            None => {
                out.plain(content);
                Ok(())
            }
            Some(Some("text")) => push_text("content", content, out),
            Some(Some("base64")) => push_bytes("content", content, out),
            Some(_) => Err(DecodeError::field(
                "content_is",
                "\"text\" or \"base64\"",
                exact.content_is,
            )),
        },
        (Some(_), Some(found), _) => Err(DecodeError::field(
            "envelope",
            "absent beside `payload`",
            Some(found),
        )),
        (_, None, Some(found)) => Err(DecodeError::field(
            "content_at",
            "absent without `envelope`",
            Some(found),
        )),
        (None, Some(_), None) => Err(DecodeError::field(
            "content_at",
            "present beside `envelope`",
            None,
        )),
    }
}

/// Puts the content back into the envelope, where the 0 stands.
fn push_joined(
    envelope: &str,
    at: u64,
    content: &str,
    out: &mut impl Sink,
) -> Result<(), DecodeError> {
    let split = usize::try_from(at)
        .ok()
        .and_then(|at| envelope.split_at_checked(at));
    let Some((before, after)) =
        split.and_then(|(before, rest)| Some((before, rest.strip_prefix('0')?)))
    else {
        return Err(DecodeError::ContentAt {
            len: envelope.len(),
            found: at,
        });
    };
    for part in [before, content, after] {
        out.plain(part);
    }
    Ok(())
}

fn push_more(array: &str, out: &mut impl Sink) -> Result<(), DecodeError> {
    if !array.starts_with('[') {
        return Err(DecodeError::field("more", "an array", Some(array)));
    }
    for element in elements(array) {
        match base64_member(element) {
            Some(token) => push_bytes("more", token, out)?,
            None => push_text("more", element, out)?,
        }
        out.end_frame();
    }
    Ok(())
}

/// Returns the value of the only member of `{"base64":"..."}`.
fn base64_member(element: &str) -> Option<&str> {
    let mut scanner = Scanner::new(element);
    let key = scanner.first_key().ok()??;
    if key != "base64" {
        return None;
    }
    scanner.value().ok()
}

fn push_text(field: &'static str, token: &str, out: &mut impl Sink) -> Result<(), DecodeError> {
    let text = inner(token).ok_or_else(|| DecodeError::field(field, "a string", Some(token)))?;
    out.escaped(text);
    Ok(())
}

fn push_bytes(field: &'static str, token: &str, out: &mut impl Sink) -> Result<(), DecodeError> {
    let text = text(token).ok_or_else(|| DecodeError::field(field, "a string", Some(token)))?;
    let decoded = out.base64(&text);
    decoded.map_err(|source| DecodeError::Base64 { field, source })
}

fn number(field: &'static str, token: &str) -> Result<u64, DecodeError> {
    token
        .parse()
        .map_err(|_| DecodeError::field(field, "a whole number below 2^64", Some(token)))
}

#[cfg(test)]
mod tests;
