use std::fs::{self, OpenOptions};
use std::io::Write;
use std::thread;

use journal::Reason;

use super::*;
use crate::filter::Filter;
use crate::findings::Findings;
use crate::select::{self, Order, Sink, Summary};
use crate::testing::{archive, dir_with, open, recorded};

fn numbers(source: &Source) -> (Vec<u64>, Findings) {
    struct Numbers(Vec<u64>);
    impl Sink for Numbers {
        fn begin(&mut self, _: &Summary) -> Result<(), Error> {
            Ok(())
        }
        fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
            self.0.push(entry.number.unwrap());
            Ok(())
        }
    }
    let mut numbers = Numbers(Vec::new());
    let mut findings = Findings::default();
    let order = Order::default();
    select::show(
        source,
        &Filter::default(),
        order,
        &mut findings,
        &mut numbers,
    )
    .unwrap();
    (numbers.0, findings)
}

fn lines(numbers: std::ops::RangeInclusive<u64>) -> Vec<u8> {
    numbers
        .flat_map(|number| recorded(number, "t", "{}"))
        .collect()
}

fn append(dir: &Path, bytes: &[u8]) {
    let path = journal::current_session(dir);
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn an_archived_file_is_read_on() {
    let dir = dir_with(&lines(1..=3));
    let source = open(&dir);
    archive(dir.path(), "session_20251120_143022.jsonl");
    assert_eq!(numbers(&source), (vec![1, 2, 3], Findings::default()));
    assert_eq!(numbers(&source), (vec![1, 2, 3], Findings::default()));
}

/// Only then does anybody wait for the next session.
#[test]
fn a_session_may_have_been_closed_where_the_directory_was_changed_a_moment_ago() {
    let dir = dir_with(&lines(1..=3));
    archive(dir.path(), "session_20251120_143022.jsonl");
    let now = std::time::SystemTime::now();
    let hour = std::time::Duration::from_secs(3600);
    assert!(open::was_changed(dir.path(), now));
    assert!(!open::was_changed(dir.path(), now + hour));
    // A clock that was set back tells nothing.
    assert!(open::was_changed(dir.path(), now - hour));
    assert!(open::was_changed(&dir.path().join("none"), now + hour));
}

#[test]
fn later_passes_end_where_the_first_one_did() {
    let dir = dir_with(&lines(1..=3));
    let source = open(&dir);
    assert_eq!(numbers(&source).0, [1, 2, 3]);
    append(dir.path(), &lines(4..=5));
    assert_eq!(numbers(&source).0, [1, 2, 3]);
    assert_eq!(numbers(&open(&dir)).0, [1, 2, 3, 4, 5]);
}

#[test]
fn a_whole_record_without_newline_is_read() {
    let mut session = lines(1..=2);
    session.pop();
    let dir = dir_with(&session);
    let source = open(&dir);
    assert_eq!(numbers(&source), (vec![1, 2], Findings::default()));
    append(dir.path(), b"\n");
    assert_eq!(numbers(&source), (vec![1, 2], Findings::default()));
}

#[test]
fn a_line_that_nobody_goes_on_with_is_damage() {
    let mut session = lines(1..=2);
    session.extend_from_slice(b"{\"torn");
    let dir = dir_with(&session);
    let (found, findings) = numbers(&open(&dir));
    assert_eq!((found, findings.damaged), (vec![1, 2], 1));
    let damage = &findings.damage[0];
    assert_eq!(
        (damage.line, damage.length, damage.reason),
        (Some(3), 6, Reason::Torn)
    );
}

#[test]
fn a_record_behind_a_torn_one_at_the_end_is_read() {
    let mut session = lines(1..=1);
    session.extend_from_slice(b"{\"torn");
    session.extend(lines(2..=2));
    session.pop();
    let dir = dir_with(&session);
    let (found, findings) = numbers(&open(&dir));
    assert_eq!((found, findings.damaged), (vec![1, 2], 1));
}

#[test]
fn a_line_that_is_being_written_is_no_damage() {
    let whole = lines(1..=3);
    let half = whole.len() - 10;
    let dir = dir_with(&whole[..half]);
    let source = thread::scope(|scope| {
        let opening = scope.spawn(|| open(&dir));
        // Well within the time that a reader waits for the rest.
        thread::sleep(tail::PAUSE);
        append(dir.path(), &whole[half..]);
        opening.join().unwrap()
    });
    let (found, findings) = numbers(&source);
    assert!(findings.is_empty(), "{findings:?}");
    assert!(found == [1, 2] || found == [1, 2, 3], "{found:?}");
}

#[test]
fn in_the_moment_between_two_sessions_it_waits() {
    let dir = dir_with(&lines(1..=1));
    archive(dir.path(), "session_20251120_143022.jsonl");
    let source = thread::scope(|scope| {
        let opening = scope.spawn(|| Source::current(dir.path()));
        thread::sleep(tail::PAUSE);
        fs::write(journal::current_session(dir.path()), lines(2..=2)).unwrap();
        opening.join().unwrap()
    });
    assert_eq!(numbers(&source.unwrap()).0, [2]);
}

#[test]
fn what_is_missing_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    assert!(matches!(
        Source::current(&missing),
        Err(Error::NoDirectory { .. })
    ));
    let nothing = Source::current(dir.path());
    assert!(
        matches!(nothing, Err(Error::NoSession { archives: 0, .. })),
        "{nothing:?}"
    );
    fs::write(journal::current_session(dir.path()), lines(1..=1)).unwrap();
    archive(dir.path(), "session_20251120_143022.jsonl");
    let archived = Source::current(dir.path());
    assert!(
        matches!(archived, Err(Error::NoSession { archives: 1, .. })),
        "{archived:?}"
    );
}

#[test]
fn an_archive_is_read_by_its_name() {
    let dir = dir_with(&lines(1..=2));
    archive(dir.path(), "session_20251120_143022.jsonl");
    let source = Source::archive(dir.path(), "session_20251120_143022").unwrap();
    assert_eq!(numbers(&source).0, [1, 2]);
    assert!(source.path().ends_with("session_20251120_143022.jsonl"));
}

#[test]
fn all_sessions_are_read_in_the_order_of_their_messages() {
    let dir = dir_with(&lines(1..=2));
    archive(dir.path(), "session_20251121_000000.jsonl");
    fs::write(journal::current_session(dir.path()), lines(3..=3)).unwrap();
    archive(dir.path(), "session_20251120_000000.jsonl");
    fs::write(journal::current_session(dir.path()), lines(4..=5)).unwrap();
    let all = Source::all(dir.path()).unwrap();
    assert_eq!(numbers(&all).0, [1, 2, 3, 4, 5]);
    assert_eq!(all.path(), dir.path());
    let names = ["session_20251120_000000", "session_20251121_000000.jsonl"];
    let both = Source::archives(dir.path(), &names.map(str::to_owned)).unwrap();
    assert_eq!(numbers(&both).0, [1, 2, 3]);
    let again = [names[0], names[0]].map(str::to_owned);
    let once = Source::archives(dir.path(), &again).unwrap();
    assert_eq!(numbers(&once).0, [3]);
    // On Windows a file is there until nobody has it open.
    drop(all);
    fs::remove_file(journal::current_session(dir.path())).unwrap();
    assert_eq!(numbers(&Source::all(dir.path()).unwrap()).0, [1, 2, 3]);
}

#[test]
fn a_file_may_lie_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy");
    fs::write(&path, lines(7..=8)).unwrap();
    assert_eq!(numbers(&Source::file(&path).unwrap()).0, [7, 8]);
    assert!(matches!(
        Source::file(dir.path()),
        Err(Error::NotAFile { .. })
    ));
    let missing = Source::file(&dir.path().join("missing"));
    assert!(matches!(
        missing,
        Err(Error::Read {
            operation: "open",
            ..
        })
    ));
}

#[test]
fn a_record_longer_than_the_limit_is_a_message_and_any_other_long_line_is_damage() {
    let long = |number| recorded(number, "t", &"x".repeat(5000));
    let mut changed = long(4);
    changed[1000] ^= 1;
    let garbage = [vec![b'y'; 3000], b"\n".to_vec()].concat();
    let session = [lines(1..=1), long(2), lines(3..=3), changed];
    let session = [session.concat(), garbage, long(5), lines(6..=6)].concat();
    for newline in [true, false] {
        let dir = dir_with(&session[..session.len() - usize::from(!newline)]);
        // A longer line never fits into a chunk.
        for chunk in [1, 100, 900] {
            let mut source = open(&dir);
            source.tuning.chunk = chunk;
            source.tuning.max_line = 1000;
            let (found, findings) = numbers(&source);
            assert_eq!(found, [1, 2, 3, 5, 6], "{chunk}");
            let damage: Vec<_> = findings.damage.iter().map(|one| one.line).collect();
            assert_eq!(damage, [Some(4), Some(5)], "{chunk}");
        }
    }
}
