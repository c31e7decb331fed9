//! What one worker makes of one chunk.

use std::borrow::Cow;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use journal::raw::{Checked, Numbering, ReadFile};
use journal::{Damage, Integrity, Reason};
use message::ContentKind;

use super::Job;
use crate::analysis::{self, Accumulator, Found};
use crate::error::Error;
use crate::fields::{Content, Fields};
use crate::findings::PLACES;
use crate::shape::{Handles, Reader};
use crate::source::{Chunk, LoadedLines, load};

/// What was found in a chunk.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) chunk: Chunk,
    /// Holds the chunk's lines, where there are matches.
    pub(crate) buffer: Vec<u8>,
    pub(crate) base: u64,
    /// How many lines begin in the chunk; `None` where not all were looked at.
    pub(crate) lines: Option<u64>,
    /// How many messages were looked at, and how many match.
    pub(crate) messages: u64,
    pub(crate) matching: u64,
    /// The matches, if they are wanted; otherwise only those of which it is not
    /// certain that they match, since their number is not known yet.
    pub(crate) matches: Vec<Match>,
    pub(crate) damaged: u64,
    /// The first of them; their lines are counted from the chunk's beginning.
    pub(crate) damage: Vec<Damage>,
    pub(crate) altered: u64,
    /// The first of them.
    pub(crate) alterations: Vec<Match>,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) offset: u64,
    pub(crate) length: usize,
    pub(crate) number: Number,
    pub(crate) integrity: Integrity,
}

/// The number of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    Known(u64),
    /// It follows from lines before the chunk, see [`Numbers`](super::Numbers).
    Pending,
}

impl Batch {
    /// What was found where nothing had to be read for it.
    pub(crate) fn counted(chunk: Chunk, lines: Option<u64>, messages: u64, matching: u64) -> Self {
        Self {
            chunk,
            buffer: Vec::new(),
            base: chunk.start,
            lines,
            messages,
            matching,
            matches: Vec::new(),
            damaged: 0,
            damage: Vec::new(),
            altered: 0,
            alterations: Vec::new(),
        }
    }

    /// Returns the line of a match.
    pub(crate) fn line(&self, found: &Match) -> &[u8] {
        let start = usize::try_from(found.offset - self.base).unwrap_or(usize::MAX);
        let range = start..start.saturating_add(found.length);
        self.buffer.get(range).unwrap_or_default()
    }
}

/// Sorts the lines of chunks into matches, other records and damage.
pub(crate) struct Sorter<'a> {
    job: Job<'a>,
    /// The file of the last chunk, which is that of the next one most of the time.
    open: Option<(usize, Arc<dyn ReadFile>)>,
    reader: Reader,
    /// Memory for the next chunk's lines.
    buffer: Vec<u8>,
}

impl<'a> Sorter<'a> {
    pub(super) fn new(job: Job<'a>) -> Self {
        Self {
            job,
            open: None,
            reader: Reader::new(),
            buffer: Vec::new(),
        }
    }

    /// Tells whether the memory for lines went away with matches.
    pub(super) fn needs_buffer(&self) -> bool {
        self.buffer.capacity() == 0
    }

    /// Takes memory that is not needed elsewhere any more.
    pub(super) fn take_buffer(&mut self, buffer: Vec<u8>) {
        if self.needs_buffer() {
            self.buffer = buffer;
        }
    }

    pub(super) fn sort<A: Accumulator>(
        &mut self,
        chunk: Chunk,
        counted: &mut A,
    ) -> Result<Batch, Error> {
        let part = &self.job.parts[chunk.part];
        let file = match &self.open {
            Some((at, file)) if *at == chunk.part => file,
            _ => &self.open.insert((chunk.part, part.open()?)).1,
        };
        let max_line = self.job.tuning.max_line;
        let lines = load(file.as_ref(), part, chunk, max_line, &mut self.buffer)?;
        let mut sorting = Sorting {
            job: self.job,
            reader: &mut self.reader,
            // A file's first line needs no other line to have a number.
            numbering: (chunk.start == 0).then(Numbering::default),
            counted,
            batch: Batch {
                chunk,
                buffer: Vec::new(),
                base: lines.base,
                lines: self.job.needle.is_none().then_some(0),
                messages: 0,
                matching: 0,
                matches: Vec::new(),
                damaged: 0,
                damage: Vec::new(),
                altered: 0,
                alterations: Vec::new(),
            },
        };
        let bytes = self.buffer.get(..lines.to).unwrap_or_default();
        match self.job.needle {
            None => sorting.all_lines(bytes, lines.from),
            Some(needle) => sorting.lines_with(needle, bytes, lines.from),
        }
        sorting.too_long(&lines);
        let mut batch = sorting.batch;
        // Memory that is used again at once is still in the core's cache.
        if !batch.matches.is_empty() {
            batch.buffer = std::mem::take(&mut self.buffer);
        }
        Ok(batch)
    }
}

/// A record's line, and where in the buffer it begins.
struct Place<'a> {
    line: &'a [u8],
    start: usize,
    handles: Handles,
}

struct Sorting<'a, 'c, A> {
    job: Job<'a>,
    reader: &'c mut Reader,
    /// Known from the first verified record on.
    numbering: Option<Numbering>,
    counted: &'c mut A,
    batch: Batch,
}

impl<A: Accumulator> Sorting<'_, '_, A> {
    fn all_lines(&mut self, bytes: &[u8], from: usize) {
        let mut start = from;
        while start < bytes.len() {
            let (end, ended) = line_end(bytes, start);
            if let Some(lines) = &mut self.batch.lines {
                *lines += 1;
            }
            self.line(bytes.get(start..end).unwrap_or_default(), start, ended);
            start = end + 1;
        }
    }

    /// Between the lines that are looked at there may be others with other
    /// numbers, so that only a verified record's own number is known.
    fn lines_with(&mut self, needle: &crate::filter::Needle, bytes: &[u8], from: usize) {
        let mut hits = needle.search(bytes);
        let mut start = from;
        while let Some(hit) = hits.next(start) {
            let before = bytes.get(start..hit).unwrap_or_default();
            start += memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            let (end, ended) = line_end(bytes, hit);
            self.numbering = None;
            self.line(bytes.get(start..end).unwrap_or_default(), start, ended);
            start = end + 1;
        }
    }

    /// Sorts one line, which begins at `start` in the buffer.
    fn line(&mut self, line: &[u8], start: usize, ended: bool) {
        if let Some(read) = self.reader.read(line)
            && journal::raw::is_sealed(line)
        {
            let place = Place {
                line,
                start,
                handles: read.handles,
            };
            // All of them are borrowed from the line: there is nothing to drop.
            let fields = ManuallyDrop::new(read.fields());
            self.record(&fields, place, Some(read.number), Integrity::Verified);
            return;
        }
        let trimmed = line.trim_ascii_end();
        if let Some((read, fields)) = self.reader.read_unsealed(trimmed) {
            let place = Place {
                line: trimmed,
                start,
                handles: read.handles,
            };
            self.record(&fields, place, Some(read.number), Integrity::Unverified);
            return;
        }
        if let Some(record) = crate::pieces::one(line) {
            self.unsealed(record, trimmed, start);
            return;
        }
        for piece in crate::pieces::sort(line, ended) {
            let at = start + piece.range.start;
            let bytes = line.get(piece.range).unwrap_or_default();
            match piece.checked {
                Checked::Bad(reason) => self.damage(reason, at, bytes.len() as u64),
                Checked::Record { number, integrity } => match Fields::parse(bytes) {
                    Ok(fields) => {
                        let place = Place {
                            line: bytes,
                            start: at,
                            handles: Handles::default(),
                        };
                        self.record(&fields, place, number, integrity);
                    }
                    Err(_) => {
                        self.number(number, integrity);
                        self.no_message(at, bytes.len());
                    }
                },
            }
        }
    }

    /// Sorts a line that is one message without a checksum.
    fn unsealed(&mut self, mut record: message::Record<'_>, line: &[u8], start: usize) {
        let own = record.message_num;
        let known = record.content_in_line();
        let known = known.map(|json| (Cow::Borrowed(json), ContentKind::Json));
        let content = match known.or_else(|| record.take_tabled_content()) {
            Some((json, kind)) => Content::Parsed(json, kind),
            None => Content::Of(line),
        };
        let in_reply_to = A::wants_replies().then(|| analysis::name_of(&record, line));
        let fields = Fields {
            content,
            in_reply_to,
            ..Fields::from(record)
        };
        let place = Place {
            line,
            start,
            handles: Handles::default(),
        };
        self.record(&fields, place, own, Integrity::Unverified);
    }

    fn number(&mut self, own: Option<u64>, integrity: Integrity) -> Number {
        match (&mut self.numbering, own, integrity) {
            (Some(numbering), ..) => Number::Known(numbering.assign(own, integrity)),
            (numbering, Some(own), Integrity::Verified) => {
                *numbering = Some(Numbering::after(own));
                Number::Known(own)
            }
            _ => Number::Pending,
        }
    }

    fn record(
        &mut self,
        fields: &Fields<'_>,
        place: Place<'_>,
        own: Option<u64>,
        integrity: Integrity,
    ) {
        let found = Match {
            offset: self.batch.base + place.start as u64,
            length: place.line.len(),
            number: self.number(own, integrity),
            integrity,
        };
        self.batch.messages += 1;
        if integrity == Integrity::Altered {
            self.batch.altered += 1;
            push_first(&mut self.batch.alterations, found);
        }
        let filter = self.job.filter;
        let is_known = match found.number {
            Number::Known(number) if !filter.accepts_number(number) => return,
            Number::Known(_) => true,
            Number::Pending => filter.numbers().is_none(),
        };
        if !filter.matches(fields) {
            return;
        }
        if is_known {
            self.batch.matching += 1;
            self.counted.add(&Found {
                fields,
                line: place.line,
                file: self.batch.chunk.part,
                offset: found.offset,
                number: own.filter(|_| integrity != Integrity::Altered),
                handles: place.handles,
            });
        }
        if self.job.wants_matches || !is_known {
            self.batch.matches.push(found);
        }
    }

    fn too_long(&mut self, lines: &LoadedLines) {
        if let Some((offset, length)) = lines.too_long {
            if let Some(lines) = &mut self.batch.lines {
                *lines += 1;
            }
            let at = usize::try_from(offset - self.batch.base).unwrap_or(usize::MAX);
            self.damage(Reason::TooLong, at, length);
        }
    }

    fn damage(&mut self, reason: Reason, start: usize, length: u64) {
        if let Some(numbering) = &mut self.numbering {
            numbering.skip();
        }
        self.report(reason, start, length);
    }

    /// JSON to the journal, but nothing that a message could be read from.
    fn no_message(&mut self, start: usize, length: usize) {
        self.report(Reason::NotJson, start, length as u64);
    }

    fn report(&mut self, reason: Reason, start: usize, length: u64) {
        self.batch.damaged += 1;
        let damage = Damage {
            path: self.job.parts[self.batch.chunk.part].path.clone(),
            line: self.batch.lines,
            offset: self.batch.base + start as u64,
            length,
            reason,
        };
        push_first(&mut self.batch.damage, damage);
    }
}

/// Finds the end of the line at `from`, and whether it has a newline.
fn line_end(bytes: &[u8], from: usize) -> (usize, bool) {
    let newline = memchr::memchr(b'\n', bytes.get(from..).unwrap_or_default());
    newline.map_or((bytes.len(), false), |at| (from + at, true))
}

fn push_first<T>(places: &mut Vec<T>, place: T) {
    if places.len() < PLACES {
        places.push(place);
    }
}
