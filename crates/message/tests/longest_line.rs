//! How long does a line get at most? Whoever limits lines relies on it.
#![allow(clippy::unwrap_used, reason = "a test")]

use message::longest_line;
use proptest::prelude::*;

/// What the journal puts around a body: number, checksum, newline.
const AROUND: u64 = 14 + 20 + 1 + 18 + 1;

fn line_of(frames: &[Vec<u8>]) -> u64 {
    let mut body = Vec::new();
    let arrival = message::Arrival {
        acked: true,
        key_name: Some(&"\u{1}".repeat(message::LONGEST_KEY_NAME)),
        provenance: Some(message::Provenance {
            journal: &"\u{1}".repeat(message::LONGEST_JOURNAL),
            name: &"\u{1}".repeat(message::LONGEST_ORIGIN_NAME),
            message_num: u64::MAX,
        }),
        ..message::Arrival::at("2025-11-20T04:30:00.123Z")
    };
    message::encode_arrival(frames, arrival, &mut body);
    // A nested object may have to be told from the start of a record.
    let spaces = memchr_count(&body, b"{\"message_num\":");
    body.len() as u64 + spaces + AROUND
}

fn memchr_count(body: &[u8], part: &[u8]) -> u64 {
    body.windows(part.len())
        .filter(|found| *found == part)
        .count() as u64
}

fn longest_of(frames: &[Vec<u8>]) -> u64 {
    let bytes: usize = frames.iter().map(Vec::len).sum();
    longest_line(bytes as u64, frames.len() as u64)
}

#[test]
fn a_frame_of_control_characters_that_is_no_text_takes_almost_all_of_it() {
    let mut frame = vec![1; 30_000];
    frame.push(0xff);
    let frames = [frame];
    let (line, longest) = (line_of(&frames), longest_of(&frames));
    assert!(line > 30_000 * 26 / 3, "{line}");
    assert!(
        line <= longest && longest < line + 2_000,
        "{line} {longest}"
    );
}

#[test]
fn many_short_frames_that_are_no_text_are_within_it() {
    let frames = vec![vec![0xff]; 10_000];
    let (line, longest) = (line_of(&frames), longest_of(&frames));
    assert!(line > 10_000 * 18, "{line}");
    assert!(line <= longest, "{line} {longest}");
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(b"\x01".to_vec()),
        Just(b"\xff".to_vec()),
        Just(b"\"\\\n".to_vec()),
        Just(b"{\"message_num\":1}".to_vec()),
        Just("\u{20ac}".as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    let run = (part, 0..60_usize).prop_map(|(part, times)| part.repeat(times));
    let loose = prop::collection::vec(run, 0..4).prop_map(|runs| runs.concat());
    let json = ("[a-z\n\t ]{0,60}", any::<bool>()).prop_map(|(text, is_finite)| {
        let text = serde_json::to_string(&text).unwrap();
        let number = if is_finite { "1" } else { "NaN" };
        format!(
            "{{\"sender\":{text},\n\"id\":{text},\r\"timestamp\":{text},\"tier\":{text},\
             \"chain_type\":{text},\t\"shl_tags\":[{text},\n\n\n\n\n\n],\"content\":[{number},\n{text}]}}"
        )
        .into_bytes()
    });
    prop_oneof![3 => loose, 1 => json]
}

proptest! {
    #[test]
    fn no_line_is_longer(frames in prop::collection::vec(any_frame(), 1..6)) {
        prop_assert!(line_of(&frames) <= longest_of(&frames));
    }

    #[test]
    fn no_line_of_many_short_frames_is_longer(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3), 1..200),
    ) {
        prop_assert!(line_of(&frames) <= longest_of(&frames));
    }
}
