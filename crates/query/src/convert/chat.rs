//! The history of a conversation as Markdown, as aider keeps it in
//! `.aider.chat.history.md`: headings of the fourth level are the user's, quotes
//! are what the program itself says, and the rest is the model's.

use std::io::{self, BufRead, BufReader, Read, Write};

/// The line before each conversation, with its time.
pub(super) const START: &[u8] = b"# aider chat started at ";

/// Writes each message as a line of JSON.
pub(super) fn write(input: impl Read, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = BufReader::new(input);
    let mut chat = Chat::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return chat.end(out);
        }
        chat.line(String::from_utf8_lossy(&line).trim_end(), out)?;
    }
}

#[derive(Default)]
struct Chat {
    started: String,
    sender: &'static str,
    text: String,
}

impl Chat {
    fn line(&mut self, line: &str, out: &mut dyn Write) -> io::Result<()> {
        if let Some(time) = line.as_bytes().strip_prefix(START) {
            self.end(out)?;
            self.started = String::from_utf8_lossy(time).into_owned();
            return Ok(());
        }
        let (sender, text) = match (line.strip_prefix("#### "), line.strip_prefix('>')) {
            (Some(text), _) => ("user", text),
            (_, Some(text)) => ("aider", text.strip_prefix(' ').unwrap_or(text)),
            _ if line.is_empty() => (self.sender, ""),
            _ => ("assistant", line),
        };
        if sender != self.sender {
            self.end(out)?;
            self.sender = sender;
        }
        self.text.push_str(text);
        self.text.push('\n');
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            let message = serde_json::json!({
                "topic": "aider",
                "sender": self.sender,
                "timestamp": self.started,
                "content": text.trim_matches('\n'),
            });
            writeln!(out, "{message}")?;
        }
        Ok(())
    }
}
