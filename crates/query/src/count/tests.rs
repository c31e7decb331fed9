use std::collections::BTreeMap;

use proptest::prelude::*;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::*;
use crate::analysis::Statistics;
use crate::testing::{Message, criteria, dir_with, journal, matching, messages, open, tuning};

fn tally(messages: &[Message], field: fn(&Message) -> &String) -> Vec<(&str, u64)> {
    let mut counts = BTreeMap::new();
    for message in messages {
        *counts.entry(field(message).as_str()).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

/// The first and the last of the readable times, by another parser.
fn times(messages: &[Message]) -> Option<(&str, &str)> {
    let parse = |message: &Message| {
        let text = &message.timestamp;
        if let Ok(number) = text.parse::<i128>() {
            // No time in seconds is that large yet.
            let is_milliseconds = number > 100_000_000_000;
            let unit = if is_milliseconds {
                1_000_000
            } else {
                1_000_000_000
            };
            return OffsetDateTime::from_unix_timestamp_nanos(number * unit).ok();
        }
        let text = if text.contains(['Z', '+']) {
            text.clone()
        } else {
            format!("{text}Z")
        };
        OffsetDateTime::parse(&text, &Rfc3339).ok()
    };
    // Nobody sent a message in the year 1.
    let parse = |message| parse(message).filter(|time| time.year() >= 1970);
    let readable = messages
        .iter()
        .filter_map(|message| Some((parse(message)?, &*message.timestamp)));
    let readable: Vec<_> = readable.collect();
    let first = readable.iter().min_by_key(|(time, _)| *time)?.1;
    // Of equal ones `max_by_key` takes the last.
    let last = readable.iter().rev().max_by_key(|(time, _)| *time)?.1;
    Some((first, last))
}

proptest! {
    #[test]
    fn the_same_counts_as_by_the_reference(
        parts in journal(),
        criteria in criteria(),
        tuning in tuning(),
    ) {
        let session: Vec<u8> = parts.iter().flat_map(|part| part.bytes.clone()).collect();
        let expected = matching(&messages(&session), &criteria);

        let dir = dir_with(&session);
        let mut findings = Findings::default();
        let filter = Filter::compile(&criteria).unwrap();
        let mut source = open(&dir);
        source.tuning = tuning;
        let found: Statistics = count(&source, &filter, &mut findings).unwrap();
        prop_assert_eq!(found.messages, expected.len() as u64);
        prop_assert_eq!(found.tiers.by_name(), tally(&expected, |message| &message.tier));
        prop_assert_eq!(found.chains.by_name(), tally(&expected, |message| &message.chain));
        prop_assert_eq!(found.senders.by_name(), tally(&expected, |message| &message.sender));
        let range = found.times.as_ref().map(|times| (times.first(), times.last()));
        prop_assert_eq!(range, times(&expected));
        let is_narrowed = criteria.from.or(criteria.to).is_some();
        if !is_narrowed {
            let damaged: u64 = parts.iter().map(|part| part.damaged).sum();
            let altered: u64 = parts.iter().map(|part| part.altered).sum();
            prop_assert_eq!((findings.damaged, findings.altered), (damaged, altered));
        }
    }
}
