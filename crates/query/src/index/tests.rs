use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::build::build;
use super::directory::Shape;
use super::*;
use crate::closed::archive_dir;
use crate::filter::{Criteria, Filter};
use crate::findings::Findings;
use crate::select::{Order, matching, show};
use crate::source::Source;
use crate::testing::recorded;
use answers::Kept;

/// All that can be asked, with indexes and without.
mod answers;
/// The session being written, and copies of closed ones.
mod current;
/// Any sessions and any indexes.
mod properties;
/// Searches for texts.
mod texts;

/// A journal's directory with these closed sessions.
fn archived(sessions: &[Vec<u8>]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(archive_dir(dir.path())).unwrap();
    // Where there is none, everybody waits a moment for it.
    fs::write(journal::current_session(dir.path()), "").unwrap();
    for (at, session) in sessions.iter().enumerate() {
        fs::write(path(&dir, at), session).unwrap();
    }
    dir
}

fn path(dir: &TempDir, at: usize) -> PathBuf {
    archive_dir(dir.path()).join(format!("session_20251120_14302{at}.jsonl"))
}

/// A directory with one closed session of `count` messages and its index.
fn indexed(count: u64) -> (TempDir, PathBuf) {
    let lines = (1..=count).flat_map(|number| {
        let sender = if number % 2 == 0 { "even" } else { "odd" };
        recorded(
            number,
            "t",
            &format!(r#"{{"sender":"{sender}","content":"c"}}"#),
        )
    });
    let dir = archived(&[lines.collect()]);
    let path = path(&dir, 0);
    let shape = Shape {
        block: 1_000,
        group: 3,
    };
    let built = build(&path, IndexContents::FieldsAndText, shape, &mut || true).unwrap();
    let bytes = fs::metadata(index_path(&path)).unwrap().len();
    assert_eq!(built, Built::Done { bytes });
    (dir, path)
}

fn even() -> Filter {
    let sender = vec!["even".to_owned()];
    Filter::compile(&Criteria {
        sender,
        ..Criteria::default()
    })
    .unwrap()
}

/// How many messages match, and why an index was not used.
fn asked(dir: &TempDir, filter: &Filter) -> (u64, Option<String>) {
    let source = Source::all(dir.path()).unwrap();
    let count = matching(&source, filter, &mut Findings::default()).unwrap();
    let reason = source.unused_indexes().next();
    (count, reason.map(|(_, reason)| reason.to_owned()))
}

/// Changes the sender of the first even message, and nothing else.
fn tamper(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let changed = text.replacen("\"sender\":\"even\"", "\"sender\":\"evil\"", 1);
    assert_ne!(changed, text);
    fs::write(path, changed).unwrap();
}

fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(archive_dir(dir.path())).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn what_is_only_counted_is_not_read() {
    let (dir, path) = indexed(1_000);
    assert_eq!(asked(&dir, &even()), (500, None));
    // Nobody could tell that it was changed: its end and its time are the same.
    let changed = fs::metadata(&path).unwrap().modified().unwrap();
    tamper(&path);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(changed).unwrap();
    assert_eq!(asked(&dir, &even()), (500, None), "the index was asked");
    let source = Source::all(dir.path()).unwrap().without_index();
    let count = matching(&source, &even(), &mut Findings::default()).unwrap();
    assert_eq!(count, 499);
}

#[test]
fn an_index_that_tells_of_other_messages_is_not_used_further() {
    let (dir, path) = indexed(1_000);
    let changed = fs::metadata(&path).unwrap().modified().unwrap();
    tamper(&path);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(changed).unwrap();
    let source = Source::all(dir.path()).unwrap();
    let mut kept = Kept::default();
    let (order, mut findings) = (Order::default(), Findings::default());
    show(&source, &even(), order, &mut findings, &mut kept).unwrap();
    assert_eq!(kept.shown.len(), 499, "what is shown was read");
    assert_eq!(findings.altered, 1);
    let reasons: Vec<_> = source.unused_indexes().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["it tells of other messages than there are"]);
}

#[test]
fn a_session_that_was_changed_is_read() {
    let (dir, path) = indexed(100);
    // Later than the first time by more than any clock's step.
    let long_ago = std::time::UNIX_EPOCH;
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(long_ago)
        .unwrap();
    let shape = Shape::default();
    build(&path, IndexContents::FieldsAndText, shape, &mut || true).unwrap();
    assert_eq!(asked(&dir, &even()), (50, None));
    tamper(&path);
    let reason = "the session is not the one that it was made from";
    assert_eq!(asked(&dir, &even()), (49, Some(reason.to_owned())));
    assert!(!has_index(&path));
    // A new one is true again, and leaves the altered message to be read.
    build(&path, IndexContents::FieldsAndText, shape, &mut || true).unwrap();
    assert_eq!(asked(&dir, &even()), (49, None));
}

#[test]
fn an_index_of_another_session_or_version_is_not_used() {
    let (dir, path) = indexed(10);
    let index = index_path(&path);
    let whole = fs::read(&index).unwrap();
    let mut bytes = whole.clone();
    bytes[8] = 99;
    fs::write(&index, bytes).unwrap();
    assert_eq!(
        asked(&dir, &even()),
        (5, Some("it is of another version".to_owned()))
    );
    fs::write(&index, "no index").unwrap();
    assert_eq!(asked(&dir, &even()), (5, Some("it is damaged".to_owned())));
    fs::remove_file(&index).unwrap();
    assert_eq!(asked(&dir, &even()), (5, None));
    fs::create_dir(&index).unwrap();
    assert_eq!(asked(&dir, &even()), (5, Some("it is damaged".to_owned())));
    fs::remove_dir(&index).unwrap();
    fs::write(&index, &whole).unwrap();
    let other = path.with_file_name("session_20251121_000000.jsonl");
    fs::write(&other, recorded(11, "t", "{}")).unwrap();
    fs::copy(&index, index_path(&other)).unwrap();
    assert!(matches!(
        index_state(&other),
        IndexState::Bad(Unusable::OtherSession)
    ));
    assert!(matches!(index_state(&path), IndexState::Good { .. }));
}

#[test]
fn whoever_stops_leaves_nothing_behind() {
    let (dir, path) = indexed(100);
    let before = names(&dir);
    fs::remove_file(index_path(&path)).unwrap();
    let shape = Shape {
        block: 500,
        group: 2,
    };
    let mut left = 3;
    let mut go_on = || {
        left -= 1;
        left > 0
    };
    assert_eq!(
        build(&path, IndexContents::FieldsAndText, shape, &mut go_on).unwrap(),
        Built::Stopped
    );
    assert_eq!(names(&dir).len(), 1);
    // What a program left that was killed goes with the next index.
    let leftover = path.with_file_name("session_20251120_143020.jsonl.index.aBc.tmp");
    fs::write(&leftover, "half").unwrap();
    assert_eq!(asked(&dir, &even()), (50, None));
    build(&path, IndexContents::FieldsAndText, shape, &mut || true).unwrap();
    assert_eq!(names(&dir), before);
}

#[test]
fn what_another_program_is_writing_is_left_alone() {
    let (dir, path) = indexed(10);
    let held = path.with_file_name("session_20251120_143020.jsonl.index.aBc.tmp");
    let file = fs::File::create(&held).unwrap();
    file.lock().unwrap();
    build(
        &path,
        IndexContents::FieldsAndText,
        Shape::default(),
        &mut || true,
    )
    .unwrap();
    assert_eq!(names(&dir).len(), 3);
}

#[test]
fn indexes_are_no_sessions() {
    let (dir, path) = indexed(10);
    assert_eq!(crate::list_archives(dir.path()).unwrap().len(), 1);
    let report = crate::verify(dir.path(), crate::Scope::All, &mut |_| Ok(())).unwrap();
    assert_eq!((report.files, report.records), (2, 10));
    // A session that was renamed or removed leaves an index that nobody asks.
    fs::rename(&path, path.with_file_name("session_x.jsonl")).unwrap();
    assert_eq!(asked(&dir, &even()), (5, None));
    assert_eq!(crate::closed::list(dir.path()).unwrap().len(), 1);
}
