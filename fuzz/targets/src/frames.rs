//! Frames to a line, and back.

use journal::raw::Group;
use message::{Frames, Record};

use crate::whole::{START, is_json, is_sealed};

const NOW: &str = "2025-11-20T04:30:00.123Z";

/// Cuts bytes into the frames of a message: the first byte says where.
pub(crate) fn cut(data: &[u8]) -> Vec<&[u8]> {
    match data.split_first() {
        None => Vec::new(),
        Some((cut, rest)) => rest.split(|byte| byte == cut).collect(),
    }
}

/// Makes a line of frames, as the recorder does, and the frames of the line.
///
/// # Panics
/// Where the line is not one line of JSON, or the frames are not the same.
pub fn frames(data: &[u8]) {
    let frames = cut(data);
    let mut group = Group::new(7, usize::MAX);
    for _ in 0..2 {
        let added = group.push_with(|out| message::encode(&frames, NOW, out));
        added.expect("what is encoded is a record");
    }
    let lines: Vec<&[u8]> = group
        .bytes()
        .split_inclusive(|byte| *byte == b'\n')
        .collect();
    assert_eq!(lines.len(), 2, "{}", group.bytes().escape_ascii());
    for (line, number) in lines.into_iter().zip([7, 8]) {
        check_line(line, number, &frames);
    }
}

fn check_line(line: &[u8], number: u64, frames: &[&[u8]]) {
    let shown = line.escape_ascii();
    let text = line.strip_suffix(b"\n").expect("a line ends");
    assert!(
        !text.iter().any(u8::is_ascii_control) || has_raw_control(frames),
        "{shown}"
    );
    assert!(!text.contains(&b'\r'), "{shown}");
    assert!(is_json(text), "{shown}");
    assert_eq!(
        memchr::memmem::find_iter(text, START).collect::<Vec<_>>(),
        [0],
        "{shown}"
    );
    assert!(is_sealed(text), "{shown}");

    let expected = Frames::from_iter(frames);
    // What was there before must not shine through.
    let mut decoded = Frames::from_iter(["old"]);
    message::decode_frames(line, &mut decoded).expect("our own line decodes");
    assert_eq!(decoded, expected, "{shown}");
    let record = Record::parse(line).expect("our own line parses");
    assert_eq!(record.frames().expect("our own line has frames"), expected);
    assert_eq!(record.message_num, Some(number));
    let topic = frames.first().copied().unwrap_or_default();
    assert_eq!(record.topic, String::from_utf8_lossy(topic));
    assert!(is_json(record.content.as_bytes()), "{shown}");
}

/// Tabs between tokens and DEL in strings are JSON, and may stay.
fn has_raw_control(frames: &[&[u8]]) -> bool {
    frames
        .iter()
        .any(|frame| frame.contains(&b'\t') || frame.contains(&b'\x7f'))
}
