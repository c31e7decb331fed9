use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::record::Ending;
use crate::testing::{MemFile, Part, any_part, file_of, sealed};

/// Offsets and numbers of what a reader still has.
fn rest(reader: &mut Reader) -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        if let Item::Record(record) = item {
            all.push((record.offset, record.number));
        }
    }
    all
}

fn open(bytes: &[u8]) -> (Arc<MemFile>, Reader) {
    let file = Arc::new(MemFile::new(bytes));
    let reader = Reader::new(file.opened(), Ending::Closed);
    (file, reader)
}

/// What is looked for lies between the two places, however close they are to be.
fn brackets_what_a_scan_finds(bytes: &[u8], target: u64) {
    let all = rest(&mut open(bytes).1);
    for near in [1, 1 << 10, 1 << 20] {
        let (_, mut reader) = open(bytes);
        let is_before = &mut |record: &Record<'_>| Some(record.number < target);
        let found = reader.bracket(near, is_before).unwrap();
        for (offset, number) in &all {
            let before = *offset < found.start;
            assert!(
                !before || *number < target,
                "{number} lies before {found:?}"
            );
            let behind = *offset >= found.end;
            assert!(
                !behind || *number >= target,
                "{number} lies behind {found:?}"
            );
        }
        reader.seek(found.start, Some(found.last));
        let from: Vec<_> = all
            .iter()
            .filter(|(at, _)| *at >= found.start)
            .copied()
            .collect();
        assert_eq!(rest(&mut reader), from, "the numbers go on");
    }
}

fn finds_what_a_scan_finds(bytes: &[u8], target: u64) {
    let all = rest(&mut open(bytes).1);
    let expected = all.iter().position(|(_, number)| *number >= target);
    let expected = &all[expected.unwrap_or(all.len())..];
    let (_, mut reader) = open(bytes);
    reader.seek_number(target).unwrap();
    assert_eq!(rest(&mut reader), expected, "target {target}");
}

/// Many of a part, so that files are larger than what is read at once.
fn stretch() -> impl Strategy<Value = Vec<Part>> {
    (any_part(), 1..200usize).prop_filter_map("numbers must grow", |(part, count)| match part {
        Part::Again(_) | Part::Numbered(_) => None,
        Part::Altered { .. } => Some(vec![Part::Altered { number_too: false }; count]),
        Part::Long(_) => Some(vec![part]),
        part => Some(vec![part; count]),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn locate_finds_what_a_scan_finds(
        stretches in prop::collection::vec(stretch(), 1..10),
        place in 0.0..1.1f64,
    ) {
        let bytes = file_of(&stretches.concat());
        let last = rest(&mut open(&bytes).1).last().map_or(0, |(_, number)| *number);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let target = (place * last as f64) as u64;
        finds_what_a_scan_finds(&bytes, target);
        brackets_what_a_scan_finds(&bytes, target);
        finds_what_a_scan_finds(&bytes, last);
        finds_what_a_scan_finds(&bytes, last + 1);
    }
}

#[test]
fn a_large_file_with_unnumbered_and_damaged_stretches_is_searched() {
    let parts: Vec<Part> = [
        vec![Part::Legacy(20); 200],
        vec![Part::Good(20); 100],
        vec![Part::Garbage(vec![b'x'; 50]); 3000],
        vec![Part::Altered { number_too: false }; 2000],
        vec![Part::Good(20); 100],
    ]
    .concat();
    let bytes = file_of(&parts);
    assert!(bytes.len() > 256 << 10);
    for target in (0..10_100).step_by(97) {
        finds_what_a_scan_finds(&bytes, target);
    }
}

#[test]
fn little_of_a_well_kept_file_is_read() {
    let bytes = file_of(&vec![Part::Good(19); 20_000]);
    assert!(bytes.len() > 20 << 20);
    for target in [1, 2, 77_777, 199_999, 379_999, 380_000, 380_001] {
        let (file, mut reader) = open(&bytes);
        reader.seek_number(target).unwrap();
        assert_eq!(
            rest_first(&mut reader),
            Some(target).filter(|target| *target <= 380_000)
        );
        assert!(file.bytes_read() < 6 << 20, "{} bytes", file.bytes_read());
    }
}

/// A whole line, its newline included.
fn line(number: u64, members: &str) -> Vec<u8> {
    let mut line = sealed(number, members);
    line.push(b'\n');
    line
}

#[test]
fn records_longer_than_the_search_for_one_are_halved_as_well() {
    let text = "x".repeat(2 * usize::try_from(FARTHEST).unwrap());
    let bytes: Vec<u8> = (1..=300)
        .flat_map(|number| line(number, &format!(",\"text\":\"{text}\"")))
        .collect();
    let (file, mut reader) = open(&bytes);
    reader.seek_number(299).unwrap();
    assert_eq!(rest_first(&mut reader), Some(299));
    let read = file.bytes_read();
    assert!(read < bytes.len() as u64 / 2, "{read} of {}", bytes.len());
}

#[test]
fn places_may_be_asked_for_as_close_as_can_be() {
    let bytes: Vec<u8> = (1..=9)
        .flat_map(|number| line(number, ",\"a\":1"))
        .collect();
    let (_, mut reader) = open(&bytes);
    let found = reader
        .bracket(0, &mut |record| Some(record.number < 5))
        .unwrap();
    let length = bytes.len() as u64 / 9;
    let expected = Bracket {
        start: 3 * length,
        last: 3,
        end: 4 * length,
    };
    assert_eq!(found, expected);
}

fn rest_first(reader: &mut Reader) -> Option<u64> {
    match reader.next_item().unwrap() {
        Some(Item::Record(record)) => Some(record.number),
        _ => None,
    }
}

#[test]
fn damage_right_behind_the_record_before_the_target_is_still_to_come() {
    let bytes = file_of(&[Part::Good(2), Part::Garbage(b"x".to_vec()), Part::Good(2)]);
    let (_, mut reader) = open(&bytes);
    reader.seek_number(3).unwrap();
    assert!(matches!(reader.next_item().unwrap(), Some(Item::Damage(_))));
    assert_eq!(rest_first(&mut reader), Some(3));
}
