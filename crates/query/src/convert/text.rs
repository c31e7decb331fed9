//! Lines of text that are no JSON: logs, tables, what stands above the JSON of a file.
//! Each is a message of its own, so that it is shown and found.

use std::io::{self, BufRead, BufReader, Read, Write};

/// What a journal's own lines begin with. Whatever else stands in a journal is damage.
const OWN: &[u8] = b"{\"message_num\":";

/// Tells whether a file begins with lines of text, and is no journal.
pub(super) fn is_one(text: &[u8]) -> bool {
    let first = text.split(|byte| *byte == b'\n').next();
    let first = first.unwrap_or_default().trim_ascii();
    // The last character may go on behind what was read.
    let whole = &text[..text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap_or(text.len())];
    !first.is_empty()
        && !may_be_json(first)
        && memchr::memmem::find(text, OWN).is_none()
        && !text.iter().any(|byte| is_odd(*byte))
        && std::str::from_utf8(whole).is_ok()
}

/// Writes lines as messages, but for those that may hold JSON, which stay as they are.
pub(super) fn write(input: impl Read, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = BufReader::new(input);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        match std::str::from_utf8(line.trim_ascii_end()) {
            Ok("") => {}
            Ok(text) if !may_be_json(text.as_bytes()) => {
                let message = serde_json::json!({"content": text});
                writeln!(out, "{message}")?;
            }
            _ => out.write_all(&line)?,
        }
    }
}

fn may_be_json(line: &[u8]) -> bool {
    memchr::memchr2(b'{', b'[', line).is_some()
}

/// No text has these; colours of a terminal are in many logs.
fn is_odd(byte: u8) -> bool {
    byte.is_ascii_control() && !b"\t\n\r\x1b".contains(&byte)
}
