use proptest::prelude::*;

use super::*;
use crate::frames::Frames;
use crate::{decode_frames, encode};

/// Rebuilds all frames stretch by stretch.
fn rebuilt(line: &[u8]) -> Frames {
    let outline = outline(line).unwrap().unwrap();
    let frames = outline.frames().map(|frame| {
        let mut bytes = Vec::new();
        for stretch in frame {
            assert!(stretch.range().len() <= LONGEST && stretch.len() > 0);
            let before = bytes.len();
            stretch.rebuild(&line[stretch.range()], &mut bytes).unwrap();
            assert_eq!(bytes.len() - before, stretch.len());
        }
        bytes
    });
    frames.collect()
}

fn line(frames: &[&[u8]]) -> Vec<u8> {
    let mut line = Vec::new();
    encode(frames, "2025-11-20T04:30:00.123Z", &mut line);
    line
}

/// A payload of many times the longest stretch, made of these over and over.
fn long(parts: &[u8]) -> Vec<u8> {
    let mut payload = parts.repeat(3 * LONGEST / parts.len() + 1);
    payload.truncate(3 * LONGEST);
    payload
}

#[test]
fn payloads_of_every_form_come_back_stretch_by_stretch() {
    let object = [
        b"{\"a\": 1, \"content\": \"",
        &long(b"xyz")[..],
        b"\", \"z\": [2]}",
    ]
    .concat();
    for payload in [
        object,
        long(b"text \n \"\\\" \x01 \xf0\x9f\x98\x80"),
        long(b"\\"),
        long(b"\xff\x00binary"),
        long("ü".as_bytes()),
        b"{}".to_vec(),
        Vec::new(),
    ] {
        let frames: [&[u8]; 4] = [b"topic", &payload, b"", &payload];
        let line = line(&frames);
        assert_eq!(rebuilt(&line), Frames::from_iter(frames));
    }
}

#[test]
fn a_pair_of_surrogates_is_not_cut() {
    for shift in 0..24 {
        let text = "x".repeat(shift) + &"\\ud83d\\ude00".repeat(LONGEST / 4);
        let line = format!(
            "{{\"topic\":\"t\",\"content\":\"{text}\",\"content_is\":\"text\",\"recorded_at\":\"now\"}}"
        );
        let mut frames = Frames::new();
        decode_frames(line.as_bytes(), &mut frames).unwrap();
        assert_eq!(rebuilt(line.as_bytes()), frames);
    }
}

#[test]
fn what_does_not_stand_in_the_line_has_no_outline() {
    let legacy = br#"{"SpeakerName":"a","Message":"{}"}"#;
    assert_eq!(outline(legacy), Ok(None));
    let bad = br#"{"topic":"t","content":"!!!!","content_is":"base64","recorded_at":"now"}"#;
    assert!(outline(bad).is_err());
}

#[test]
fn bytes_that_have_changed_are_noticed() {
    let line = line(&[b"t", b"a\nb\nc\n no JSON"]);
    let outline = outline(&line).unwrap().unwrap();
    let stretch = &outline.frames().nth(1).unwrap()[0];
    let other = vec![b'x'; stretch.range().len()];
    assert!(stretch.rebuild(&other, &mut Vec::new()).is_err());
}

proptest! {
    #[test]
    fn any_frames_come_back(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..5)) {
        let frames: Vec<&[u8]> = frames.iter().map(|frame| &frame[..]).collect();
        prop_assert_eq!(rebuilt(&line(&frames)), Frames::from_iter(&frames));
    }
}
