//! Any bytes as a line.

use message::{DecodeError, Frames, Record};

use crate::whole::{is_json, is_object};

/// Reads bytes as a line of whatever origin.
///
/// # Panics
/// Where an object is refused, something else is taken for one, or the frames
/// of a line do not survive being recorded.
pub fn line(data: &[u8]) {
    let mut decoded = Frames::from_iter(["old"]);
    let outcome = message::decode_frames(data, &mut decoded);
    assert!(outcome.is_ok() || decoded.is_empty());
    let parsed = Record::parse(data);
    let (json, object) = (is_json(data), is_object(data));
    let record = match parsed {
        Ok(record) => record,
        Err(error) => {
            assert!(!object, "refused: {}", data.escape_ascii());
            let is_value = error == DecodeError::NotObject;
            assert!(is_value || !json);
            assert!(json || !is_value || has_non_finite(data));
            assert_eq!(outcome, Err(error));
            return;
        }
    };
    // `NaN` and infinities are taken, too.
    assert!(object || has_non_finite(data));
    assert!(
        is_json(record.content.as_bytes()),
        "content of {}",
        data.escape_ascii()
    );
    let rebuilt = record.frames();
    assert_eq!(rebuilt.clone().map(drop), outcome);
    let Ok(rebuilt) = rebuilt else { return };
    assert_eq!(rebuilt, decoded);

    let frames: Vec<&[u8]> = rebuilt.iter().collect();
    let mut body = Vec::new();
    message::encode(&frames, "2025-11-20T04:30:00.123Z", &mut body);
    message::decode_frames(&body, &mut decoded).expect("our own line decodes");
    assert_eq!(decoded, rebuilt);
}

/// Tells whether bytes may hold `NaN` or an infinity, as Python writes them.
fn has_non_finite(data: &[u8]) -> bool {
    data.windows(2).any(|pair| matches!(pair, b"Na" | b"In"))
}
