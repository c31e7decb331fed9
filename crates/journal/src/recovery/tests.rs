use std::path::Path;
use std::sync::Arc;

use crate::damage::Reason;
use crate::fs::FileSystem;
use crate::options::Options;
use crate::recovery::{Recovery, Tail};
use crate::support::SimFs;
use crate::testing::sealed;
use crate::writer::Writer;

const DIR: &str = "/disk/logs";
const OLD: &str = "{\"Id\": \"x\", \"SpeakerName\": \"claude\", \"Message\": \"{}\"}\n";

fn current() -> std::path::PathBuf {
    Path::new(DIR).join("current_session.jsonl")
}

fn archived(name: &str) -> std::path::PathBuf {
    Path::new(DIR).join("archive").join(name)
}

fn options(fs: &SimFs) -> Options {
    Options {
        fs: Arc::new(fs.clone()),
        checkpoint_every: 64,
        ..Options::default()
    }
}

fn open(fs: &SimFs) -> (Writer, Recovery) {
    Writer::open(DIR, options(fs)).unwrap()
}

/// Opens twice: the second start finds nothing left to be done, and the same
/// numbers. Then the next record is appended and read.
fn recovered(fs: &SimFs) -> Recovery {
    let before = fs.exists(&current()).then(|| fs.bytes(&current()));
    let (writer, first) = open(fs);
    drop(writer);
    let (mut writer, second) = open(fs);
    assert_eq!(second.tail, Tail::Whole);
    assert_eq!(
        (second.next, second.records, second.damaged, second.bytes),
        (first.next, first.records, first.damaged, first.bytes)
    );
    let mut group = writer.group();
    assert_eq!(
        group.push(&serde_json::json!({"new": 1})).unwrap(),
        first.next
    );
    writer.commit(&[&group]).unwrap();
    drop(writer);
    let (_, third) = open(fs);
    assert_eq!(
        (third.next, third.records),
        (first.next + 1, first.records + 1)
    );
    assert!(
        fs.bytes(&current())
            .starts_with(&before.unwrap_or_default())
    );
    first
}

fn lines(numbers: std::ops::RangeInclusive<u64>) -> Vec<u8> {
    let line = |number| [sealed(number, ",\"a\":1"), b"\n".to_vec()].concat();
    numbers.flat_map(line).collect()
}

#[test]
fn an_empty_directory_begins_at_1() {
    let found = recovered(&SimFs::new());
    assert_eq!((found.first, found.next, found.records), (1, 1, 0));
    assert!(found.is_clean());
}

#[test]
fn an_older_recorders_file_is_taken_over_and_counted() {
    let fs = SimFs::new();
    fs.put(&current(), OLD.repeat(3).as_bytes());
    let found = recovered(&fs);
    assert_eq!((found.records, found.unverified, found.next), (3, 3, 4));
    assert!(found.is_clean());
}

#[test]
fn a_whole_last_line_without_newline_is_completed() {
    let fs = SimFs::new();
    let mut file = lines(1..=2);
    file.pop();
    fs.put(&current(), &file);
    let found = recovered(&fs);
    assert_eq!(
        (found.tail, found.records, found.next),
        (Tail::Completed, 2, 3)
    );
    assert!(found.is_clean());
}

#[test]
fn a_torn_last_line_is_fenced_and_reported() {
    let fs = SimFs::new();
    let mut file = lines(1..=2);
    let whole = lines(1..=1).len() as u64;
    file.truncate(file.len() - 9);
    fs.put(&current(), &file);
    let found = recovered(&fs);
    assert_eq!(
        (found.tail, found.records, found.next),
        (Tail::Fenced, 1, 2)
    );
    let damage = &found.damage[0];
    assert_eq!(
        (damage.line, damage.offset, damage.reason),
        (Some(2), whole, Reason::NotJson)
    );
    assert_eq!(
        (damage.length, found.damaged),
        (file.len() as u64 - whole, 1)
    );
}

#[test]
fn a_tail_of_nul_is_fenced_and_reported() {
    let fs = SimFs::new();
    fs.put(&current(), &[lines(1..=2), vec![0; 4096]].concat());
    let found = recovered(&fs);
    assert_eq!(
        (found.tail, found.records, found.next),
        (Tail::Fenced, 2, 3)
    );
    assert_eq!(found.damage[0].reason, Reason::Nul);
}

#[test]
fn an_altered_line_is_counted_and_its_place_told() {
    let fs = SimFs::new();
    let text = String::from_utf8(lines(1..=3)).unwrap();
    let offset = lines(1..=1).len() as u64;
    fs.put(
        &current(),
        text.replace(":2,\"a\":1", ":2,\"a\":7").as_bytes(),
    );
    let found = recovered(&fs);
    assert_eq!((found.altered, &found.altered_at[..]), (1, &[offset][..]));
    assert!(!found.is_clean());
}

#[test]
fn the_numbering_goes_on_behind_the_archives_whatever_their_names_say_about_time() {
    let fs = SimFs::new();
    fs.put(&archived("session_20300101_000000.jsonl"), &lines(1..=5));
    fs.put(&archived("session_19700101_000000.jsonl"), &lines(6..=9));
    fs.put(
        &archived("session_20100101_000000.jsonl"),
        OLD.repeat(40).as_bytes(),
    );
    assert_eq!(recovered(&fs).next, 10);
}

#[test]
fn archives_without_numbers_are_counted_where_nothing_else_tells() {
    let fs = SimFs::new();
    fs.put(
        &archived("session_20100101_000000.jsonl"),
        OLD.repeat(4000).as_bytes(),
    );
    fs.put(
        &archived("session_20100102_000000.jsonl"),
        OLD.repeat(4).as_bytes(),
    );
    assert_eq!(recovered(&fs).next, 4001);
}

#[test]
fn neither_an_altered_number_nor_lines_by_hand_hide_where_an_archive_ended() {
    let fs = SimFs::new();
    let altered = String::from_utf8(lines(10..=10)).unwrap();
    let altered = altered.replace(":10,", ":18446744073709551615,");
    let file = [
        lines(1..=9),
        altered.into_bytes(),
        b"{\"by\":\"hand\"}\n".to_vec(),
    ]
    .concat();
    fs.put(&archived("session_20200101_000000.jsonl"), &file);
    fs.put(&archived("session_20200102_000000.jsonl"), &lines(1..=3));
    assert_eq!(recovered(&fs).next, 12);
}

#[test]
fn a_reservation_that_was_never_used_is_removed_and_nothing_else() {
    let fs = SimFs::new();
    fs.put(&current(), &lines(1..=2));
    let (reserved, foreign) = (archived("session_1.jsonl"), archived("notes.txt"));
    fs.put(&reserved, b"");
    fs.put(&foreign, b"");
    fs.put(&archived("session_2.jsonl"), &lines(1..=1));
    assert_eq!(recovered(&fs).next, 3);
    assert!(!fs.exists(&reserved));
    assert!(fs.exists(&foreign) && fs.exists(&archived("session_2.jsonl")));
}

#[test]
fn a_session_missing_after_a_crash_while_archiving_is_begun_behind_the_archive() {
    let fs = SimFs::new();
    fs.put(&current(), &lines(1..=7));
    fs.rename(&current(), &{
        let to = archived("session_1.jsonl");
        fs.put(&to, b"");
        to
    })
    .unwrap();
    let found = recovered(&fs);
    assert_eq!((found.first, found.next, found.records), (8, 8, 0));
}

#[test]
fn numbers_that_are_used_up_are_refused_with_the_file() {
    let fs = SimFs::new();
    fs.put(&current(), &lines(u64::MAX..=u64::MAX));
    let error = Writer::open(DIR, options(&fs)).unwrap_err().to_string();
    assert!(error.contains("current_session.jsonl"), "{error}");
}
