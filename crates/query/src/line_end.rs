//! What stands at the end of a line of ours, behind its content.

use std::borrow::Cow;

/// `,"crc":"xxxxxxxx"}`
pub(crate) const CRC_FIELD: usize = 18;
/// `2025-11-20T04:30:00.123Z`
pub(crate) const TIME: usize = 24;
pub(crate) const RECORDED_AT: &[u8] = b",\"recorded_at\":\"";

/// Returns the key's name, which stands before the recorder's time in a line of this
/// shape. Most lines have a bracket or a word there.
#[inline]
pub(crate) fn key_name(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    const BEHIND: usize = RECORDED_AT.len() + TIME + 1 + CRC_FIELD;
    let before = line.get(..line.len().checked_sub(BEHIND)?)?;
    quoted_key_name(before.strip_suffix(b"\"")?)
}

fn quoted_key_name(before: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut start = memchr::memrchr(b'"', before)?;
    // A quote behind an odd number of backslashes is a part of the text.
    let is_escaped = |at: usize| {
        let slashes = before.get(..at).unwrap_or_default().iter().rev();
        slashes.take_while(|byte| **byte == b'\\').count() % 2 == 1
    };
    while is_escaped(start) {
        start = memchr::memrchr(b'"', before.get(..start)?)?;
    }
    let (head, name) = before.split_at_checked(start + 1)?;
    if !head.ends_with(b",\"key_name\":\"") {
        return None;
    }
    if !name.contains(&b'\\') {
        return Some(Cow::Borrowed(name));
    }
    let quoted = [b"\"", name, b"\""].concat();
    let name = message::text(std::str::from_utf8(&quoted).ok()?)?.into_owned();
    Some(Cow::Owned(name.into_bytes()))
}

/// Returns the name of the other journal in which a message was recorded first. In a line
/// of this shape that stands among the last members, and nothing in a payload can: there
/// its quotes would be escaped, or braces follow.
pub(crate) fn origin(line: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b",\"origin\":{\"journal\":\"";
    /// Members that may stand behind it, with the longest name of a key.
    const LONGEST: usize = 1024;
    let tail = line.get(line.len().saturating_sub(LONGEST)..)?;
    let at = memchr::memmem::rfind(tail, KEY)?;
    let behind = tail.get(at + KEY.len()..)?;
    let (_, behind) = split_once(behind, b"\",\"name\":\"")?;
    let (name, behind) = split_once(behind, b"\",\"message_num\":")?;
    let digits = behind
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let behind = behind.get(digits..)?.strip_prefix(b"}")?;
    let behind = behind.strip_prefix(b",\"acked\":true").unwrap_or(behind);
    let is_last = [b",\"key_name\":\"".as_slice(), RECORDED_AT];
    let is_last = is_last.iter().any(|next| behind.starts_with(next));
    (is_last && digits > 0 && !name.contains(&b'"')).then_some(name)
}

fn split_once<'a>(text: &'a [u8], between: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, between)?;
    Some((text.get(..at)?, text.get(at + between.len()..)?))
}
