use std::sync::Arc;

use proptest::prelude::*;

use super::lines::CHUNK;
use super::*;
use crate::damage::{Integrity, Reason};
use crate::options::DEFAULT_MAX_LINE;
use crate::reader::Reader;
use crate::testing::{MemFile, Part, any_part, file_of, sealed};

/// Offset, then number and integrity of a record or length and reason of damage.
type Seen = (u64, Result<(u64, Integrity, Vec<u8>), (u64, Reason)>);

fn seen(item: Item<'_>) -> Seen {
    match item {
        Item::Record(record) => (
            record.offset,
            Ok((record.number, record.integrity, record.line.to_vec())),
        ),
        Item::Damage(damage) => (damage.offset, Err((damage.length, damage.reason))),
    }
}

fn forward(bytes: &[u8], ending: Ending, max_line: usize) -> Vec<Seen> {
    let file = Arc::new(MemFile::new(bytes));
    let mut reader = Reader::new(file.opened(), ending);
    reader.set_max_line(max_line);
    let mut all = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        all.push(seen(item));
    }
    all
}

fn open(bytes: &[u8], ending: Ending, max_line: usize) -> (Arc<MemFile>, Backward) {
    let file = Arc::new(MemFile::new(bytes));
    let mut backward = Backward::new(file.opened(), bytes.len() as u64, ending);
    backward.set_max_line(max_line);
    (file, backward)
}

fn backward(bytes: &[u8], ending: Ending, max_line: usize) -> Vec<Seen> {
    let mut backward = open(bytes, ending, max_line).1;
    let mut all = Vec::new();
    while let Some(item) = backward.next_item().unwrap() {
        all.push(seen(item));
    }
    all.reverse();
    all
}

fn same_both_ways(bytes: &[u8], max_line: usize) {
    for ending in [Ending::Live, Ending::Closed] {
        let expected = forward(bytes, ending, max_line);
        assert_eq!(backward(bytes, ending, max_line), expected, "{ending:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn backward_is_the_reverse_of_forward(
        parts in prop::collection::vec(any_part(), 0..25),
        cut in 0..200usize,
        max_line in prop_oneof![Just(DEFAULT_MAX_LINE), 40..150_000usize],
    ) {
        let mut bytes = file_of(&parts);
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        same_both_ways(&bytes, max_line);
    }
}

#[test]
fn files_without_a_line_are_read() {
    for bytes in [&b""[..], b"\n", b"\n\n", b"x", b"{}", b"\r\n{}"] {
        same_both_ways(bytes, 1000);
    }
}

#[test]
fn a_torn_last_line_has_the_same_reason_both_ways() {
    same_both_ways(b"{\"a\":1}\n{\"a\":", 1000);
}

#[test]
fn a_long_file_of_lines_in_doubt_is_read_in_time() {
    // Each line's own number is in doubt, as all of them are unchecked.
    let lines: Vec<u8> = (0..12_000u64)
        .flat_map(|i| format!("{{\"message_num\":{}}}\n", 3 * i + 1).into_bytes())
        .collect();
    let (file, mut backward) = open(&lines, Ending::Closed, 1000);
    for i in (0..12_000u64).rev() {
        let (_, found) = seen(backward.next_item().unwrap().unwrap());
        assert_eq!(found.unwrap().0, 3 * i + 1);
    }
    assert!(
        file.bytes_read() < 20 * lines.len() as u64,
        "{}",
        file.bytes_read()
    );
}

#[test]
fn a_too_long_line_is_not_held_in_memory() {
    let file = file_of(&[Part::Good(1), Part::Long(9 << 20), Part::Good(1)]);
    let (mem, mut backward) = open(&file, Ending::Closed, 1000);
    let mut all = Vec::new();
    while let Some(item) = backward.next_item().unwrap() {
        all.push(
            seen(item)
                .1
                .map(|(number, ..)| number)
                .map_err(|(_, reason)| reason),
        );
        assert!(backward.lines.buffer_len() < 4 * CHUNK);
    }
    assert_eq!(all, [Ok(3), Err(Reason::TooLong), Ok(1)]);
    assert!(mem.longest_read() <= CHUNK);
}

#[test]
fn a_failed_read_may_be_repeated() {
    let bytes = file_of(&[
        Part::Good(3),
        Part::Legacy(3),
        Part::Long(200_000),
        Part::Legacy(2),
    ]);
    for max_line in [1000, 1 << 20] {
        let expected = forward(&bytes, Ending::Closed, max_line);
        for fail_at in 0.. {
            let (file, mut backward) = open(&bytes, Ending::Closed, max_line);
            file.fail_read(fail_at);
            let (mut all, mut failed) = (Vec::new(), false);
            loop {
                match backward.next_item() {
                    Ok(Some(item)) => all.push(seen(item)),
                    Ok(None) => break,
                    Err(_) => failed = true,
                }
            }
            all.reverse();
            assert_eq!(all, expected, "failed at {fail_at}");
            if !failed {
                assert!(fail_at > 3);
                break;
            }
        }
    }
}

fn highest(bytes: &[u8]) -> Option<u64> {
    open(bytes, Ending::Closed, 1 << 20)
        .1
        .highest_number()
        .unwrap()
}

#[test]
fn the_highest_number_counts_lines_by_hand_and_ignores_altered_and_repeated_ones() {
    let lines = |lines: &[&[u8]]| lines.join(&b'\n');
    let altered = String::from_utf8(sealed(11, ",\"a\":1")).unwrap();
    let altered = altered.replace(":11,", ":99999999,");
    let ten = sealed(10, ",\"a\":1");
    assert_eq!(highest(b""), None);
    assert_eq!(highest(b"{\"Id\":1}\n"), None);
    assert_eq!(highest(altered.as_bytes()), Some(99_999_999));
    assert_eq!(highest(&lines(&[&ten])), Some(10));
    assert_eq!(highest(&lines(&[&ten, b"{}", b"{}"])), Some(12));
    assert_eq!(highest(&lines(&[&ten, altered.as_bytes()])), Some(11));
    assert_eq!(highest(&lines(&[&ten, &sealed(4, ""), b"\0\0"])), Some(10));
}

#[test]
fn what_was_written_is_read_whatever_its_length_and_garbage_is_not_held() {
    let long = |number: u64| sealed(number, &format!(",\"text\":\"{}\"", "x".repeat(300_000)));
    let mut torn = long(3);
    torn.truncate(200_000);
    let mut changed = long(4);
    changed[1000] ^= 1;
    let lines = [
        sealed(1, ",\"a\":1"),
        long(2),
        torn,
        changed,
        sealed(5, ",\"a\":1"),
        long(6),
    ];
    for end in [&b"\n"[..], b""] {
        let bytes = [&lines.join(&b'\n')[..], end].concat();
        let file = Arc::new(MemFile::new(&bytes));
        let mut forward = Reader::new(file.opened(), Ending::Closed);
        forward.set_garbage_limit(1000);
        let mut found = Vec::new();
        while let Some(item) = forward.next_item().unwrap() {
            found.push(seen(item));
        }
        let records: Vec<_> = found.iter().map(|(_, one)| one.clone().ok()).collect();
        for (line, record) in lines.iter().zip(&records) {
            let is_whole = crate::line::is_sealed(line);
            assert_eq!(
                record.as_ref().map(|record| &record.2),
                is_whole.then_some(line)
            );
        }
        assert_eq!(found.len(), lines.len());
        let mut backward = Backward::new(file.opened(), bytes.len() as u64, Ending::Closed);
        backward.lines.max_line = 1000;
        while let Some(item) = backward.next_item().unwrap() {
            assert_eq!(Some(seen(item)), found.pop());
        }
        assert!(found.is_empty());
    }
}
