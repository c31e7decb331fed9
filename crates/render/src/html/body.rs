//! The content of a message as HTML.

use std::io::{self, Write};

use message::Record;
use query::{Body, Marks, bytes_note};

use super::escape::Text;
use super::marked::{clipped, write_marked, write_rest};
use super::{rich, tree};

/// How the paragraphs begin into which the parts of a content are put that are no
/// text for people.
const FOLDED: [&str; 3] = ["[tool call] ", "[tool result] ", "[thinking] "];
/// So much of a folded part is told while it is folded.
const HINT: usize = 100;

pub(super) fn write(
    record: &Record<'_>,
    marks: &Marks,
    limit: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let body = Body::of(record);
    if let Some(text) = &body.text {
        let text = text.replace("\r\n", "\n");
        write_text(clipped(&text, limit), marks, out)?;
        write_rest(text.len(), limit, out)?;
    }
    if let Some(json) = body.json {
        if body.text.is_some() {
            writeln!(out, "<details class=\"more\"><summary>content</summary>")?;
        }
        tree::write(json, limit, out)?;
        if body.text.is_some() {
            writeln!(out, "</details>")?;
        }
    }
    if let Some((count, base64)) = &body.bytes {
        let note = bytes_note(*count);
        writeln!(
            out,
            "<details><summary>{}</summary><pre>{}</pre></details>",
            Text(&note),
            Text(clipped(base64, limit))
        )?;
        write_rest(base64.len(), limit, out)?;
    }
    Ok(())
}

/// Cuts a text into what people say to each other and what is folded to a line.
fn write_text(text: &str, marks: &Marks, out: &mut dyn Write) -> io::Result<()> {
    let mut said = String::new();
    let mut folded: Option<(&str, String)> = None;
    for paragraph in text.split("\n\n") {
        let kind = FOLDED.iter().find(|kind| paragraph.starts_with(**kind));
        match (kind, &mut folded) {
            (Some(kind), _) => {
                write_said(&mut said, marks, out)?;
                write_folded(folded.take(), marks, out)?;
                folded = Some((*kind, paragraph[kind.len()..].to_owned()));
            }
            // A result or a thought has as many paragraphs as it has.
            (None, Some((kind, rest))) if *kind != FOLDED[0] => {
                rest.push_str("\n\n");
                rest.push_str(paragraph);
            }
            (None, _) => {
                write_folded(folded.take(), marks, out)?;
                if !said.is_empty() {
                    said.push_str("\n\n");
                }
                said.push_str(paragraph);
            }
        }
    }
    write_folded(folded, marks, out)?;
    write_said(&mut said, marks, out)
}

fn write_said(said: &mut String, marks: &Marks, out: &mut dyn Write) -> io::Result<()> {
    if !said.is_empty() {
        write!(out, "<div class=\"text\">")?;
        rich::write(said, marks, out)?;
        writeln!(out, "</div>")?;
        said.clear();
    }
    Ok(())
}

fn write_folded(
    folded: Option<(&str, String)>,
    marks: &Marks,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some((kind, text)) = folded else {
        return Ok(());
    };
    let kind = kind.trim_matches(['[', ']', ' ']);
    let hint = text.lines().next().unwrap_or_default();
    let class = kind.replace(' ', "-");
    write!(
        out,
        "<details class=\"part {class}\"><summary><b>{}</b> {}</summary><pre>",
        Text(kind),
        Text(clipped(hint, HINT))
    )?;
    write_marked(&text, marks, out)?;
    writeln!(out, "</pre></details>")
}
