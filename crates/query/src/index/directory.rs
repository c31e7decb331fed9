//! Where everything stands in an index.

use super::column::{Column, Values};
use crate::analysis::FARTHEST;
use crate::bytes::Span;
use crate::bytes::{Input, Output};

/// No line with a number, a time and a checksum has fewer bytes.
const SHORTEST: u64 = 32;
/// Blocks are never longer than this. It bounds how many messages one can have.
const LONGEST_BLOCK: u32 = 64 << 20;

/// The lines that begin in one stretch of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Block {
    /// Whether the index tells of its messages: each line is a message with a
    /// right checksum, numbers grow by one, and its time of recording is known.
    pub(super) is_plain: bool,
    /// How many messages; 0 where it is not plain.
    pub(super) rows: u32,
    /// Where the first line begins.
    pub(super) offset: u64,
    pub(super) first_number: u64,
    /// The earliest time in milliseconds since 1970, and how much later the
    /// latest one is.
    pub(super) time: i64,
    pub(super) span: u32,
    /// The checksum of the bytes of the block.
    pub(super) sum: u32,
}

/// A column of some blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Packed {
    pub(super) width: u8,
    pub(super) span: Span,
}

/// The columns of consecutive blocks.
pub(super) type Group = [Packed; Column::ALL.len()];

/// How a session is cut up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Bytes of a block.
    pub(super) block: u32,
    /// Blocks of a group.
    pub(super) group: u32,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            block: 512 << 10,
            group: 64,
        }
    }
}

/// Where everything stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) shape: Shape,
    pub(super) blocks: Vec<Block>,
    pub(super) groups: Vec<Group>,
    /// For each group its table of text, if the index tells of text.
    pub(super) texts: Option<Vec<Span>>,
    /// The dictionaries of the named columns.
    pub(super) dictionaries: Span,
    /// What counting everything finds.
    pub(super) statistics: Span,
}

impl Block {
    const SIZE: usize = 1 + 4 + 8 + 8 + 8 + 4 + 4;

    fn put(&self, out: &mut Vec<u8>) {
        out.put_u8(u8::from(self.is_plain));
        out.put_u32(self.rows);
        out.put_u64(self.offset);
        out.put_u64(self.first_number);
        out.put_i64(self.time);
        out.put_u32(self.span);
        out.put_u32(self.sum);
    }

    fn read(input: &mut Input<'_>) -> Option<Self> {
        Some(Self {
            is_plain: match input.u8()? {
                0 => false,
                1 => true,
                _ => return None,
            },
            rows: input.u32()?,
            offset: input.u64()?,
            first_number: input.u64()?,
            time: input.i64()?,
            span: input.u32()?,
            sum: input.u32()?,
        })
    }

    /// Tells whether it can be the block between two offsets.
    fn fits(&self, start: u64, end: u64) -> bool {
        let rows = u64::from(self.rows);
        let bytes = rows.saturating_sub(1) * SHORTEST;
        let is_inside = (start..end).contains(&self.offset) && bytes < end - start;
        let has_numbers = self.first_number.checked_add(rows).is_some();
        let has_times = (-FARTHEST..FARTHEST).contains(&self.time);
        rows == 0 || (self.is_plain && is_inside && has_numbers && has_times)
    }
}

impl Directory {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.put_u32(self.shape.block);
        out.put_u32(self.shape.group);
        out.put_count(self.blocks.len());
        self.blocks.iter().for_each(|block| block.put(out));
        for packed in self.groups.iter().flatten() {
            out.put_u8(packed.width);
            packed.span.put(out);
        }
        out.put_option(self.texts.as_ref(), |out, texts| {
            texts.iter().for_each(|span| span.put(out));
        });
        self.dictionaries.put(out);
        self.statistics.put(out);
    }

    /// Reads the directory of a session that is `length` bytes long.
    pub(super) fn read(bytes: &[u8], length: u64) -> Option<Self> {
        let mut input = Input(bytes);
        let shape = Shape {
            block: input
                .u32()
                .filter(|size| (1..=LONGEST_BLOCK).contains(size))?,
            group: input.u32().filter(|count| *count > 0)?,
        };
        let count = input.count(Block::SIZE)?;
        let block = u64::from(shape.block);
        if count as u64 != length.div_ceil(block) {
            return None;
        }
        let mut blocks = Vec::with_capacity(count);
        for start in (0..count as u64).map(|at| at * block) {
            let read = Block::read(&mut input)?;
            blocks.push(read.fits(start, start + block).then_some(read)?);
        }
        let mut groups = Vec::new();
        for blocks in blocks.chunks(usize::try_from(shape.group).ok()?) {
            let rows = blocks.iter().map(|block| u64::from(block.rows)).sum();
            groups.push(read_group(&mut input, rows)?);
        }
        let texts = input.option(|input| groups.iter().map(|_| Span::read(input)).collect())?;
        let directory = Self {
            shape,
            blocks,
            groups,
            texts,
            dictionaries: Span::read(&mut input)?,
            statistics: Span::read(&mut input)?,
        };
        input.end().map(|()| directory)
    }

    /// Tells whether the last group is full, so that more can be put behind it.
    pub(super) fn ends_with_a_group(&self) -> bool {
        let group = self.shape.group as usize;
        self.blocks.len().is_multiple_of(group)
    }

    /// Returns the group of a block, and how many messages come before the block
    /// in its group.
    pub(super) fn place(&self, block: usize) -> (usize, usize) {
        let size = self.shape.group as usize;
        let group = block / size;
        let before = self.blocks.get(group * size..block).unwrap_or_default();
        (group, before.iter().map(|block| block.rows as usize).sum())
    }

    /// Returns how many blocks a group has.
    pub(super) fn blocks(&self, group: usize) -> usize {
        let groups = self.blocks.chunks(self.shape.group as usize);
        groups.clone().nth(group).map_or(0, <[Block]>::len)
    }

    /// Returns how many messages a group's columns have.
    pub(super) fn rows(&self, group: usize) -> usize {
        let blocks = self.blocks.chunks(self.shape.group as usize).nth(group);
        let blocks = blocks.unwrap_or_default().iter();
        blocks.map(|block| block.rows as usize).sum()
    }
}

fn read_group(input: &mut Input<'_>, rows: u64) -> Option<Group> {
    let mut group = Group::default();
    for packed in &mut group {
        let width = input.u8().filter(|width| Values::is_width(*width))?;
        let span = Span::read(input)?;
        if u64::from(span.length) != rows * u64::from(width) {
            return None;
        }
        *packed = Packed { width, span };
    }
    Some(group)
}
