//! How an index is made.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;

use crc_fast::{CrcAlgorithm, Digest, crc32_iscsi as crc32c};
use journal::{FileSystem, RealFs};
use tempfile::NamedTempFile;

use super::binding::Binding;
use super::collect::{Collector, Row};
use super::column::{Column, pack};
use super::directory::{Block, Directory, Group, Packed, Shape};
use super::grams::Bitmap;
use super::header::{Header, Span};
use super::statistics;
use super::target::index_path;
use super::text;
use crate::error::Error;
use crate::filter::Filter;
use crate::findings::Findings;
use crate::scan::{self, Job, Numbers, Tuning};
use crate::select::merge_findings;
use crate::source::Source;

/// What came of making an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Built {
    /// It is there, and has so many bytes.
    Done {
        /// Its length.
        bytes: u64,
    },
    /// It was told to stop, and left nothing behind.
    Stopped,
}

/// What an index tells of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IndexContents {
    /// The fixed fields and statistics.
    #[default]
    Fields,
    /// Also in which stretches a text can't be, which takes about as much room again.
    FieldsAndText,
}

/// Makes the index of a closed session, in place of the one that is there.
///
/// It reads the session once, on this thread, in bounded memory, and asks after
/// each half MiB whether to go on. Until it is whole and on stable storage the
/// index has another name.
///
/// # Errors
/// [`Error::Read`] where the session can't be read, and [`Error::File`] where the
/// index can't be written or the session changes meanwhile. Nothing is left of
/// the index then.
pub fn build_index(
    session: &Path,
    contents: IndexContents,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Built, Error> {
    build(session, contents, Shape::default(), go_on)
}

pub(super) fn build(
    session: &Path,
    contents: IndexContents,
    shape: Shape,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Built, Error> {
    let failed = |source| Error::file("make an index of", session, source);
    let mut source = Source::session(session)?;
    source.tuning = Tuning {
        chunk: shape.block.into(),
        threads: 1,
        ..Tuning::default()
    };
    let file = source.parts[0].open()?;
    let before = Binding::of(session, file.as_ref()).map_err(failed)?;
    let (temporary, prefix) = temporary(session).map_err(failed)?;
    let mut writing = Writing::new(temporary.as_file(), contents, shape, failed)?;
    if writing.pass(&source, go_on)?.is_break() {
        return Ok(Built::Stopped);
    }
    if Binding::of(session, file.as_ref()).map_err(failed)? != before {
        return Err(failed(io::Error::other("it was changed meanwhile")));
    }
    let bytes = writing.finish(before)?;
    publish(temporary, session, &prefix).map_err(failed)?;
    Ok(Built::Done { bytes })
}

/// Creates a file with a name of its own, and locks it as long as it is written.
fn temporary(session: &Path) -> io::Result<(NamedTempFile, String)> {
    let index = index_path(session);
    let name = index.file_name().unwrap_or_else(|| OsStr::new("index"));
    let prefix = format!("{}.", name.to_string_lossy());
    let mut builder = tempfile::Builder::new();
    let dir = session.parent().unwrap_or(Path::new("."));
    let file = builder.prefix(&prefix).suffix(TEMPORARY).tempfile_in(dir)?;
    // Where there are no locks, what others left is never removed.
    let _locked = file.as_file().try_lock();
    Ok((file, prefix))
}

const TEMPORARY: &str = ".tmp";
/// Property tests make thousands of indexes, which need not survive anything.
const IS_SYNCED: bool = !cfg!(test);

/// Gives the index its name, and removes what unfinished ones left.
fn publish(temporary: NamedTempFile, session: &Path, prefix: &str) -> io::Result<()> {
    if IS_SYNCED {
        temporary.as_file().sync_all()?;
    }
    temporary.persist(index_path(session))?;
    let dir = session.parent().unwrap_or(Path::new("."));
    if IS_SYNCED {
        RealFs.sync_dir(dir)?;
    }
    for entry in fs::read_dir(dir)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_left = name.starts_with(prefix) && name.ends_with(TEMPORARY);
        // Whoever still writes it has it locked.
        if is_left && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _gone_already = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// An index on its way to the disk.
struct Writing<'f, F> {
    out: BufWriter<&'f File>,
    at: u64,
    /// The checksum of what was written behind the header.
    body: Digest,
    directory: Directory,
    collector: Collector,
    findings: Findings,
    /// The rows of the blocks that are in no group yet.
    rows: Vec<Row>,
    /// The texts of these blocks, if they are gathered.
    texts: Vec<Bitmap>,
    failed: F,
}

impl<'f, F: Fn(io::Error) -> Error + Copy> Writing<'f, F> {
    fn new(
        file: &'f File,
        contents: IndexContents,
        shape: Shape,
        failed: F,
    ) -> Result<Self, Error> {
        let has_text = contents == IndexContents::FieldsAndText && text::fits(shape);
        let mut writing = Self {
            out: BufWriter::new(file),
            at: Header::SIZE as u64,
            body: Digest::new(CrcAlgorithm::Crc32Iscsi),
            directory: Directory {
                shape,
                blocks: Vec::new(),
                groups: Vec::new(),
                texts: has_text.then(Vec::new),
                dictionaries: Span::default(),
                statistics: Span::default(),
            },
            collector: Collector::new(has_text),
            findings: Findings::default(),
            rows: Vec::new(),
            texts: Vec::new(),
            failed,
        };
        // The header comes last.
        writing.out.write_all(&[0; Header::SIZE]).map_err(failed)?;
        Ok(writing)
    }

    /// Reads the whole session.
    fn pass(
        &mut self,
        source: &Source,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<ControlFlow<()>, Error> {
        let job = Job {
            parts: &source.parts,
            filter: &Filter::default(),
            needle: None,
            wants_matches: false,
            index: None,
            tuning: source.tuning,
        };
        let stretches = source.stretches().into_iter();
        let chunks: Vec<_> = stretches
            .flat_map(|stretch| stretch.cut(source.tuning.chunk))
            .collect();
        let mut numbers = Numbers::new(&source.parts, source.tuning);
        let mut lines = Some(0);
        let mut collector = std::mem::take(&mut self.collector);
        let mut flow = ControlFlow::Continue(());
        scan::each(job, &chunks, &mut collector, &mut |batch, collector| {
            let block = collector.end_block(batch, &mut self.rows);
            let text = collector.text.as_mut().map(std::mem::take);
            self.texts.extend(text);
            let findings = &mut self.findings;
            merge_findings(findings, batch, &mut numbers, source, &mut lines)?;
            self.add(block).map_err(self.failed)?;
            if !go_on() {
                flow = ControlFlow::Break(());
            }
            Ok(flow)
        })?;
        self.collector = collector;
        Ok(flow)
    }

    fn add(&mut self, block: Block) -> io::Result<()> {
        self.directory.blocks.push(block);
        let group = self.directory.shape.group as usize;
        if self.directory.blocks.len().is_multiple_of(group) {
            self.end_group()?;
        }
        Ok(())
    }

    fn end_group(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let mut group = Group::default();
        for (packed, column) in group.iter_mut().zip(Column::ALL) {
            let (width, bytes) = pack(rows.iter().map(|row| row[column.at()]));
            let span = self.put(&bytes)?;
            *packed = Packed { width, span };
        }
        self.directory.groups.push(group);
        if self.directory.texts.is_some() {
            let texts = std::mem::take(&mut self.texts);
            let span = text::put(texts, &mut |bytes| self.put(bytes))?;
            self.directory.texts.get_or_insert_default().push(span);
        }
        self.rows = rows;
        self.rows.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<Span> {
        let length = u32::try_from(bytes.len()).ok();
        let Some(length) = length.filter(|length| *length <= Span::LONGEST) else {
            let text = "there is too much in it that is different each time";
            return Err(io::Error::other(text));
        };
        self.out.write_all(bytes)?;
        self.body.update(bytes);
        let span = Span {
            offset: self.at,
            length,
            crc: crc32c(bytes),
        };
        self.at += u64::from(length);
        Ok(span)
    }

    /// Writes what is known only in the end; returns the length of the index.
    fn finish(mut self, binding: Binding) -> Result<u64, Error> {
        self.end(binding).map_err(self.failed)
    }

    fn end(&mut self, binding: Binding) -> io::Result<u64> {
        if self.directory.groups.len() as u64 * u64::from(self.directory.shape.group)
            < self.directory.blocks.len() as u64
        {
            self.end_group()?;
        }
        let mut bytes = Vec::new();
        for dictionary in &self.collector.dictionaries {
            dictionary.put(&mut bytes);
        }
        self.directory.dictionaries = self.put(&bytes)?;
        let analysis = std::mem::take(&mut self.collector.analysis);
        let findings = std::mem::take(&mut self.findings);
        let pieces = statistics::put(&analysis, &findings, &mut |bytes| self.put(bytes));
        self.directory.statistics = pieces?;
        let mut bytes = Vec::new();
        self.directory.put(&mut bytes);
        let directory = self.put(&bytes)?;
        let header = Header {
            binding,
            length: self.at,
            directory,
            body: u32::try_from(self.body.finalize()).unwrap_or_default(),
        };
        self.out.flush()?;
        let mut file = *self.out.get_ref();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header.to_bytes())?;
        Ok(self.at)
    }
}
