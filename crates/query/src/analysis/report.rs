//! Makes numbers for people of what was counted.

use std::collections::HashMap;

use super::moment::{text, zoned};
use super::names::{Entry, Names};
use super::replies::{self, Matched};
use super::schema::{
    Activity, AnalysisReport, Bucket, Damaged, Gaps, Named, OpenQuestions, Range, ReplyTimes,
    Sender, Silence, Unit,
};
use super::timeline::{Longest, Moment};
use super::{Analysis, open};
use crate::error::{Error, shown};
use crate::filter::Filter;
use crate::findings::Findings;
use crate::source::Source;
use crate::zone::Zone;
use jiff::Zoned;

/// How many open questions and gaps are named.
const NAMED: usize = 10;
/// Up to this many hours are shown one by one, and up to this many days.
const HOURS: i64 = 72;
const DAYS: i64 = 62;

impl Analysis {
    /// Makes numbers for people of what was counted.
    ///
    /// # Errors
    /// [`Error::Read`] where the open questions can't be read again.
    pub fn report(
        &self,
        source: &Source,
        filter: &Filter,
        findings: &Findings,
        zone: &Zone,
    ) -> Result<AnalysisReport, Error> {
        let matched = self.replies.matched();
        let mut report = self.summary_of(&matched, zone);
        report.source = shown(source.path());
        report.is_filtered = !filter.is_empty();
        let newest = matched.open.iter().rev().take(NAMED);
        report.open_questions.newest = newest
            .map(|place| open::read(source, *place, zone))
            .collect::<Result<_, Error>>()?;
        report.damage = Damaged {
            damaged_lines: findings.damaged,
            altered_messages: findings.altered,
        };
        if filter.is_empty() {
            report.gaps = self.numbers.gaps().map(|gaps| Gaps::of(&gaps));
        }
        Ok(report)
    }

    /// The same without what has to be read again.
    #[must_use]
    pub fn summary(&self, zone: &Zone) -> AnalysisReport {
        self.summary_of(&self.replies.matched(), zone)
    }

    fn summary_of(&self, matched: &Matched, zone: &Zone) -> AnalysisReport {
        let total = self.counts.messages;
        let named = |(name, count): (&str, u64)| Named::new(Some(name.to_owned()), count, total);
        let all_times: Vec<i64> = matched.times.values().flatten().copied().collect();
        let times = self.counts.times.as_ref();
        AnalysisReport {
            schema: 1,
            source: String::new(),
            is_filtered: false,
            messages: total,
            bytes: self.bytes,
            tiers: self.counts.tiers.by_name().into_iter().map(named).collect(),
            chains: self
                .counts
                .chains
                .by_count()
                .into_iter()
                .map(named)
                .collect(),
            senders: senders(&self.senders, total, matched, zone),
            keys: all_named(&self.keys, total),
            topics: all_named(&self.topics, total),
            tags: all_named(&self.tags, total),
            timestamps: times.map(|times| Range {
                first: times.first().to_owned(),
                last: times.last().to_owned(),
            }),
            activity: activity(&self.times.moments(), zone),
            longest_silence: self
                .times
                .longest_silence()
                .map(|longest| silence(longest, zone)),
            replies: ReplyTimes::of(all_times, matched.answers, matched.one_in),
            open_questions: OpenQuestions {
                count: (matched.open.len() as u64).saturating_mul(matched.one_in),
                one_in: matched.one_in,
                newest: Vec::new(),
            },
            damage: Damaged::default(),
            gaps: None,
        }
    }
}

impl Named {
    fn new(name: Option<String>, messages: u64, total: u64) -> Self {
        Self {
            name,
            messages,
            share: share(messages, total),
        }
    }
}

impl ReplyTimes {
    fn of(mut times: Vec<i64>, count: u64, one_in: u64) -> Self {
        times.sort_unstable();
        let seconds = |percent| replies::percentile(&times, percent).map(seconds);
        Self {
            count: count.saturating_mul(one_in),
            median_seconds: seconds(50),
            p95_seconds: seconds(95),
        }
    }
}

impl Gaps {
    fn of(gaps: &[(u64, u64)]) -> Self {
        let missing = gaps.iter().map(|(from, to)| to - from + 1);
        Self {
            count: gaps.len() as u64,
            missing: missing.fold(0, u64::saturating_add),
            first: gaps.iter().take(NAMED).copied().collect(),
        }
    }
}

fn senders(names: &Names, total: u64, matched: &Matched, zone: &Zone) -> Vec<Sender> {
    let none = HashMap::new();
    let sender = |name: Option<&Entry>, count: super::names::Count| {
        let times = name.map_or(&none, |_| &matched.times);
        let times = name.and_then(|name| times.get(&name.hash()));
        let times = times.cloned().unwrap_or_default();
        let answers = times.len() as u64;
        let recorded = count
            .times
            .and_then(|(first, last)| range(first, last, zone));
        Sender {
            name: name.map(Entry::name),
            messages: count.messages,
            bytes: count.bytes,
            share: share(count.messages, total),
            recorded,
            replies: ReplyTimes::of(times, answers, matched.one_in),
        }
    };
    let known = names.by_count();
    let mut senders: Vec<_> = known
        .iter()
        .map(|entry| sender(Some(entry), entry.count))
        .collect();
    if names.others.messages > 0 {
        senders.push(sender(None, names.others));
    }
    senders
}

fn all_named(names: &Names, total: u64) -> Vec<Named> {
    let known = names.by_count().into_iter();
    let known = known.map(|entry| Named::new(Some(entry.name()), entry.count.messages, total));
    let others = Some(names.others.messages).filter(|messages| *messages > 0);
    known
        .chain(others.map(|messages| Named::new(None, messages, total)))
        .collect()
}

fn silence(longest: Longest, zone: &Zone) -> Silence {
    match longest {
        Longest::Between(from, to) => Silence {
            seconds: seconds(to - from),
            is_exact: true,
            between: range(from, to, zone),
        },
        Longest::Below(width) => Silence {
            seconds: seconds(width),
            is_exact: false,
            between: None,
        },
    }
}

/// Chooses hours or days, and counts the messages of each.
fn activity(moments: &[Moment], zone: &Zone) -> Option<Activity> {
    let first = zoned(moments.first()?.first, zone)?;
    let last = zoned(moments.last()?.first, zone)?;
    let hours = first.duration_until(&last).as_hours();
    let unit = if hours <= HOURS {
        Unit::Hour
    } else {
        Unit::Day
    };
    let days = i64::from(first.date().until(last.date()).ok()?.get_days()) + 1;
    let units = match unit {
        Unit::Hour => 1,
        Unit::Day => (days + DAYS - 1) / DAYS,
    };
    let mut buckets = empty_buckets(&first, &last, unit, units)?;
    for moment in moments {
        let before = buckets.partition_point(|(start, _)| *start <= moment.first);
        if let Some((_, messages)) = buckets.get_mut(before.saturating_sub(1)) {
            *messages += moment.messages;
        }
    }
    let buckets = buckets.into_iter().filter_map(|(start, messages)| {
        let start = text(start, zone)?;
        Some(Bucket { start, messages })
    });
    Some(Activity {
        unit,
        units,
        buckets: buckets.collect(),
    })
}

/// The beginning of each bucket, in milliseconds since 1970.
fn empty_buckets(first: &Zoned, last: &Zoned, unit: Unit, units: i64) -> Option<Vec<(i64, u64)>> {
    let (round, step) = match unit {
        Unit::Hour => (jiff::Unit::Hour, jiff::Span::new().hours(units)),
        Unit::Day => (jiff::Unit::Day, jiff::Span::new().try_days(units).ok()?),
    };
    let floor = jiff::ZonedRound::new()
        .smallest(round)
        .mode(jiff::RoundMode::Floor);
    let mut start = first.round(floor).ok()?;
    let mut buckets = Vec::new();
    while start <= *last {
        buckets.push((start.timestamp().as_millisecond(), 0));
        start = start.checked_add(step).ok()?;
    }
    Some(buckets)
}

fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1_000.0
}

fn range(first: i64, last: i64, zone: &Zone) -> Option<Range> {
    Some(Range {
        first: text(first, zone)?,
        last: text(last, zone)?,
    })
}
