//! Reads a broker's journal: who said how much, and the newest messages.
//!
//! `cargo run --example read_journal -- conversation_logs`

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;

use journal::{Backward, Reader};
use message::Record;

const NEWEST: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "conversation_logs".to_owned());

    for archive in journal::list_archives(&dir)? {
        println!(
            "archive {} begins at message {}",
            archive.name, archive.first
        );
    }

    let session = journal::current_session(&dir);
    let mut senders: BTreeMap<String, u64> = BTreeMap::new();
    for line in Reader::open(&session)? {
        match line {
            Ok(line) => {
                let record = Record::parse(&line.bytes)?;
                *senders.entry(record.sender.into_owned()).or_default() += 1;
            }
            Err(problem) => eprintln!("{problem}"),
        }
    }
    for (sender, messages) in &senders {
        println!("{sender:?}: {messages} messages");
    }

    for line in Backward::open(&session)?.take(NEWEST) {
        let line = line?;
        let frames = Record::parse(&line.bytes)?.frames()?;
        println!("message {} has {} frames", line.number, frames.len());
    }
    Ok(())
}
