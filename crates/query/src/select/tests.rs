use proptest::prelude::*;

use super::*;
use crate::filter::Criteria;
use crate::testing::{
    criteria, dir_with, journal, matching as expected, messages, open, recorded, tuning,
};

/// Keeps what it is given.
#[derive(Default)]
struct Kept {
    wants_counts: bool,
    summary: Option<Summary>,
    offsets: Vec<u64>,
    numbers: Vec<u64>,
}

impl Sink for Kept {
    fn wants_counts(&self) -> bool {
        self.wants_counts
    }

    fn begin(&mut self, summary: &Summary) -> Result<(), Error> {
        assert_eq!(self.summary.replace(*summary), None);
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        assert!(self.summary.is_some());
        assert!(entry.record().is_ok());
        self.offsets.push(entry.offset);
        self.numbers.push(entry.number.unwrap());
        Ok(())
    }
}

fn kept(
    source: &Source,
    criteria: &Criteria,
    order: Order,
    wants_counts: bool,
) -> (Kept, Findings) {
    let mut findings = Findings::default();
    let mut kept = Kept {
        wants_counts,
        ..Kept::default()
    };
    let filter = Filter::compile(criteria).unwrap();
    show(source, &filter, order, &mut findings, &mut kept).unwrap();
    (kept, findings)
}

fn newest(limit: u64) -> Order {
    Order {
        limit: Some(limit),
        newest_first: false,
    }
}

fn lines(numbers: std::ops::RangeInclusive<u64>) -> Vec<u8> {
    numbers
        .flat_map(|number| recorded(number, "t", "{}"))
        .collect()
}

#[test]
fn the_newest_are_shown_in_their_order() {
    let dir = dir_with(&lines(1..=9));
    for (limit, expected) in [
        (1, 9..=9),
        (3, 7..=9),
        (4, 6..=9),
        (5, 5..=9),
        (9, 1..=9),
        (10, 1..=9),
    ] {
        let (kept, _) = kept(&open(&dir), &Criteria::default(), newest(limit), true);
        assert_eq!(kept.numbers, expected.collect::<Vec<_>>(), "limit {limit}");
        let counts = Some(Counts {
            messages: 9,
            matching: 9,
        });
        let shown = Some(limit.min(9));
        assert_eq!(kept.summary, Some(Summary { counts, shown }));
    }
}

#[test]
fn the_newest_come_first_where_that_is_asked_for() {
    let dir = dir_with(&lines(1..=9));
    for (limit, expected) in [(None, 1..=9), (Some(3), 7..=9), (Some(20), 1..=9)] {
        let order = Order {
            limit,
            newest_first: true,
        };
        let (kept, _) = kept(&open(&dir), &Criteria::default(), order, false);
        assert_eq!(kept.numbers, expected.rev().collect::<Vec<_>>());
    }
}

#[test]
fn only_the_end_is_read_for_the_newest() {
    let mut session = b"damage\n".to_vec();
    session.extend(lines(1..=1_000));
    let dir = dir_with(&session);
    let mut source = open(&dir);
    source.tuning.chunk = 1_000;
    source.tuning.threads = 1;
    let (few, findings) = kept(&source, &Criteria::default(), newest(3), false);
    assert_eq!(few.numbers, [998, 999, 1000]);
    assert!(findings.is_empty());
    let (_, findings) = kept(&source, &Criteria::default(), newest(3), true);
    assert_eq!(findings.damaged, 1, "all was counted");
}

#[test]
fn numbers_are_those_of_a_full_read() {
    // The second line repeats an older one, so that the third follows from the first.
    let mut session = recorded(9, "t", "{}");
    session.extend(recorded(4, "t", "{}"));
    session.extend(b"{\"topic\":\"t\"}\n");
    let dir = dir_with(&session);
    let (all, _) = kept(&open(&dir), &Criteria::default(), Order::default(), false);
    assert_eq!(all.numbers[..2], [9, 4]);
    for limit in 1..=2 {
        let (newest, _) = kept(
            &open(&dir),
            &Criteria::default(),
            newest(limit as u64),
            false,
        );
        assert_eq!(newest.numbers, all.numbers[3 - limit..]);
    }
}

#[test]
fn the_end_of_a_large_file_is_shown_without_reading_the_rest() {
    // Nobody knows how many messages stand before, where no line tells.
    let line = |at: u64| match at {
        998 => "{\"message_num\":7998,\"sender\":\"a\"}\n".to_owned(),
        _ => format!("{{\"sender\":\"a\",\"content\":{at}}}\n"),
    };
    let session: String = (0..1_000).map(line).collect();
    let dir = dir_with(session.as_bytes());
    let mut source = open(&dir);
    source.tuning.chunk = 1_000;
    source.tuning.threads = 1;
    source.tuning.far = 5_000;
    let (shown, read) = shown_numbers(&source, newest(3), false);
    assert_eq!(shown, [None, Some(7_998), Some(7_999)]);
    assert!(read < session.len() as u64 / 4, "{read}");
    let (shown, _) = shown_numbers(&source, newest(3), true);
    assert_eq!(shown, [998, 7_998, 7_999].map(Some));
    source.tuning.far = 1 << 20;
    let (all, _) = shown_numbers(&source, newest(3), false);
    assert_eq!(all, shown);
}

/// The numbers that are shown, and how many bytes were looked at for that.
fn shown_numbers(source: &Source, order: Order, wants: bool) -> (Vec<Option<u64>>, u64) {
    struct Shown(Vec<Option<u64>>, bool);
    impl Sink for Shown {
        fn wants_numbers(&self) -> bool {
            self.1
        }
        fn begin(&mut self, _: &Summary) -> Result<(), Error> {
            Ok(())
        }
        fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
            self.0.push(entry.number);
            Ok(())
        }
    }
    let before = source.progress().bytes();
    let mut shown = Shown(Vec::new(), wants);
    let (filter, mut findings) = (Filter::default(), Findings::default());
    show(source, &filter, order, &mut findings, &mut shown).unwrap();
    (shown.0, source.progress().bytes() - before)
}

#[test]
fn files_are_merged_by_time_and_keep_the_order_of_their_lines() {
    let line = |time: &str, number: u64| {
        let time = match time {
            "" => String::new(),
            time => format!(",\"timestamp\":\"2025-11-20T{time}:00Z\""),
        };
        format!("{{\"message_num\":{number},\"sender\":\"s\",\"content\":1{time}}}\n")
    };
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, lines: &[(&str, u64)]| {
        let path = dir.path().join(name);
        let lines = lines.iter().map(|(time, number)| line(time, *number));
        std::fs::write(&path, lines.collect::<String>()).unwrap();
        path
    };
    // In the first one the clock was set back by an hour.
    let files = [
        file(
            "a",
            &[
                ("10:00", 1),
                ("09:10", 2),
                ("", 3),
                ("09:50", 4),
                ("10:30", 5),
            ],
        ),
        file(
            "b",
            &[("", 11), ("09:40", 12), ("10:05", 13), ("10:30", 14)],
        ),
    ];
    let source = Source::files(&files).unwrap();
    let (all, _) = kept(&source, &Criteria::default(), Order::default(), false);
    assert_eq!(all.numbers, [11, 12, 1, 2, 3, 4, 13, 5, 14]);
    let (newest, _) = kept(&source, &Criteria::default(), newest(3), false);
    assert_eq!(newest.numbers, [13, 5, 14]);
}

#[test]
fn an_error_of_the_sink_ends_it() {
    struct Full;
    impl Sink for Full {
        fn begin(&mut self, _: &Summary) -> Result<(), Error> {
            Ok(())
        }
        fn message(&mut self, _: &Entry<'_>) -> Result<(), Error> {
            Err(Error::Write(std::io::ErrorKind::StorageFull.into()))
        }
    }
    let dir = dir_with(&recorded(1, "t", "{}"));
    let mut findings = Findings::default();
    let result = show(
        &open(&dir),
        &Filter::default(),
        Order::default(),
        &mut findings,
        &mut Full,
    );
    assert!(matches!(result, Err(Error::Write(_))), "{result:?}");
}

proptest! {
    #[test]
    fn the_same_messages_as_by_the_reference(
        parts in journal(),
        criteria in criteria(),
        limit in prop::option::of(1..12_u64),
        newest_first in any::<bool>(),
        wants_counts in any::<bool>(),
        tuning in tuning(),
    ) {
        let session: Vec<u8> = parts.iter().flat_map(|part| part.bytes.clone()).collect();
        let all = messages(&session);
        let mut expected = expected(&all, &criteria);
        let matching_count = expected.len() as u64;
        let shown = usize::try_from(limit.unwrap_or(u64::MAX).min(matching_count)).unwrap();
        expected.drain(..expected.len() - shown);
        if newest_first {
            expected.reverse();
        }

        let dir = dir_with(&session);
        let mut source = open(&dir);
        source.tuning = tuning;
        let order = Order { limit, newest_first };
        let (kept, findings) = kept(&source, &criteria, order, wants_counts);
        let summary = kept.summary.unwrap();
        if let Some(known) = summary.shown {
            prop_assert_eq!(known, shown as u64);
        }
        prop_assert_eq!(summary.counts.is_some(), wants_counts);
        if let Some(counts) = summary.counts {
            prop_assert_eq!(counts, Counts { messages: all.len() as u64, matching: matching_count });
            let damaged: u64 = parts.iter().map(|part| part.damaged).sum();
            let altered: u64 = parts.iter().map(|part| part.altered).sum();
            prop_assert_eq!((findings.damaged, findings.altered), (damaged, altered));
            for damage in &findings.damage {
                let before = &session[..usize::try_from(damage.offset).unwrap()];
                let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
                prop_assert_eq!(damage.line, Some(line));
            }
        }
        let places: Vec<_> = expected.iter().map(|message| (message.offset, message.number)).collect();
        let found: Vec<_> = kept.offsets.into_iter().zip(kept.numbers).collect();
        prop_assert_eq!(found, places);

        let filter = Filter::compile(&criteria).unwrap();
        let count = matching(&source, &filter, &mut Findings::default()).unwrap();
        prop_assert_eq!(count, matching_count);
    }
}
