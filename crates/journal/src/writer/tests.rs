use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::fs::{FileSystem, RealFs};
use crate::reader::Reader;
use crate::record::Line;
use crate::support::{Fault, Plan, SimFs};

fn stamped(fs: Arc<dyn FileSystem>) -> Options {
    Options {
        fs,
        stamp: Arc::new(|| "20251120_143022".to_owned()),
        checkpoint_every: 64,
        ..Options::default()
    }
}

fn open(dir: &Path) -> Writer {
    Writer::open(dir, stamped(Arc::new(RealFs))).unwrap().0
}

fn commit(writer: &mut Writer, text: &str) -> Committed {
    let mut group = writer.group();
    group.push(&serde_json::json!({ "text": text })).unwrap();
    writer.commit(&[&group]).unwrap()
}

fn lines(path: &Path) -> Vec<Line> {
    Reader::open(path).unwrap().map(Result::unwrap).collect()
}

fn numbers(path: &Path) -> Vec<u64> {
    lines(path).iter().map(|line| line.number).collect()
}

#[test]
fn groups_that_do_not_follow_are_refused_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, "first");
    for first in [1, 3] {
        let mut group = Group::new(first, 1000);
        group.push(&serde_json::json!({})).unwrap();
        let refused = writer.commit(&[&group]).unwrap_err();
        let CommitError::OutOfOrder { last, found } = refused else {
            panic!("{refused:?}")
        };
        assert_eq!((last, found), (1, first));
    }
    let mut a = writer.group();
    a.push(&serde_json::json!({})).unwrap();
    let mut b = Group::new(a.next(), 1000);
    b.push(&serde_json::json!({})).unwrap();
    let committed = writer.commit(&[&a, &b]).unwrap();
    assert_eq!(committed.last, 3);
    assert_eq!(lines(&writer.session_path())[1].offset, committed.offset);
    assert_eq!(numbers(&writer.session_path()), [1, 2, 3]);
}

#[test]
fn archives_of_the_same_second_and_label_get_names_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let mut names = Vec::new();
    for label in [None, None, Some("phase 1"), Some("phase 1")] {
        commit(&mut writer, "x");
        names.push(writer.archive(label).unwrap().unwrap().name);
    }
    assert_eq!(
        names,
        [
            "session_20251120_143022.jsonl",
            "session_20251120_143022_2.jsonl",
            "session_20251120_143022_phase-1.jsonl",
            "session_20251120_143022_phase-1_2.jsonl",
        ]
    );
    assert_eq!(writer.archive(None).unwrap(), None);
    let firsts: Vec<u64> = crate::list_archives(dir.path())
        .unwrap()
        .iter()
        .map(|archive| archive.first)
        .collect();
    assert_eq!(firsts, [1, 2, 3, 4]);
}

#[test]
fn a_foreign_file_with_an_archives_name_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, "x");
    let taken = dir.path().join("archive/session_20251120_143022.jsonl");
    std::fs::write(&taken, "somebody's notes").unwrap();
    let archived = writer.archive(None).unwrap().unwrap();
    assert_eq!(archived.name, "session_20251120_143022_2.jsonl");
    assert_eq!(std::fs::read(&taken).unwrap(), b"somebody's notes");
}

/// The writer goes on in a fresh file and says so; the group is in it once.
fn goes_on(writer: &mut Writer) -> FreshFile {
    let committed = commit(writer, "after");
    assert_eq!(committed.session, 1);
    assert_eq!(commit(writer, "later").fresh, []);
    let [fresh] = <[FreshFile; 1]>::try_from(committed.fresh).unwrap();
    fresh
}

#[cfg(unix)]
#[test]
fn a_session_that_was_removed_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, "x");
    std::fs::remove_file(writer.session_path()).unwrap();
    let fresh = goes_on(&mut writer);
    assert_eq!(fresh.archived, None);
    assert!(
        fresh.reason.contains("removed or replaced"),
        "{}",
        fresh.reason
    );
    assert_eq!(numbers(&writer.session_path()), [2, 3]);
}

#[cfg(unix)]
#[test]
fn a_session_that_was_moved_away_does_not_keep_the_group_that_goes_to_the_fresh_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, "x");
    let moved = dir.path().join("archive/session_by_hand.jsonl");
    std::fs::rename(writer.session_path(), &moved).unwrap();
    goes_on(&mut writer);
    assert_eq!(numbers(&moved), [1]);
    assert_eq!(numbers(&writer.session_path()), [2, 3]);
}

#[cfg(unix)]
#[test]
fn a_directory_that_was_removed_is_created_and_locked_again() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("logs");
    let mut writer = open(&dir);
    commit(&mut writer, "x");
    std::fs::remove_dir_all(&dir).unwrap();
    goes_on(&mut writer);
    assert_eq!(numbers(&writer.session_path()), [2, 3]);
    let second = Writer::open(&dir, Options::default());
    assert!(
        matches!(second, Err(OpenError::Locked { .. })),
        "{second:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_session_replaced_by_another_file_is_continued_and_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, "x");
    let other = dir.path().join("other");
    std::fs::write(&other, "{\"other\":1}").unwrap();
    std::fs::rename(&other, writer.session_path()).unwrap();
    assert_eq!(goes_on(&mut writer).archived, None);
    let bytes = std::fs::read(writer.session_path()).unwrap();
    assert!(bytes.starts_with(b"{\"other\":1}\n{\"message_num\":2,"));
}

#[test]
fn lines_that_another_program_adds_stay_and_places_are_counted_behind_them() {
    use std::io::Write as _;
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, "x");
    let mut other = std::fs::OpenOptions::new()
        .append(true)
        .open(writer.session_path())
        .unwrap();
    other.write_all(b"{\"by\":\"hand\"}").unwrap();
    let committed = commit(&mut writer, "y");
    let lines = lines(&writer.session_path());
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2].offset, committed.offset);
}

#[cfg(unix)]
#[test]
fn lines_that_another_program_adds_to_a_moved_session_stay() {
    use std::io::Write as _;
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, "x");
    let moved = dir.path().join("moved.jsonl");
    std::fs::rename(writer.session_path(), &moved).unwrap();
    let mut other = std::fs::OpenOptions::new()
        .append(true)
        .open(&moved)
        .unwrap();
    other.write_all(b"{\"by\":\"hand\"}\n").unwrap();
    let before = std::fs::read(&moved).unwrap();
    goes_on(&mut writer);
    assert_eq!(std::fs::read(&moved).unwrap(), before);
}

#[test]
fn a_session_that_another_program_cut_off_is_left_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    commit(&mut writer, "x");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(writer.session_path())
        .unwrap();
    file.set_len(10).unwrap();
    let fresh = goes_on(&mut writer);
    assert!(fresh.reason.contains("bytes off it"), "{}", fresh.reason);
    let left = std::fs::read(fresh.archived.unwrap().path).unwrap();
    assert_eq!(left.len(), 10);
}

fn sim() -> (SimFs, Writer, PathBuf) {
    let fs = SimFs::new();
    let dir = Path::new("/disk/logs");
    let writer = Writer::open(dir, stamped(Arc::new(fs.clone()))).unwrap().0;
    (fs, writer, dir.to_owned())
}

fn fail(fs: &SimFs, at: u64, on: bool, fault: Fault) {
    let and = None;
    fs.plan(Some(Plan { at, and, on, fault }));
}

#[test]
fn a_group_whose_fsync_fails_goes_to_a_fresh_file_and_out_of_the_old_one() {
    let (fs, mut writer, dir) = sim();
    commit(&mut writer, "x");
    // Size, write, sync.
    fail(&fs, 2, false, Fault::Io);
    let fresh = commit(&mut writer, "y").fresh.remove(0);
    let old = dir.join("archive").join(fresh.archived.unwrap().name);
    let count = |path: &Path| fs.bytes(path).iter().filter(|byte| **byte == b'\n').count();
    assert_eq!((count(&old), count(&writer.session_path())), (1, 1));
}

#[test]
fn a_start_after_an_archiving_whose_fsync_failed_makes_the_new_name_durable_first() {
    let (fs, mut writer, dir) = sim();
    commit(&mut writer, "x");
    // Look for a compressed session of that name, reserve, rename, sync.
    fail(&fs, 3, true, Fault::Io);
    assert!(writer.archive(None).is_err());
    drop(writer);
    fs.plan(None);
    let (mut writer, _) = Writer::open(&dir, stamped(Arc::new(fs.clone()))).unwrap();
    assert_eq!(commit(&mut writer, "y").last, 2);
    let crashed = fs.crashed(crate::support::Keep::Nothing);
    let archived = dir.join("archive/session_20251120_143022.jsonl");
    assert!(crashed.bytes(&archived).starts_with(b"{\"message_num\":1,"));
}

#[test]
fn a_session_was_archived_although_the_fsync_of_the_next_ones_file_fails() {
    let (fs, mut writer, _) = sim();
    commit(&mut writer, "x");
    // The head's comes first.
    fs.fail_syncs(&[None, Some(Fault::Io)]);
    let archived = writer.archive(None).unwrap().unwrap();
    assert!(fs.bytes(&archived.path).starts_with(b"{\"message_num\":1,"));
    let mut group = writer.group();
    group.push(&serde_json::json!({})).unwrap();
    let after = writer.commit(&[&group]).unwrap_err();
    assert!(matches!(after, CommitError::Finished { .. }), "{after:?}");
}

#[test]
fn a_writer_that_failed_for_good_accepts_and_archives_nothing_and_says_why() {
    let (fs, mut writer, _) = sim();
    commit(&mut writer, "x");
    fail(&fs, 1, true, Fault::Io);
    let mut group = writer.group();
    group.push(&serde_json::json!({})).unwrap();
    assert!(matches!(
        writer.commit(&[&group]),
        Err(CommitError::Failed(_))
    ));
    fs.plan(None);
    let again = writer.commit(&[&group]).unwrap_err().to_string();
    assert!(again.contains("injected"), "{again}");
    assert!(writer.archive(None).is_err());
}

#[test]
fn a_full_disk_leaves_nothing_of_the_group_behind_and_the_group_can_be_tried_again() {
    let (fs, mut writer, _) = sim();
    commit(&mut writer, "x");
    let before = fs.bytes(&writer.session_path());
    let mut group = writer.group();
    group.push(&serde_json::json!({"text": "y"})).unwrap();
    fail(&fs, 0, true, Fault::Full);
    for _ in 0..3 {
        let full = writer.commit(&[&group]);
        assert!(matches!(full, Err(CommitError::NoRoom { .. })), "{full:?}");
        assert_eq!(fs.bytes(&writer.session_path()), before);
    }
    fs.plan(None);
    assert_eq!(writer.commit(&[&group]).unwrap().last, 2);
    let bytes = fs.bytes(&writer.session_path());
    assert_eq!(bytes, [before, group.bytes().to_vec()].concat());
}

#[test]
fn every_file_that_was_left_is_reported_in_order() {
    let fs = SimFs::new();
    let options = stamped(Arc::new(fs.clone()));
    let mut writer = Writer::open("/disk/logs", options).unwrap().0;
    commit(&mut writer, "safe");
    let mut group = writer.group();
    group.push(&serde_json::json!({"text": "late"})).unwrap();
    // The fsync fails; then come the old file's last one and the fresh file's
    // first, and at the fresh file's second the disk is found full.
    fs.fail_syncs(&[Some(Fault::Io), None, None, Some(Fault::Full)]);
    let refused = writer.commit(&[&group]).unwrap_err();
    assert!(matches!(refused, CommitError::NoRoom { .. }), "{refused:?}");
    let fresh = writer.commit(&[&group]).unwrap().fresh;
    let archived: Vec<Option<u64>> = fresh
        .iter()
        .map(|file| file.archived.as_ref().map(|archived| archived.records))
        .collect();
    assert_eq!(archived, [Some(1), None], "{fresh:?}");
}

#[test]
fn a_file_system_that_syncs_no_directories_is_written_to_and_said_to_be_one() {
    let fs = SimFs::new();
    fs.sync_no_directories();
    let open = || Writer::open("/disk/logs", stamped(Arc::new(fs.clone()))).unwrap();
    for number in 1..=2 {
        let (mut writer, found) = open();
        assert!(found.unsynced_names);
        assert_eq!(commit(&mut writer, "x").last, number);
        assert_eq!(writer.archive(None).unwrap().unwrap().records, 1);
    }
    let (_, found) = Writer::open("/disk/logs", stamped(Arc::new(SimFs::new()))).unwrap();
    assert!(!found.unsynced_names);
}

#[test]
fn a_fresh_session_that_is_killed_and_moved_away_is_missed_although_its_numbers_were_reserved() {
    let (fs, mut writer, dir) = sim();
    // It reserves some numbers behind it.
    commit(&mut writer, "x");
    fail(&fs, 2, false, Fault::Io);
    let committed = commit(&mut writer, "y");
    assert_eq!((committed.last, committed.fresh.len()), (2, 1));
    let killed = fs.crashed(crate::support::Keep::Everything);
    killed.remove_file(&writer.session_path()).unwrap();
    let (writer, recovery) = Writer::open(&dir, stamped(Arc::new(killed))).unwrap();
    assert!(writer.next_number() > 2, "number 2 was given");
    assert_eq!(recovery.missing[0].first, 2);
}
