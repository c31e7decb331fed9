use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::compress::compress;
use crate::damage::Reason;
use crate::error::ReadError;
use crate::find::{Lookup, find_record};
use crate::follow::Follower;
use crate::fs::{FileSystem, RealFs};
use crate::journal::Journal;
use crate::reader::Reader;
use crate::record::Item;
use crate::session_file::SessionFile;
use crate::sessions::{Sessions, read_all};
use crate::support::{Fault, Keep, Plan, ROOT, SimFs};
use crate::testing::sealed;

const LEVEL: i32 = 1;

/// A session of these lines, long enough for several frames.
fn session(numbers: std::ops::RangeInclusive<u64>) -> Vec<u8> {
    let mut text = Vec::new();
    for number in numbers {
        let pad = "word ".repeat(usize::try_from(number % 400).unwrap());
        text.extend(sealed(number, &format!(",\"text\":\"{pad}\"")));
        text.push(b'\n');
    }
    text
}

fn numbers(reader: &mut Reader) -> Result<Vec<u64>, ReadError> {
    let mut numbers = Vec::new();
    while let Some(item) = reader.next_item()? {
        if let Item::Record(record) = item {
            numbers.push(record.number);
        }
    }
    Ok(numbers)
}

#[test]
fn a_compressed_session_is_read_byte_for_byte_from_any_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session_a.jsonl");
    let text = session(1..=3000);
    std::fs::write(&path, &text).unwrap();
    let compressed = compress(&RealFs, &path, LEVEL).unwrap();
    assert!(compressed.path.ends_with("session_a.jsonl.zst") && !path.exists());
    assert_eq!(compressed.plain, text.len() as u64);
    let stored = std::fs::metadata(&compressed.path).unwrap().len();
    assert_eq!(compressed.bytes, stored);
    assert!(stored * 5 < compressed.plain, "{stored}");
    let file = SessionFile::open(&RealFs, &compressed.path).unwrap();
    assert_eq!(file.size().unwrap(), text.len() as u64);
    let mut dice = crate::support::Dice(7);
    for _ in 0..200 {
        let from = dice.below(text.len());
        let length = dice.below(3 << 20).min(text.len() - from);
        let mut bytes = vec![0; length];
        assert_eq!(file.read_full(&mut bytes, from as u64).unwrap(), length);
        assert!(bytes == text[from..from + length], "{length} from {from}");
    }
    // What knows only its former name finds it, too.
    let mut reader = Reader::open(&path).unwrap();
    reader.seek_number(2500).unwrap();
    assert_eq!(
        numbers(&mut reader).unwrap(),
        (2500..=3000).collect::<Vec<_>>()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_bytes_come_back(
        lines in proptest::collection::vec((0_usize..60_000, any::<u8>()), 0..60),
        ended in any::<bool>(),
    ) {
        let fs = SimFs::new();
        let path = Path::new(ROOT).join("session_a.jsonl");
        let mut text: Vec<u8> = Vec::new();
        for (length, byte) in lines {
            text.resize(text.len() + length, byte);
            text.push(b'\n');
        }
        if !ended {
            text.pop();
        }
        fs.put(&path, &text);
        let compressed = compress(&fs, &path, LEVEL).unwrap();
        let file = SessionFile::open(&fs, &compressed.path).unwrap();
        let mut bytes = vec![0; text.len() + 10];
        let count = file.read_full(&mut bytes, 0).unwrap();
        prop_assert!(bytes[..count] == text[..]);
    }
}

#[test]
fn wherever_the_machine_stops_a_whole_session_is_there_and_the_next_attempt_succeeds() {
    let text = session(1..=40);
    let dir = Path::new(ROOT).join("logs");
    let path = dir.join("archive").join("session_a.jsonl");
    let (mut stops, mut compressed_ones) = (0, 0);
    for at in 0.. {
        for (fault, keep) in [
            (Fault::Stop, Keep::Nothing),
            (Fault::Stop, Keep::Everything),
            (Fault::Stop, Keep::Some(at)),
            (Fault::Io, Keep::Some(at)),
            (Fault::DoneButIo, Keep::Nothing),
            (Fault::Full, Keep::Some(at)),
        ] {
            let fs = SimFs::new();
            fs.put(&path, &text);
            fs.plan(Some(Plan {
                at,
                and: None,
                on: false,
                fault,
            }));
            let done = compress(&fs, &path, LEVEL).is_ok();
            stops += u64::from(!fs.hit().is_empty());
            fs.plan(None);
            let fs = fs.crashed(keep);
            let mut sessions = Sessions::of_in(Arc::new(fs.clone()), &dir);
            let listed = sessions.closed().unwrap();
            assert_eq!(listed.len(), 1, "{fault:?} at {at}: {listed:?}");
            assert!(
                !done || listed[0].name.ends_with(".zst"),
                "{fault:?} at {at}"
            );
            compressed_ones += u64::from(listed[0].name.ends_with(".zst"));
            let mut reader = Reader::open_in(&fs, &listed[0].path).unwrap();
            let expected: Vec<u64> = (1..=40).collect();
            assert_eq!(numbers(&mut reader).unwrap(), expected, "{fault:?} at {at}");
            if !is_compressed(&listed[0].path) {
                compress(&fs, &listed[0].path, LEVEL).unwrap();
            }
            let names = fs.list(&dir.join("archive")).unwrap();
            assert_eq!(names.len(), 1, "{names:?}");
            if stops > 0 && at > 60 {
                assert!(compressed_ones > 0);
                return;
            }
        }
    }
}

#[test]
fn a_disk_that_alters_what_is_written_costs_an_attempt_and_never_the_session() {
    let dir = Path::new(ROOT).join("logs");
    let path = dir.join("archive").join("session_a.jsonl");
    let mut noticed = 0;
    for at in 0..60 {
        let fs = SimFs::new();
        fs.put(&path, &session(1..=400));
        fs.plan(Some(Plan {
            at,
            and: None,
            on: false,
            fault: Fault::Alters,
        }));
        let done = compress(&fs, &path, LEVEL);
        let altered = !fs.hit().is_empty();
        assert_eq!(done.is_err(), altered, "{done:?} at {at}");
        noticed += u64::from(altered);
        // What is there of it is whole, and nothing is left of the attempt.
        let names = fs.list(&dir.join("archive")).unwrap();
        assert_eq!(names.len(), 1, "{names:?}");
        let mut reader = Reader::open_in(&fs, &path).unwrap();
        assert_eq!(numbers(&mut reader).unwrap(), (1..=400).collect::<Vec<_>>());
    }
    assert!(noticed > 2, "{noticed}: the frames and the table");
}

#[test]
fn a_session_keeps_the_time_at_which_it_was_closed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session_a.jsonl");
    std::fs::write(&path, session(1..=3)).unwrap();
    let closed = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let file = std::fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(closed).unwrap();
    drop(file);
    let compressed = compress(&RealFs, &path, LEVEL).unwrap().path;
    let modified = std::fs::metadata(compressed).unwrap().modified().unwrap();
    assert_eq!(modified, closed, "retention counts from there");
}

#[test]
fn what_is_left_of_an_attempt_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session_a.jsonl");
    std::fs::write(&path, session(1..=3000)).unwrap();
    let rest = dir.path().join("session_a.jsonl.zst.new");
    std::fs::write(&rest, "what a kill has left").unwrap();
    let compressed = compress(&RealFs, &path, LEVEL).unwrap();
    assert!(!rest.exists());
    let mut reader = Reader::open(&compressed.path).unwrap();
    let expected: Vec<u64> = (1..=3000).collect();
    assert_eq!(numbers(&mut reader).unwrap(), expected);
}

#[test]
fn a_damaged_frame_costs_its_own_records_and_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session_a.jsonl");
    std::fs::write(&path, session(1..=6000)).unwrap();
    let compressed = compress(&RealFs, &path, LEVEL).unwrap().path;
    let mut bytes = std::fs::read(&compressed).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&compressed, bytes).unwrap();
    let mut reader = Reader::open(&compressed).unwrap();
    let (mut records, mut damage) = (Vec::new(), Vec::new());
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Record(record) => records.push(record.number),
            Item::Damage(found) => damage.push(found),
        }
    }
    assert_eq!(damage.len(), 1);
    assert_eq!(damage[0].reason, Reason::Packed);
    assert!((1..=2 << 20).contains(&damage[0].length), "{damage:?}");
    assert_eq!((records.first(), records.last()), (Some(&1), Some(&6000)));
    let gaps = records.windows(2).filter(|pair| pair[1] != pair[0] + 1);
    assert_eq!(gaps.count(), 1);
}

#[test]
fn a_file_without_a_seek_table_is_no_session_and_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    std::fs::create_dir(&archive).unwrap();
    let foreign = zstd::bulk::compress(&session(1..=9), 3).unwrap();
    std::fs::write(archive.join("session_a.jsonl.zst"), foreign).unwrap();
    assert!(Sessions::of(dir.path()).closed().unwrap().is_empty());
    let unread = crate::archives::list_unread(dir.path()).unwrap();
    assert_eq!(unread.len(), 1);
    assert!(
        unread[0].to_string().contains("not by `broker compress`"),
        "{}",
        unread[0]
    );
}

#[test]
fn numbers_go_on_records_are_found_and_followed_as_if_nothing_was_compressed() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(dir.path()).unwrap();
    let mut archives = Vec::new();
    for _ in 0..3 {
        journal
            .append_all(&[serde_json::json!({}), serde_json::json!({})])
            .unwrap();
        archives.push(journal.archive(None).unwrap().unwrap().path);
    }
    let mut follower = Follower::after(dir.path(), 0).unwrap();
    let mut follow = || {
        let mut seen = Vec::new();
        while let Some(item) = follower.next_item().unwrap() {
            if let Item::Record(record) = item {
                seen.push(record.number);
            }
        }
        seen
    };
    assert_eq!(follow(), [1, 2, 3, 4, 5, 6]);
    for path in &archives {
        compress(&RealFs, path, LEVEL).unwrap();
    }
    drop(journal);
    std::fs::remove_file(dir.path().join("journal.head")).unwrap();
    let (journal, recovery) = Journal::open(dir.path()).unwrap();
    assert_eq!(recovery.next, 7);
    assert!(recovery.unread.is_empty() && recovery.missing.is_empty());
    journal.append(&serde_json::json!({})).unwrap();
    assert_eq!(follow(), [7]);
    let all: Vec<u64> = read_all(dir.path())
        .unwrap()
        .map(|line| line.unwrap().number)
        .collect();
    assert_eq!(all, [1, 2, 3, 4, 5, 6, 7]);
    assert!(
        matches!(find_record(dir.path(), 4).unwrap(), Lookup::Record(line) if line.number == 4)
    );
}

#[test]
fn a_session_that_is_closed_never_takes_the_name_of_a_compressed_one() {
    let dir = tempfile::tempdir().unwrap();
    let options = || crate::options::Options {
        stamp: Arc::new(|| "20251120_143022".to_owned()),
        ..Default::default()
    };
    let (journal, _) = Journal::open_with(dir.path(), options()).unwrap();
    for _ in 0..2 {
        journal.append(&serde_json::json!({})).unwrap();
        let closed = journal.archive(None).unwrap().unwrap().path;
        compress(&RealFs, &closed, LEVEL).unwrap();
    }
    let names: Vec<String> = Sessions::of(dir.path())
        .closed()
        .unwrap()
        .into_iter()
        .map(|archive| archive.name)
        .collect();
    assert_eq!(
        names,
        [
            "session_20251120_143022.jsonl.zst",
            "session_20251120_143022_2.jsonl.zst"
        ]
    );
}
