use std::fs;
use std::io::Write;
use std::path::Path;

use super::*;
use crate::select::Summary;
use crate::testing::recorded;

#[derive(Default)]
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

fn lines(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let lines = numbers
        .into_iter()
        .map(|number| recorded(number, "t", "{}"));
    lines.flatten().collect()
}

/// Does one thing after the other each time that nothing new is left, and returns
/// which messages were shown, and what was said.
fn followed(path: &Path, steps: &mut [&mut dyn FnMut()]) -> (Vec<u64>, Vec<String>) {
    let (mut sink, mut notes) = (Numbers::default(), Vec::new());
    let what = FollowFiles {
        paths: &[path.to_owned()],
        filter: &Filter::default(),
        limit: None,
    };
    let mut steps = steps.iter_mut();
    let mut quiet = 0;
    follow_files(what, &mut sink, &mut |findings| {
        quiet = if findings.is_empty() { quiet + 1 } else { 0 };
        notes.extend(findings.notes);
        if quiet < 3 {
            return Ok(ControlFlow::Continue(()));
        }
        quiet = 0;
        Ok(match steps.next() {
            Some(step) => {
                step();
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        })
    })
    .unwrap();
    (sink.0, notes)
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn lines_are_shown_as_they_come() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.jsonl");
    fs::write(&path, lines(1..=2)).unwrap();
    let three = lines([3]);
    let (first, second) = three.split_at(40);
    let steps: &mut [&mut dyn FnMut()] = &mut [
        &mut || append(&path, first),
        &mut || append(&path, second),
        &mut || append(&path, &lines(4..=5)),
    ];
    assert_eq!(followed(&path, steps), (vec![1, 2, 3, 4, 5], vec![]));
}

#[test]
fn a_file_replaced_by_rename_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.jsonl");
    let other = dir.path().join("other");
    fs::write(&path, lines(1..=3)).unwrap();
    let steps: &mut [&mut dyn FnMut()] = &mut [
        &mut || {
            fs::write(&other, lines(4..=5)).unwrap();
            fs::rename(&other, &path).unwrap();
        },
        &mut || append(&path, &lines([6])),
    ];
    let (numbers, notes) = followed(&path, steps);
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("was replaced"), "{notes:?}");
}

#[test]
fn a_file_that_was_cut_off_is_read_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.jsonl");
    fs::write(&path, lines(1..=3)).unwrap();
    let steps: &mut [&mut dyn FnMut()] =
        &mut [&mut || fs::write(&path, lines([1])).unwrap(), &mut || {
            append(&path, &lines([2]));
        }];
    let (numbers, notes) = followed(&path, steps);
    assert_eq!(numbers, [1, 2, 3, 1, 2]);
    assert!(notes[0].contains("was cut off"), "{notes:?}");
}

#[test]
fn numbers_that_begin_again_are_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.jsonl");
    fs::write(&path, lines(1..=3)).unwrap();
    let steps: &mut [&mut dyn FnMut()] = &mut [&mut || append(&path, &lines([1, 2]))];
    let (numbers, notes) = followed(&path, steps);
    assert_eq!(numbers, [1, 2, 3, 1, 2]);
    assert!(
        notes[0].contains("begin again: #1 stands behind #3"),
        "{notes:?}"
    );
}

#[test]
fn lines_of_text_are_followed_and_told_from_json() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.log");
    fs::write(&path, "2025-11-20 12:00:00 INFO one\nhalf a").unwrap();
    let message = b"[pod] {\"sender\":\"a\",\"content\":\"x\"}\n\n[x] y\n";
    let steps: &mut [&mut dyn FnMut()] = &mut [&mut || append(&path, b" line\n"), &mut || {
        append(&path, message);
    }];
    assert_eq!(followed(&path, steps), (vec![1, 2, 3, 4], vec![]));
}

#[test]
fn a_file_that_begins_as_text_later_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.log");
    fs::write(&path, "").unwrap();
    let steps: &mut [&mut dyn FnMut()] = &mut [&mut || append(&path, b"one\ntwo\n")];
    assert_eq!(followed(&path, steps), (vec![1, 2], vec![]));
}

#[test]
fn a_file_that_is_longer_than_before_when_it_is_written_anew_is_read_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.jsonl");
    fs::write(&path, lines([9])).unwrap();
    let steps: &mut [&mut dyn FnMut()] =
        &mut [&mut || fs::write(&path, lines(1..=3)).unwrap(), &mut || {
            append(&path, &lines([4]));
        }];
    let (numbers, notes) = followed(&path, steps);
    assert_eq!(numbers, [9, 1, 2, 3, 4]);
    assert!(notes[0].contains("was written anew"), "{notes:?}");
}

#[test]
fn what_cannot_be_followed_is_shown_and_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f.json");
    fs::write(&path, "{\n \"sender\": \"a\",\n \"content\": 1\n}\n").unwrap();
    let (numbers, notes) = followed(&path, &mut []);
    assert_eq!(numbers, [1]);
    assert!(notes[0].contains("can't be followed"), "{notes:?}");
}
