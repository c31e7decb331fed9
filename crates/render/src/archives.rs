//! The list of closed sessions as text.

use std::io::Write;
use std::path::Path;

use journal::{NotRead, Unread};
use unicode_width::UnicodeWidthStr;

use crate::cell::one_line;
use crate::number::{counted, grouped, size};
use query::sanitise;
use query::{ArchivedSession, Closed, Holdings, archive_dir};
use query::{Error, shown};

/// Writes the closed sessions of the journal in `dir`, numbered from 1, each with what
/// is in it, as far as that is given. Where both don't fit beside each other in `columns`
/// columns, what is in it stands below.
///
/// # Errors
/// [`Error::Write`] where it can't be written.
pub fn write_archives(
    dir: &Path,
    archives: &[ArchivedSession],
    holdings: &[Result<Holdings, Error>],
    columns: Option<usize>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let dir = shown(&archive_dir(dir));
    if archives.is_empty() {
        writeln!(out, "[*] No archived sessions in {dir}")?;
        return Ok(());
    }
    writeln!(out, "[*] Archived sessions in {dir}:")?;
    let heads: Vec<_> = (1..)
        .zip(archives)
        .map(|(at, archive)| head(at, archive))
        .collect();
    let width = heads.iter().map(|head| head.width()).max().unwrap_or(0);
    let counts = holdings
        .iter()
        .flatten()
        .map(|held| grouped(held.messages).len());
    let digits = counts.max().unwrap_or(0);
    let tails: Vec<_> = holdings
        .iter()
        .map(|held| held.as_ref().map(|held| tail(held, digits)))
        .collect();
    let widest = tails
        .iter()
        .flatten()
        .map(|tail| tail.join("  ").width())
        .max();
    let fits = columns.is_none_or(|most| width + 2 + widest.unwrap_or(0) <= most);
    for (at, head) in heads.iter().enumerate() {
        match tails.get(at) {
            Some(Ok(tail)) if fits => {
                let fill = width.saturating_sub(head.width());
                writeln!(out, "{head}{:fill$}  {}", "", tail.join("  "))?;
            }
            Some(Ok(tail)) => {
                let [counts, senders] = tail;
                writeln!(out, "{head}\n     {counts}")?;
                if !senders.is_empty() {
                    writeln!(out, "     {senders}")?;
                }
            }
            Some(Err(error)) => writeln!(
                out,
                "{head}  not readable: {}",
                sanitise(&error.to_string())
            )?,
            None => writeln!(out, "{head}")?,
        }
    }
    Ok(())
}

/// Writes which files beside the closed sessions are not read, and why.
///
/// # Errors
/// [`Error::Write`] where it can't be written.
pub fn write_unread(unread: &[Unread], out: &mut dyn Write) -> Result<(), Error> {
    for file in unread {
        // What was packed is read here all the same.
        let by = match file.reason {
            NotRead::Compressed => " by the broker",
            _ => "",
        };
        let file = file.to_string();
        writeln!(out, "[!] Not read{by}: {}", sanitise(&file))?;
    }
    Ok(())
}

fn head(at: usize, archive: &ArchivedSession) -> String {
    let ArchivedSession {
        name,
        bytes,
        closed,
    } = archive;
    let (name, size) = (sanitise(name), size(*bytes));
    let closed = match closed {
        Closed::Named(time) => time.clone(),
        Closed::Changed(time) => format!("{time} UTC, by the file's time"),
        Closed::Unknown => "time unknown".to_owned(),
    };
    format!("  {at}. {name} ({size}) - {closed}")
}

/// What is in a session, in columns: messages and from when to when, and senders.
fn tail(held: &Holdings, digits: usize) -> [String; 2] {
    /// More senders are counted.
    const NAMED: usize = 3;
    let noun = if held.messages == 1 {
        "message "
    } else {
        "messages"
    };
    let times = match &held.times {
        Some((first, last)) => format!("{first} to {last}"),
        None => format!("{:42}", "no times"),
    };
    let names = held.senders.iter().take(NAMED);
    let mut senders = names
        .map(|name| one_line(name))
        .collect::<Vec<_>>()
        .join(", ");
    if held.senders.len() > NAMED {
        senders += &format!(" and {} more", held.senders.len() - NAMED);
    }
    let damaged = match held.damaged {
        0 => String::new(),
        more => format!("  ({} not readable)", counted(more, "stretch", "stretches")),
    };
    let count = grouped(held.messages);
    [
        format!("{count:>digits$} {noun}  {times}"),
        format!("{senders}{damaged}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_archive_has_a_line() {
        let archive = |name: &str, closed| ArchivedSession {
            name: name.to_owned(),
            bytes: 2048,
            closed,
        };
        let archives = [
            archive(
                "session_20251120_143022.jsonl",
                Closed::Named("2025-11-20 14:30:22".to_owned()),
            ),
            archive(
                "session_\u{1b}.jsonl",
                Closed::Changed("2025-11-20 14:30:22".to_owned()),
            ),
        ];
        let mut out = Vec::new();
        write_archives("logs".as_ref(), &archives, &[], None, &mut out).unwrap();
        write_archives("\u{7}".as_ref(), &[], &[], None, &mut out).unwrap();
        let expected = [
            format!(
                "[*] Archived sessions in {}:",
                Path::new("logs").join("archive").display()
            ),
            "  1. session_20251120_143022.jsonl (2.0 KB) - 2025-11-20 14:30:22".to_owned(),
            "  2. session_\\u001b.jsonl (2.0 KB) - 2025-11-20 14:30:22 UTC, by the file's time"
                .to_owned(),
            format!(
                "[*] No archived sessions in {}",
                Path::new("\\u0007").join("archive").display()
            ),
        ];
        assert_eq!(String::from_utf8(out).unwrap(), expected.join("\n") + "\n");
    }
}
