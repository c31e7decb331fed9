//! The lines of a file whose text may be of any kind.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

/// Calls a function with each line, its newline included.
pub(super) fn for_each(
    input: impl Read,
    mut line_is: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut lines = BufReader::new(input);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        line_is(&line)?;
        line.clear();
    }
    Ok(())
}

/// Returns how long the whole lines of a file are, and goes back to its beginning.
pub(super) fn whole_length(file: &mut File, end: u64) -> io::Result<u64> {
    const PIECE: u64 = 64 << 10;
    let mut behind = end;
    let mut found = 0;
    while behind > 0 {
        let start = behind.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(start))?;
        let mut piece = Vec::new();
        (&mut *file).take(behind - start).read_to_end(&mut piece)?;
        if let Some(at) = memchr::memrchr(b'\n', &piece) {
            found = start + at as u64 + 1;
            break;
        }
        behind = start;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(found)
}

/// Returns a beginning up to its last newline: the last character of what was read may go
/// on behind it. Without a newline it is all of it.
pub(super) fn whole(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte == b'\n');
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

/// Tells whether a byte stands in no text; colours of a terminal are in many logs.
pub(super) fn is_odd(byte: u8) -> bool {
    byte.is_ascii_control() && !b"\t\n\r\x1b".contains(&byte)
}

/// Tells whether a text begins as an array of objects does, or of arrays, or of nothing.
pub(super) fn is_list(text: &[u8]) -> bool {
    let rest = text
        .strip_prefix(b"[")
        .unwrap_or_default()
        .trim_ascii_start();
    matches!(rest.first(), Some(b'{' | b'[' | b']'))
}
