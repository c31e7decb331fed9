use proptest::prelude::*;

use super::*;
use crate::filter::Criteria;
use crate::testing::{criteria, dir_with, journal, matching, messages, open, recorded};

/// Keeps what it is given.
#[derive(Default)]
struct Kept {
    summary: Option<Summary>,
    offsets: Vec<u64>,
    numbers: Vec<u64>,
}

impl Sink for Kept {
    fn begin(&mut self, summary: &Summary) -> Result<(), Error> {
        assert_eq!(self.summary.replace(*summary), None);
        Ok(())
    }

    fn message(&mut self, entry: &Entry<'_>) -> Result<(), Error> {
        assert!(self.summary.is_some());
        self.offsets.push(entry.offset);
        self.numbers.push(entry.number);
        Ok(())
    }
}

fn kept(source: &mut Source, criteria: &Criteria, limit: Option<u64>) -> (Kept, Findings) {
    let mut findings = Findings::default();
    let mut kept = Kept::default();
    let filter = Filter::compile(criteria);
    show(source, &filter, limit, &mut findings, &mut kept).unwrap();
    (kept, findings)
}

#[test]
fn the_newest_are_shown_in_their_order() {
    let session: Vec<u8> = (1..=9)
        .flat_map(|number| recorded(number, "t", "{}"))
        .collect();
    let dir = dir_with(&session);
    for (limit, expected) in [
        (1, 9..=9),
        (3, 7..=9),
        (4, 6..=9),
        (5, 5..=9),
        (9, 1..=9),
        (10, 1..=9),
    ] {
        let (kept, _) = kept(&mut open(&dir), &Criteria::default(), Some(limit));
        assert_eq!(
            kept.numbers,
            expected.clone().collect::<Vec<_>>(),
            "limit {limit}"
        );
        let shown = limit.min(9);
        assert_eq!(
            kept.summary,
            Some(Summary {
                loaded: 9,
                matching: 9,
                shown
            })
        );
    }
}

#[test]
fn numbers_are_those_of_a_full_read() {
    // The second line repeats an older one, so that the third follows from the first.
    let mut session = recorded(9, "t", "{}");
    session.extend(recorded(4, "t", "{}"));
    session.extend(b"{\"topic\":\"t\"}\n");
    let dir = dir_with(&session);
    let (all, _) = kept(&mut open(&dir), &Criteria::default(), None);
    assert_eq!(all.numbers[..2], [9, 4]);
    for limit in 1..=2 {
        let (newest, _) = kept(&mut open(&dir), &Criteria::default(), Some(limit as u64));
        assert_eq!(newest.numbers, all.numbers[3 - limit..]);
    }
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
        &mut open(&dir),
        &Filter::default(),
        None,
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
    ) {
        let session: Vec<u8> = parts.iter().flat_map(|part| part.bytes.clone()).collect();
        let all = messages(&session);
        let expected = matching(&all, &criteria);
        let shown = limit.unwrap_or(u64::MAX).min(expected.len() as u64);

        let dir = dir_with(&session);
        let (kept, findings) = kept(&mut open(&dir), &criteria, limit);
        let summary = Summary { loaded: all.len() as u64, matching: expected.len() as u64, shown };
        prop_assert_eq!(kept.summary, Some(summary));
        let offsets: Vec<u64> = expected.iter().map(|message| message.offset).collect();
        prop_assert_eq!(&kept.offsets, &offsets[offsets.len() - kept.offsets.len()..]);
        prop_assert_eq!(kept.offsets.len() as u64, shown);

        let damaged: u64 = parts.iter().map(|part| part.damaged).sum();
        let altered: u64 = parts.iter().map(|part| part.altered).sum();
        prop_assert_eq!((findings.damaged, findings.altered), (damaged, altered));
    }
}
