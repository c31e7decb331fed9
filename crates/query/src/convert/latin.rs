//! Text in Latin-1 as Windows has it, which old programs write.

use std::borrow::Cow;
use std::io::{self, Read, Write};

use super::lines;

/// The characters of Windows-1252 that are no controls, from 0x80 on. Five bytes stand
/// for nothing.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Tells whether a file has such lines. A journal has none: what is no UTF-8 in a line
/// with a checksum was damaged.
pub(super) fn is_one(text: &[u8]) -> bool {
    let lines = lines::whole(text).split(|byte| *byte == b'\n');
    let mut found = false;
    for line in lines.filter(|line| std::str::from_utf8(line).is_err()) {
        if !is_latin(line) {
            return false;
        }
        found = true;
    }
    found
}

/// Writes the lines in UTF-8; those that are in it stay as they are.
pub(super) fn write(input: impl Read, out: &mut dyn Write) -> io::Result<()> {
    lines::for_each(input, |whole| out.write_all(&line(whole)))
}

/// Returns a line in UTF-8.
pub(super) fn line(line: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(line).is_ok() || !is_latin(line) {
        return Cow::Borrowed(line);
    }
    let text: String = line.iter().map(|byte| character(*byte)).collect();
    Cow::Owned(text.into_bytes())
}

/// Tells whether a line may be text in it. Where most of what is beyond ASCII is UTF-8,
/// a few bytes are broken.
fn is_latin(line: &[u8]) -> bool {
    let has_utf8 = line.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
    let is_sealed = memchr::memmem::find(line, b"\"crc\":\"").is_some();
    !(has_utf8 || is_sealed || line.iter().any(|byte| lines::is_odd(*byte)))
}

fn character(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}
