//! A journal with mixed records is damaged at every byte and in every way.
//!
//! After each: it opens, every undamaged record is read, no damaged one passes
//! for intact, nothing on disk is destroyed, the damage is reported with its
//! place, and the next record is readable and has a number of its own.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod support;

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::raw::{self, Group, Writer};
use journal::{Integrity, Item, Options, Reader};
use support::{Dice, ROOT, SimFs};

const OLD: &str = "{\"Id\": \"m1\", \"Timestamp\": \"2025-11-30T09:35:11.678846\", \"SpeakerName\": \
    \"gemini_cli\", \"Message\": \"{\\\"message\\\": \\\"Hello\\\"}\", \"Metadata\": {\"topic\": \"general\"}}";

fn dir() -> PathBuf {
    Path::new(ROOT).join("logs")
}

fn record(number: u64, text: &str) -> String {
    let mut group = Group::new(number, 1 << 20);
    group
        .push(&serde_json::json!({"topic": "a", "content": {"text": text}}))
        .unwrap();
    String::from_utf8(group.bytes().to_vec()).unwrap()
}

/// Lines with their newlines: two of the older recorder and then ours.
fn lines(long: usize) -> Vec<String> {
    let mut lines = vec![format!("{OLD}\n"), format!("{OLD}\n").replace("m1", "m2")];
    for (i, text) in ["", "some words", "J*{\"a\":1}\n\"}", "\u{e9}\u{1f600}"]
        .iter()
        .enumerate()
    {
        lines.push(record(3 + i as u64, text));
    }
    lines.push(record(7, &"long ".repeat(long / 5)));
    lines.push(record(8, "last"));
    lines
}

fn ours(line: &str) -> bool {
    line.starts_with("{\"message_num\":")
}

/// What was expected to be hurt in a damaged file.
struct Case<'a> {
    name: String,
    bytes: Vec<u8>,
    /// Lines of ours that must be read as they were.
    intact: Vec<&'a str>,
    /// Whether there must be a report or an altered record.
    told: bool,
    /// A place that the report must cover.
    place: Option<usize>,
}

/// The lines that `range` of the file does not touch. The newline in front
/// of a line may be hurt where the line is ours, as it can be found without.
fn untouched<'a>(lines: &'a [String], range: &Range<usize>) -> Vec<&'a str> {
    let mut at = 0;
    let mut intact = Vec::new();
    for line in lines {
        let body = at..at + line.len() - 1;
        if ours(line) && (body.end <= range.start || body.start >= range.end) {
            intact.push(line.trim_end());
        }
        at += line.len();
    }
    intact
}

fn options(fs: &SimFs) -> Options {
    Options {
        fs: Arc::new(fs.clone()),
        checkpoint_every: 64,
        ..Options::default()
    }
}

struct Found {
    verified: Vec<(u64, String)>,
    others: Vec<String>,
}

fn read(fs: &SimFs) -> Found {
    let mut found = Found {
        verified: Vec::new(),
        others: Vec::new(),
    };
    let path = journal::current_session(dir());
    let size = fs.bytes(&path).len() as u64;
    let mut reader = Reader::open_in(fs, &path).unwrap();
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Record(record) => {
                let text = String::from_utf8(record.line.to_vec()).unwrap();
                match record.integrity {
                    Integrity::Verified => found.verified.push((record.number, text)),
                    _ => found.others.push(text),
                }
            }
            Item::Damage(damage) => {
                assert_eq!(damage.path, path);
                assert!(damage.line.is_some() && damage.length > 0);
                assert!(damage.offset + damage.length <= size, "{damage}");
            }
        }
    }
    found
}

fn check(case: &Case<'_>, known: &HashSet<&str>) {
    let Case {
        name,
        bytes,
        intact,
        told,
        place,
    } = case;
    let fs = SimFs::new();
    let path = journal::current_session(dir());
    fs.put(&path, bytes);
    let (mut writer, found) = Writer::open(dir(), options(&fs)).unwrap();
    let after = fs.bytes(&path);
    assert!(
        after == *bytes || after == [&bytes[..], b"\n"].concat(),
        "{name}"
    );
    let seen = read(&fs);
    for (_, text) in &seen.verified {
        assert!(
            known.contains(text.as_str()),
            "{name}: taken for intact: {text}"
        );
    }
    let verified: HashSet<&str> = seen
        .verified
        .iter()
        .map(|(_, text)| text.as_str())
        .collect();
    for line in intact {
        assert!(verified.contains(line), "{name}: lost: {line}");
    }
    assert!(!told || !found.is_clean(), "{name}: nothing reported");
    if let Some(place) = place {
        let place = *place as u64;
        let covers = |offset: u64, length: u64| (offset..offset + length).contains(&place);
        let damaged = found
            .damage
            .iter()
            .any(|damage| covers(damage.offset, damage.length));
        let altered = found.altered_at.iter().any(|offset| {
            let from = usize::try_from(*offset).unwrap();
            let length = bytes[from..].iter().position(|byte| *byte == b'\n');
            covers(*offset, length.unwrap_or(bytes.len() - from) as u64)
        });
        assert!(damaged || altered, "{name}: not covered by the report");
    }
    assert_eq!(found.damage.len() as u64, found.damaged.min(100));
    let largest = seen.verified.iter().map(|(number, _)| *number).max();
    assert!(found.next > largest.unwrap_or(0), "{name}: {}", found.next);
    let mut group = writer.group();
    group.push(&serde_json::json!({"new": true})).unwrap();
    let line = String::from_utf8(group.bytes().to_vec()).unwrap();
    writer.commit(&[&group]).unwrap();
    let last = read(&fs).verified.pop().unwrap();
    assert_eq!(last, (found.next, line.trim_end().to_owned()), "{name}");
    assert!(fs.bytes(&path).starts_with(bytes), "{name}");
}

fn run<'a>(what: &str, lines: &'a [String], cases: impl Iterator<Item = Case<'a>>) {
    let known: HashSet<&str> = lines.iter().map(|line| line.trim_end()).collect();
    let mut count = 0;
    for case in cases {
        check(&case, &known);
        count += 1;
    }
    println!("{what}: {count} cases");
    assert!(count > 0);
}

/// Every byte of the short lines, and a sample of the long one's.
fn places(lines: &[String], sample: usize) -> Vec<usize> {
    let mut places = Vec::new();
    let mut at = 0;
    for line in lines {
        for i in 0..line.len() {
            if i < 200 || i + 200 > line.len() || i % sample == 0 {
                places.push(at + i);
            }
        }
        at += line.len();
    }
    places
}

#[test]
fn cut_at_every_byte() {
    let lines = lines(100 << 10);
    let whole = lines.concat();
    run(
        "cut",
        &lines,
        places(&lines, 997).into_iter().map(|at| {
            let line_ends =
                at == 0 || whole.as_bytes()[at - 1] == b'\n' || whole.as_bytes()[at] == b'\n';
            Case {
                name: format!("cut at {at}"),
                bytes: whole.as_bytes()[..at].to_vec(),
                intact: untouched(&lines, &(at..usize::MAX)),
                told: !line_ends,
                place: at.checked_sub(1).filter(|_| !line_ends),
            }
        }),
    );
}

fn flip_bits(lines: &[String], places: Vec<usize>) {
    let whole = lines.concat().into_bytes();
    let old = lines[0].len() + lines[1].len();
    let flips = places
        .into_iter()
        .flat_map(|at| (0..8).map(move |bit| (at, bit)));
    let cases = flips.map(|(at, bit)| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        // A line without checksum can't tell, and white space may change.
        let told = at >= old && !bytes[at].is_ascii_whitespace();
        Case {
            name: format!("bit {bit} of byte {at}"),
            bytes,
            intact: untouched(lines, &(at..at + 1)),
            told,
            place: told.then_some(at),
        }
    });
    run("flip", lines, cases);
}

#[test]
fn every_bit_flipped() {
    let lines = lines(600);
    let all = lines.concat().len();
    flip_bits(&lines, (0..all).collect());
}

#[test]
fn bits_of_a_long_record_flipped() {
    let lines = lines(100 << 10);
    let places = places(&lines, 1 << 20);
    flip_bits(&lines, places.into_iter().step_by(41).collect());
}

#[test]
fn runs_overwritten() {
    let lines = lines(5000);
    let whole = lines.concat().into_bytes();
    let mut dice = Dice(1);
    run(
        "overwrite",
        &lines,
        (0..6000).map(|i| {
            let start = dice.below(whole.len());
            let end = whole
                .len()
                .min(start + 1 + dice.below([8, 64, 512, 4096][i % 4]));
            let mut bytes = whole.clone();
            let with = match i % 3 {
                0 => vec![0; end - start],
                1 => (start..end).map(|_| dice.roll().to_le_bytes()[0]).collect(),
                _ => {
                    let from = dice.below(whole.len() - (end - start) + 1);
                    whole[from..from + end - start].to_vec()
                }
            };
            bytes[start..end].copy_from_slice(&with);
            Case {
                name: format!("{start}..{end} overwritten, way {}", i % 3),
                bytes,
                intact: untouched(&lines, &(start..end)),
                told: false,
                place: None,
            }
        }),
    );
}

#[test]
fn stretches_deleted_doubled_swapped_and_glued() {
    let lines = lines(2000);
    let whole = lines.concat().into_bytes();
    let mut dice = Dice(2);
    run(
        "delete and double",
        &lines,
        (0..6000).map(|i| {
            let start = dice.below(whole.len());
            let end = whole.len().min(start + 1 + dice.below([4, 300][i % 2]));
            let stretch = if i % 4 < 2 {
                Vec::new()
            } else {
                [&whole[start..end], &whole[start..end]].concat()
            };
            Case {
                name: format!("{start}..{end}, way {}", i % 4),
                bytes: [&whole[..start], &stretch, &whole[end..]].concat(),
                intact: untouched(&lines, &(start..end)),
                told: false,
                place: None,
            }
        }),
    );
    let count = lines.len();
    let all = || {
        lines
            .iter()
            .filter(|line| ours(line))
            .map(|line| line.trim_end())
    };
    run(
        "swap and repeat lines",
        &lines,
        (0..count * count * 2).map(|i| {
            let (a, b) = (i % count, i / count % count);
            let mut order: Vec<&str> = lines.iter().map(String::as_str).collect();
            if i < count * count {
                order.swap(a, b);
            } else {
                order.insert(a, order[b]);
            }
            Case {
                name: format!("lines {a} and {b}"),
                bytes: order.concat().into_bytes(),
                intact: all().collect(),
                told: false,
                place: None,
            }
        }),
    );
    run(
        "glue lines",
        &lines,
        (1u32..1 << count).map(|glued| {
            let mut bytes = Vec::new();
            for (i, line) in lines.iter().enumerate() {
                let keep = line.len() - usize::from(glued >> i & 1 == 1);
                bytes.extend_from_slice(&line.as_bytes()[..keep]);
            }
            Case {
                name: format!("newlines {glued:b} removed"),
                bytes,
                intact: all().collect(),
                told: false,
                place: None,
            }
        }),
    );
}

#[test]
fn torn_lines_in_front_of_whole_ones() {
    let lines = lines(300);
    run(
        "torn in front",
        &lines,
        (0..lines.len() - 1)
            .flat_map(|i| (1..lines[i].len() - 1).map(move |keep| (i, keep)))
            .map(|(i, keep)| {
                let before = lines[..i].concat();
                let bytes = [
                    &before,
                    &lines[i][..lines[i].floor_char_boundary(keep)],
                    &lines[i + 1..].concat(),
                ]
                .concat();
                let torn = before.len()..before.len() + lines[i].len();
                Case {
                    name: format!("line {i} torn at {keep}"),
                    bytes: bytes.into_bytes(),
                    intact: untouched(&lines, &torn),
                    told: true,
                    place: None,
                }
            }),
    );
}
