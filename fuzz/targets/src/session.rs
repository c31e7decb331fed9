//! The bytes of a session: what readers find in it, and how a writer goes on.

use std::path::Path;
use std::sync::Arc;

use journal::raw::Writer;
use journal::{Backward, Integrity, Item, OpenError, Options, Reader, Reason, Tail};

use crate::memory::Memory;
use crate::whole::{FIELD, KEY, START, is_object, is_sealed, number};

const DIR: &str = "logs";
/// A name that a reader takes for a closed session.
const CLOSED: &str = "logs/archive/session_20251120_143022.jsonl";
/// Longer than some lines of the seeds, and shorter than others.
const SHORT: usize = 150;
/// Numbers from here on leave no room for others, and a journal may be refused.
const EXHAUSTED: u64 = u64::MAX / 2 - (1 << 20);
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What a reader gives out, without the parts that differ by direction.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    offset: usize,
    length: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Record { number: u64, integrity: Integrity },
    Damage(Reason),
}

/// Takes bytes as the current session, and as a closed one.
///
/// # Panics
/// Where a record is read that is none, one is not read that is whole, the two
/// directions of reading differ, or a writer destroys, hides or repeats something.
pub fn session(data: &[u8]) {
    let files = Memory::default();
    let current = journal::current_session(DIR);
    let closed = Path::new(CLOSED);
    files.put(&current, data);
    files.put(closed, data);

    let complete = data.iter().rposition(|byte| *byte == b'\n');
    let ended = &data[..complete.map_or(0, |newline| newline + 1)];
    let live = read(&files, &current, usize::MAX);
    check_items(ended, &live, usize::MAX);
    let all = read(&files, closed, usize::MAX);
    check_items(data, &all, usize::MAX);
    check_items(data, &read(&files, closed, SHORT), SHORT);
    // A torn end changes nothing before it.
    assert_eq!(all[..live.len()], live);

    check_writing(data, &all);
    check_archived(data, &all);
}

/// Reads a file in both directions.
fn read(files: &Memory, path: &Path, max_line: usize) -> Vec<Found> {
    let bytes = files.bytes(path);
    let mut reader = Reader::open_in(files, path).expect("the file is there");
    reader.set_max_line(max_line);
    let mut forward = Vec::new();
    let mut line = 0;
    while let Some(item) = reader.next_item().expect("memory can be read") {
        if let Item::Damage(damage) = &item {
            let before = bytes[..to_usize(damage.offset)].iter();
            let expected = before.filter(|byte| **byte == b'\n').count() as u64 + 1;
            assert_eq!(damage.line, Some(expected), "of {damage}");
            assert!(line <= expected);
            line = expected;
        }
        forward.push(found(&bytes, &item));
    }
    let mut reader = Backward::open_in(files, path).expect("the file is there");
    reader.set_max_line(max_line);
    let mut backward = Vec::new();
    while let Some(item) = reader.next_item().expect("memory can be read") {
        backward.push(found(&bytes, &item));
    }
    backward.reverse();
    assert_eq!(forward, backward);
    forward
}

fn found(bytes: &[u8], item: &Item<'_>) -> Found {
    match item {
        Item::Record(record) => {
            let offset = to_usize(record.offset);
            assert_eq!(
                Some(record.line),
                bytes.get(offset..offset + record.line.len())
            );
            let (number, integrity) = (record.number, record.integrity);
            Found {
                offset,
                length: record.line.len(),
                kind: Kind::Record { number, integrity },
            }
        }
        Item::Damage(damage) => Found {
            offset: to_usize(damage.offset),
            length: to_usize(damage.length),
            kind: Kind::Damage(damage.reason),
        },
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).expect("it is a place in memory")
}

/// Checks what was found in `bytes`, all of which was to be read.
fn check_items(bytes: &[u8], items: &[Found], max_line: usize) {
    let mut end = 0;
    for item in items {
        assert!(item.offset >= end && item.length > 0, "{item:?}");
        check_passed_over(&bytes[end..item.offset]);
        end = item.offset + item.length;
        let text = bytes.get(item.offset..end);
        let text = text.unwrap_or_else(|| panic!("{item:?} is beyond the end"));
        assert!(!text.contains(&b'\n'), "{item:?} goes over a line's end");
        check_item(text, item.kind, max_line);
    }
    check_passed_over(&bytes[end..]);
    let mut offset = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.len() <= max_line {
            check_line(line, offset, items);
        }
        offset += line.len() + 1;
    }
}

/// Between what is reported there is nothing to be reported.
fn check_passed_over(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let is_blank = |line: &[u8]| {
        let line = line.strip_prefix(BOM).unwrap_or(line);
        line.trim_ascii().is_empty()
    };
    assert!(
        lines.all(is_blank),
        "not reported: {:?}",
        bytes.escape_ascii()
    );
}

fn check_item(text: &[u8], kind: Kind, max_line: usize) {
    let shown = text.escape_ascii();
    match kind {
        Kind::Record {
            number: given,
            integrity,
        } => {
            assert!(text.len() <= max_line);
            let right = is_sealed(text);
            assert_eq!(integrity == Integrity::Verified, right, "{shown}");
            if let (true, Some(own)) = (right, number(text)) {
                assert_eq!(given, own, "{shown}");
            }
            if !right {
                assert!(is_object(text), "no JSON object: {shown}");
            }
        }
        Kind::Damage(Reason::TooLong) => assert!(text.len() > max_line, "{shown}"),
        Kind::Damage(_) => assert!(!is_sealed(text) || !text.starts_with(START), "{shown}"),
    }
}

/// Whatever is whole has to be among what was found.
fn check_line(line: &[u8], offset: usize, items: &[Found]) {
    let is_found = |offset: usize, length: usize, verified: bool| {
        let place = items.binary_search_by_key(&offset, |item| item.offset);
        let kind = place.map(|at| (items[at].length, items[at].kind));
        matches!(kind, Ok((found, Kind::Record { integrity, .. }))
            if found == length && (integrity == Integrity::Verified) == verified)
    };
    let text = line.trim_ascii_end();
    let bom = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let text = &text[bom..];
    if is_sealed(text) || is_object(text) {
        let shown = text.escape_ascii();
        assert!(
            is_found(offset + bom, text.len(), is_sealed(text)),
            "{shown}"
        );
        return;
    }
    let starts: Vec<usize> = memchr::memmem::find_iter(line, START).collect();
    for (index, &start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(line.len());
        let piece = &line[start..end];
        let mut ends = memchr::memmem::find_iter(piece, KEY).map(|key| key + FIELD);
        let whole = ends.find(|end| piece.get(..*end).is_some_and(is_sealed));
        if let Some(length) = whole {
            let shown = piece[..length].escape_ascii();
            assert!(is_found(offset + start, length, true), "glued: {shown}");
        }
    }
}

fn options(files: &Memory) -> Options {
    Options {
        stamp: Arc::new(|| "20251121_080000".to_owned()),
        fs: Arc::new(files.clone()),
        ..Options::default()
    }
}

/// Returns the numbers of the records that their checksums vouch for.
fn verified(items: &[Found]) -> impl DoubleEndedIterator<Item = u64> {
    items.iter().filter_map(|item| match item.kind {
        Kind::Record {
            number,
            integrity: Integrity::Verified,
        } => Some(number),
        _ => None,
    })
}

/// Opens the journal, appends, closes the session, and opens it again.
fn check_writing(data: &[u8], before: &[Found]) {
    let files = Memory::default();
    let current = journal::current_session(DIR);
    files.put(&current, data);
    let opened = Writer::open(DIR, options(&files));
    let is_ended = data.last().is_none_or(|byte| *byte == b'\n');
    let kept = if is_ended {
        data.to_vec()
    } else {
        [data, b"\n"].concat()
    };
    assert_eq!(files.bytes(&current), kept);
    let (mut writer, recovery) = match opened {
        Ok(opened) => opened,
        Err(OpenError::NumbersExhausted { .. }) => {
            assert!(verified(before).any(|number| number >= EXHAUSTED));
            return;
        }
        Err(error) => panic!("{error}"),
    };

    let items = read(&files, &current, usize::MAX);
    check_items(&kept, &items, usize::MAX);
    let count =
        |wanted: fn(Kind) -> bool| items.iter().filter(|item| wanted(item.kind)).count() as u64;
    let records = count(|kind| matches!(kind, Kind::Record { .. }));
    assert_eq!(recovery.bytes, kept.len() as u64);
    assert_eq!(recovery.records, records);
    assert_eq!(recovery.damaged, items.len() as u64 - records);
    let unverified = count(|kind| {
        matches!(
            kind,
            Kind::Record {
                integrity: Integrity::Unverified,
                ..
            }
        )
    });
    assert_eq!(recovery.unverified, unverified);
    let altered = count(|kind| {
        matches!(
            kind,
            Kind::Record {
                integrity: Integrity::Altered,
                ..
            }
        )
    });
    assert_eq!(recovery.altered, altered);
    assert_eq!(recovery.tail == Tail::Whole, is_ended);

    let next = writer.next_number();
    assert_eq!(next, recovery.next);
    assert!(next > 0 && verified(&items).all(|number| number < next));
    let mut expected = items;
    for number in [next, next + 1] {
        let mut group = writer.group();
        group
            .push(&serde_json::json!({ "text": "{\"message_num\":1" }))
            .expect("it is a record");
        let offset = writer.session().bytes;
        writer.commit(&[&group]).expect("memory has room");
        expected.push(Found {
            offset: to_usize(offset),
            length: group.bytes().len() - 1,
            kind: Kind::Record {
                number,
                integrity: Integrity::Verified,
            },
        });
        assert_eq!(read(&files, &current, usize::MAX), expected);
    }
    assert!(files.bytes(&current).starts_with(&kept));

    if next + 1 >= EXHAUSTED {
        return;
    }
    // A second writer finds the same, and goes on behind it.
    drop(writer);
    let opened = Writer::open(DIR, options(&files));
    let (mut writer, again) = opened.expect("it was opened before");
    assert_eq!((again.next, again.tail), (next + 2, Tail::Whole));
    let archived = writer.archive(None).expect("memory can rename");
    assert!(archived.is_some() && writer.next_number() == next + 2);
    drop(writer);
    let archive = Path::new(DIR).join("archive/session_20251121_080000.jsonl");
    assert!(files.bytes(&archive).starts_with(&kept));
    let (writer, _) = Writer::open(DIR, options(&files)).expect("it was opened before");
    assert_eq!(writer.next_number(), next + 2);
}

/// Begins a session where the only archive holds these bytes.
fn check_archived(data: &[u8], items: &[Found]) {
    let files = Memory::default();
    files.put(Path::new(CLOSED), data);
    match Writer::open(DIR, options(&files)) {
        Ok((writer, _)) => {
            let last = verified(items).next_back().unwrap_or_default();
            assert!(writer.next_number() > last);
        }
        Err(OpenError::NumbersExhausted { .. }) => {
            assert!(verified(items).any(|number| number >= EXHAUSTED));
        }
        Err(error) => panic!("{error}"),
    }
    // An empty one is a name that was reserved and never used.
    assert_eq!(files.bytes(Path::new(CLOSED)), data);
}
