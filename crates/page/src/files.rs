//! Files of other programs, copied to a journal of their own.
//!
//! Several files have one order only by their times, and numbers of their own or none:
//! as a journal they have one number each, and all questions are asked as of any other.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use message::{Arrival, Frames, Record};
use query::{Entry, Error, Filter, Findings, Instant, Order, Sink, Source, Summary};
use serde_json::json;
use serde_json::value::RawValue;
use tempfile::TempDir;

/// Copies the messages of some files; returns the directory of the copy.
pub(crate) fn copy(paths: &[PathBuf]) -> Result<TempDir, Error> {
    let source = Source::files(paths)?;
    let dir = tempfile::tempdir()?;
    let session = File::create(query::current_session(dir.path()))?;
    let mut copy = Copy {
        out: BufWriter::new(session),
        number: 0,
    };
    let (filter, order) = (Filter::default(), Order::default());
    query::show(&source, &filter, order, &mut Findings::default(), &mut copy)?;
    copy.out.flush()?;
    Ok(dir)
}

/// Returns the line of which a message was copied.
pub(crate) fn original(line: &[u8]) -> Option<Vec<u8>> {
    let mut frames = Frames::new();
    message::decode_frames(line, &mut frames).ok()?;
    let mut frames = frames.iter().skip(1);
    let is_copy = frames.next()?.starts_with(MARK.as_bytes());
    let original = frames.next().filter(|_| is_copy)?;
    Some(original.to_vec())
}

/// How the payload of a copy begins.
const MARK: &str = "{\"copied\":true,";

struct Copy {
    out: BufWriter<File>,
    number: u64,
}

impl Sink for Copy {
    fn begin(&mut self, _: &Summary) -> Result<(), Error> {
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        let Ok(record) = entry.record() else {
            return Ok(());
        };
        self.number += 1;
        let time = recorded_at(&record);
        let frames = [
            record.topic.as_bytes().to_vec(),
            payload(&record).into_bytes(),
            entry.line.to_vec(),
        ];
        let mut group = journal::raw::Group::new(self.number, usize::MAX);
        let pushed = group.push_with(|out| {
            message::encode_arrival(&frames, Arrival::at(&time), out);
        });
        pushed.map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(self.out.write_all(group.bytes())?)
    }
}

/// When it was recorded, as the broker would have written it.
fn recorded_at(record: &Record<'_>) -> String {
    let time = record.recorded_at.as_ref().unwrap_or(&record.timestamp);
    let time = Instant::parse(time).map_or(0, Instant::milliseconds);
    let time = jiff::Timestamp::from_millisecond(time).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn payload(record: &Record<'_>) -> String {
    let links = record.links();
    let rest = json!({
        "sender_id": record.sender,
        "message_id": record.message_id,
        "timestamp": record.timestamp,
        "in_reply_to": links.in_reply_to,
        "context_id": links.context_id,
        "metadata": {
            "ace_tier": record.tier,
            "chain_type": record.chain_type,
            "shl_tags": record.shl_tags,
        },
    });
    let rest = rest.to_string();
    let content = match RawValue::from_string(record.content.clone().into_owned()) {
        Ok(content) => content.get().to_owned(),
        Err(_) => json!(record.content).to_string(),
    };
    format!(
        "{MARK}\"content\":{content},{}",
        rest.get(1..).unwrap_or("}")
    )
}

/// What is served: a journal's directory, or a copy of files that goes away with it.
#[derive(Debug)]
pub(crate) enum Place {
    Journal(PathBuf),
    Copy(TempDir),
}

impl Place {
    pub(crate) fn dir(&self) -> &Path {
        match self {
            Self::Journal(dir) => dir,
            Self::Copy(dir) => dir.path(),
        }
    }
}
