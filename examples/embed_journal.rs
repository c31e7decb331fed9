//! Records events of one's own from several threads, and reads them back.
//!
//! `cargo run --example embed_journal -- DIRECTORY`

#![allow(clippy::print_stdout, clippy::print_stderr)]

use journal::{Journal, Reader};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Step {
    agent: String,
    action: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args()
        .nth(1)
        .ok_or("usage: embed_journal DIRECTORY")?;

    let (journal, found) = Journal::open(&dir)?;
    println!(
        "{} records from before, {} damaged",
        found.records, found.damaged
    );

    std::thread::scope(|scope| {
        for agent in ["claude", "gemini", "llama"] {
            let journal = journal.clone();
            scope.spawn(move || {
                let step = Step {
                    agent: agent.to_owned(),
                    action: "review".to_owned(),
                };
                match journal.append(&step) {
                    Ok(number) => println!("{agent}: on disk as number {number}"),
                    Err(error) => eprintln!("{agent}: not recorded: {error}"),
                }
            });
        }
    });

    for line in Reader::open(journal.session_path())? {
        match line {
            Ok(line) => println!("{} {:?}", line.number, line.parse::<Step>()?),
            Err(problem) => eprintln!("{problem}"),
        }
    }
    Ok(())
}
