//! A journal against a plain vector: whatever is appended, archived, reopened,
//! cut and flipped, the journal holds what the vector holds.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::raw;
use journal::{Backward, Integrity, Item, Journal, Options, Reader, open_at};
use proptest::prelude::*;
use support::{ROOT, SimFs};

#[derive(Debug, Clone)]
enum Step {
    Append(u16),
    AppendAll(Vec<u16>),
    /// A value that is no record must change nothing.
    Refused,
    Archive(Option<String>),
    Reopen,
    /// This many bytes are cut off the current session while nobody writes it.
    Cut(u16),
    /// A bit of the current session changes while nobody writes it.
    Flip {
        place: u16,
        bit: u8,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2000u16).prop_map(Step::Append),
        3 => prop::collection::vec(0..300u16, 0..6).prop_map(Step::AppendAll),
        1 => Just(Step::Refused),
        2 => prop::option::of("[a-z/.]{0,8}").prop_map(Step::Archive),
        2 => Just(Step::Reopen),
        2 => (1..400u16).prop_map(Step::Cut),
        2 => (any::<u16>(), 0..8u8).prop_map(|(place, bit)| Step::Flip { place, bit }),
    ]
}

fn dir() -> PathBuf {
    Path::new(ROOT).join("logs")
}

fn open(fs: &SimFs) -> (Journal, u64) {
    let options = Options {
        fs: Arc::new(fs.clone()),
        stamp: Arc::new(|| "20251120_143022".to_owned()),
        checkpoint_every: 64,
        ..Options::default()
    };
    let (journal, found) = Journal::open_with(dir(), options).unwrap();
    (journal, found.next)
}

fn record(body: u64, length: u16) -> serde_json::Value {
    serde_json::json!({"body": body, "text": "x".repeat(length.into())})
}

/// A record that must be there: its number and body.
type Model = Vec<(u64, u64)>;

#[derive(Debug, Default)]
struct Sessions {
    archived: Vec<(PathBuf, Model)>,
    current: Model,
    /// What a bit has taken out of the current session. The same bit once more
    /// brings it back.
    flipped: Model,
}

/// All records with a right checksum, forwards, and backwards the same.
fn read(fs: &SimFs, path: &Path) -> Model {
    let mut found = Model::new();
    let mut reader = Reader::open_in(fs, path).unwrap();
    let body = |line: &[u8]| {
        let json: serde_json::Value = serde_json::from_slice(line).unwrap();
        json["body"].as_u64().unwrap()
    };
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Record(record) if record.integrity == Integrity::Verified => {
                found.push((record.number, body(record.line)));
            }
            _ => {}
        }
    }
    let mut reverse = Model::new();
    let mut backward = Backward::open_in(fs, path).unwrap();
    while let Some(item) = backward.next_item().unwrap() {
        match item {
            Item::Record(record) if record.integrity == Integrity::Verified => {
                reverse.push((record.number, body(record.line)));
            }
            _ => {}
        }
    }
    reverse.reverse();
    assert_eq!(found, reverse);
    found
}

/// Hurts the current session and takes out of the model what was hurt.
fn hurt(fs: &SimFs, sessions: &mut Sessions, step: &Step) {
    let Sessions {
        current: model,
        flipped,
        ..
    } = sessions;
    let path = journal::current_session(dir());
    let mut bytes = fs.bytes(&path);
    let lines: Vec<Vec<u8>> = bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    match step {
        Step::Cut(count) => bytes.truncate(bytes.len().saturating_sub(usize::from(*count))),
        Step::Flip { place, bit } if !bytes.is_empty() => {
            let at = usize::from(*place) % bytes.len();
            bytes[at] ^= 1 << bit;
        }
        _ => {}
    }
    let before = read(fs, &path);
    assert_eq!(before, *model);
    fs.put(&path, &bytes);
    let whole: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    // The next start completes a last line that lacks only its newline.
    fs.put(&path, &[&bytes[..], b"\n"].concat());
    let after = read(fs, &path);
    fs.put(&path, &bytes);
    let lost: Vec<_> = before
        .iter()
        .filter(|record| !after.contains(record))
        .collect();
    let is_whole = |(number, body): &(u64, u64)| {
        let start = format!("{{\"message_num\":{number},\"body\":{body},");
        let ours = lines.iter().find(|line| line.starts_with(start.as_bytes()));
        ours.is_some_and(|line| whole.contains(&line.as_slice()))
    };
    match step {
        // One bit hurts one record, or a newline, which hurts none.
        Step::Flip { .. } => assert!(lost.len() <= 1, "{lost:?}"),
        _ => assert!(lost.iter().all(|record| !is_whole(record)), "{lost:?}"),
    }
    let is_known = |record| before.contains(record) || flipped.contains(record);
    assert!(after.iter().all(is_known));
    if matches!(step, Step::Flip { .. }) {
        flipped.extend(before.iter().filter(|record| !after.contains(record)));
    }
    *model = after;
}

fn run(steps: &[Step]) {
    let fs = SimFs::new();
    let (mut journal, mut next) = open(&fs);
    let mut sessions = Sessions::default();
    let mut bodies = 0..;
    for step in steps {
        match step {
            Step::Append(length) => {
                let body = bodies.next().unwrap();
                assert_eq!(journal.append(&record(body, *length)).unwrap(), next);
                sessions.current.push((next, body));
                next += 1;
            }
            Step::AppendAll(lengths) => {
                let mut records = Vec::new();
                for length in lengths {
                    let body = bodies.next().unwrap();
                    records.push(record(body, *length));
                    sessions.current.push((next, body));
                    next += 1;
                }
                assert_eq!(journal.append_all(&records).unwrap(), next - 1);
            }
            Step::Refused => assert!(journal.append("text").is_err()),
            Step::Archive(label) => {
                let archived = journal.archive(label.as_deref()).unwrap();
                match archived {
                    Some(archived) => {
                        let model = std::mem::take(&mut sessions.current);
                        sessions.flipped.clear();
                        sessions.archived.push((archived.path, model));
                    }
                    None => assert!(sessions.current.is_empty()),
                }
            }
            Step::Reopen | Step::Cut(_) | Step::Flip { .. } => {
                drop(journal);
                hurt(&fs, &mut sessions, step);
                let found;
                (journal, found) = open(&fs);
                let largest = sessions.current.last().map_or(0, |record| record.0);
                assert!(found > largest);
                match step {
                    Step::Reopen => assert_eq!(found, next),
                    // An altered number that nothing contradicts is kept clear of.
                    _ => next = found,
                }
            }
        }
    }
    for (path, model) in &sessions.archived {
        assert_eq!(read(&fs, path), *model);
    }
    let path = journal.session_path();
    assert_eq!(read(&fs, path), sessions.current);
    for (number, _) in &sessions.current {
        let mut reader = open_at(&fs, path, *number).unwrap();
        let mut begins_early = false;
        while let Some(item) = reader.next_item().unwrap() {
            let Item::Record(record) = item else { continue };
            // The model has records with a right checksum only. One whose number
            // was altered to a larger one may stand, and be read, before them.
            if record.integrity != Integrity::Verified {
                begins_early |= record.number >= *number;
                continue;
            }
            if begins_early && record.number < *number {
                continue;
            }
            assert_eq!(record.number, *number);
            break;
        }
    }
}

#[test]
fn a_first_number_altered_to_a_larger_one_hides_no_record_behind_it() {
    let steps = [
        Step::AppendAll(vec![0; 10]),
        Step::Archive(None),
        Step::Append(1320),
        Step::Append(549),
        Step::Flip { place: 15, bit: 1 },
    ];
    run(&steps);
    let steps = [
        Step::AppendAll(vec![260, 110, 172]),
        Step::Flip { place: 15, bit: 1 },
        Step::Append(0),
    ];
    run(&steps);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_holds_what_a_vector_holds(steps in prop::collection::vec(any_step(), 1..40)) {
        run(&steps);
    }
}
