//! Text in Latin-1 as Windows has it, which old programs write.

use std::io::{self, BufRead, BufReader, Read, Write};

/// The characters of Windows-1252 that are no controls, from 0x80 on. Five bytes stand
/// for nothing.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Tells whether a file has such lines. A journal has none: what is no UTF-8 in a line
/// with a checksum was damaged.
pub(super) fn is_one(text: &[u8]) -> bool {
    let end = text.iter().rposition(|byte| *byte == b'\n');
    let lines = text[..end.unwrap_or(text.len())].split(|byte| *byte == b'\n');
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
    let mut lines = BufReader::new(input);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if std::str::from_utf8(&line).is_ok() || !is_latin(&line) {
            out.write_all(&line)?;
            continue;
        }
        let text: String = line.iter().map(|byte| character(*byte)).collect();
        out.write_all(text.as_bytes())?;
    }
}

/// Tells whether a line may be text in it. Where most of what is beyond ASCII is UTF-8,
/// a few bytes are broken.
fn is_latin(line: &[u8]) -> bool {
    let is_odd = |byte: &u8| byte.is_ascii_control() && !b"\t\n\r\x1b".contains(byte);
    let has_utf8 = line.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
    let is_sealed = memchr::memmem::find(line, b"\"crc\":\"").is_some();
    !(has_utf8 || is_sealed || line.iter().any(is_odd))
}

fn character(byte: u8) -> char {
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}
