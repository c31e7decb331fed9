//! Walks the committed journal, record by record, in memory or on disk.

use std::sync::Arc;

use journal::{Item, Reader, Reason};
use log::Level;
use message::Frames;

use crate::delivery::{LARGE, Message, Outgoing, Wanted, look};
use crate::segment::{Lost, Segment, cut_short};
use crate::tail::{Head, Recorded, SessionOffset, Source, Tail};
use crate::throttle::log_throttled;

/// How much is skipped at once before the subscriber is looked after again.
const MAX_SKIPPED: usize = 4096;
/// How many bytes of messages are read back before they are sent.
const READ_BACK: usize = 256 << 10;

/// A place in the journal and the way to what stands behind it.
#[derive(Debug)]
pub(crate) struct Cursor {
    /// Where it stood when it was nowhere in particular.
    place: SessionOffset,
    /// The session in which it is.
    segment: Arc<Segment>,
    at: At,
    /// The number of the record that was looked at last.
    number: u64,
    /// That record's frames, where it came from a file.
    frames: Frames,
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
    /// In the session's file, which is read up to `until`.
    File { reader: Box<Reader>, until: u64 },
}

/// What a cursor finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Wanted messages, to be sent now.
    Found,
    /// Enough messages were passed over that the caller should look around.
    Skipped,
    /// Nothing new yet.
    Head,
    /// It was told to go no further.
    Stop,
}

impl Cursor {
    /// Stands at the committed end; what it finds comes after that.
    pub(crate) fn at_head(head: Head) -> Self {
        Self {
            place: head.place,
            segment: head.segment,
            at: At::Unknown,
            number: head.next.saturating_sub(1),
            frames: Frames::default(),
        }
    }

    /// Stands where the newest `history` records begin, and returns the committed end
    /// beside it.
    pub(crate) fn at_window(tail: &Tail, history: u64) -> Result<(Self, Head), Lost> {
        let window = tail.window(history);
        let mut cursor = Self {
            place: window.end,
            segment: window.segment,
            number: window.first.saturating_sub(1),
            ..Self::at_head(window.head.clone())
        };
        if let Some((recorded, index)) = window.memory {
            cursor.place = recorded.from;
            cursor.at = At::Memory { recorded, index };
        } else if window.first < window.head.next
            && let Err(lost) = cursor.seek_number(tail, window.first)
        {
            cursor.pass_over(tail, lost)?;
        }
        Ok((cursor, window.head))
    }

    /// Goes to the first record in the session's file that has this number or a higher
    /// one; it stands at the session's end.
    fn seek_number(&mut self, tail: &Tail, number: u64) -> Result<(), Lost> {
        let mut reader = self.segment.reader(self.place.offset)?;
        reader.set_max_line(LARGE);
        reader.seek_number(number)?;
        self.place.offset = reader.offset();
        if let Source::File { until } = tail.after(self.place) {
            reader.set_limit(until);
            let reader = Box::new(reader);
            self.at = At::File { reader, until };
        }
        Ok(())
    }

    /// Goes to the end of a closed session that can't be read, or not further: it may
    /// have been removed, and a replay brings what is there. No other session can be
    /// passed over.
    fn pass_over(&mut self, tail: &Tail, lost: Lost) -> Result<(), Lost> {
        let Some(end) = self.segment.end() else {
            return Err(lost);
        };
        let gone = lost.is_gone();
        let (level, error) = (if gone { Level::Debug } else { Level::Warn }, lost.0);
        let source = &error.source;
        log_throttled!(
            level,
            "a replay goes on behind a session: {error}: {source}"
        );
        if gone {
            tail.forget(&self.segment);
        }
        self.place.offset = end;
        self.at = At::Unknown;
        Ok(())
    }

    /// Returns the place of the next message.
    pub(crate) fn place(&self) -> SessionOffset {
        match &self.at {
            At::Unknown => self.place,
            At::Memory { recorded, index } => recorded.place(*index),
            At::File { reader, .. } => SessionOffset {
                offset: reader.offset(),
                ..self.place
            },
        }
    }

    /// Returns the number of the message found last.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Tells whether everything that is committed was looked at.
    pub(crate) fn is_at_head(&self, tail: &Tail) -> bool {
        self.place() >= tail.head().place
    }

    /// Looks for messages that are wanted, from the next one on and up to the
    /// place `until`, and adds those to `out` that can be sent together.
    pub(crate) fn fill(
        &mut self,
        tail: &Tail,
        until: Option<SessionOffset>,
        wanted: Wanted<'_>,
        out: &mut Outgoing,
    ) -> Result<Step, Lost> {
        let mut looked_at = 0;
        loop {
            if until.is_some_and(|until| self.place() >= until) {
                return Ok(Step::Stop);
            }
            match self.advance(tail, until, wanted, out) {
                Ok(Some(looked)) => looked_at += looked,
                Ok(None) => return Ok(Step::Head),
                // Only a replay has an end, and brings what there is.
                Err(lost) if until.is_some() => self.pass_over(tail, lost)?,
                Err(lost) => return Err(lost),
            }
            if !out.is_empty() {
                return Ok(Step::Found);
            }
            if looked_at >= MAX_SKIPPED {
                return Ok(Step::Skipped);
            }
        }
    }

    /// Looks at some messages; returns at how many, or nothing at the head.
    fn advance(
        &mut self,
        tail: &Tail,
        until: Option<SessionOffset>,
        wanted: Wanted<'_>,
        out: &mut Outgoing,
    ) -> Result<Option<usize>, Lost> {
        if matches!(self.at, At::Unknown) && !self.find(tail)? {
            return Ok(None);
        }
        let looked_at = match &self.at {
            At::Unknown => 0,
            At::Memory { .. } => self.look_in_memory(until, wanted, out),
            At::File { .. } => self.read_file(until, wanted, out)?,
        };
        Ok(Some(looked_at))
    }

    /// Looks at messages in memory; returns at how many.
    fn look_in_memory(
        &mut self,
        until: Option<SessionOffset>,
        wanted: Wanted<'_>,
        out: &mut Outgoing,
    ) -> usize {
        let At::Memory { recorded, index } = &mut self.at else {
            return 0;
        };
        let (before, first) = (*index, recorded.batch.first());
        let all = recorded.batch.len();
        let end = until.map_or(all, |until| recorded.before(until));
        if wanted.has_all() && before < end {
            out.push_recorded(recorded, before..end);
            *index = end;
        }
        while *index < end && !out.is_full() {
            if wanted.has(recorded.batch.topic(*index)) {
                out.push_recorded(recorded, *index..*index + 1);
            }
            *index += 1;
        }
        let looked_at = *index - before;
        self.number = self.number.max((first + *index as u64).saturating_sub(1));
        if *index == all {
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
            Source::NextSession(segment) => {
                self.place = SessionOffset {
                    session: segment.ordinal,
                    offset: 0,
                };
                self.segment = segment;
            }
            Source::File { until } => {
                let mut reader = Box::new(self.segment.reader(until)?);
                reader.set_max_line(LARGE);
                reader.seek(self.place.offset, Some(self.number));
                self.at = At::File { reader, until };
            }
        }
        Ok(true)
    }

    /// Reads messages from the file, up to the offset at which memory, or
    /// nothing yet, goes on, or to the given place; returns how many.
    fn read_file(
        &mut self,
        end: Option<SessionOffset>,
        wanted: Wanted<'_>,
        out: &mut Outgoing,
    ) -> Result<usize, Lost> {
        let At::File { reader, until } = &mut self.at else {
            return Ok(0);
        };
        if let Some(end) = end.filter(|end| end.session == self.place.session)
            && end.offset < *until
        {
            *until = end.offset;
            reader.set_limit(*until);
        }
        let mut looked_at = 0;
        while out.len() < READ_BACK && looked_at < MAX_SKIPPED {
            let Some(item) = reader.next_item()? else {
                if reader.offset() < *until {
                    return Err(cut_short(reader.path(), reader.offset()).into());
                }
                self.place.offset = *until;
                self.at = At::Unknown;
                break;
            };
            looked_at += 1;
            match &item {
                Item::Record(record) => self.number = record.number,
                Item::Damage(damage) if damage.reason == Reason::TooLong => {
                    let (offset, length) = (damage.offset, damage.length);
                    self.read_large(offset, length, wanted, out)?;
                    break;
                }
                Item::Damage(_) => {}
            }
            if decode(&item, &mut self.frames)
                && self.frames.get(0).is_some_and(|topic| wanted.has(topic))
            {
                out.push_frames(&self.frames);
            }
        }
        Ok(looked_at)
    }

    /// Looks at a line that is too large to be held for every subscriber.
    fn read_large(
        &mut self,
        offset: u64,
        length: u64,
        wanted: Wanted<'_>,
        out: &mut Outgoing,
    ) -> Result<(), Lost> {
        for found in look(&self.segment.file()?, offset, length)? {
            let number = found.number.unwrap_or(self.number + 1);
            self.number = number;
            match found.message {
                Message::Unreadable(error) => {
                    log_throttled!(Level::Warn, "message {number} cannot be replayed: {error}");
                }
                _ if !wanted.has(&found.topic) => {}
                Message::Large(large) => out.push_large(large),
                Message::Whole(frames) => out.push_frames(&frames),
            }
        }
        Ok(())
    }
}

/// Reads the frames of a record; false, and a word about it, where it has none.
fn decode(item: &Item<'_>, frames: &mut Frames) -> bool {
    match item {
        Item::Record(record) => match message::decode_frames(record.line, frames) {
            Ok(()) => return !frames.is_empty(),
            Err(error) => {
                let number = record.number;
                log_throttled!(Level::Warn, "message {number} cannot be replayed: {error}");
            }
        },
        Item::Damage(damage) => {
            log_throttled!(Level::Warn, "passed over in a replay: {damage}");
        }
    }
    false
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;
