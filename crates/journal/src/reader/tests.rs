use std::sync::Arc;

use super::lines::CHUNK;
use super::*;
use crate::damage::{Integrity, Reason};
use crate::testing::{MemFile, sealed};

/// Reads everything: `Ok` is a record's number and text, `Err` a damage's
/// line, offset, length and reason.
type Seen = Result<(u64, String), (Option<u64>, u64, u64, Reason)>;

fn read_all(reader: &mut Reader) -> Vec<Seen> {
    let mut seen = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        seen.push(match item {
            Item::Record(record) => {
                Ok((record.number, String::from_utf8_lossy(record.line).into()))
            }
            Item::Damage(damage) => Err((damage.line, damage.offset, damage.length, damage.reason)),
        });
    }
    seen
}

fn open(bytes: &[u8], ending: Ending) -> (Arc<MemFile>, Reader) {
    let file = Arc::new(MemFile::new(bytes));
    let reader = Reader::new(file.opened(), ending);
    (file, reader)
}

fn read(bytes: &[u8]) -> Vec<Seen> {
    read_all(&mut open(bytes, Ending::Closed).1)
}

fn line(number: u64) -> String {
    String::from_utf8(sealed(number, ",\"a\":1")).unwrap()
}

fn numbers(seen: &[Seen]) -> Vec<u64> {
    seen.iter().flatten().map(|(number, _)| *number).collect()
}

#[test]
fn good_lines_are_read() {
    let text = format!("{}\n{}\n", line(1), line(2));
    assert_eq!(read(text.as_bytes()), [Ok((1, line(1))), Ok((2, line(2)))]);
}

#[test]
fn each_kind_of_damage_is_reported_with_its_place_and_hides_no_good_line() {
    let first = line(1);
    let offset = first.len() as u64 + 1;
    for (bad, reason) in [
        (&b"{\"message_num\":7,\"to"[..], Reason::NotJson),
        (b"[1]", Reason::NotAnObject),
        (b"\"text\"", Reason::NotAnObject),
        (b"{\"a\":\"\xff\"}", Reason::NotUtf8),
        (&[0; 5000], Reason::Nul),
        (b"{\"a\":1}\0", Reason::Nul),
        (b"\xEF\xBB\xBF", Reason::NotJson),
    ] {
        let file = [
            first.as_bytes(),
            b"\n",
            bad,
            b"\n",
            line(3).as_bytes(),
            b"\n",
        ]
        .concat();
        let damage = (Some(2), offset, bad.len() as u64, reason);
        let expected = [Ok((1, line(1))), Err(damage), Ok((3, line(3)))];
        assert_eq!(read(&file), expected);
    }
}

#[test]
fn a_record_glued_behind_a_torn_one_is_read_and_the_torn_one_reported() {
    let torn = "{\"message_num\":1,\"topic\":\"x";
    let text = format!("{torn}{}\n{}\n", line(2), line(3));
    let damage = (Some(1), 0, torn.len() as u64, Reason::NotJson);
    assert_eq!(
        read(text.as_bytes()),
        [Err(damage), Ok((2, line(2))), Ok((3, line(3)))]
    );
}

#[test]
fn a_record_glued_behind_a_run_of_nul_is_read() {
    let file = [&[0; 4096][..], line(2).as_bytes(), b"\n"].concat();
    assert_eq!(
        read(&file),
        [Err((Some(1), 0, 4096, Reason::Nul)), Ok((2, line(2)))]
    );
}

#[test]
fn carriage_returns_blank_lines_and_a_byte_order_mark_are_no_damage() {
    let text = format!("\u{feff}{}\r\n\r\n  \n\n{{\"b\":2}}\r\n", line(1));
    let (_, mut reader) = open(text.as_bytes(), Ending::Closed);
    assert_eq!(
        read_all(&mut reader),
        [Ok((1, line(1))), Ok((2, "{\"b\":2}".to_owned()))]
    );
    let mark = "\u{feff}{\"b\":2}\n";
    let (_, reader) = open(mark.as_bytes(), Ending::Closed);
    let found: Line = reader.map(Result::unwrap).next().unwrap();
    assert_eq!(found.parse::<serde_json::Value>().unwrap()["b"], 2);
}

#[test]
fn a_byte_order_mark_does_not_spoil_a_checksum() {
    let text = format!("\u{feff}{}\n", line(1));
    let (_, mut reader) = open(text.as_bytes(), Ending::Closed);
    let Some(Item::Record(record)) = reader.next_item().unwrap() else {
        panic!("no record")
    };
    assert_eq!((record.integrity, record.offset), (Integrity::Verified, 3));
}

#[test]
fn the_last_line_without_newline_is_read_where_closed_and_waited_for_where_live() {
    let text = format!("{}\n{}", line(1), line(2));
    assert_eq!(numbers(&read(text.as_bytes())), [1, 2]);
    let (file, mut reader) = open(text.as_bytes(), Ending::Live);
    assert_eq!(numbers(&read_all(&mut reader)), [1]);
    assert_eq!(reader.offset(), line(1).len() as u64 + 1);
    file.append(b"\n");
    assert_eq!(numbers(&read_all(&mut reader)), [2]);
}

#[test]
fn a_torn_last_line_is_reported_where_closed_and_waited_for_where_live() {
    let text = format!("{}\n{{\"mess", line(1));
    let damage = (Some(2), line(1).len() as u64 + 1, 6, Reason::Torn);
    assert_eq!(read(text.as_bytes()), [Ok((1, line(1))), Err(damage)]);
    let (_, mut reader) = open(text.as_bytes(), Ending::Live);
    assert_eq!(read_all(&mut reader), [Ok((1, line(1)))]);
    reader.set_ending(Ending::Closed);
    assert_eq!(read_all(&mut reader), [Err(damage)]);
}

#[test]
fn a_line_whose_beginning_was_taken_back_is_not_mixed_with_the_next_one() {
    let good = format!("{}\n", line(1));
    let (file, mut reader) = open(good.as_bytes(), Ending::Live);
    file.append(b"{\"message_num\":2,\"text\":\"of the group that found no room");
    assert_eq!(numbers(&read_all(&mut reader)), [1]);
    file.truncate(good.len());
    file.append(format!("{}\n", line(2)).as_bytes());
    assert_eq!(read_all(&mut reader), [Ok((2, line(2)))]);
}

#[test]
fn a_too_long_line_is_damage_that_is_not_held_in_memory() {
    const LIMIT: usize = 1000;
    for length in [LIMIT + 1, 5 << 20] {
        let mut file = format!("{}\n", line(1)).into_bytes();
        let offset = file.len() as u64;
        file.resize(file.len() + length, b'x');
        file.extend_from_slice(format!("\n{}\n", line(3)).as_bytes());
        let (_, mut reader) = open(&file, Ending::Closed);
        reader.set_max_line(LIMIT);
        let damage = (Some(2), offset, length as u64, Reason::TooLong);
        assert_eq!(
            read_all(&mut reader),
            [Ok((1, line(1))), Err(damage), Ok((3, line(3)))]
        );
        assert!(
            reader.lines.buffer_len() <= CHUNK,
            "{}",
            reader.lines.buffer_len()
        );
    }
}

#[test]
fn a_line_as_long_as_the_limit_is_read() {
    let (_, mut reader) = open(format!("{}\n", line(1)).as_bytes(), Ending::Closed);
    reader.set_max_line(line(1).len());
    assert_eq!(numbers(&read_all(&mut reader)), [1]);
}

#[test]
fn a_too_long_line_is_waited_for_where_live_and_keeps_its_line_and_numbering() {
    let start = [format!("{}\n", line(5)).into_bytes(), vec![b'x'; 2 << 20]].concat();
    let (file, mut reader) = open(&start, Ending::Live);
    reader.set_max_line(100);
    assert_eq!(numbers(&read_all(&mut reader)), [5]);
    assert!(read_all(&mut reader).is_empty());
    let offset = line(5).len() as u64 + 1;
    assert_eq!(reader.offset(), offset);
    file.append(b"\n{\"a\":1}\n");
    let damage = (Some(2), offset, 2 << 20, Reason::TooLong);
    assert_eq!(
        read_all(&mut reader),
        [Err(damage), Ok((6, "{\"a\":1}".to_owned()))]
    );
}

#[test]
fn reading_stops_at_the_limit_and_goes_on_when_it_is_raised() {
    let text = format!("{}\n{}\n", line(1), line(2));
    let (_, mut reader) = open(text.as_bytes(), Ending::Live);
    reader.set_limit(line(1).len() as u64 + 1);
    assert_eq!(numbers(&read_all(&mut reader)), [1]);
    reader.set_limit(text.len() as u64);
    assert_eq!(numbers(&read_all(&mut reader)), [2]);
}

#[test]
fn a_limit_keeps_what_is_behind_it_out_of_the_buffer() {
    let text = format!("{}\n{}\n{}\n", line(1), line(2), line(3));
    let (one, two) = (line(1).len() as u64 + 1, 2 * (line(1).len() as u64 + 1));
    let file = Arc::new(MemFile::new(text.as_bytes()));
    let mut reader = Reader::of(file.opened(), two);
    reader.seek_number(2).unwrap();
    assert_eq!(numbers(&read_all(&mut reader)), [2]);
    assert_eq!(file.bytes_read(), two, "nothing behind it was looked at");
    // Set later, it takes back what was read ahead, also parts of a line.
    let (_, mut reader) = open(text.as_bytes(), Ending::Live);
    assert!(reader.is_ready().unwrap());
    reader.set_limit(one);
    assert_eq!(numbers(&read_all(&mut reader)), [1]);
    let (_, mut reader) = open(text.as_bytes(), Ending::Live);
    assert!(reader.is_ready().unwrap());
    reader.set_limit(0);
    assert!(read_all(&mut reader).is_empty());
    assert_eq!(reader.offset(), 0);
    reader.set_limit(two);
    assert_eq!(numbers(&read_all(&mut reader)), [1, 2]);
}

#[test]
fn seeking_goes_to_a_line_and_carries_the_numbering() {
    let text = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n";
    let (_, mut reader) = open(text.as_bytes(), Ending::Closed);
    reader.seek(8, Some(1));
    assert_eq!(numbers(&read_all(&mut reader)), [2, 3]);
    reader.seek(0, None);
    assert_eq!(numbers(&read_all(&mut reader)), [1, 2, 3]);
    for (offset, begins) in [(0, 0), (1, 8), (8, 8), (9, 16), (23, 24)] {
        reader.seek_line_from(offset).unwrap();
        assert_eq!(reader.offset(), begins, "from {offset}");
    }
}

#[test]
fn lines_of_an_older_recorder_are_numbered_by_counting() {
    let old = "{\"Id\": \"x\", \"Message\": \"{}\"}";
    let text = format!("{old}\n{old}\n{}\n{old}\n", line(3));
    assert_eq!(numbers(&read(text.as_bytes())), [1, 2, 3, 4]);
}

#[test]
fn an_altered_line_is_read_and_says_so() {
    let edited = line(2).replace("\"a\":1", "\"a\":7");
    let text = format!("{}\n{edited}\n{}\n", line(1), line(3));
    let (_, reader) = open(text.as_bytes(), Ending::Closed);
    let found: Vec<(u64, Integrity)> = reader
        .map(|line| line.map(|line| (line.number, line.integrity)).unwrap())
        .collect();
    let (verified, altered) = (Integrity::Verified, Integrity::Altered);
    assert_eq!(found, [(1, verified), (2, altered), (3, verified)]);
}

#[test]
fn the_first_number_of_a_file_is_not_taken_from_an_altered_line() {
    let altered = line(11).replace(":11,", ":9001,");
    let text = format!("{altered}\n{}\n", line(12));
    let (_, mut reader) = open(text.as_bytes(), Ending::Closed);
    assert_eq!(reader.first_number().unwrap(), Some(11));
    let (_, mut reader) = open(b"garbage\n", Ending::Closed);
    assert_eq!(reader.first_number().unwrap(), None);
}

#[test]
fn a_failed_read_may_be_repeated_even_inside_a_too_long_line() {
    let mut text = format!("{}\n", line(1)).into_bytes();
    let offset = text.len() as u64;
    text.resize(text.len() + (1 << 20), b'x');
    text.extend_from_slice(b"{\"a\":1}\n");
    text.extend_from_slice(format!("{}\n", line(2)).as_bytes());
    let damage = (Some(2), offset, (1 << 20) + 7, Reason::TooLong);
    let expected = [Ok((1, line(1))), Err(damage), Ok((2, line(2)))];
    let mut reads = 0;
    for fail_at in 0.. {
        let (file, mut reader) = open(&text, Ending::Closed);
        reader.set_max_line(1000);
        file.fail_read(fail_at);
        let mut seen = Vec::new();
        let mut failed = 0;
        loop {
            match reader.next_item() {
                Ok(None) => break,
                Ok(Some(Item::Record(record))) => {
                    seen.push(Ok((
                        record.number,
                        String::from_utf8_lossy(record.line).into(),
                    )));
                }
                Ok(Some(Item::Damage(damage))) => {
                    seen.push(Err((
                        damage.line,
                        damage.offset,
                        damage.length,
                        damage.reason,
                    )));
                }
                Err(_) => failed += 1,
            }
        }
        assert_eq!(seen, expected);
        reads = fail_at;
        if failed == 0 {
            break;
        }
    }
    assert!(reads > 3, "only {reads} reads");
}

#[test]
fn the_iterator_ends_at_a_failed_read_and_goes_on_behind_damage() {
    let text = format!("x\n{}\n", line(1));
    let (file, reader) = open(text.as_bytes(), Ending::Closed);
    let kinds: Vec<bool> = reader.map(|line| line.is_ok()).collect();
    assert_eq!(kinds, [false, true]);
    let mut reader = Reader::new(file.opened(), Ending::Closed);
    file.fail_read(0);
    assert!(matches!(reader.next(), Some(Err(Problem::Io(_)))));
    assert!(reader.next().is_none());
}
