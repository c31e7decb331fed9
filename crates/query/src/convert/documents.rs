//! JSON over several lines, or in an array: each value gets a line of its own.

use std::io::{self, Read, Write};

use super::lines;

/// Tells whether a text begins as an array of objects does, or as an object of
/// which each member has a line.
///
/// The torn beginning of a journal's line is none: the next line begins anew.
pub(super) fn is_one(text: &[u8]) -> bool {
    match text.split_first() {
        Some((b'[', _)) => lines::is_list(text),
        Some((b'{', _)) => {
            let mut lines = text.split(|byte| *byte == b'\n');
            let first = lines.next().unwrap_or_default().trim_ascii_end();
            let next = lines.map(<[u8]>::trim_ascii).find(|line| !line.is_empty());
            let is_open = matches!(first.last(), Some(b'{' | b'[' | b','));
            is_open && next.is_some_and(|line| matches!(line.first(), Some(b'"' | b'}' | b']')))
        }
        _ => false,
    }
}

/// Writes each value of the text, or of an array in it, on a line of its own.
pub(super) fn write(mut input: impl Read, out: &mut dyn Write) -> io::Result<()> {
    let mut splitter = Splitter::default();
    let mut piece = vec![0; 64 << 10];
    loop {
        let count = input.read(&mut piece)?;
        if count == 0 {
            return splitter.end(out);
        }
        for byte in piece.get(..count).unwrap_or_default() {
            splitter.byte(*byte, out)?;
        }
    }
}

/// Goes over JSON byte by byte, and builds nothing.
#[derive(Default)]
struct Splitter {
    value: Vec<u8>,
    /// Brackets that are open, the list's own left aside.
    depth: usize,
    in_list: bool,
    in_string: bool,
    is_escaped: bool,
    /// The beginning of a line, whose spaces only show how deep it stands.
    is_indent: bool,
}

impl Splitter {
    fn byte(&mut self, byte: u8, out: &mut dyn Write) -> io::Result<()> {
        if self.in_string {
            self.in_string = self.is_escaped || byte != b'"';
            self.is_escaped = !self.is_escaped && byte == b'\\';
            self.push(byte);
            return Ok(());
        }
        if self.is_indent && byte.is_ascii_whitespace() && self.depth > 0 {
            return Ok(());
        }
        self.is_indent = byte == b'\n' && self.depth > 0;
        match byte {
            b'[' if self.depth == 0 && !self.in_list && self.is_blank() => {
                self.in_list = true;
                self.value.clear();
            }
            b']' if self.depth == 0 && self.in_list => {
                self.end(out)?;
                self.in_list = false;
            }
            b',' if self.depth == 0 => self.end(out)?,
            b'{' | b'[' => {
                self.depth += 1;
                self.push(byte);
            }
            b'}' | b']' => {
                self.push(byte);
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    self.end(out)?;
                }
            }
            b'\n' if self.depth == 0 && !self.in_list => self.end(out)?,
            _ => {
                self.in_string = byte == b'"';
                self.push(byte);
            }
        }
        Ok(())
    }

    fn push(&mut self, byte: u8) {
        self.value.push(match byte {
            b'\n' | b'\r' => b' ',
            byte => byte,
        });
    }

    fn is_blank(&self) -> bool {
        let value = self.value.strip_prefix(b"\xEF\xBB\xBF");
        value.unwrap_or(&self.value).trim_ascii().is_empty()
    }

    /// Writes the value, unless there is none.
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.is_blank() {
            out.write_all(self.value.trim_ascii())?;
            out.write_all(b"\n")?;
        }
        self.value.clear();
        Ok(())
    }
}
