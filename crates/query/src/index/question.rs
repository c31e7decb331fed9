//! What an index can tell of a filter.

use std::borrow::Cow;
use std::ops::Range;

use super::collect::id_hash;
use super::column::Column;
use super::dictionary;
use super::directory::Block;
use super::file::{Dictionaries, Index};
use super::text::Wanted;
use crate::fields::{Content, Fields, Tags};
use crate::filter::{FieldTest, Filter, Kind};
use crate::time::Instant;

/// A filter, compiled for the dictionaries of one index.
#[derive(Debug)]
pub(super) struct Question<'a> {
    filter: &'a Filter,
    /// For each column that is tested, which of its values pass.
    tests: Vec<(Column, Vec<bool>)>,
    id: Option<IdTest>,
    /// What has to be in the text, if that is known.
    texts: Option<Vec<Wanted>>,
}

/// The hashes of the names of messages that are wanted and unwanted.
#[derive(Debug)]
struct IdTest {
    any_of: Vec<u32>,
    none_of: Vec<u32>,
}

/// How many of some messages match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Matching {
    /// How many certainly do.
    pub(super) sure: u64,
    /// How many more may, as only their lines can tell.
    pub(super) unsure: u64,
}

/// A column of the group that is being looked at.
pub(super) type Columns = Vec<(Column, super::column::Values)>;

impl<'a> Question<'a> {
    /// Compiles a filter; `None` where the index can't tell.
    pub(super) fn compile(filter: &'a Filter, index: &Index) -> Option<Self> {
        let mut question = Self {
            filter,
            tests: Vec::new(),
            id: None,
            texts: texts(filter).filter(|_| index.has_text()),
        };
        if filter.field_tests().is_empty() {
            return Some(question);
        }
        let dictionaries = index.dictionaries()?;
        for test in filter.field_tests() {
            if test.kind == Kind::Id {
                question.id = Some(IdTest::of(test));
                continue;
            }
            let column = column(test.kind)?;
            let passes = passes(test, column, &dictionaries)?;
            if !passes.iter().all(|passes| *passes) {
                question.tests.push((column, passes));
            }
        }
        Some(question)
    }

    /// Returns a bit for each block of a group whose text has to be looked at;
    /// `None` where the index is wrong.
    pub(super) fn blocks(&self, index: &Index, group: usize) -> Option<u64> {
        match &self.texts {
            Some(any_of) => index.may_hold(group, any_of),
            None => Some(u64::MAX),
        }
    }

    /// Returns the columns that are needed besides the length.
    fn columns(&self) -> impl Iterator<Item = Column> {
        let tested = self.tests.iter().map(|(column, _)| *column);
        let id = self.id.as_ref().map(|_| Column::Id);
        tested.chain(id).chain([Column::Time])
    }

    /// Reads a group's column, where the filter needs it; `None` where it is wrong.
    pub(super) fn load(
        &self,
        index: &Index,
        group: usize,
        column: Column,
        columns: &mut Columns,
    ) -> Option<()> {
        if columns.iter().any(|(known, _)| *known == column) {
            return Some(());
        }
        let values = index.column(group, column)?;
        let rows = index.directory.rows(group);
        let test = self.tests.iter().find(|(tested, _)| *tested == column);
        let is_right = test.is_none_or(|(_, passes)| values.are_below(passes.len(), rows));
        columns.push(is_right.then_some((column, values))?);
        Some(())
    }

    /// Counts the matches among some rows of a block, which are `rows` in its group.
    pub(super) fn count(
        &self,
        index: &Index,
        group: usize,
        block: &Block,
        rows: Range<usize>,
        first_number: u64,
        columns: &mut Columns,
    ) -> Option<Matching> {
        let numbers = first_number..first_number + rows.len() as u64;
        let wants_times = match self.whole(block, &numbers) {
            Some(false) => return Some(Matching::default()),
            Some(true) => false,
            None => true,
        };
        let mut keep = vec![true; rows.len()];
        for column in self
            .columns()
            .filter(|column| *column != Column::Time || wants_times)
        {
            self.load(index, group, column, columns)?;
        }
        let values = |wanted: Column| {
            let found = columns.iter().find(|(column, _)| *column == wanted);
            found.map(|(_, values)| values)
        };
        for (column, passes) in &self.tests {
            let mut kept = keep.iter_mut();
            values(*column)?.each(rows.clone(), |value| {
                if let Some(keep) = kept.next() {
                    *keep &= passes.get(value as usize).copied().unwrap_or(false);
                }
            });
        }
        if wants_times {
            let mut kept = keep.iter_mut().zip(numbers);
            values(Column::Time)?.each(rows.clone(), |value| {
                if let Some((keep, number)) = kept.next() {
                    *keep = *keep && self.accepts(number, block.time + i64::from(value));
                }
            });
        }
        self.sum(&keep, rows, values(Column::Id))
    }

    /// Tells whether all or none of a block's rows have a number and a time that
    /// is wanted; `None` where some may have.
    fn whole(&self, block: &Block, numbers: &Range<u64>) -> Option<bool> {
        let wanted = self.filter.numbers();
        let first = numbers.start;
        let last = numbers.end.saturating_sub(1);
        let (mut all, mut none) = (true, numbers.is_empty());
        if let Some(wanted) = wanted {
            all &= wanted.contains(&first) && wanted.contains(&last);
            none |= last < *wanted.start() || first > *wanted.end();
        }
        if let Some(window) = self.filter.window() {
            let earliest = Instant::from_milliseconds(block.time);
            let latest = Instant::from_milliseconds(block.time + i64::from(block.span));
            all &= window.has(earliest) && window.has(latest);
            none |= window.since.is_some_and(|since| latest < since)
                || window.until.is_some_and(|until| earliest >= until);
        }
        match (all, none) {
            (_, true) => Some(false),
            (true, _) => Some(true),
            _ => None,
        }
    }

    fn accepts(&self, number: u64, time: i64) -> bool {
        let time = Instant::from_milliseconds(time);
        let window = self.filter.window();
        self.filter.accepts_number(number) && window.is_none_or(|window| window.has(time))
    }

    /// Counts those that are kept, each by what is left to be known of it.
    fn sum(
        &self,
        keep: &[bool],
        rows: Range<usize>,
        ids: Option<&super::column::Values>,
    ) -> Option<Matching> {
        let mut matching = Matching::default();
        let has_text = self.filter.has_text();
        let Some(id) = &self.id else {
            let kept = keep.iter().filter(|keep| **keep).count() as u64;
            *(if has_text {
                &mut matching.unsure
            } else {
                &mut matching.sure
            }) = kept;
            return Some(matching);
        };
        let mut kept = keep.iter();
        ids?.each(rows, |hash| match id.passes(hash) {
            _ if kept.next() != Some(&true) => {}
            Some(true) if !has_text => matching.sure += 1,
            Some(false) => {}
            _ => matching.unsure += 1,
        });
        Some(matching)
    }
}

impl IdTest {
    fn of(test: &FieldTest) -> Self {
        let hashes = |ids: &[Vec<u8>]| ids.iter().map(|id| id_hash(id)).collect();
        Self {
            any_of: hashes(&test.values.any_of),
            none_of: hashes(&test.values.none_of),
        }
    }

    /// Tells whether a name with this hash is wanted; `None` where that depends on
    /// the name.
    fn passes(&self, hash: u32) -> Option<bool> {
        if !self.any_of.is_empty() && !self.any_of.contains(&hash) {
            return Some(false);
        }
        let is_sure = self.any_of.is_empty() && !self.none_of.contains(&hash);
        is_sure.then_some(true)
    }
}

/// Returns texts of which one is in every message that matches; `None` where it may
/// be one that no index tells of.
fn texts(filter: &Filter) -> Option<Vec<Wanted>> {
    let texts = filter.texts().map(|pieces| Wanted::of(&pieces));
    let texts: Vec<_> = texts.collect::<Option<_>>()?;
    (!texts.is_empty()).then_some(texts)
}

/// The column of a field; names of messages are hashes, and tested otherwise. No
/// index tells which message came by which key.
fn column(kind: Kind) -> Option<Column> {
    match kind {
        Kind::Sender => Some(Column::Sender),
        Kind::Topic => Some(Column::Topic),
        Kind::Tier => Some(Column::Tier),
        Kind::Chain => Some(Column::Chain),
        Kind::Tag => Some(Column::Tags),
        Kind::Id | Kind::Key | Kind::Origin => None,
    }
}

/// Tests each value of a dictionary just as a message with it is tested.
fn passes(test: &FieldTest, column: Column, dictionaries: &Dictionaries) -> Option<Vec<bool>> {
    let at = Column::NAMED.iter().position(|named| *named == column)?;
    let values = dictionaries.get(at)?.as_ref()?;
    let passes = values.iter().map(|value| {
        let mut fields = Fields {
            topic: Cow::Borrowed(&[]),
            sender: Cow::Borrowed(&[]),
            timestamp: Cow::Borrowed(&[]),
            tier: Cow::Borrowed(&[]),
            chain: Cow::Borrowed(&[]),
            tags: Tags::Token(&[]),
            id: None,
            recorded_at: None,
            content: Content::From(&[]),
            key: None,
            other_journal: None,
            in_reply_to: None,
        };
        match column {
            Column::Sender => fields.sender = Cow::Borrowed(value),
            Column::Topic => fields.topic = Cow::Borrowed(value),
            Column::Tier => fields.tier = Cow::Borrowed(value),
            Column::Chain => fields.chain = Cow::Borrowed(value),
            _ => fields.tags = dictionary::tags(value)?,
        }
        Some(test.holds(&fields))
    });
    passes.collect()
}
