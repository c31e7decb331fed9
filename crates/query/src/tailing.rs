//! Any file, followed line by line as it grows.
//!
//! A file that is replaced by another, or cut off, is gone on with from its new
//! beginning, and that is said.

use std::borrow::Cow;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread::sleep;
use std::time::Duration;

use journal::raw::{Checked, Numbering};
use journal::{Damage, Integrity};

use crate::convert::Ways;
use crate::error::Error;
use crate::fields::Fields;
use crate::filter::Filter;
use crate::findings::{Alteration, Findings};
use crate::pause::next_pause;
use crate::pieces;
use crate::select::{Order, Sink, show};
use crate::source::{Entry, Source};

/// So much is read at once.
const PIECE: usize = 64 << 10;
/// So much of a file's beginning tells whether it is still the same.
const BEGINNING: u64 = 512;

/// Files that are followed.
#[derive(Debug, Clone, Copy)]
pub struct FollowFiles<'a> {
    /// The files; `-` is standard input.
    pub paths: &'a [PathBuf],
    /// Which messages are shown.
    pub filter: &'a Filter,
    /// How many of the newest messages that are there already; `None` is all.
    pub limit: Option<u64>,
}

/// Shows the newest matching messages of some files, and then each new one as its
/// line comes. It ends when standard input does, if that is all there is.
///
/// `idle` is called whenever everything new was shown, and gets what was found
/// wrong since; it may end the following.
///
/// # Errors
/// [`Error::Read`] where a file can't be read, and whatever the sink and `idle`
/// report.
pub fn follow_files(
    what: FollowFiles<'_>,
    sink: &mut dyn Sink,
    idle: &mut dyn FnMut(Findings) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let is_stdin = |path: &&PathBuf| path.as_os_str() == "-";
    let files: Vec<_> = what
        .paths
        .iter()
        .filter(|path| !is_stdin(path))
        .cloned()
        .collect();
    let source = Source::growing_files(&files)?;
    let mut findings = Findings::default();
    let order = Order {
        limit: what.limit,
        newest_first: false,
    };
    show(&source, what.filter, order, &mut findings, sink)?;
    let mut tails = Vec::new();
    for (path, end) in source.ends() {
        let Some((offset, ways)) = end else {
            let path = crate::error::shown(path);
            findings.note(format!(
                "{path} can't be followed, since it is packed or holds no lines of text: \
                 what is written to it from now on is not shown"
            ));
            continue;
        };
        let mut tail = Tail::open(path, offset)?;
        tail.ways = ways;
        tail.number_from(&source);
        tails.push(tail);
    }
    let stdin = what.paths.iter().any(|path| is_stdin(&path));
    tails.extend(stdin.then(Tail::stdin));
    run(&mut tails, what.filter, findings, sink, idle)
}

/// Shows what comes, until nothing can come any more.
pub(crate) fn run(
    tails: &mut [Tail],
    filter: &Filter,
    mut findings: Findings,
    sink: &mut dyn Sink,
    idle: &mut dyn FnMut(Findings) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let mut waited = Duration::ZERO;
    loop {
        let mut is_new = false;
        for tail in &mut *tails {
            is_new |= tail.read(filter, &mut findings, sink)?;
        }
        sink.flush()?;
        let is_over = tails.iter().all(|tail| tail.is_over);
        if idle(std::mem::take(&mut findings))?.is_break() || is_over {
            return Ok(());
        }
        if is_new {
            waited = Duration::ZERO;
            continue;
        }
        let pause = next_pause(waited);
        sleep(pause);
        waited += pause;
    }
}

/// A file, or standard input, as far as it was read.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    input: Input,
    /// Where `line` begins.
    offset: u64,
    /// A line that has no end yet.
    line: Vec<u8>,
    numbering: Numbering,
    /// What is done to each line; unknown until there is one.
    ways: Option<Ways>,
    /// How the file began when it was read last.
    beginning: Vec<u8>,
    is_over: bool,
}

#[derive(Debug)]
enum Input {
    File(File),
    /// Standard input is read by a thread, since reading it waits.
    Pipe(Receiver<io::Result<Vec<u8>>>),
}

impl Tail {
    /// Goes on with a file from some offset, at which a line begins.
    fn open(path: &Path, offset: u64) -> Result<Self, Error> {
        let failed = |source| read_error("open", path, source);
        let mut file = File::open(path).map_err(failed)?;
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut tail = Self::new(path, Input::File(file), offset);
        if offset > 0 {
            tail.begins_otherwise()?;
        }
        Ok(tail)
    }

    /// Reads a session from its beginning, in which everything else is damage.
    pub(crate) fn session(path: &Path) -> Result<Self, Error> {
        let mut tail = Self::open(path, 0)?;
        tail.ways = Some(Ways::default());
        Ok(tail)
    }

    fn stdin() -> Self {
        let (sender, pieces) = mpsc::sync_channel(4);
        std::thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            loop {
                let mut piece = vec![0; PIECE];
                let read = stdin.read(&mut piece).map(|count| {
                    piece.truncate(count);
                    piece
                });
                let is_end = read.as_ref().map_or(true, Vec::is_empty);
                if sender.send(read).is_err() || is_end {
                    return;
                }
            }
        });
        Self::new(Path::new("standard input"), Input::Pipe(pieces), 0)
    }

    fn new(path: &Path, input: Input, offset: u64) -> Self {
        Self {
            path: path.to_owned(),
            input,
            offset,
            line: Vec::new(),
            numbering: Numbering::default(),
            ways: None,
            beginning: Vec::new(),
            is_over: false,
        }
    }

    /// Goes on with the numbers of what was shown before.
    fn number_from(&mut self, source: &Source) {
        if let Some(last) = source.last_number(&self.path) {
            self.numbering = Numbering::after(last);
        }
    }

    /// Shows what is new, and tells whether there was anything.
    fn read(
        &mut self,
        filter: &Filter,
        findings: &mut Findings,
        sink: &mut dyn Sink,
    ) -> Result<bool, Error> {
        if self.is_over {
            return Ok(false);
        }
        let mut is_new = false;
        while let Some(piece) = self.piece()? {
            is_new = true;
            if self.begins_otherwise()? {
                self.begin_anew("was written anew", filter, findings, sink)?;
                continue;
            }
            let mut rest = &*piece;
            while let Some(end) = memchr::memchr(b'\n', rest) {
                let (line, behind) = rest.split_at(end);
                self.line.extend_from_slice(line);
                self.see(true, filter, findings, sink)?;
                rest = behind.get(1..).unwrap_or_default();
            }
            self.line.extend_from_slice(rest);
        }
        if self.is_over {
            self.see(false, filter, findings, sink)?;
        } else if !is_new {
            is_new = self.notice_change(filter, findings, sink)?;
        }
        Ok(is_new)
    }

    /// Reads the next bytes, if there are any for now.
    fn piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match &mut self.input {
            Input::File(file) => {
                let mut piece = vec![0; PIECE];
                let read = file.read(&mut piece);
                let count = read.map_err(|source| read_error("read", &self.path, source))?;
                piece.truncate(count);
                Ok((count > 0).then_some(piece))
            }
            Input::Pipe(pieces) => match pieces.try_recv() {
                Ok(Ok(piece)) if !piece.is_empty() => Ok(Some(piece)),
                Err(TryRecvError::Empty) => Ok(None),
                Ok(Err(source)) => Err(read_error("read", &self.path, source)),
                Ok(Ok(_)) | Err(TryRecvError::Disconnected) => {
                    self.is_over = true;
                    Ok(None)
                }
            },
        }
    }

    /// Goes on with another file of the name, or with one that was cut off.
    fn notice_change(
        &mut self,
        filter: &Filter,
        findings: &mut Findings,
        sink: &mut dyn Sink,
    ) -> Result<bool, Error> {
        let Input::File(file) = &self.input else {
            return Ok(false);
        };
        let read = self.offset + self.line.len() as u64;
        let (Ok(here), Ok(there)) = (file.metadata(), fs::metadata(&self.path)) else {
            // It may come again.
            return Ok(false);
        };
        let what = if !is_same(&here, &there) {
            "was replaced"
        } else if there.len() < read {
            "was cut off"
        } else {
            return Ok(false);
        };
        self.begin_anew(what, filter, findings, sink)?;
        Ok(true)
    }

    fn begin_anew(
        &mut self,
        what: &str,
        filter: &Filter,
        findings: &mut Findings,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        // What the old one ends with has no newline, and gets none.
        self.see(false, filter, findings, sink)?;
        *self = Self::open(&self.path, 0)?;
        findings.note(format!(
            "{} {what}: it is read from its new beginning",
            crate::error::shown(&self.path)
        ));
        Ok(())
    }

    /// Tells whether the file has another beginning than it had, so that what is read
    /// does not go on with what was read before: it was cut off and has grown beyond
    /// that since.
    fn begins_otherwise(&mut self) -> Result<bool, Error> {
        let Input::File(file) = &mut self.input else {
            return Ok(false);
        };
        let mut beginning = Vec::new();
        let mut look = || {
            let place = file.stream_position()?;
            file.seek(SeekFrom::Start(0))?;
            (&mut *file).take(BEGINNING).read_to_end(&mut beginning)?;
            file.seek(SeekFrom::Start(place))
        };
        look().map_err(|source| read_error("read", &self.path, source))?;
        let is_other = !beginning.starts_with(&self.beginning);
        self.beginning = beginning;
        Ok(is_other)
    }

    /// Shows the messages of a line, and begins the next one.
    fn see(
        &mut self,
        ended: bool,
        filter: &Filter,
        findings: &mut Findings,
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        let raw = std::mem::take(&mut self.line);
        if self.ways.is_none() && !raw.trim_ascii().is_empty() {
            self.ways = Some(Ways::of_line(&raw));
        }
        let line = match &self.ways {
            Some(ways) => ways.line(&raw),
            None => Cow::Borrowed(&raw[..]),
        };
        for piece in pieces::sort(&line, ended) {
            let bytes = line.get(piece.range.clone()).unwrap_or_default();
            let offset = self.offset + piece.range.start as u64;
            let (own, integrity) = match piece.checked {
                Checked::Record { number, integrity } => (number, integrity),
                Checked::Bad(reason) => {
                    self.numbering.skip();
                    findings.add_damage(Damage {
                        path: self.path.clone(),
                        line: None,
                        offset,
                        length: bytes.len() as u64,
                        reason,
                    });
                    continue;
                }
            };
            self.notice_new_numbers(own, integrity, findings);
            let number = self.numbering.assign(own, integrity);
            if integrity == Integrity::Altered {
                findings.altered += 1;
                findings.add_alteration(|| Alteration {
                    path: self.path.clone(),
                    number,
                    offset,
                    length: bytes.len() as u64,
                });
            }
            let Ok(fields) = message::Record::parse(bytes).map(Fields::from) else {
                continue;
            };
            if filter.accepts_number(number) && filter.matches(&fields) {
                sink.message(&Entry {
                    number: Some(number),
                    path: &self.path,
                    offset,
                    integrity,
                    line: bytes,
                    depth: 0,
                })?;
            }
        }
        self.offset += raw.len() as u64 + u64::from(ended);
        Ok(())
    }

    /// Says where numbers begin again.
    fn notice_new_numbers(&self, own: Option<u64>, integrity: Integrity, findings: &mut Findings) {
        let last = self.numbering.last();
        if let Some(own) = own.filter(|own| *own < last && integrity == Integrity::Verified) {
            findings.note(format!(
                "the numbers in {} begin again: #{own} stands behind #{last}",
                crate::error::shown(&self.path)
            ));
        }
    }
}

fn read_error(operation: &'static str, path: &Path, source: io::Error) -> Error {
    Error::Read {
        operation,
        path: path.to_owned(),
        source,
    }
}

/// Tells whether both are the same file. Windows does not tell by a number, but
/// there two files hardly begin in the same moment.
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (a.dev(), a.ino()) == (b.dev(), b.ino())
    }
    #[cfg(not(unix))]
    {
        a.created().ok() == b.created().ok()
    }
}

#[cfg(test)]
mod tests;
