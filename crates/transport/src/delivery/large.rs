//! Large messages that are read back from the journal piece by piece.
//!
//! Held as a whole for each subscriber that does not read, they would take its
//! number times their size. What is held is where their frames stand in the
//! file: sessions only grow, so the bytes stay where they are.

use std::collections::VecDeque;
use std::sync::Mutex;

use journal::raw::{Checked, SessionFile};
use message::Stretch;

use crate::segment::{Lost, cut_short};
use crate::sync::held;

/// Lines of more bytes than this are read back so.
pub(crate) const LARGE: usize = 1 << 20;
/// About how much of them is in memory at once, for each subscriber.
const PIECE: usize = 256 << 10;

/// Finding out where the frames stand takes the whole line in memory: one
/// thread at a time does it, and all do it in the same memory. Given back by one
/// thread after the other, it would stay with each thread's part of the heap.
static LINE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// What is larger than this goes back to the system.
const KEPT: usize = 32 << 20;

/// A message of a large line.
#[derive(Debug)]
pub(crate) struct Large {
    file: SessionFile,
    pieces: Vec<Piece>,
    bytes: usize,
}

/// A part of a message as it stands on the wire.
#[derive(Debug)]
enum Piece {
    /// The header of a frame.
    Header(Vec<u8>),
    /// A part of a frame, and the offset of its line in the file.
    Body { line: u64, stretch: Stretch },
}

/// What a large line holds.
pub(crate) struct Found {
    pub(crate) number: Option<u64>,
    pub(crate) topic: Vec<u8>,
    pub(crate) message: Message,
}

pub(crate) enum Message {
    Large(Large),
    /// It does not stand in the line in such a way that it could be read piece
    /// by piece: these are its frames.
    Whole(message::Frames),
    Unreadable(message::DecodeError),
}

/// Reads a large line and finds the messages in it: one, but where a damaged
/// line has swallowed a newline.
pub(crate) fn look(file: &SessionFile, offset: u64, length: u64) -> Result<Vec<Found>, Lost> {
    let mut line = held(LINE.lock());
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    line.clear();
    line.reserve_exact(length.checked_next_power_of_two().unwrap_or(length));
    line.resize(length, 0);
    let found = look_at(file, offset, &mut line);
    if line.capacity() > KEPT {
        *line = Vec::new();
    }
    found
}

fn look_at(file: &SessionFile, offset: u64, line: &mut [u8]) -> Result<Vec<Found>, Lost> {
    if file.read_full(line, offset)? < line.len() {
        return Err(cut_short(file.path(), offset).into());
    }
    let line = &*line;
    let pieces = journal::raw::sort_line(line, true).into_iter();
    let found = pieces.filter_map(|piece| {
        let Checked::Record { number, .. } = piece.checked else {
            log::warn!(
                "passed over in a replay: {:?} at offset {offset}",
                piece.checked
            );
            return None;
        };
        let at = offset + piece.range.start as u64;
        let record = line.get(piece.range)?;
        let (topic, message) = match read(file, at, record) {
            Ok(found) => found,
            Err(error) => (Vec::new(), Message::Unreadable(error)),
        };
        Some(Found {
            number,
            topic,
            message,
        })
    });
    Ok(found.collect())
}

/// Returns a record's topic and its message.
fn read(
    file: &SessionFile,
    line: u64,
    record: &[u8],
) -> Result<(Vec<u8>, Message), message::DecodeError> {
    let Some(outline) = message::outline(record)? else {
        let mut frames = message::Frames::new();
        message::decode_frames(record, &mut frames)?;
        let topic = frames.get(0).unwrap_or_default().to_vec();
        return Ok((topic, Message::Whole(frames)));
    };
    let mut topic = Vec::new();
    for stretch in outline.frames().next().unwrap_or_default() {
        let bytes = record.get(stretch.range()).unwrap_or_default();
        stretch.rebuild(bytes, &mut topic)?;
    }
    let (mut pieces, mut bytes) = (Vec::new(), 0);
    let mut frames = outline.frames().peekable();
    while let Some(frame) = frames.next() {
        let length: usize = frame.iter().map(Stretch::len).sum();
        let mut header = Vec::new();
        zmtp::push_header(&mut header, length as u64, frames.peek().is_some());
        bytes += header.len() + length;
        pieces.push(Piece::Header(header));
        let body = frame.iter().cloned();
        pieces.extend(body.map(|stretch| Piece::Body { line, stretch }));
    }
    let file = file.clone();
    Ok((
        topic,
        Message::Large(Large {
            file,
            pieces,
            bytes,
        }),
    ))
}

/// Large messages on their way, as far as they are not in memory.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    file: Option<SessionFile>,
    pieces: VecDeque<Piece>,
    bytes: usize,
}

impl Rest {
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Returns how many bytes are to come.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// Adds a message; all come from one file.
    pub(crate) fn push(&mut self, large: Large) {
        self.file = Some(large.file);
        self.pieces.extend(large.pieces);
        self.bytes += large.bytes;
    }

    /// Reads back what comes next, in place of what is in `out`; false where
    /// nothing comes.
    pub(crate) fn take(&mut self, out: &mut Vec<u8>) -> Result<bool, Lost> {
        let Some(file) = self.file.as_ref().filter(|_| !self.pieces.is_empty()) else {
            return Ok(false);
        };
        out.clear();
        let mut raw = Vec::new();
        while out.len() < PIECE
            && let Some(piece) = self.pieces.pop_front()
        {
            match piece {
                Piece::Header(header) => out.extend_from_slice(&header),
                Piece::Body { line, stretch } => {
                    let (range, before) = (stretch.range(), out.len());
                    let offset = line + range.start as u64;
                    raw.resize(range.len(), 0);
                    let read = file.read_full(&mut raw, offset)?;
                    let changed = read < raw.len() || stretch.rebuild(&raw, out).is_err();
                    if changed || out.len() - before != stretch.len() {
                        return Err(cut_short(file.path(), offset).into());
                    }
                }
            }
        }
        self.bytes = self.bytes.saturating_sub(out.len());
        if self.pieces.is_empty() {
            *self = Self::default();
        }
        Ok(true)
    }
}
