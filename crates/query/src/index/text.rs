//! Which blocks of a group may hold a text.
//!
//! A group's table has a row for each bit of its blocks' bitmaps, and a row has a
//! bit for each block. So of a large table only the rows of what is asked are read.

use std::io;

use super::directory::Shape;
use super::grams::{Bitmap, LEAST, MOST, each_bit};
use crate::bytes::Span;
use crate::bytes::{Input, Output};

/// Rows that are read, and have a checksum, together.
const PAGE: usize = LEAST;
/// A bitmap is folded while fewer than one in this many bits are set, so that
/// afterwards not more than twice as many are.
const SPARSE: usize = 8;

/// The bits of a text that somebody looks for.
#[derive(Debug)]
pub(super) struct Wanted(Vec<usize>);

impl Wanted {
    /// Finds the bits of pieces that are all there wherever the text is, in any
    /// case of ASCII letters; `None` where all are too short.
    pub(super) fn of(pieces: &[&[u8]]) -> Option<Self> {
        let mut bits = Vec::new();
        for piece in pieces {
            each_bit(piece, |bit| bits.push(bit));
        }
        (!bits.is_empty()).then_some(Self(bits))
    }
}

/// Tells whether an index of this shape can tell of texts.
pub(super) fn fits(shape: Shape) -> bool {
    shape.group <= u64::BITS
}

/// Writes a group's table with `put`; returns where its pages are listed.
pub(super) fn put(
    mut blocks: Vec<Bitmap>,
    put: &mut dyn FnMut(&[u8]) -> io::Result<Span>,
) -> io::Result<Span> {
    let most = blocks.iter().map(Bitmap::count).max().unwrap_or(0);
    let mut rows = MOST;
    while rows > LEAST && most * SPARSE < rows {
        rows /= 2;
    }
    blocks.iter_mut().for_each(|block| block.fold(rows));
    let width = width(blocks.len());
    let mut out = Vec::new();
    out.put_count(rows / PAGE);
    for from in (0..rows).step_by(PAGE) {
        let mut page = vec![0; PAGE * width];
        for (at, block) in blocks.iter().enumerate() {
            block.each_set(from, from + PAGE, |row| {
                if let Some(byte) = page.get_mut((row - from) * width + at / 8) {
                    *byte |= 1 << (at % 8);
                }
            });
        }
        put(&page)?.put(&mut out);
    }
    put(&out)
}

/// Bytes of a row.
fn width(blocks: usize) -> usize {
    blocks.div_ceil(8)
}

/// A group's table.
pub(super) struct Table<'f> {
    pages: Vec<Span>,
    width: usize,
    fetch: &'f dyn Fn(Span) -> Option<Vec<u8>>,
    /// The page that was read last.
    page: Option<(usize, Vec<u8>)>,
}

impl<'f> Table<'f> {
    /// Reads the list of the pages of a group of blocks.
    pub(super) fn read(
        list: Span,
        blocks: usize,
        fetch: &'f dyn Fn(Span) -> Option<Vec<u8>>,
    ) -> Option<Self> {
        let bytes = fetch(list)?;
        let mut input = Input(&bytes);
        let count = input.count(Span::SIZE)?;
        let is_count = count.is_power_of_two() && count * PAGE <= MOST;
        let pages = (0..count).map(|_| Span::read(&mut input));
        let pages: Vec<_> = pages.collect::<Option<_>>()?;
        input.end()?;
        let width = width(blocks);
        let length = PAGE * width;
        let fit = pages.iter().all(|page| page.length as usize == length);
        (is_count && fit && width <= size_of::<u64>()).then_some(Self {
            pages,
            width,
            fetch,
            page: None,
        })
    }

    /// Returns a bit for each block that may hold one of these texts; `None` where
    /// the table is not as it was written.
    pub(super) fn may_hold(&mut self, any_of: &[Wanted]) -> Option<u64> {
        let mut any = 0;
        for wanted in any_of {
            let mut all = u64::MAX;
            for bit in &wanted.0 {
                all &= self.row(*bit)?;
                if all == 0 {
                    break;
                }
            }
            any |= all;
        }
        Some(any)
    }

    fn row(&mut self, bit: usize) -> Option<u64> {
        let row = bit % (self.pages.len() * PAGE);
        let at = row / PAGE;
        if self.page.as_ref().is_none_or(|(known, _)| *known != at) {
            self.page = Some((at, (self.fetch)(*self.pages.get(at)?)?));
        }
        let (_, page) = self.page.as_ref()?;
        let start = row % PAGE * self.width;
        let mut bytes = [0; size_of::<u64>()];
        let row = page.get(start..start + self.width)?;
        bytes.get_mut(..self.width)?.copy_from_slice(row);
        Some(u64::from_le_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A table of blocks with these texts, and its pieces.
    fn table(texts: &[String]) -> (Span, Vec<Vec<u8>>) {
        let bitmap = |text: &String| {
            let mut bitmap = Bitmap::default();
            bitmap.add(text.as_bytes());
            bitmap
        };
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        let list = put(texts.iter().map(bitmap).collect(), &mut |bytes| {
            pieces.push(bytes.to_vec());
            Ok(Span {
                offset: pieces.len() as u64 - 1,
                length: u32::try_from(bytes.len()).unwrap(),
                crc: 0,
            })
        });
        (list.unwrap(), pieces)
    }

    #[test]
    fn each_block_is_told_by_its_bit() {
        for count in [1, 7, 8, 9, 63, 64] {
            let texts: Vec<_> = (0..count)
                .map(|at| format!("text number {at:02}x"))
                .collect();
            let (list, pieces) = table(&texts);
            let reads = RefCell::new(0);
            let fetch = &|span: Span| {
                *reads.borrow_mut() += 1;
                pieces.get(usize::try_from(span.offset).unwrap()).cloned()
            };
            for at in 0..count {
                let mut table = Table::read(list, count, fetch).unwrap();
                let wanted = Wanted::of(&[format!("{at:02}X").as_bytes(), b"short", b"ber "]);
                assert_eq!(table.may_hold(&[wanted.unwrap()]), Some(0), "no short");
                let wanted = Wanted::of(&[format!("er {at:02}X").as_bytes()]).unwrap();
                let found = table.may_hold(&[wanted]).unwrap();
                assert!(found >> at & 1 == 1, "{at} of {count}");
                assert!(found.count_ones() <= 3, "{found:b}");
            }
        }
        assert!(Wanted::of(&[b"abc", b""]).is_none());
    }

    #[test]
    fn a_table_of_another_size_is_refused() {
        let (list, pieces) = table(&["a text".to_owned()]);
        let fetch = &|span: Span| pieces.get(usize::try_from(span.offset).unwrap()).cloned();
        assert!(Table::read(list, 8, fetch).is_some());
        assert!(Table::read(list, 9, fetch).is_none());
        assert!(Table::read(Span::default(), 1, fetch).is_none());
    }
}
