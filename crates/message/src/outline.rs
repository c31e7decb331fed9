//! The frames of a large line as stretches of it, to be rebuilt one by one.

use std::ops::Range;

use crate::decode::{Sink, rebuild};
use crate::error::DecodeError;
use crate::escape::{decode_base64, push_unescaped};
use crate::line::Line;

/// How long a stretch is at most, in bytes of the line. It must be a multiple
/// of four, the length of a group of base64, and longer than any escape.
const LONGEST: usize = 128 << 10;

/// Tells where in a line the frames of its message stand.
///
/// Whoever sends a large message to somebody slow keeps the outline, and reads
/// one stretch after the other back from the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    stretches: Vec<Stretch>,
    /// Where each frame ends among the stretches.
    ends: Vec<usize>,
}

/// A part of a frame as it stands in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    range: Range<usize>,
    form: Form,
    length: usize,
}

/// How bytes stand in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As they are.
    Plain,
    /// With the escapes of a JSON string.
    Escaped,
    Base64,
}

/// Finds out where the frames of a line stand; `None` where a frame is made of
/// anything that does not stand there, as from a line of the older recorder.
/// [`decode_frames`](crate::decode_frames) rebuilds any.
///
/// ```
/// let line = br#"{"message_num":7,"topic":"t","content":"\u00fc\n","content_is":"text","recorded_at":"now"}"#;
/// let outline = message::outline(line)?.expect("all of it stands there");
/// let mut frames = Vec::new();
/// for frame in outline.frames() {
///     let mut bytes = Vec::new();
///     for stretch in frame {
///         stretch.rebuild(&line[stretch.range()], &mut bytes)?;
///     }
///     frames.push(bytes);
/// }
/// assert_eq!(frames, [b"t".to_vec(), "ü\n".as_bytes().to_vec()]);
/// # Ok::<(), message::DecodeError>(())
/// ```
///
/// # Errors
/// As [`decode_frames`](crate::decode_frames).
pub fn outline(line: &[u8]) -> Result<Option<Outline>, DecodeError> {
    let mut outliner = Outliner {
        line: line.as_ptr() as usize..line.as_ptr() as usize + line.len(),
        outline: Outline::default(),
        scratch: Vec::new(),
        elsewhere: false,
    };
    rebuild(&Line::read(line)?, &mut outliner)?;
    Ok((!outliner.elsewhere).then_some(outliner.outline))
}

impl Outline {
    /// Goes over the frames, each as its stretches.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = &[Stretch]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let ranges: Vec<Range<usize>> = starts.zip(&self.ends).map(|(a, b)| a..*b).collect();
        ranges
            .into_iter()
            .map(|range| self.stretches.get(range).unwrap_or_default())
    }
}

impl Stretch {
    /// Returns where it stands in the line: at most 128 KiB.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// Returns how many bytes of the frame it is.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "none is empty")]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Appends the frame's bytes, from those that stand in the line.
    ///
    /// # Errors
    /// [`DecodeError`] where these are not the bytes that the line held.
    pub fn rebuild(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let text = || {
            std::str::from_utf8(bytes).map_err(|error| DecodeError::NotUtf8 {
                offset: error.valid_up_to(),
            })
        };
        let before = out.len();
        match self.form {
            Form::Plain => out.extend_from_slice(bytes),
            Form::Escaped => push_unescaped(text()?, out),
            Form::Base64 => decode_base64(text()?, out).map_err(|source| DecodeError::Base64 {
                field: "content",
                source,
            })?,
        }
        if out.len() - before == self.length {
            return Ok(());
        }
        Err(DecodeError::Changed {
            expected: self.length,
            found: out.len() - before,
        })
    }
}

/// Notes where the parts stand that frames are made of.
struct Outliner {
    /// The addresses of the line's bytes: the parts are slices of it.
    line: Range<usize>,
    outline: Outline,
    scratch: Vec<u8>,
    /// Some part does not stand in the line.
    elsewhere: bool,
}

impl Outliner {
    /// Notes a part, cut where `cut` says.
    fn note(&mut self, part: &str, form: Form, cut: impl Fn(&str) -> usize) {
        let start = part.as_ptr() as usize;
        if part.is_empty() {
            return;
        }
        if start < self.line.start || start + part.len() > self.line.end {
            self.elsewhere = true;
            return;
        }
        let (mut at, mut rest) = (start - self.line.start, part);
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(cut(rest));
            self.scratch.clear();
            let length = match form {
                Form::Escaped => {
                    push_unescaped(head, &mut self.scratch);
                    self.scratch.len()
                }
                Form::Plain => head.len(),
                Form::Base64 => decoded_len(head),
            };
            let range = at..at + head.len();
            self.outline.stretches.push(Stretch {
                range,
                form,
                length,
            });
            (at, rest) = (at + head.len(), tail);
        }
    }
}

impl Sink for Outliner {
    fn clear(&mut self) {
        self.outline = Outline::default();
        self.elsewhere = false;
    }

    fn plain(&mut self, part: &str) {
        self.note(part, Form::Plain, |rest| floor(rest, LONGEST));
    }

    fn escaped(&mut self, part: &str) {
        if memchr::memchr(b'\\', part.as_bytes()).is_none() {
            return self.plain(part);
        }
        self.note(part, Form::Escaped, before_escape);
    }

    fn base64(&mut self, part: &str) -> Result<(), base64::DecodeError> {
        // It is all read once, so that what is wrong with it is said now. Only
        // the last stretch may be padded.
        let mut rest = part;
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(floor(rest, LONGEST));
            self.scratch.clear();
            decode_base64(head, &mut self.scratch)?;
            if !tail.is_empty() && head.ends_with('=') {
                return decode_base64(part, &mut self.scratch);
            }
            rest = tail;
        }
        self.note(part, Form::Base64, |rest| rest.len().min(LONGEST));
        Ok(())
    }

    fn end_frame(&mut self) {
        self.outline.ends.push(self.outline.stretches.len());
    }

    fn count(&self) -> usize {
        self.outline.ends.len()
    }
}

/// Returns the last place at or before `most` at which a character begins.
fn floor(text: &str, most: usize) -> usize {
    let mut at = most.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Returns how much of the text can be unescaped for itself: no escape is cut,
/// nor the two of a pair of surrogates.
fn before_escape(text: &str) -> usize {
    if text.len() <= LONGEST {
        return text.len();
    }
    let mut at = 0;
    while let Some(next) =
        memchr::memchr(b'\\', text.get(at..LONGEST).unwrap_or_default().as_bytes())
    {
        let escape = at + next;
        let end = escape + escape_len(text.get(escape..).unwrap_or_default());
        if end > LONGEST {
            return escape;
        }
        at = end;
    }
    floor(text, LONGEST)
}

/// Returns the length of the escape that the text begins with, together with the
/// second one of a pair of surrogates.
fn escape_len(text: &str) -> usize {
    let unit = |at: usize| {
        let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let length = match unit(0) {
        Some(0xd800..=0xdbff) if unit(6).is_some() => 12,
        Some(_) => 6,
        None => 2,
    };
    length.min(text.len())
}

/// Returns how many bytes valid base64 stands for.
fn decoded_len(text: &str) -> usize {
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding)
}

#[cfg(test)]
mod tests;
