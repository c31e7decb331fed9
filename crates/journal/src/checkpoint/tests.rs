use std::path::Path;

use super::*;
use crate::options::Options;
use crate::recovery::Recovery;
use crate::support::SimFs;
use crate::writer::Writer;

const DIR: &str = "/disk/logs";

fn layout() -> Layout {
    Layout::new(Path::new(DIR))
}

fn open(fs: &SimFs) -> (Writer, Recovery) {
    let options = Options {
        fs: std::sync::Arc::new(fs.clone()),
        checkpoint_every: 500,
        ..Options::default()
    };
    Writer::open(DIR, options).unwrap()
}

/// Commits `count` records of some 60 bytes, one by one.
fn commit(writer: &mut Writer, count: u64) {
    for _ in 0..count {
        let mut group = writer.group();
        group.push(&serde_json::json!({"text": "hello"})).unwrap();
        writer.commit(&[&group]).unwrap();
    }
}

/// A journal with 100 records, and its checkpoint.
fn written() -> (SimFs, Checkpoint) {
    let fs = SimFs::new();
    let (mut writer, _) = open(&fs);
    commit(&mut writer, 100);
    drop(writer);
    let checkpoint = Checkpoint::read(&fs, &layout()).unwrap();
    (fs, checkpoint)
}

#[test]
fn opening_goes_on_from_the_checkpoint_and_finds_the_same() {
    let (fs, checkpoint) = written();
    assert!(checkpoint.records > 80, "{checkpoint:?}");
    let (_, quick) = open(&fs);
    assert_eq!(quick.from, checkpoint.offset);
    fs.remove_file(&layout().checkpoint()).unwrap();
    let (_, slow) = open(&fs);
    assert_eq!(slow.from, 0);
    let numbers = |found: &Recovery| (found.bytes, found.records, found.first, found.next);
    assert_eq!(numbers(&quick), numbers(&slow));
    assert_eq!(numbers(&quick), (quick.bytes, 100, 1, 101));
}

#[test]
fn findings_are_reported_at_every_start() {
    let (fs, _) = written();
    let path = layout().current();
    let mut bytes = fs.bytes(&path);
    let altered = bytes.iter().position(|&byte| byte == b'h').unwrap();
    bytes[altered] = b'j';
    bytes.extend_from_slice(b"{\"message_num\":101,\"te");
    fs.put(&path, &bytes);
    fs.remove_file(&layout().checkpoint()).unwrap();
    let (mut writer, slow) = open(&fs);
    commit(&mut writer, 20);
    drop(writer);
    let (_, quick) = open(&fs);
    assert!(quick.from > slow.bytes, "{quick:?}");
    assert_eq!((quick.damaged, quick.altered), (1, 1));
    assert_eq!(quick.damage, slow.damage);
    assert_eq!(quick.altered_at, slow.altered_at);
}

#[test]
fn a_checkpoint_of_other_bytes_is_not_believed() {
    let (fs, checkpoint) = written();
    let path = layout().current();
    let bytes = fs.bytes(&path);
    let end = usize::try_from(checkpoint.offset).unwrap();
    let mut other_tail = bytes.clone();
    other_tail[end - 20] ^= 1;
    let mut other_head = bytes.clone();
    other_head[0] ^= 1;
    let shifted = [b"\n", &bytes[..]].concat();
    for other in [other_tail, other_head, bytes[..end - 1].to_vec(), shifted] {
        fs.put(&path, &other);
        assert_eq!(Checkpoint::read(&fs, &layout()), None);
    }
    fs.put(&path, &bytes);
    assert_eq!(Checkpoint::read(&fs, &layout()), Some(checkpoint));
}

#[test]
fn a_checkpoint_that_is_damaged_is_not_believed() {
    let (fs, checkpoint) = written();
    let path = layout().checkpoint();
    let bytes = fs.bytes(&path);
    for end in 0..bytes.len() {
        fs.put(&path, &bytes[..end]);
        assert_eq!(Checkpoint::read(&fs, &layout()), None, "cut at {end}");
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 2;
        fs.put(&path, &flipped);
        let read = Checkpoint::read(&fs, &layout());
        // A letter of the checksum in the other case is the same checksum.
        assert!(read.is_none() || read.as_ref() == Some(&checkpoint), "{at}");
    }
}

#[test]
fn a_session_that_others_write_to_gets_no_checkpoint() {
    let (fs, before) = written();
    let (mut writer, _) = open(&fs);
    let mut other = fs.open_append(&layout().current()).unwrap();
    let line = [std::io::IoSlice::new(b"what is this\n")];
    other.append(&line).unwrap();
    commit(&mut writer, 30);
    assert_eq!(Checkpoint::read(&fs, &layout()), Some(before));
    drop(writer);
    let (_, found) = open(&fs);
    assert_eq!((found.records, found.damaged), (130, 1));
}

#[test]
fn a_file_that_somebody_put_in_the_place_of_ours_gets_no_checkpoint() {
    let (fs, before) = written();
    let (mut writer, _) = open(&fs);
    let path = layout().current();
    let mut bytes = fs.bytes(&path);
    bytes.extend_from_slice(b"what is this\n");
    fs.put(&path, &bytes);
    commit(&mut writer, 30);
    assert_eq!(Checkpoint::read(&fs, &layout()), Some(before));
    drop(writer);
    let (_, found) = open(&fs);
    assert_eq!((found.records, found.damaged), (130, 1));
}

#[test]
fn the_next_session_begins_anew() {
    let (fs, _) = written();
    let (mut writer, _) = open(&fs);
    writer.archive(None).unwrap();
    assert_eq!(
        Checkpoint::read(&fs, &layout()),
        None,
        "it is of the last one"
    );
    commit(&mut writer, 30);
    drop(writer);
    let (_, found) = open(&fs);
    assert!(found.from > 0);
    assert_eq!((found.records, found.first, found.next), (30, 101, 131));
}
