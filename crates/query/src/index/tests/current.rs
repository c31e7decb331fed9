use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use tempfile::TempDir;

use super::answers::assert_same;
use super::{even, path};
use crate::count::count;
use crate::filter::{Criteria, Filter};
use crate::findings::Findings;
use crate::index::binding::created;
use crate::index::current::{Trust, extend};
use crate::index::directory::Shape;
use crate::index::paths::columns_path;
use crate::index::{Built, IndexContents, build_index, index_path, renew_index};
use crate::select::matching;
use crate::source::Source;
use crate::source::Tuning;
use crate::testing::{criteria, dir_with, journal, recorded};

const SMALL: Shape = Shape {
    block: 1_000,
    group: 3,
};

/// How many messages match, and why an index was not used.
fn asked(dir: &TempDir, filter: &Filter) -> (u64, Option<String>) {
    let mut source = Source::all(dir.path()).unwrap();
    source.tuning.chunk = SMALL.block.into();
    let count = matching(&source, filter, &mut Findings::default()).unwrap();
    let reason = source.unused_indexes().next();
    (count, reason.map(|(_, reason)| reason.to_owned()))
}

fn lines(numbers: std::ops::RangeInclusive<u64>) -> Vec<u8> {
    let line = |number: u64| {
        let sender = if number.is_multiple_of(2) {
            "even"
        } else {
            "odd"
        };
        let payload = format!(r#"{{"sender":"{sender}","content":"c"}}"#);
        recorded(number, "t", &payload)
    };
    numbers.flat_map(line).collect()
}

/// A directory in whose archive nothing is yet.
fn journal_of(session: &[u8]) -> (TempDir, PathBuf) {
    let dir = dir_with(session);
    fs::create_dir(crate::archive_dir(dir.path())).unwrap();
    let session = journal::current_session(dir.path());
    (dir, session)
}

fn append(session: &Path, bytes: &[u8]) {
    let file = fs::File::options().append(true).open(session);
    file.unwrap().write_all(bytes).unwrap();
}

/// Extends the index, and returns after how many blocks it was asked whether to go on.
fn extended(session: &Path, trust: Trust) -> (Option<Built>, u32) {
    let mut blocks = 0;
    let mut go_on = || {
        blocks += 1;
        true
    };
    let built = extend(session, SMALL, 0, trust, &mut go_on).unwrap();
    (built, blocks)
}

/// Changes a message in the middle, so that only what is read tells of it.
fn tamper(session: &Path) {
    let mut bytes = fs::read(session).unwrap();
    let at = memchr::memmem::find(&bytes, b"\"sender\":\"even\"").unwrap();
    bytes[at + 12..at + 14].copy_from_slice(b"il");
    let mut file = fs::File::options().write(true).open(session).unwrap();
    file.write_all(&bytes).unwrap();
}

#[test]
fn what_the_index_of_the_current_session_knows_is_not_read() {
    let (dir, session) = journal_of(&lines(1..=1_000));
    let (built, blocks) = extended(&session, Trust::Nothing);
    assert!(matches!(built, Some(Built::Done { .. })), "{built:?}");
    assert!(blocks > 100, "{blocks}");
    append(&session, &lines(1_001..=1_010));
    assert_eq!(asked(&dir, &even()), (505, None));
    tamper(&session);
    assert_eq!(asked(&dir, &even()), (505, None), "the index was asked");
}

#[test]
fn an_index_is_extended_by_what_is_new() {
    let (dir, session) = journal_of(&lines(1..=1_000));
    let (_, first) = extended(&session, Trust::Nothing);
    assert_eq!(extended(&session, Trust::Own), (None, 0));
    append(&session, &lines(1_001..=1_100));
    let (built, more) = extended(&session, Trust::Own);
    assert!(matches!(built, Some(Built::Done { .. })));
    assert!((3..first / 5).contains(&more), "{more} of {first} blocks");
    assert_eq!(asked(&dir, &even()), (550, None));
}

#[test]
fn between_two_sessions_there_is_nothing_to_extend() {
    let (_dir, session) = journal_of(&lines(1..=1_000));
    extended(&session, Trust::Nothing);
    fs::remove_file(&session).unwrap();
    let nothing = super::extend_index(&session, Trust::Own, &mut || true);
    assert_eq!(nothing.unwrap(), None);
}

#[test]
fn a_closed_session_takes_over_what_was_known_of_it() {
    let (dir, session) = journal_of(&lines(1..=1_000));
    extended(&session, Trust::Nothing);
    append(&session, &lines(1_001..=1_010));
    let closed = path(&dir, 0);
    fs::rename(&session, &closed).unwrap();
    fs::write(&session, lines(1_011..=1_020)).unwrap();
    // The new session has none: what lies there is the former one's.
    assert_eq!(asked(&dir, &even()), (510, None));
    let mut blocks = 0;
    let mut go_on = || {
        blocks += 1;
        true
    };
    build_index(&closed, IndexContents::Fields, &mut go_on).unwrap();
    assert!(blocks < 10, "{blocks}");
    assert!(!index_path(&session).exists() && !columns_path(&session).exists());
    assert_eq!(asked(&dir, &even()), (510, None));
    tamper_keeping_time(&closed);
    assert_eq!(asked(&dir, &even()), (510, None), "the index was asked");
}

fn tamper_keeping_time(session: &Path) {
    let changed = fs::metadata(session).unwrap().modified().unwrap();
    tamper(session);
    let file = fs::File::options().write(true).open(session).unwrap();
    file.set_modified(changed).unwrap();
}

#[test]
fn another_session_in_its_place_is_read() {
    let (dir, session) = journal_of(&lines(1..=1_000));
    extended(&session, Trust::Nothing);
    // As long, and with the same end, but another file with another beginning.
    let mut other = fs::read(&session).unwrap();
    let at = memchr::memmem::find(&other, b"\"sender\":\"even\"").unwrap();
    other[at + 12..at + 14].copy_from_slice(b"il");
    let moved = session.with_file_name("other");
    fs::write(&moved, &other).unwrap();
    // It is told by when it was created, and on a busy machine the clock of the files
    // may stand still for as long as the index took.
    let stamp = |path: &Path| created(path).unwrap();
    while stamp(&moved) != 0 && stamp(&moved) == stamp(&session) {
        fs::remove_file(&moved).unwrap();
        fs::write(&moved, &other).unwrap();
    }
    fs::rename(&moved, &session).unwrap();
    assert_eq!(asked(&dir, &even()), (499, None));
    // It gets an index of its own.
    let (_, blocks) = extended(&session, Trust::Own);
    assert!(blocks > 100);
    assert_eq!(asked(&dir, &even()), (499, None));
}

#[test]
fn what_a_crash_left_of_an_index_is_made_anew() {
    let (dir, session) = journal_of(&lines(1..=1_000));
    extended(&session, Trust::Nothing);
    let columns = fs::read(columns_path(&session)).unwrap();
    // More than the index tells of is overwritten.
    append(&columns_path(&session), b"half of a column");
    append(&session, &lines(1_001..=1_100));
    extended(&session, Trust::Nothing);
    assert_eq!(asked(&dir, &even()), (550, None));
    // Bytes that never reached the disk.
    let mut lost = columns.clone();
    let half = lost.len() / 2;
    lost[half..].fill(0);
    fs::write(columns_path(&session), &lost).unwrap();
    assert_eq!(asked(&dir, &even()).0, 550);
    fs::write(columns_path(&session), &columns[..10]).unwrap();
    assert_eq!(asked(&dir, &even()).0, 550);
    let (built, blocks) = extended(&session, Trust::Nothing);
    assert!(matches!(built, Some(Built::Done { .. })) && blocks > 100);
    assert_eq!(asked(&dir, &even()), (550, None));
}

#[test]
fn whoever_is_told_to_stop_does_so_while_it_compares() {
    let (dir, session) = journal_of(&lines(1..=1_000));
    extended(&session, Trust::Nothing);
    let index = fs::read(index_path(&session)).unwrap();
    append(&session, &lines(1_001..=1_100));
    let mut left = 2;
    let mut go_on = || {
        left -= 1;
        left > 0
    };
    let built = extend(&session, SMALL, 0, Trust::Nothing, &mut go_on).unwrap();
    assert_eq!((built, left), (Some(Built::Stopped), 0));
    assert_eq!(fs::read(index_path(&session)).unwrap(), index);
    assert_eq!(asked(&dir, &even()), (550, None));
}

#[test]
fn a_session_without_checksums_has_an_index_too() {
    let line = |number: u64| format!("{{\"message_num\":{number},\"sender\":\"even\"}}\n");
    let session: String = (1..=1_000).map(line).collect();
    let (dir, session) = journal_of(session.as_bytes());
    let (built, _) = extended(&session, Trust::Nothing);
    assert!(matches!(built, Some(Built::Done { .. })));
    assert_eq!(extended(&session, Trust::Own), (None, 0), "it is there");
    assert_eq!(asked(&dir, &even()), (1_000, None));
}

#[test]
fn half_a_line_is_not_taken_for_a_message() {
    let whole = lines(1..=1_000);
    let (dir, session) = journal_of(&whole);
    append(&session, &b"x".repeat(20_000));
    extended(&session, Trust::Nothing);
    // Somebody takes back what was half written.
    let file = fs::File::options().write(true).open(&session).unwrap();
    file.set_len(whole.len() as u64).unwrap();
    append(&session, &lines(1_001..=1_100));
    assert_eq!(asked(&dir, &even()), (550, None));
}

#[test]
fn a_copy_of_a_session_keeps_its_index() {
    let copied = UNIX_EPOCH + Duration::from_secs(1_000);
    let (dir, session) = journal_of(&lines(1..=1_000));
    let closed = path(&dir, 0);
    fs::rename(&session, &closed).unwrap();
    fs::write(&session, "").unwrap();
    build_index(&closed, IndexContents::Fields, &mut || true).unwrap();
    let file = fs::File::options().write(true).open(&closed).unwrap();
    file.set_modified(copied).unwrap();
    assert_eq!(asked(&dir, &even()), (500, None), "nothing to complain of");
    assert!(!crate::has_index(&closed), "not as far as its time tells");
    // Whoever is told to stop leaves it as it is.
    assert!(!renew_index(&closed, &mut || false).unwrap());
    // From now on the bytes need not be compared any more.
    assert!(renew_index(&closed, &mut || true).unwrap());
    assert!(!renew_index(&closed, &mut || true).unwrap());
    assert!(crate::has_index(&closed));
    tamper(&closed);
    let file = fs::File::options().write(true).open(&closed).unwrap();
    file.set_modified(copied).unwrap();
    assert_eq!(asked(&dir, &even()), (500, None), "the index was asked");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn while_a_session_grows_the_answers_are_the_same_with_its_index(
        parts in prop::collection::vec(journal(), 1..3),
        (block, group) in (300..3_000_u32, 1..4_u32),
        asked in criteria(),
        chunk in prop_oneof![100..3_000_u64, Just(1 << 20)],
        young in 0..500_u64,
    ) {
        let (dir, session) = journal_of(b"");
        let shape = Shape { block, group };
        let tuning = Tuning { chunk, threads: 2, ..Tuning::default() };
        for part in parts {
            let bytes: Vec<u8> = part.iter().flat_map(|part| part.bytes.clone()).collect();
            append(&session, &bytes);
            extend(&session, shape, young, Trust::Own, &mut || true).unwrap();
            assert_same(&dir, &asked, tuning);
            assert_same(&dir, &Criteria::default(), tuning);
            let source = Source::all(dir.path()).unwrap();
            let all = Filter::default();
            let counted = count::<crate::Analysis>(&source, &all, &mut Findings::default());
            prop_assert!(counted.is_ok());
            prop_assert_eq!(source.unused_indexes().next(), None);
        }
        let closed = path(&dir, 0);
        if fs::metadata(&session).unwrap().len() > 0 {
            fs::rename(&session, &closed).unwrap();
            fs::write(&session, "").unwrap();
            build_index(&closed, IndexContents::Fields, &mut || true).unwrap();
            assert_same(&dir, &asked, tuning);
            assert_same(&dir, &Criteria::default(), tuning);
        }
    }
}
