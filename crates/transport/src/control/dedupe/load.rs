//! Which of the newest messages were acknowledged, read back from the journal.

use std::path::Path;

use journal::ReadError;
use message::Record;

use super::super::newest::newest_first;
use super::{Entry, Key, Keys, Known};

/// Only such records are looked at closely.
const MARK: &[u8] = br#","acked":true,"#;
/// How far from the line's end the mark is at most.
const END: usize = 128;

/// Reads the records numbered from `oldest` up to, but not including, `next`,
/// newest first: what is older than the window is not touched.
pub(in crate::control) fn load(
    dir: &Path,
    oldest: u64,
    next: u64,
    keys: &Keys,
) -> Result<Known, ReadError> {
    let mut found = Vec::new();
    newest_first(dir, oldest, next, |number, line| {
        found.extend(acknowledged(number, line, keys));
    })?;
    found.reverse();
    Ok(found)
}

fn acknowledged(number: u64, line: &[u8], keys: &Keys) -> Option<(Key, Entry)> {
    let end = line.get(line.len().saturating_sub(END)..)?;
    if !end.windows(MARK.len()).any(|part| part == MARK) {
        return None;
    }
    let record = Record::parse(line).ok().filter(|record| record.acked)?;
    let (sender, id) = record.identity()?;
    // A record whose frames are damaged is no proof that they were recorded.
    let frames = record.frames().ok()?;
    let digest = keys.digest(&frames);
    Some((keys.key(&sender, &id), Entry { number, digest }))
}

#[cfg(test)]
mod tests {
    use journal::Options;
    use journal::raw::Writer;

    use super::*;

    fn payload(id: &str) -> String {
        format!(r#"{{"sender":"a","message_id":"{id}"}}"#)
    }

    fn record(writer: &mut Writer, acked: bool, id: &str) {
        let payload = payload(id);
        let frames = ["t", &payload];
        let mut group = writer.group();
        let pushed = group.push_with(|out| {
            if acked {
                message::encode_acked(&frames, "2025-11-20T04:30:00.123Z", out);
            } else {
                message::encode(&frames, "2025-11-20T04:30:00.123Z", out);
            }
        });
        pushed.unwrap();
        writer.commit(&[&group]).unwrap();
    }

    #[test]
    fn acknowledged_messages_of_all_sessions_are_found_and_no_others() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, _) = Writer::open(dir.path(), Options::default()).unwrap();
        let keys = Keys::default();
        for (number, acked) in [true, false, true, true, false, true]
            .into_iter()
            .enumerate()
        {
            record(&mut writer, acked, &(number + 1).to_string());
            if number % 2 == 1 {
                writer.archive(None).unwrap();
            }
        }
        let expect = |numbers: &[u64]| -> Known {
            let entry = |&number: &u64| {
                let id = number.to_string();
                let digest = keys.digest(["t".as_bytes(), payload(&id).as_bytes()]);
                (keys.key("a", &id), Entry { number, digest })
            };
            numbers.iter().map(entry).collect()
        };
        let load = |oldest, next| load(dir.path(), oldest, next, &keys).unwrap();
        assert_eq!(load(1, 7), expect(&[1, 3, 4, 6]));
        assert_eq!(load(4, 7), expect(&[4, 6]));
        assert_eq!(load(1, 4), expect(&[1, 3]));
        // A payload that only looks like it.
        record(&mut writer, false, r#"x","acked":true,"y":"z"#);
        assert_eq!(load(7, 8), []);
    }

    #[test]
    fn an_empty_directory_knows_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load(dir.path(), 1, 1, &Keys::default()).unwrap(), []);
    }
}
