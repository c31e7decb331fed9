//! The analysis beside one that keeps all messages and looks at each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use proptest::prelude::*;
use regex::Regex;
use tempfile::TempDir;

use super::*;
use crate::filter::{Criteria, Filter};
use crate::findings::Findings;
use crate::source::Source;
use crate::testing::{self, Message, journal};
use crate::zone::Zone;

/// A message, in which file it stands, and when it was recorded in milliseconds.
type Placed = (usize, Message, Option<i64>);

fn read(files: &[Vec<u8>]) -> Vec<Placed> {
    let files = files.iter().enumerate();
    let messages = files.flat_map(|(file, bytes)| {
        let messages = testing::messages(bytes).into_iter();
        messages.map(move |message| (file, message))
    });
    messages
        .map(|(file, message)| {
            let time = message.recorded_at.as_ref().unwrap_or(&message.timestamp);
            // Nobody sent a message in the year 1.
            let time = testing::milliseconds(time).filter(|time| *time > 0);
            (file, message, time)
        })
        .collect()
}

/// How many messages have each name, most first.
fn counted<'m>(names: impl Iterator<Item = &'m str>) -> Vec<(String, u64)> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name.to_owned()).or_insert(0) += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

fn named(found: &[Named]) -> Vec<(String, u64)> {
    let named = found.iter();
    named
        .map(|named| (named.name.clone().unwrap(), named.messages))
        .collect()
}

fn text(time: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(time).unwrap();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn range(times: impl Iterator<Item = i64> + Clone) -> Option<Range> {
    Some(Range {
        first: text(times.clone().min()?),
        last: text(times.max()?),
    })
}

/// The time that `percent` percent of all do not exceed.
fn percentile(times: &[i64], percent: usize) -> Option<f64> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let fits = |time: &&i64| {
        let below = sorted.iter().filter(|other| other <= time).count();
        below * 100 >= percent * sorted.len()
    };
    sorted.iter().find(fits).map(|time| *time as f64 / 1_000.0)
}

fn reply_times(times: &[i64], count: u64) -> ReplyTimes {
    ReplyTimes {
        count,
        median_seconds: percentile(times, 50),
        p95_seconds: percentile(times, 95),
    }
}

/// The first message of each name.
fn first_of_name(messages: &[Placed]) -> BTreeMap<&str, &Placed> {
    let mut named = BTreeMap::new();
    for placed in messages {
        if let Some(id) = placed.1.id.as_deref().filter(|id| !id.is_empty()) {
            named.entry(id).or_insert(placed);
        }
    }
    named
}

/// Who replied to which message that is there, and after how long.
fn replies(messages: &[Placed]) -> Vec<(&str, &str, Option<i64>)> {
    let named = first_of_name(messages);
    let replies = messages.iter().filter_map(|(_, message, time)| {
        let to = message.in_reply_to.as_deref()?;
        let (_, _, asked) = named.get(to)?;
        let took = time.zip(*asked).map(|(time, asked)| (time - asked).max(0));
        Some((&*message.sender, to, took))
    });
    replies.collect()
}

fn open_questions(messages: &[Placed]) -> Vec<&Placed> {
    let asks = Regex::new(r"(?:\?|？|؟)[\s&&[:ascii:]]*\z").unwrap();
    let word =
        Regex::new(r"\A(?i)(?:\S*[^a-z0-9])?(?:request|question|query|ask)[\s&&[:ascii:]]*\z");
    let word = word.unwrap();
    let answered: BTreeSet<&str> = messages
        .iter()
        .filter_map(|(_, message, _)| message.in_reply_to.as_deref())
        .collect();
    let named = first_of_name(messages);
    let mut open: Vec<&Placed> = named
        .into_iter()
        .filter(|(name, (_, message, _))| {
            let mut texts = message.texts.iter();
            let asks =
                |text: &String| asks.is_match(text) || text.len() <= 64 && word.is_match(text);
            !answered.contains(name) && (texts.any(asks) || word.is_match(&message.topic))
        })
        .map(|(_, placed)| placed)
        .collect();
    open.sort_by_key(|(file, message, _)| (*file, message.offset));
    open
}

fn missing(messages: &[Placed]) -> BTreeSet<u64> {
    let own = messages
        .iter()
        .filter_map(|(_, message, _)| message.own_number);
    let numbers: BTreeSet<u64> = own.collect();
    let all = numbers.first().zip(numbers.last());
    let all = all.map_or(0..=0, |(first, last)| *first..=*last);
    all.filter(|number| !numbers.is_empty() && !numbers.contains(number))
        .collect()
}

fn longest_silence(messages: &[Placed]) -> Option<f64> {
    let mut times: Vec<i64> = messages.iter().filter_map(|(_, _, time)| *time).collect();
    times.sort_unstable();
    let silences = times.windows(2).map(|pair| pair[1] - pair[0]);
    silences.max().map(|silence| silence as f64 / 1_000.0)
}

/// Messages by the beginning of their hour or stretch of days.
fn buckets(messages: &[Placed]) -> Option<(Unit, i64, BTreeMap<String, u64>)> {
    const HOUR: i64 = 3_600_000;
    let times: Vec<i64> = messages.iter().filter_map(|(_, _, time)| *time).collect();
    let (first, last) = (*times.iter().min()?, *times.iter().max()?);
    let days = last.div_euclid(24 * HOUR) - first.div_euclid(24 * HOUR) + 1;
    let (unit, units, step) = match (last - first) / HOUR {
        ..=72 => (Unit::Hour, 1, HOUR),
        _ => (Unit::Day, (days + 61) / 62, 24 * HOUR * ((days + 61) / 62)),
    };
    let day_or_hour = if unit == Unit::Hour { HOUR } else { 24 * HOUR };
    let start = first.div_euclid(day_or_hour) * day_or_hour;
    let mut buckets = BTreeMap::new();
    for time in times {
        let start = start + (time - start).div_euclid(step) * step;
        *buckets.entry(text(start)).or_insert(0) += 1;
    }
    Some((unit, units, buckets))
}

fn check_counts(report: &AnalysisReport, messages: &[Placed]) -> Result<(), TestCaseError> {
    prop_assert_eq!(report.messages, messages.len() as u64);
    let lengths = messages.iter().map(|(_, message, _)| message.length);
    prop_assert_eq!(report.bytes, lengths.sum::<u64>());
    let by = |field: fn(&Message) -> &str| {
        counted(messages.iter().map(|(_, message, _)| field(message)))
    };
    let mut tiers = by(|message| &message.tier);
    tiers.sort();
    prop_assert_eq!(named(&report.tiers), tiers);
    prop_assert_eq!(named(&report.chains), by(|message| &message.chain));
    prop_assert_eq!(named(&report.topics), by(|message| &message.topic));
    let keys = messages
        .iter()
        .filter_map(|(_, message, _)| message.key_name.as_deref());
    prop_assert_eq!(named(&report.keys), counted(keys));
    let tags = messages.iter().flat_map(|(_, message, _)| &message.tags);
    prop_assert_eq!(named(&report.tags), counted(tags.map(String::as_str)));
    Ok(())
}

fn check_senders(report: &AnalysisReport, messages: &[Placed]) -> Result<(), TestCaseError> {
    let replies = replies(messages);
    let names = counted(messages.iter().map(|(_, message, _)| &*message.sender));
    prop_assert_eq!(report.senders.len(), names.len());
    for (sender, (name, count)) in report.senders.iter().zip(names) {
        let own = messages
            .iter()
            .filter(|(_, message, _)| message.sender == name);
        let took: Vec<i64> = replies
            .iter()
            .filter(|(sender, _, _)| *sender == name)
            .filter_map(|(_, _, took)| *took)
            .collect();
        prop_assert_eq!(sender.name.as_ref(), Some(&name));
        prop_assert_eq!(sender.messages, count);
        prop_assert_eq!(
            sender.bytes,
            own.clone()
                .map(|(_, message, _)| message.length)
                .sum::<u64>()
        );
        prop_assert_eq!(
            &sender.recorded,
            &range(own.filter_map(|(_, _, time)| *time))
        );
        prop_assert_eq!(&sender.replies, &reply_times(&took, took.len() as u64));
    }
    let took: Vec<i64> = replies.iter().filter_map(|(_, _, took)| *took).collect();
    prop_assert_eq!(&report.replies, &reply_times(&took, replies.len() as u64));
    Ok(())
}

fn check_the_rest(report: &AnalysisReport, messages: &[Placed]) -> Result<(), TestCaseError> {
    let open = open_questions(messages);
    prop_assert_eq!(report.open_questions.one_in, 1);
    prop_assert_eq!(report.open_questions.count, open.len() as u64);
    let newest = report
        .open_questions
        .newest
        .iter()
        .map(|question| &question.message_id);
    let expected = open
        .iter()
        .rev()
        .take(10)
        .map(|(_, message, _)| message.id.as_ref().unwrap());
    prop_assert!(newest.eq(expected));

    let silence = longest_silence(messages);
    match &report.longest_silence {
        Some(found) if found.is_exact => prop_assert_eq!(Some(found.seconds), silence),
        Some(found) => prop_assert!(silence.unwrap() < found.seconds),
        None => prop_assert_eq!(silence, None),
    }
    let activity = report.activity.as_ref().map(|activity| {
        let full = activity.buckets.iter().filter(|bucket| bucket.messages > 0);
        let buckets = full.map(|bucket| (bucket.start.clone(), bucket.messages));
        (activity.unit, activity.units, buckets.collect())
    });
    prop_assert_eq!(activity, buckets(messages));
    if let Some(gaps) = report.gaps.as_ref().filter(|_| !report.is_filtered) {
        let missing = missing(messages);
        prop_assert_eq!(gaps.missing, missing.len() as u64);
        let told = gaps.first.iter().flat_map(|(first, last)| *first..=*last);
        let last = gaps.first.last().map_or(0, |(_, last)| *last);
        let all = missing
            .into_iter()
            .filter(|number| gaps.count <= 10 || *number <= last);
        prop_assert_eq!(told.collect::<Vec<_>>(), all.collect::<Vec<_>>());
    }
    Ok(())
}

/// Some closed sessions, and as the last one that being written.
fn dir_of(files: &[Vec<u8>]) -> TempDir {
    let (current, closed) = files.split_last().unwrap();
    let dir = testing::dir_with(current);
    let archive = crate::archive_dir(dir.path());
    fs::create_dir_all(&archive).unwrap();
    for (at, bytes) in closed.iter().enumerate() {
        let name = format!("session_20251120_14300{at}.jsonl");
        fs::write(archive.join(name), bytes).unwrap();
    }
    dir
}

/// Journals of which some lines come in another order and twice.
fn sessions() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let moved = prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..4);
    let session = (journal(), moved).prop_map(|(parts, moved)| {
        let mut lines: Vec<Vec<u8>> = parts.into_iter().map(|part| part.bytes).collect();
        if let Some(last) = lines.last_mut().filter(|last| !last.ends_with(b"\n")) {
            last.push(b'\n');
        }
        for (at, is_twice) in moved {
            if lines.is_empty() {
                break;
            }
            let line = lines[at.index(lines.len())].clone();
            if !is_twice {
                lines.remove(at.index(lines.len()));
            }
            lines.insert(0, line);
        }
        lines.concat()
    });
    prop::collection::vec(session, 1..3)
}

proptest! {
    #[test]
    fn the_same_analysis_as_by_keeping_all_messages(
        files in sessions(),
        tuning in testing::tuning(),
        of_one in any::<bool>(),
    ) {
        let dir = dir_of(&files);
        let mut source = Source::all(dir.path()).unwrap();
        source.tuning = tuning;
        let sender = "claude".to_owned();
        let filter = Filter::compile(&Criteria {
            sender: of_one.then_some(sender.clone()).into_iter().collect(),
            ..Criteria::default()
        }).unwrap();
        let mut messages = read(&files);
        messages.retain(|(_, message, _)| !of_one || message.sender == sender);

        let mut findings = Findings::default();
        let found: Analysis = crate::count(&source, &filter, &mut findings).unwrap();
        let zone = Zone::utc();
        let report = found.report(&source, &filter, &findings, &zone).unwrap();
        check_counts(&report, &messages)?;
        check_senders(&report, &messages)?;
        check_the_rest(&report, &messages)?;
    }
}
