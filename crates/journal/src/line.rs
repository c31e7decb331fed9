//! One line: `{"message_num":N,` + the body's members + `,"crc":"xxxxxxxx"}`.
//!
//! The checksum is the CRC-32C (Castagnoli, as in RFC 3720 section 12.1) of
//! all bytes of the line before the `"crc"` key, in 8 lower-case hex digits.

use std::fmt;

use crc_fast::{CrcAlgorithm, Digest, crc32_iscsi as crc32c};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::damage::{Integrity, Reason};

/// How every line of ours begins. No record's body may contain it, see
/// [`crate::group`]: that makes a record findable behind a torn one.
pub(crate) const START: &[u8] = b"{\"message_num\":";
/// What stands where compressed bytes can't be unpacked, with zeros behind it.
pub(crate) const UNREADABLE: &[u8] = b"\0\0not unpacked\0";
/// What precedes the checksum's digits; the comma belongs to the checked bytes.
const CRC_KEY: &[u8] = b",\"crc\":\"";
const CRC_DIGITS: usize = 8;
/// `,"crc":"xxxxxxxx"}`
pub(crate) const CRC_FIELD: usize = CRC_KEY.len() + CRC_DIGITS + 2;
/// How many bytes of the checksum field's fixed parts may differ for it to be
/// taken for a spoilt checksum rather than for none.
const CRC_TYPOS: usize = 2;

/// What a stretch of bytes turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// A record.
    Record {
        /// Its own number, if it has a believable one.
        number: Option<u64>,
        /// What its checksum says.
        integrity: Integrity,
    },
    /// No record.
    Bad(Reason),
}

/// Appends the checksum field to `line`, whose record begins at `start` and
/// still lacks it and the closing brace.
pub(crate) fn seal(line: &mut Vec<u8>, start: usize) {
    line.push(b',');
    let crc = crc32c(line.get(start..).unwrap_or_default());
    line.extend_from_slice(CRC_KEY.get(1..).unwrap_or_default());
    line.extend_from_slice(&hex(crc));
    line.extend_from_slice(b"\"}");
}

/// Returns the length of the byte order mark that some editors on Windows put
/// in front of a file, or 0.
fn bom_len(line: &[u8]) -> usize {
    const BOM: &[u8] = b"\xEF\xBB\xBF";
    if line.starts_with(BOM) { BOM.len() } else { 0 }
}

/// Sorts one line (without newline) into records and damage; nothing for a blank
/// one. `ended` tells whether a newline follows it in the file.
///
/// This is what every reader does with a line. It is there for programs that
/// find the lines of a file by themselves, on several threads for instance.
///
/// ```
/// use journal::Reason;
/// use journal::raw::{Checked, sort_line};
///
/// let pieces = sort_line(b"{\"message_num\":1,\"to", true);
/// assert_eq!(pieces[0].checked, Checked::Bad(Reason::NotJson));
/// assert_eq!(sort_line(b"  \r", true), []);
/// ```
#[must_use]
pub fn sort_line(line: &[u8], ended: bool) -> Vec<Piece> {
    if line.trim_ascii().is_empty() {
        return Vec::new();
    }
    line_pieces(line, ended)
}

/// Tells whether a line (without newline) is one record with a right checksum,
/// and nothing else.
///
/// Such a line is as its writer wrote it: it needs no other check.
/// [`sort_line`] takes it for one verified record.
#[must_use]
pub fn is_sealed(line: &[u8]) -> bool {
    let Some((checked, digits)) = crc_field(line) else {
        return false;
    };
    line.starts_with(START) && hex(crc32c(checked)) == *digits
}

/// Tells whether a line of `length` bytes (without newline) is one record with a
/// right checksum, without holding it. `read` fills a buffer with the line's
/// bytes from an offset on.
///
/// A reader passes over a line that is too long to be held, but for what a
/// journal has written: that is always readable, whatever limit its writer had.
///
/// # Errors
/// What `read` returns.
pub fn is_sealed_at<E>(
    length: u64,
    mut read: impl FnMut(&mut [u8], u64) -> Result<(), E>,
) -> Result<bool, E> {
    const PIECE: u64 = 1 << 20;
    let (mut start, mut field) = ([0; START.len()], [0; CRC_FIELD]);
    let Some(at) = length.checked_sub(CRC_FIELD as u64 + START.len() as u64) else {
        return Ok(false);
    };
    read(&mut start, 0)?;
    read(&mut field, at + START.len() as u64)?;
    let Some((_, digits)) = crc_field(&field).filter(|_| start == START) else {
        return Ok(false);
    };
    let covered = length - CRC_FIELD as u64 + 1;
    let mut crc = Digest::new(CrcAlgorithm::Crc32Iscsi);
    let mut piece = vec![0; usize::try_from(covered.min(PIECE)).unwrap_or(0)];
    let mut from = 0;
    while from < covered {
        let count = usize::try_from((covered - from).min(PIECE)).unwrap_or(0);
        let piece = piece.get_mut(..count).unwrap_or_default();
        read(piece, from)?;
        crc.update(piece);
        from += count as u64;
    }
    Ok(hex(u32::try_from(crc.finalize()).unwrap_or_default()) == *digits)
}

/// Tells whether a line (without newline) has a checksum, be it right or not, or a
/// field that was one once. Any other line is a record without checksum if it is a
/// JSON object, and damage if it is none.
#[must_use]
pub fn looks_sealed(line: &[u8]) -> bool {
    crc_field(line).is_some() || looks_like_crc(line)
}

/// Returns the checksum that a line (without newline) carries, as it is spelled
/// there; `None` for lines of other recorders.
///
/// Two records with the same number are the same one if their checksums are.
#[must_use]
pub fn checksum(line: &[u8]) -> Option<&str> {
    let (_, digits) = crc_field(line.trim_ascii_end())?;
    std::str::from_utf8(digits).ok()
}

/// Spells a checksum in lower-case hex digits.
fn hex(crc: u32) -> [u8; CRC_DIGITS] {
    const ONES: u64 = u64::MAX / 0xff;
    // Each half byte in a byte of its own.
    let spread = u64::from(crc);
    let spread = (spread << 16 | spread) & 0x0000_ffff_0000_ffff;
    let spread = (spread << 8 | spread) & 0x00ff_00ff_00ff_00ff;
    let digits = (spread << 4 | spread) & (ONES * 0x0f);
    let letters = (digits + ONES * 6) >> 4 & ONES;
    (digits + ONES * u64::from(b'0') + letters * u64::from(b'a' - b'0' - 10)).to_be_bytes()
}

/// Sorts one line that is not blank into records and damage.
pub(crate) fn line_pieces(line: &[u8], ended: bool) -> Vec<Piece> {
    match check(line) {
        Checked::Bad(reason) => {
            let reason = if ended { reason } else { Reason::Torn };
            split(line, reason)
        }
        checked @ Checked::Record { .. } => {
            // Neither a byte order mark nor a carriage return is part of the JSON.
            let range = bom_len(line)..line.trim_ascii_end().len();
            vec![Piece { range, checked }]
        }
    }
}

/// Tells what a line (without its newline) is.
pub(crate) fn check(line: &[u8]) -> Checked {
    let line = line.trim_ascii_end();
    let line = line.get(bom_len(line)..).unwrap_or_default();
    match crc_field(line) {
        Some((checked, digits)) if hex(crc32c(checked)) == *digits => {
            // The writer puts a checksum only on what it encoded itself.
            Checked::Record {
                number: leading_number(line),
                integrity: Integrity::Verified,
            }
        }
        field => {
            let has_crc = field.is_some_and(|(_, digits)| digits.iter().all(is_hex));
            check_unsealed(line, has_crc || looks_like_crc(line))
        }
    }
}

fn check_unsealed(line: &[u8], had_crc: bool) -> Checked {
    if line.contains(&0) {
        let is_packed = line.starts_with(UNREADABLE);
        return Checked::Bad(if is_packed {
            Reason::Packed
        } else {
            Reason::Nul
        });
    }
    if std::str::from_utf8(line).is_err() {
        return Checked::Bad(Reason::NotUtf8);
    }
    let Some(number) = member_number(line) else {
        // `IgnoredAny` neither recurses nor refuses deep nesting.
        let is_json = serde_json::from_slice::<IgnoredAny>(line).is_ok();
        return Checked::Bad(if is_json {
            Reason::NotAnObject
        } else {
            Reason::NotJson
        });
    };
    let integrity = if had_crc {
        Integrity::Altered
    } else {
        Integrity::Unverified
    };
    Checked::Record { number, integrity }
}

/// Splits a line into the bytes that its checksum covers and the checksum's digits.
fn crc_field(line: &[u8]) -> Option<(&[u8], &[u8; CRC_DIGITS])> {
    let (front, field) = line.split_at_checked(line.len().checked_sub(CRC_FIELD)?)?;
    let digits = field.strip_prefix(CRC_KEY)?.strip_suffix(b"\"}")?;
    Some((line.get(..front.len() + 1)?, digits.try_into().ok()?))
}

/// Tells whether a byte is a digit as the writer writes it, which is not in upper case.
fn is_hex(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Tells whether a line ends in what was once a checksum field: one of ours in
/// which a byte or two have changed must not pass for a line without checksum.
fn looks_like_crc(line: &[u8]) -> bool {
    if !line.starts_with(START) {
        return false;
    }
    let Some(field) = line
        .len()
        .checked_sub(CRC_FIELD)
        .and_then(|at| line.get(at..))
    else {
        return false;
    };
    let key = field.iter().zip(CRC_KEY);
    let end = field.iter().rev().zip(b"}\"");
    key.chain(end)
        .filter(|(found, expected)| found != expected)
        .count()
        <= CRC_TYPOS
}

/// Reads the number at the start of a line of ours.
pub(crate) fn leading_number(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(START)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
}

/// Finds the member `message_num` of a JSON object, which may have none; `None`
/// where the text is no JSON object.
fn member_number(text: &[u8]) -> Option<Option<u64>> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let number = deserializer.deserialize_map(NumberVisitor).ok()?;
    deserializer.end().ok()?;
    Some(number)
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<u64>, A::Error> {
        let mut number = None;
        // Raw keys: a lone surrogate in some other key is none of our business.
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            if key.get() == "\"message_num\"" {
                number = value.get().parse().ok();
            }
        }
        Ok(number)
    }
}

/// A part of a line, or all of it: one record or one stretch of damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it stands, in bytes from the start of the line.
    pub range: std::ops::Range<usize>,
    /// What it is.
    pub checked: Checked,
}

/// Finds the whole records inside a line that as a whole is none: records
/// glued behind a torn one, or two whose newline was spoilt.
///
/// Every [`START`] is the true start of a record, so each stretch from one to
/// the next is looked at once. Only records with a right checksum are taken.
pub(crate) fn split(line: &[u8], reason: Reason) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut cuts: Vec<usize> = memchr::memmem::find_iter(line, START).collect();
    cuts.push(line.len());
    let mut bad_from = 0;
    for pair in cuts.windows(2) {
        let &[start, end] = pair else { continue };
        if let Some(length) = sealed_prefix(line.get(start..end).unwrap_or_default()) {
            push_bad(&mut pieces, bad_from..start, reason);
            let record = start..start + length;
            let number = leading_number(line.get(record.clone()).unwrap_or_default());
            let checked = Checked::Record {
                number,
                integrity: Integrity::Verified,
            };
            bad_from = record.end;
            pieces.push(Piece {
                range: record,
                checked,
            });
        }
    }
    push_bad(&mut pieces, bad_from..line.len(), reason);
    pieces
}

/// Returns the length of the record with a right checksum that `piece` begins with.
///
/// What follows the record may hold the end of another one, so every checksum
/// field is tried; the checksum is carried on from one to the next.
fn sealed_prefix(piece: &[u8]) -> Option<usize> {
    let mut crc = Digest::new(CrcAlgorithm::Crc32Iscsi);
    let mut covered = 0;
    for key in memchr::memmem::find_iter(piece, CRC_KEY) {
        crc.update(piece.get(covered..=key)?);
        covered = key + 1;
        let record = piece.get(..key + CRC_FIELD)?;
        let spelled = hex(u32::try_from(crc.finalize()).unwrap_or_default());
        if crc_field(record).is_some_and(|(_, digits)| spelled == *digits) {
            return Some(record.len());
        }
    }
    None
}

fn push_bad(pieces: &mut Vec<Piece>, range: std::ops::Range<usize>, reason: Reason) {
    if !range.is_empty() {
        pieces.push(Piece {
            range,
            checked: Checked::Bad(reason),
        });
    }
}

#[cfg(test)]
mod tests;
