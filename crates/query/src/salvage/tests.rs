use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use journal::raw::Checked;

use super::*;
use crate::testing::{dir_with, journal, recorded};

/// The records in each line of a file.
fn readable(path: &Path) -> (Vec<(Vec<u8>, Integrity)>, u64) {
    let bytes = fs::read(path).unwrap();
    let (mut records, mut damaged) = (Vec::new(), 0);
    for line in bytes.split(|byte| *byte == b'\n') {
        for piece in crate::pieces::sort(line, true) {
            match piece.checked {
                Checked::Record { integrity, .. } => {
                    records.push((line[piece.range].to_vec(), integrity));
                }
                Checked::Bad(_) => damaged += 1,
            }
        }
    }
    (records, damaged)
}

fn salvaged(dir: &TempDir) -> (Salvaged, PathBuf) {
    let out = dir.path().join("out");
    (salvage(dir.path(), Origin::Current, &out).unwrap(), out)
}

#[test]
fn each_record_stands_on_a_line_of_its_own() {
    let whole = recorded(2, "t", "1");
    let torn = &whole[..whole.len() / 2];
    let session = [torn, &whole, b"{\"content\":1}\r\n{\"content\":2}"].concat();
    let dir = dir_with(&session);
    let (counts, out) = salvaged(&dir);
    assert_eq!(
        (counts.verified, counts.unverified, counts.damaged),
        (1, 2, 1)
    );
    assert_eq!(counts.damaged_bytes, torn.len() as u64);
    assert!(!counts.is_whole());
    let lines = [&whole[..], b"{\"content\":1}\n{\"content\":2}\n"].concat();
    assert_eq!(fs::read(out).unwrap(), lines);
}

#[test]
fn what_is_read_back_must_be_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    let mut out = Output::create(&path).unwrap();
    out.line(b"{\"content\":1}").unwrap();
    out.sync().unwrap();
    let mut reader = Reading::file(&path).unwrap();
    let mut nowhere = Output::create(&dir.path().join("copy")).unwrap();
    let copied = copy(&mut reader, &mut nowhere).unwrap();
    fs::write(&path, b"{\"content\":2}\n").unwrap();
    let error = compare(&path, copied).err();
    assert!(matches!(error, Some(Error::NotTheSame { .. })), "{error:?}");
}

#[test]
fn what_was_written_goes_away_with_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    let mut out = Output::create(&path).unwrap();
    out.line(b"{}").unwrap();
    let error = out.remove(Error::InJournal { path: path.clone() });
    assert!(matches!(error, Error::InJournal { .. }));
    assert!(!path.exists());
}

/// A few bytes that are overwritten, taken out or put in.
#[derive(Debug, Clone)]
struct Hurt {
    at: prop::sample::Index,
    removed: usize,
    put: Vec<u8>,
}

fn hurts() -> impl Strategy<Value = Vec<Hurt>> {
    let put = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6),
        Just(vec![0; 40]),
        Just(b"\n".to_vec()),
    ];
    let hurt = (any::<prop::sample::Index>(), 0..30_usize, put);
    prop::collection::vec(
        hurt.prop_map(|(at, removed, put)| Hurt { at, removed, put }),
        0..6,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn exactly_the_readable_records_are_kept(parts in journal(), hurts in hurts()) {
        // Lines are copied, and one with a list of messages is one line.
        let has_list = |bytes: &[u8]| memchr::memmem::find(bytes, b"{\"messages\":[").is_some();
        let parts = parts.into_iter().filter(|part| !has_list(&part.bytes));
        let mut session: Vec<u8> = parts.flat_map(|part| part.bytes).collect();
        for Hurt { at, removed, put } in hurts {
            let at = at.index(session.len() + 1);
            let end = session.len().min(at + removed);
            session.splice(at..end, put);
        }
        let dir = dir_with(&session);
        let source = journal::current_session(dir.path());
        let (expected, damaged) = readable(&source);
        let (counts, out) = salvaged(&dir);
        prop_assert_eq!(counts.records(), expected.len() as u64);
        prop_assert_eq!(counts.damaged, damaged);
        let lines: Vec<u8> = expected.iter().flat_map(|(line, _)| [line, &b"\n"[..]].concat()).collect();
        prop_assert_eq!(fs::read(&out).unwrap(), lines);
        prop_assert_eq!(readable(&out), (expected, 0));
        prop_assert_eq!(fs::read(&source).unwrap(), session);
    }
}
