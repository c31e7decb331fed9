//! Compares what was acknowledged with what is on disk.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use journal::{Item, Reader};

use super::load::{Sent, name};
use crate::line::line;

/// What the journal holds.
#[derive(Default)]
struct Found {
    /// The numbers under which each message stands.
    numbers: HashMap<String, Vec<u64>>,
    records: u64,
    damaged: u64,
}

/// Returns whether all is as it should be, and says what is not.
pub(super) fn check(logs: &Path, sent: &Sent, out: &mut impl Write) -> anyhow::Result<bool> {
    let found = read(logs)?;
    let mut wrong = 0_u64;
    for (index, number) in sent.iter().enumerate() {
        let numbers = found
            .numbers
            .get(&name(index))
            .map_or(&[][..], Vec::as_slice);
        if numbers != [*number] {
            wrong += 1;
            if wrong <= 10 {
                let id = name(index);
                line(
                    out,
                    &format!(
                        "[!] {id} was acknowledged as {number}, and is on disk as {numbers:?}"
                    ),
                )?;
            }
        }
    }
    let Found {
        records, damaged, ..
    } = found;
    line(
        out,
        &format!(
            "[*] {records} records on disk; {damaged} torn lines, which is what kills leave; \
             {wrong} messages missing, repeated or under another number"
        ),
    )?;
    Ok(wrong == 0 && !sent.is_empty())
}

fn read(logs: &Path) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let archives = journal::list_archives(logs)?;
    let sessions = archives.into_iter().map(|archive| archive.path);
    for path in sessions.chain([journal::current_session(logs)]) {
        let mut reader = Reader::open(path).context("cannot read the journal")?;
        while let Some(item) = reader.next_item()? {
            let Item::Record(record) = item else {
                found.damaged += 1;
                continue;
            };
            found.records += 1;
            let line = message::Record::parse(record.line).ok();
            if let Some(id) = line.and_then(|line| line.message_id.map(String::from)) {
                found.numbers.entry(id).or_default().push(record.number);
            }
        }
    }
    Ok(found)
}
