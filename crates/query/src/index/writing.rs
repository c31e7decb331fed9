//! An index on its way to the disk.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::Path;

use crc_fast::{CrcAlgorithm, Digest, crc32_iscsi as crc32c};

use super::binding::Binding;
use super::collect::{Collector, Known, Row};
use super::column::{Column, pack};
use super::directory::{Block, Directory, Group, Packed, Shape};
use super::file::Index;
use super::grams::Bitmap;
use super::header::Header;
use super::{statistics, sums, text};
use crate::analysis::Analysis;
use crate::bytes::Span;
use crate::error::Error;
use crate::filter::Filter;
use crate::findings::Findings;
use crate::scan::{self, Job, Numbers, merge_findings};
use crate::source::{Chunk, Source, Tuning};

/// What an index tells of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IndexContents {
    /// The fixed fields and statistics.
    #[default]
    Fields,
    /// Also in which stretches a text can't be, which takes about as much room again.
    FieldsAndText,
}

/// Pieces that are put behind each other in a file.
pub(super) struct Pieces<'f> {
    out: BufWriter<&'f File>,
    at: u64,
    /// The checksum of what was put.
    body: Digest,
}

impl<'f> Pieces<'f> {
    /// Begins a file; its header comes last.
    pub(super) fn behind_header(file: &'f File) -> io::Result<Self> {
        Self::behind(file, Header::SIZE as u64)
    }

    /// Goes on in a file at this place, and forgets what is behind it.
    pub(super) fn behind(file: &'f File, at: u64) -> io::Result<Self> {
        file.set_len(at)?;
        let mut end = file;
        end.seek(SeekFrom::Start(at))?;
        Ok(Self {
            out: BufWriter::new(file),
            at,
            body: Digest::new(CrcAlgorithm::Crc32Iscsi),
        })
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
}

/// An index that is made of what is known already and of what is read.
pub(super) struct Writing<'f> {
    out: Pieces<'f>,
    /// Where the columns go, if they have a file of their own.
    apart: Option<Pieces<'f>>,
    directory: Directory,
    collector: Collector,
    findings: Findings,
    /// How many lines come before the next block.
    lines: Option<u64>,
    /// The rows of the blocks that are in no group yet.
    rows: Vec<Row>,
    /// The texts of these blocks, if they are gathered.
    texts: Vec<Bitmap>,
}

impl<'f> Writing<'f> {
    pub(super) fn new(
        out: Pieces<'f>,
        apart: Option<Pieces<'f>>,
        contents: IndexContents,
        shape: Shape,
    ) -> Self {
        let has_text = contents == IndexContents::FieldsAndText && text::fits(shape);
        Self {
            out,
            apart,
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
            lines: Some(0),
            rows: Vec::new(),
            texts: Vec::new(),
        }
    }

    /// Takes over what an index of the session's beginning knows. Its columns are
    /// copied, unless they are in the file to which more are added.
    pub(super) fn take_over(&mut self, known: &Index, session: &Path) -> io::Result<()> {
        let damaged = || io::Error::other("the index of its beginning is damaged");
        let statistics = known.statistics(0, session, Some(&Analysis::default()));
        let statistics = statistics.ok_or_else(damaged)?;
        let dictionaries = known.dictionaries().ok_or_else(damaged)?;
        self.collector = Collector::from(Known {
            analysis: statistics.analysis,
            dictionaries,
        });
        self.findings = statistics.findings;
        self.lines = Some(statistics.lines);
        self.directory.blocks.clone_from(&known.directory.blocks);
        self.directory.groups.clone_from(&known.directory.groups);
        if self.apart.is_none() {
            for packed in self.directory.groups.iter_mut().flatten() {
                let bytes = known.fetch_column(packed.span).ok_or_else(damaged)?;
                packed.span = self.out.put(&bytes)?;
            }
        }
        Ok(())
    }

    /// Reads the session from where the index ends up to `end`.
    pub(super) fn pass(
        &mut self,
        mut source: Source,
        end: u64,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<ControlFlow<()>, Error> {
        let shape = self.directory.shape;
        source.tuning = Tuning {
            chunk: shape.block.into(),
            threads: 1,
            ..Tuning::default()
        };
        let failed = |error| Error::file("make an index of", source.path(), error);
        let file = source.parts[0].open()?;
        let job = Job {
            parts: &source.parts,
            filter: &Filter::default(),
            needle: None,
            wants_matches: false,
            tuning: source.tuning,
        };
        let start = self.directory.blocks.len() as u64 * source.tuning.chunk;
        let rest = Chunk {
            part: 0,
            start,
            end,
        };
        let chunks: Vec<_> = rest.cut(source.tuning.chunk).collect();
        let mut numbers = Numbers::new(&source.parts, source.tuning);
        let mut collector = std::mem::take(&mut self.collector);
        let mut flow = ControlFlow::Continue(());
        let mut buffer = Vec::new();
        scan::each(job, &chunks, &mut collector, &mut |batch, collector| {
            let mut block = collector.end_block(batch, &mut self.rows);
            let at = self.directory.blocks.len() as u64;
            let sum = sums::of_block(file.as_ref(), at, shape.block, end, &mut buffer);
            block.sum = sum.map_err(failed)?;
            let text = collector.text.as_mut().map(std::mem::take);
            self.texts.extend(text);
            let (findings, lines) = (&mut self.findings, &mut self.lines);
            merge_findings(findings, batch, &mut numbers, &source, lines)?;
            self.add(block).map_err(failed)?;
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
        match self.directory.ends_with_a_group() {
            true => self.end_group(),
            false => Ok(()),
        }
    }

    fn end_group(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        let mut group = Group::default();
        for (packed, column) in group.iter_mut().zip(Column::ALL) {
            let (width, bytes) = pack(rows.iter().map(|row| row[column.at()]));
            let span = self.apart.as_mut().unwrap_or(&mut self.out).put(&bytes)?;
            *packed = Packed { width, span };
        }
        self.directory.groups.push(group);
        if let Some(tables) = &mut self.directory.texts {
            let texts = std::mem::take(&mut self.texts);
            tables.push(text::put(texts, &mut |bytes| self.out.put(bytes))?);
        }
        self.rows = rows;
        self.rows.clear();
        Ok(())
    }

    /// Writes what is known only in the end; returns the length of the index.
    pub(super) fn finish(mut self, binding: Binding) -> io::Result<u64> {
        if !self.directory.ends_with_a_group() {
            self.end_group()?;
        }
        let mut bytes = Vec::new();
        for dictionary in &self.collector.dictionaries {
            dictionary.put(&mut bytes);
        }
        self.directory.dictionaries = self.out.put(&bytes)?;
        let (analysis, findings) = (&self.collector.analysis, &self.findings);
        let lines = self.lines.unwrap_or(0);
        let put = &mut |bytes: &[u8]| self.out.put(bytes);
        self.directory.statistics = statistics::put(analysis, findings, lines, put)?;
        let mut bytes = Vec::new();
        self.directory.put(&mut bytes);
        let directory = self.out.put(&bytes)?;
        let apart = match &mut self.apart {
            Some(columns) => {
                columns.out.flush()?;
                columns.at
            }
            None => 0,
        };
        let Pieces { mut out, at, body } = self.out;
        let header = Header {
            binding,
            length: at,
            apart,
            directory,
            body: u32::try_from(body.finalize()).unwrap_or_default(),
        };
        out.flush()?;
        let mut file = *out.get_ref();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header.to_bytes())?;
        Ok(at)
    }
}
