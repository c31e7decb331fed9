//! Walks the committed journal, record by record, in memory or on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use journal::{Item, Reader, RealFs};
use log::Level;
use message::Frames;

use crate::outgoing::Outgoing;
use crate::subscriptions::Wanted;
use crate::tail::{Place, Recorded, Source, Tail, Window};
use crate::throttle::log_throttled;

/// How much is skipped at once before the subscriber is looked after again.
const MAX_SKIPPED: usize = 4096;
/// How long a session that is just being closed is waited for, and how often.
/// For a moment its file has a new name that the tail does not know yet.
const MOMENT: Duration = Duration::from_millis(1);
const MOMENTS: u32 = 5_000;
/// How many bytes of messages are read back before they are sent.
const READ_BACK: usize = 256 << 10;

/// A place in the journal and the way to what stands behind it.
#[derive(Debug)]
pub(crate) struct Cursor {
    place: Place,
    at: At,
    /// The number of the record that was looked at last.
    number: u64,
    /// That record's frames, where it came from a file.
    frames: Frames,
    /// How often in a row a file was waited for.
    waited: u32,
}

#[derive(Debug)]
enum At {
    /// Nowhere in particular: the tail has to be asked.
    Unknown,
    /// In memory, before the message at `index`.
    Memory {
        recorded: Arc<Recorded>,
        index: usize,
    },
    /// In a file that is open.
    File { reader: Box<Reader>, until: u64 },
}

/// What a cursor finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Wanted messages, to be sent now.
    Found,
    /// So many messages were passed over that the caller should look around.
    Skipped,
    /// Nothing new yet.
    Head,
    /// It was told to go no further.
    Stop,
}

/// Why a cursor cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("cannot replay from the journal")]
pub(crate) struct Lost(#[from] journal::ReadError);

impl Cursor {
    /// Stands at the committed end; what it finds comes after that.
    pub(crate) fn at_head(tail: &Tail) -> Self {
        let (place, next) = tail.head();
        Self {
            place,
            at: At::Unknown,
            number: next.saturating_sub(1),
            frames: Frames::default(),
            waited: 0,
        }
    }

    /// Stands where a window begins.
    pub(crate) fn at_window(tail: &Tail, history: u64) -> Result<(Self, u64), Lost> {
        let mut waited = 0;
        loop {
            let window = tail.window(history);
            let first = window.first;
            if let Some(cursor) = Self::open(tail, window, waited)? {
                return Ok((cursor, first));
            }
            waited += 1;
        }
    }

    /// `None` where the session was closed in the meantime, so that its path
    /// leads to another file.
    fn open(tail: &Tail, window: Window, waited: u32) -> Result<Option<Self>, Lost> {
        let Window {
            first,
            memory,
            session,
            path,
            until,
        } = window;
        let number = first.saturating_sub(1);
        if let Some((recorded, index)) = memory {
            let place = recorded.from;
            let at = At::Memory { recorded, index };
            return Ok(Some(Self {
                place,
                at,
                number,
                frames: Frames::default(),
                waited: 0,
            }));
        }
        let reader = journal::open_at(&RealFs, &path, first);
        if !is_whole(&path, until) && waited < MOMENTS {
            std::thread::sleep(MOMENT);
            return Ok(None);
        }
        let mut reader = reader?;
        if tail.head().0.session != session {
            return Ok(None);
        }
        let offset = reader.offset().min(until);
        reader.set_limit(until);
        let place = Place { session, offset };
        let at = if offset < until {
            At::File {
                reader: Box::new(reader),
                until,
            }
        } else {
            At::Unknown
        };
        Ok(Some(Self {
            place,
            at,
            number,
            frames: Frames::default(),
            waited: 0,
        }))
    }

    /// Returns the number of the message found last.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Tells whether everything that is committed was looked at.
    pub(crate) fn is_at_head(&self, tail: &Tail) -> bool {
        self.number + 1 >= tail.head().1
    }

    /// Looks for messages that are wanted, from the next one on and up to the
    /// number `until`, and adds those to `out` that can be sent together.
    pub(crate) fn fill(
        &mut self,
        tail: &Tail,
        until: u64,
        wanted: Wanted<'_>,
        out: &mut Outgoing,
    ) -> Result<Step, Lost> {
        let mut looked_at = 0;
        loop {
            if self.number >= until {
                return Ok(if out.is_empty() {
                    Step::Stop
                } else {
                    Step::Found
                });
            }
            if matches!(self.at, At::Unknown) && !self.find(tail)? {
                return Ok(Step::Head);
            }
            looked_at += match &self.at {
                At::Unknown => 0,
                At::Memory { .. } => self.look_in_memory(until, wanted, out),
                At::File { .. } => self.read_file(until, wanted, out)?,
            };
            if !out.is_empty() {
                return Ok(Step::Found);
            }
            if looked_at >= MAX_SKIPPED {
                return Ok(Step::Skipped);
            }
        }
    }

    /// Looks at messages in memory; returns at how many.
    fn look_in_memory(&mut self, until: u64, wanted: Wanted<'_>, out: &mut Outgoing) -> usize {
        let At::Memory { recorded, index } = &mut self.at else {
            return 0;
        };
        let (before, first) = (*index, recorded.batch.first());
        let end = until.saturating_add(1).saturating_sub(first);
        let end = recorded
            .batch
            .len()
            .min(usize::try_from(end).unwrap_or(usize::MAX));
        if wanted.has_all_from(first + before as u64) && before < end {
            out.push_recorded(recorded, before..end);
            *index = end;
        }
        while *index < end && !out.is_full() {
            if wanted.has(first + *index as u64, recorded.batch.topic(*index)) {
                out.push_recorded(recorded, *index..*index + 1);
            }
            *index += 1;
        }
        let looked_at = *index - before;
        self.number = self.number.max((first + *index as u64).saturating_sub(1));
        if *index == recorded.batch.len() {
            self.place = recorded.to;
            self.at = At::Unknown;
        }
        looked_at
    }

    /// Asks the tail where to go on; false at the head.
    fn find(&mut self, tail: &Tail) -> Result<bool, Lost> {
        match tail.after(self.place) {
            Source::Head => return Ok(false),
            Source::Memory(recorded) => self.at = At::Memory { recorded, index: 0 },
            Source::NextSession(place) => self.place = place,
            Source::File { path, until } => self.open_file(tail, path, until)?,
        }
        Ok(true)
    }

    fn open_file(&mut self, tail: &Tail, path: PathBuf, until: u64) -> Result<(), Lost> {
        let reader = Reader::open(&path);
        if !is_whole(&path, until) && self.waited < MOMENTS {
            self.waited += 1;
            std::thread::sleep(MOMENT);
            return Ok(());
        }
        self.waited = 0;
        // The session may have been closed, and its file renamed, since the
        // path was given: then it has another one now.
        let still_there = match tail.after(self.place) {
            Source::File { path: now, .. } => now == path,
            _ => false,
        };
        if still_there {
            let mut reader = reader?;
            reader.set_max_line(usize::MAX);
            reader.seek(self.place.offset, Some(self.number));
            reader.set_limit(until);
            self.at = At::File {
                reader: Box::new(reader),
                until,
            };
        }
        Ok(())
    }

    /// Reads messages from the file, up to the offset at which memory, or
    /// nothing yet, goes on; returns how many.
    fn read_file(
        &mut self,
        until_number: u64,
        wanted: Wanted<'_>,
        out: &mut Outgoing,
    ) -> Result<usize, Lost> {
        let At::File { reader, until } = &mut self.at else {
            return Ok(0);
        };
        let mut looked_at = 0;
        while self.number < until_number && out.len() < READ_BACK && looked_at < MAX_SKIPPED {
            let Some(item) = reader.next_item()? else {
                self.place.offset = *until;
                self.at = At::Unknown;
                break;
            };
            looked_at += 1;
            let Some(number) = frames_of(&item, &mut self.frames) else {
                continue;
            };
            self.number = number;
            if self
                .frames
                .get(0)
                .is_some_and(|topic| wanted.has(number, topic))
            {
                out.push_frames(&self.frames);
            }
        }
        Ok(looked_at)
    }
}

/// Tells whether a file has all that is committed. If not, it is another one
/// that has taken its name; that one stays empty until the tail knows of it.
fn is_whole(path: &Path, until: u64) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() >= until)
}

/// Reads the frames of a record; `None`, and a word about it, where it has none.
fn frames_of(item: &Item<'_>, frames: &mut Frames) -> Option<u64> {
    match item {
        Item::Record(record) => match message::decode_frames(record.line, frames) {
            Ok(()) => return (!frames.is_empty()).then_some(record.number),
            Err(error) => {
                let number = record.number;
                log_throttled!(Level::Warn, "message {number} cannot be replayed: {error}");
            }
        },
        Item::Damage(damage) => {
            log_throttled!(Level::Warn, "passed over in a replay: {damage}");
        }
    }
    None
}
