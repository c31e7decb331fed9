//! What the unit tests share: lines, files in memory, generated files.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use crate::fs::ReadFile;
use crate::line::seal;
use crate::session_file::SessionFile;
use crate::sync::held;

/// A line of ours without its newline; `members` begin with a comma.
pub(crate) fn sealed(number: u64, members: &str) -> Vec<u8> {
    let mut line = format!("{{\"message_num\":{number}{members}").into_bytes();
    seal(&mut line, 0);
    line
}

/// A file in memory, of which one read can fail and which reads in small steps.
#[derive(Debug, Default)]
pub(crate) struct MemFile(Mutex<MemFileState>);

#[derive(Debug, Default)]
struct MemFileState {
    bytes: Vec<u8>,
    /// How many reads succeed before one fails.
    fail_in: Option<u64>,
    longest_read: usize,
    bytes_read: u64,
}

impl MemFile {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        Self(Mutex::new(MemFileState {
            bytes,
            ..MemFileState::default()
        }))
    }

    /// Opens the file under some path.
    pub(crate) fn opened(self: &Arc<Self>) -> SessionFile {
        SessionFile::new(Path::new("a.jsonl"), self.clone())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, MemFileState> {
        held(self.0.lock())
    }

    pub(crate) fn append(&self, bytes: &[u8]) {
        self.state().bytes.extend_from_slice(bytes);
    }

    pub(crate) fn truncate(&self, len: usize) {
        self.state().bytes.truncate(len);
    }

    pub(crate) fn fail_read(&self, after: u64) {
        self.state().fail_in = Some(after);
    }

    /// The longest stretch that was asked for at once.
    pub(crate) fn longest_read(&self) -> usize {
        self.state().longest_read
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.state().bytes_read
    }
}

impl ReadFile for MemFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state();
        match state.fail_in {
            Some(0) => {
                state.fail_in = None;
                return Err(io::Error::other("injected"));
            }
            Some(left) => state.fail_in = Some(left - 1),
            None => {}
        }
        state.longest_read = state.longest_read.max(buf.len());
        let from = state.bytes.len().min(usize::try_from(offset).unwrap());
        // Short reads are allowed and must be coped with.
        let count = buf.len().min(state.bytes.len() - from).min(100_000);
        state.bytes_read += count as u64;
        buf[..count].copy_from_slice(&state.bytes[from..from + count]);
        Ok(count)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.state().bytes.len() as u64)
    }
}

/// A stretch of a generated file.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    /// Records of ours with consecutive numbers.
    Good(u8),
    /// The first part of a record, with or without a newline behind it.
    Torn {
        keep: u8,
        newline: bool,
    },
    /// A record of ours that was edited.
    Altered {
        number_too: bool,
    },
    /// Lines of the older recorder.
    Legacy(u8),
    /// A line without checksum, but with a number that is so far off.
    Numbered(i8),
    /// The record of ours that was written this many records ago, once more.
    Again(u8),
    Blank,
    Garbage(Vec<u8>),
    /// A record of this many bytes.
    Long(u32),
}

pub(crate) fn any_part() -> impl Strategy<Value = Part> {
    prop_oneof![
        4 => (1..20u8).prop_map(Part::Good),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(keep, newline)| Part::Torn { keep, newline }),
        2 => any::<bool>().prop_map(|number_too| Part::Altered { number_too }),
        2 => (1..20u8).prop_map(Part::Legacy),
        1 => any::<i8>().prop_map(Part::Numbered),
        1 => (1..40u8).prop_map(Part::Again),
        1 => Just(Part::Blank),
        1 => prop::collection::vec(any::<u8>(), 1..60).prop_map(Part::Garbage),
        1 => (100..150_000u32).prop_map(Part::Long),
    ]
}

/// Writes a file as the journal would go on with it: every record of ours has
/// the number behind all that stands before it.
pub(crate) fn file_of(parts: &[Part]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut next = 1;
    for part in parts {
        match part {
            Part::Good(count) => {
                for _ in 0..*count {
                    file.extend(sealed(next, ",\"topic\":\"a\",\"text\":\"some words\""));
                    file.push(b'\n');
                    next += 1;
                }
            }
            Part::Torn { keep, newline } => {
                let line = sealed(next, ",\"topic\":\"a\",\"text\":\"some words\"");
                file.extend(&line[..usize::from(*keep) % line.len()]);
                file.extend(newline.then_some(b'\n'));
                next += 1;
            }
            Part::Altered { number_too } => {
                let line = String::from_utf8(sealed(next, ",\"text\":\"some words\"")).unwrap();
                let mut line = line.replace("some", "same");
                if *number_too {
                    line = line.replacen(&next.to_string(), &(next + 900).to_string(), 1);
                }
                file.extend(line.as_bytes());
                file.push(b'\n');
                next += 1;
            }
            Part::Legacy(count) => {
                for _ in 0..*count {
                    file.extend(
                        b"{\"Id\": \"x\", \"Message\": \"{}\", \"SpeakerName\": \"claude\"}\n",
                    );
                    next += 1;
                }
            }
            Part::Numbered(off) => {
                let number = next.saturating_add_signed(i64::from(*off));
                file.extend(format!("{{\"message_num\":{number},\"a\":1}}\n").as_bytes());
                next = next.max(number) + 1;
            }
            Part::Again(ago) => {
                let number = next.saturating_sub(u64::from(*ago)).max(1);
                file.extend(sealed(number, ",\"again\":true"));
                file.push(b'\n');
            }
            Part::Blank => file.extend(b" \r\n"),
            Part::Garbage(bytes) => {
                file.extend(bytes);
                file.push(b'\n');
            }
            Part::Long(length) => {
                let text = "x".repeat(*length as usize);
                file.extend(sealed(next, &format!(",\"text\":\"{text}\"")));
                file.push(b'\n');
                next += 1;
            }
        }
    }
    file
}
