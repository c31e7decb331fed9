//! Tells of chunks what need not be read for it.

use super::column::Column;
use super::file::Index;
use super::question::{Columns, Matching, Question};
use crate::scan::Job;
use crate::source::{Chunk, Part};

/// What a question needs of the messages that match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Only how many they are.
    Count,
    /// Their lines.
    Lines,
}

/// What is known of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// How many messages it has, with nothing out of the ordinary, and how many matches,
    /// whose lines nobody needs.
    All { messages: u64, matching: u64 },
    /// It has to be read. Not fewer messages will match than the first number, and
    /// not more than the second, if that is known.
    Read(Option<(u64, u64)>),
}

/// Looks chunks up in the indexes of their files.
#[derive(Debug)]
pub(crate) struct Guide<'a> {
    job: Job<'a>,
    need: Need,
    /// The file of the last chunk, and its index if it has one.
    open: Option<(usize, Option<Open<'a>>)>,
}

/// An index, and the columns of the group that was looked at last.
#[derive(Debug)]
struct Open<'a> {
    index: Index,
    question: Question<'a>,
    group: usize,
    columns: Columns,
    /// A bit for each block of the group whose text has to be looked at.
    blocks: u64,
}

impl<'a> Guide<'a> {
    pub(crate) fn new(job: Job<'a>, need: Need) -> Self {
        Self {
            job,
            need,
            open: None,
        }
    }

    /// Tells what is known of a chunk; `None` where its file has no index.
    pub(crate) fn look_up(&mut self, chunk: Chunk) -> Option<Known> {
        if self
            .open
            .as_ref()
            .is_none_or(|(part, _)| *part != chunk.part)
        {
            let part = self.job.parts.get(chunk.part)?;
            let open = Open::of(part, self.job);
            self.open = Some((chunk.part, open));
        }
        let open = self.open.as_mut().and_then(|(_, open)| open.as_mut())?;
        match open.count(chunk) {
            Ok(Some((messages, Matching { sure, unsure }))) => {
                let is_enough = unsure == 0 && (sure == 0 || self.need == Need::Count);
                Some(match is_enough {
                    true => Known::All {
                        messages,
                        matching: sure,
                    },
                    false => Known::Read(Some((sure, sure + unsure))),
                })
            }
            Ok(None) => Some(Known::Read(None)),
            Err(Damaged) => {
                self.distrust(chunk.part, "it is damaged");
                None
            }
        }
    }

    /// Makes no more use of the index of a file.
    pub(crate) fn distrust(&mut self, part: usize, reason: &str) {
        if let Some(part) = self.job.parts.get(part) {
            part.complain(reason);
        }
        if let Some((open, index)) = &mut self.open
            && *open == part
        {
            *index = None;
        }
    }
}

/// Part of an index is not as it was written.
struct Damaged;

impl<'a> Open<'a> {
    fn of(part: &Part, job: Job<'a>) -> Option<Self> {
        let index = part.index()?;
        let question = Question::compile(job.filter, &index)?;
        Some(Self {
            index,
            question,
            group: usize::MAX,
            columns: Columns::new(),
            blocks: u64::MAX,
        })
    }

    /// Counts the messages of a chunk and the matches among them; `Ok(None)` where
    /// there is anything out of the ordinary.
    fn count(&mut self, chunk: Chunk) -> Result<Option<(u64, Matching)>, Damaged> {
        let size = u64::from(self.index.directory.shape.block);
        let place = |offset: u64| usize::try_from(offset / size).unwrap_or(usize::MAX);
        let (first, last) = (place(chunk.start), place(chunk.end.saturating_sub(1)));
        let blocks = self.index.directory.blocks.get(first..=last);
        let Some(blocks) = blocks.filter(|blocks| blocks.iter().all(|block| block.is_plain)) else {
            return Ok(None);
        };
        let blocks: Vec<_> = blocks.to_vec();
        let (mut messages, mut matching) = (0, Matching::default());
        for (block, at) in blocks.iter().zip(first..) {
            let (group, before) = self.index.directory.place(at);
            if group != self.group {
                self.columns.clear();
                self.group = group;
                self.blocks = self.question.blocks(&self.index, group).ok_or(Damaged)?;
            }
            let start = at as u64 * size;
            let all = before..before + block.rows as usize;
            let is_whole = chunk.start <= start && start + size <= chunk.end;
            let (rows, first_number) = if is_whole || block.rows == 0 {
                (all, block.first_number)
            } else {
                let (skipped, count) = self.within(chunk, block.offset, all.clone())?;
                let first = all.start + skipped;
                (first..first + count, block.first_number + skipped as u64)
            };
            messages += rows.len() as u64;
            if !self.may_match(at) {
                continue;
            }
            let (index, columns) = (&self.index, &mut self.columns);
            let counted = self
                .question
                .count(index, group, block, rows, first_number, columns);
            let counted = counted.ok_or(Damaged)?;
            matching.sure += counted.sure;
            matching.unsure += counted.unsure;
        }
        Ok(Some((messages, matching)))
    }

    /// Tells whether a block may hold the text that is asked for.
    fn may_match(&self, block: usize) -> bool {
        let at = block % self.index.directory.shape.group as usize;
        // Groups with more blocks than bits have no table.
        self.blocks
            .checked_shr(u32::try_from(at).unwrap_or(u32::MAX))
            .is_none_or(|blocks| blocks & 1 == 1)
    }

    /// Counts the rows that begin before a chunk, and those that begin in it.
    fn within(
        &mut self,
        chunk: Chunk,
        mut offset: u64,
        rows: std::ops::Range<usize>,
    ) -> Result<(usize, usize), Damaged> {
        let (index, columns) = (&self.index, &mut self.columns);
        let loaded = self
            .question
            .load(index, self.group, Column::Length, columns);
        let lengths = columns.iter().find(|(column, _)| *column == Column::Length);
        let (_, lengths) = loaded.and(lengths).ok_or(Damaged)?;
        let (mut before, mut count) = (0, 0);
        lengths.each(rows, |length| {
            before += usize::from(offset < chunk.start);
            count += usize::from((chunk.start..chunk.end).contains(&offset));
            offset = offset.saturating_add(u64::from(length) + 1);
        });
        Ok((before, count))
    }
}
