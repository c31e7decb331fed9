//! An analysis on disk, from which no more is read than can be used.
//!
//! Times are kept in buckets of each width that may be needed, and names of
//! messages by their hashes: when many sessions are put together, the buckets are
//! wide and most names drop out, and what would drop out is not read.

use std::io;

use super::coverage::Coverage;
use super::hash::hash;
use super::names::{Count, Entry, Names};
use super::place::MessagePlace;
use super::replies::{Answer, Asked, Replies};
use super::tally::Tally;
use super::time_range::TimeRange;
use super::timeline::{Moment, Timeline};
use super::{Analysis, Statistics};
use crate::bytes::{Input, Output, Span};

/// Pieces of names of messages: each has those that drop out at one more bit.
const PIECES: u32 = 12;
/// No index has more messages and replies.
const MOST: usize = 1 << 18;

/// No time that can be written with four digits of a year is farther from 1970,
/// in milliseconds. With this limit no sum of times overflows.
pub(crate) const FARTHEST: i64 = 1 << 49;

type Put<'p> = dyn FnMut(&[u8]) -> io::Result<Span> + 'p;
type Fetch<'f> = dyn Fn(Span) -> Option<Vec<u8>> + 'f;

/// Writes an analysis in pieces with `put`, and to `out` where they stand.
pub(crate) fn put(analysis: &Analysis, out: &mut Vec<u8>, put: &mut Put<'_>) -> io::Result<()> {
    // Another build of the standard library may have other hashes.
    out.put_u64(hash(b"index"));
    let mut counts = Vec::new();
    put_counts(analysis, &mut counts);
    put(&counts)?.put(out);
    let levels = analysis.times.levels();
    out.put_count(levels.first().map_or(0, |(level, _)| *level));
    out.put_count(levels.len());
    for (_, moments) in levels {
        put(&moments_bytes(&moments))?.put(out);
    }
    let replies = &analysis.replies;
    out.put_u32(replies.level);
    for piece in 0..PIECES {
        put(&piece_bytes(replies, piece))?.put(out);
    }
    Ok(())
}

/// Reads an analysis of the file of that place among those of a question, to be
/// added to what is `known` so far; without that, only its plain counts. No count
/// in it is above `limit`.
pub(crate) fn read(
    input: &mut Input<'_>,
    fetch: &Fetch<'_>,
    file: usize,
    limit: u64,
    known: Option<&Analysis>,
) -> Option<Analysis> {
    if input.u64()? != hash(b"index") {
        return None;
    }
    let counts = fetch(Span::read(input)?)?;
    let mut counts = Reading {
        input: Input(&counts),
        file,
        limit,
    };
    let mut analysis = counts.analysis()?;
    counts.input.end()?;
    if let Some(known) = known {
        analysis.times = timeline(input, fetch, limit, known.times.level)?;
        analysis.replies = replies_of(input, fetch, file, known.replies.level)?;
    }
    Some(analysis)
}

fn timeline(
    input: &mut Input<'_>,
    fetch: &Fetch<'_>,
    limit: u64,
    known: usize,
) -> Option<Timeline> {
    let first = usize::try_from(input.u32()?).ok()?;
    let count = input.count(Span::SIZE)?;
    let spans: Vec<_> = (0..count)
        .map(|_| Span::read(input))
        .collect::<Option<_>>()?;
    let at = known.max(first) - first;
    let moments = fetch(*spans.get(at)?)?;
    let mut input = Input(&moments);
    let mut moments = Vec::new();
    for _ in 0..input.count(24)? {
        let moment = Moment {
            first: input.i64().filter(is_near)?,
            last: input.i64().filter(is_near)?,
            messages: input.u64().filter(|messages| *messages <= limit)?,
        };
        moments.push((moment.first <= moment.last).then_some(moment)?);
    }
    input.end()?;
    Timeline::of(first + at, moments)
}

fn moments_bytes(moments: &[Moment]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + moments.len() * 24);
    out.put_count(moments.len());
    for moment in moments {
        out.put_i64(moment.first);
        out.put_i64(moment.last);
        out.put_u64(moment.messages);
    }
    out
}

fn replies_of(
    input: &mut Input<'_>,
    fetch: &Fetch<'_>,
    file: usize,
    known: u32,
) -> Option<Replies> {
    let level = input.u32().filter(|level| *level <= u64::BITS)?;
    let spans: Vec<_> = (0..PIECES)
        .map(|_| Span::read(input))
        .collect::<Option<_>>()?;
    let mut replies = Replies {
        level,
        ..Replies::default()
    };
    let first = known.saturating_sub(level).min(PIECES - 1);
    // The least hashes first: that is the order in which they are needed.
    for span in spans.into_iter().skip(first as usize).rev() {
        let bytes = fetch(span)?;
        let mut input = Input(&bytes);
        for _ in 0..input.count(17)? {
            let asked = Asked {
                name: input.u64()?,
                place: MessagePlace {
                    file,
                    offset: input.u64()?,
                },
                time: input.option(Input::i64)?.filter(is_near),
                is_question: input.u8()? == 1,
            };
            replies.asked.insert(asked.name, asked);
        }
        for _ in 0..input.count(17)? {
            replies.answers.push(Answer {
                to: input.u64()?,
                sender: input.u64()?,
                time: input.option(Input::i64)?.filter(is_near),
            });
        }
        input.end()?;
        if replies.asked.len() + replies.answers.len() > MOST {
            return None;
        }
    }
    replies.raise(known);
    Some(replies)
}

/// The messages and replies whose hashes begin with `piece` zero bits more than
/// they need, or with that or more for the last piece.
fn piece_bytes(replies: &Replies, piece: u32) -> Vec<u8> {
    let is_here = |hash: u64| (hash.leading_zeros() - replies.level).min(PIECES - 1) == piece;
    let mut out = Vec::new();
    let asked = replies.asked.values().filter(|asked| is_here(asked.name));
    let mut asked: Vec<_> = asked.collect();
    asked.sort_unstable();
    out.put_count(asked.len());
    for asked in asked {
        out.put_u64(asked.name);
        out.put_u64(asked.place.offset);
        out.put_option(asked.time, Vec::put_i64);
        out.put_u8(u8::from(asked.is_question));
    }
    let answers = replies.answers.iter().filter(|answer| is_here(answer.to));
    out.put_count(answers.clone().count());
    for answer in answers {
        out.put_u64(answer.to);
        out.put_u64(answer.sender);
        out.put_option(answer.time, Vec::put_i64);
    }
    out
}

fn is_near(time: &i64) -> bool {
    (-FARTHEST..FARTHEST).contains(time)
}

fn put_counts(analysis: &Analysis, out: &mut Vec<u8>) {
    let counts = &analysis.counts;
    out.put_u64(counts.messages);
    for tally in [&counts.tiers, &counts.chains, &counts.senders] {
        let names = tally.by_name();
        out.put_count(names.len());
        for (name, count) in names {
            out.put_string(name.as_bytes());
            out.put_u64(count);
        }
    }
    out.put_option(counts.times.as_ref(), |out, times| {
        for (offset, text) in times.ends() {
            out.put_u64(offset);
            out.put_string(text.as_bytes());
        }
    });
    out.put_u64(analysis.bytes);
    for names in [
        &analysis.senders,
        &analysis.keys,
        &analysis.topics,
        &analysis.tags,
    ] {
        out.put_count(names.entries.len());
        for Entry { name, count } in &names.entries {
            out.put_string(name);
            put_count(count, out);
        }
        put_count(&names.others, out);
    }
    let numbers = &analysis.numbers;
    out.put_u8(u8::from(numbers.is_too_scattered));
    out.put_count(numbers.ranges.len());
    for (first, last) in &numbers.ranges {
        out.put_u64(*first);
        out.put_u64(*last);
    }
}

fn put_count(count: &Count, out: &mut Vec<u8>) {
    out.put_u64(count.messages);
    out.put_u64(count.bytes);
    out.put_option(count.times, |out, (first, last)| {
        out.put_i64(first);
        out.put_i64(last);
    });
}

struct Reading<'a> {
    input: Input<'a>,
    file: usize,
    limit: u64,
}

impl Reading<'_> {
    fn analysis(&mut self) -> Option<Analysis> {
        Some(Analysis {
            counts: Statistics {
                messages: self.below()?,
                tiers: self.tally()?,
                chains: self.tally()?,
                senders: self.tally()?,
                times: self.times()?,
                clock: Default::default(),
            },
            bytes: self.below()?,
            senders: self.names()?,
            keys: self.names()?,
            topics: self.names()?,
            tags: self.names()?,
            numbers: self.coverage()?,
            ..Analysis::default()
        })
    }

    fn below(&mut self) -> Option<u64> {
        self.input.u64().filter(|value| *value <= self.limit)
    }

    fn tally(&mut self) -> Option<Tally> {
        let mut tally = Tally::default();
        for _ in 0..self.input.count(12)? {
            let name = self.input.string()?;
            tally.add_many(name, self.below()?);
        }
        Some(tally)
    }

    fn times(&mut self) -> Option<Option<TimeRange>> {
        let file = self.file;
        self.input.option(|input| {
            let mut end = || {
                let place = (file, input.u64()?);
                let text = std::str::from_utf8(input.string()?).ok()?;
                Some((place, text.to_owned()))
            };
            TimeRange::between(end()?, end()?)
        })
    }

    fn names(&mut self) -> Option<Names> {
        let mut names = Names::default();
        for _ in 0..self.input.count(21)? {
            let name = self.input.string()?;
            let count = self.count()?;
            names.add_name(name, count);
        }
        names.others = self.count()?;
        Some(names)
    }

    fn count(&mut self) -> Option<Count> {
        Some(Count {
            messages: self.below()?,
            bytes: self.below()?,
            times: self.input.option(|input| {
                let (first, last) = (input.i64()?, input.i64()?);
                (is_near(&first) && is_near(&last)).then_some((first, last))
            })?,
        })
    }

    fn coverage(&mut self) -> Option<Coverage> {
        let mut numbers = Coverage {
            is_too_scattered: self.input.u8()? == 1,
            ranges: Vec::new(),
        };
        for _ in 0..self.input.count(16)? {
            let range = (self.input.u64()?, self.input.u64()?);
            numbers.ranges.push((range.0 <= range.1).then_some(range)?);
        }
        Some(numbers)
    }
}
