//! Files that are no plain lines, made into lines.
//!
//! What is packed is unpacked, text in UTF-16 and Latin-1 becomes UTF-8, the values of
//! JSON that goes over several lines, or stands in an array, get a line each, and so do
//! lines that are no JSON.
//! The lines go to a temporary file, which is then read as any other. Places in
//! it are places in the text, not in the file that it came from; only where
//! packed bytes are damaged the file's own place is named.

mod chat;
mod documents;
mod gzip;
mod latin;
mod lines;
mod text;
mod utf16;
mod zstd;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use journal::{Damage, Reason};
use tempfile::NamedTempFile;

use crate::error::Error;

/// So much of a file tells what it is.
const FIRST: usize = 64 << 10;
/// How much is held back before it is passed on.
const BUFFER: usize = 256 << 10;
/// A packed file may be packed once more, but not for ever.
const DEEPEST: usize = 4;

/// What a file is, as far as its beginning tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lines,
    Gzip,
    Zstd,
    Utf16(utf16::Order),
    /// JSON over several lines, or in an array.
    Documents,
    /// The history of a conversation as Markdown, as aider writes it.
    Chat,
    /// Lines in Latin-1.
    Latin,
    /// Lines that are no JSON.
    Text,
    /// SQLite, as Cursor has it, which holds no lines.
    Database,
}

impl Kind {
    /// Tells whether what a line becomes hangs on that line alone.
    const fn is_by_line(self) -> bool {
        matches!(self, Self::Latin | Self::Text)
    }
}

/// The lines of a file that had none.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) lines: NamedTempFile,
    pub(crate) damage: Vec<Damage>,
    /// How what is written to the file later goes on; `None` where it can't.
    pub(crate) growth: Option<Growth>,
}

/// A file that was made into lines line by line.
#[derive(Debug, Clone)]
pub(crate) struct Growth {
    /// How many bytes of it were made into lines.
    pub(crate) taken: u64,
    pub(crate) ways: Ways,
}

/// What is done to each line of a file, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ways(Vec<Kind>);

impl Ways {
    /// Tells by the first line of a file what is done to its lines.
    pub(crate) fn of_line(line: &[u8]) -> Self {
        Self(if text::is_one(line) {
            vec![Kind::Text]
        } else {
            Vec::new()
        })
    }

    /// Returns a line, without its newline, as it is to be read.
    pub(crate) fn line<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        let mut line = Cow::Borrowed(line);
        for kind in &self.0 {
            let made = match kind {
                Kind::Latin => latin::line(&line),
                _ => text::message(&line),
            };
            if let Cow::Owned(made) = made {
                line = Cow::Owned(made);
            }
        }
        line
    }
}

/// Where packed bytes can't be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Broken {
    offset: u64,
    length: u64,
}

/// Makes lines of a file; `None` where it has lines already.
pub(crate) fn lines_of(path: &Path) -> Result<Option<Converted>, Error> {
    convert(open(path)?, path, false)
}

/// Makes lines of a file that somebody may be writing, up to its last whole line.
pub(crate) fn growing_lines_of(path: &Path) -> Result<Option<Converted>, Error> {
    convert(open(path)?, path, true)
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|source| Error::Read {
        operation: "open",
        path: path.to_owned(),
        source,
    })
}

/// Makes lines of what was copied to a temporary file.
pub(crate) fn lines_of_spool(
    spool: &NamedTempFile,
    name: &Path,
) -> Result<Option<Converted>, Error> {
    let file = spool
        .reopen()
        .map_err(|source| Error::file("read", name, source))?;
    convert(file, name, false)
}

/// Returns the first line of a packed file.
pub(crate) fn first_line(path: &Path) -> Option<Vec<u8>> {
    let mut file = File::open(path).ok()?;
    let kind = kind_of(&mut file).ok()?;
    let mut first = FirstLine::default();
    // It ends by an error of the output, once the line is there.
    let _stopped = match kind {
        Kind::Gzip => gzip::unpack(file, 0, &mut first),
        Kind::Zstd => zstd::unpack(file, 0, &mut first),
        _ => return None,
    };
    let end = memchr::memchr(b'\n', &first.0)?;
    first.0.truncate(end);
    Some(first.0)
}

/// Takes no more than a line.
#[derive(Default)]
struct FirstLine(Vec<u8>);

impl Write for FirstLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        match memchr::memchr(b'\n', bytes) {
            Some(_) => Err(io::ErrorKind::WriteZero.into()),
            None => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn convert(file: File, path: &Path, is_growing: bool) -> Result<Option<Converted>, Error> {
    let failed = |source| Error::file("unpack", path, source);
    let mut converted: Option<Converted> = None;
    let mut next = file;
    for _ in 0..DEEPEST {
        let kind = kind_of(&mut next).map_err(failed)?;
        match kind {
            Kind::Lines => break,
            Kind::Database => {
                return Err(Error::Database {
                    path: path.to_owned(),
                });
            }
            _ => {}
        }
        let mut end = next.metadata().map_err(failed)?.len();
        if is_growing && converted.is_none() && kind.is_by_line() {
            end = lines::whole_length(&mut next, end).map_err(failed)?;
        }
        let mut lines = NamedTempFile::new().map_err(failed)?;
        let broken = write_lines(kind, next, end, &mut lines).map_err(failed)?;
        next = lines.reopen().map_err(failed)?;
        let (mut damage, growth) = match converted {
            Some(before) => (before.damage, before.growth),
            None => (
                Vec::new(),
                Some(Growth {
                    taken: end,
                    ways: Ways::default(),
                }),
            ),
        };
        damage.extend(broken.map(|Broken { offset, length }| Damage {
            path: path.to_owned(),
            line: None,
            offset,
            length,
            reason: Reason::Packed,
        }));
        let growth = growth.filter(|_| kind.is_by_line()).map(|mut growth| {
            growth.ways.0.push(kind);
            growth
        });
        converted = Some(Converted {
            lines,
            damage,
            growth,
        });
    }
    Ok(converted)
}

fn write_lines(
    kind: Kind,
    file: File,
    end: u64,
    lines: &mut NamedTempFile,
) -> io::Result<Option<Broken>> {
    let input = BufReader::with_capacity(BUFFER, file.take(end));
    let mut out = BufWriter::with_capacity(BUFFER, lines.as_file_mut());
    let broken = match kind {
        Kind::Lines | Kind::Database => None,
        Kind::Gzip => gzip::unpack(input, end, &mut out)?,
        Kind::Zstd => zstd::unpack(input, end, &mut out)?,
        Kind::Utf16(order) => utf16::write(input, order, &mut out).map(|()| None)?,
        Kind::Documents => documents::write(input, &mut out).map(|()| None)?,
        Kind::Chat => chat::write(input, &mut out).map(|()| None)?,
        Kind::Latin => latin::write(input, &mut out).map(|()| None)?,
        Kind::Text => text::write(input, &mut out).map(|()| None)?,
    };
    out.flush()?;
    Ok(broken)
}

/// Tells what a file is, and goes back to its beginning.
fn kind_of(file: &mut File) -> io::Result<Kind> {
    let mut first = Vec::new();
    (&mut *file).take(FIRST as u64).read_to_end(&mut first)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(kind(&first))
}

fn kind(first: &[u8]) -> Kind {
    if first.starts_with(gzip::MAGIC) {
        return Kind::Gzip;
    }
    if first.starts_with(b"SQLite format 3\0") {
        return Kind::Database;
    }
    if zstd::is_one(first) {
        return Kind::Zstd;
    }
    if let Some(order) = utf16::order(first) {
        return Kind::Utf16(order);
    }
    let text = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first);
    let text = text.trim_ascii_start();
    if documents::is_one(text) {
        Kind::Documents
    } else if text.starts_with(chat::START) {
        Kind::Chat
    } else if latin::is_one(text) {
        Kind::Latin
    } else if text::is_one(text) {
        Kind::Text
    } else {
        Kind::Lines
    }
}

/// Copies what a decoder gives, up to its first error.
///
/// The outer error is the output's, the inner one the decoder's.
fn copy(input: &mut dyn Read, out: &mut dyn Write) -> io::Result<io::Result<()>> {
    let mut piece = vec![0; FIRST];
    loop {
        match input.read(&mut piece) {
            Ok(0) => return Ok(Ok(())),
            Ok(count) => out.write_all(piece.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
}

/// Counts the bytes that were taken of an input.
struct Counted<R> {
    input: R,
    taken: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(bytes)?;
        self.taken += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
