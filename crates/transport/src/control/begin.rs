//! Where does a consumer begin?

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use journal::raw::checksum;
use journal::{Item, Lookup, Missing, ReadError, Reader};
use journal::{find_record, list_archives};
use message::Record;
use protocol::{Failure, From, Word, code};

use super::moment;
use super::positions::Position;
use crate::tail::{Current, Tail};

/// Below this many bytes reading on is cheaper than halving.
const NEAR: u64 = 64 << 10;

/// Where the journal is, and what is known of it.
pub(super) struct BeginContext<'a> {
    pub(super) dir: &'a Path,
    pub(super) tail: &'a Arc<Tail>,
    /// The numbers that the journal's files lacked at the start.
    pub(super) missing: &'a [Missing],
}

/// Returns the number after which a consumer begins.
///
/// `kept` is the position that the broker keeps for its name.
pub(super) fn begin(
    from: &From,
    kept: Option<&Position>,
    place: &BeginContext<'_>,
) -> Result<u64, Failure> {
    let BeginContext { dir, tail, .. } = *place;
    let current = tail.current();
    let last = current.next.saturating_sub(1);
    match from {
        From::Number(number) => {
            let after = number - 1;
            if after > last {
                return Err(beyond(&format!("message {number}"), last));
            }
            there(after, &oldest(dir, &current)?)
        }
        From::Word(word) => match (word, kept) {
            (Word::Now, _) => Ok(last),
            (Word::Session, _) => Ok(current.first.saturating_sub(1)),
            (Word::After, Some(kept)) if kept.number > last => Err(beyond(
                &format!("the position {} kept for this name", kept.number),
                last,
            )),
            (Word::After, Some(kept)) => {
                let after = there(kept.number, &oldest(dir, &current)?)?;
                check_kept(kept, place, last).map(|()| after)
            }
            (Word::Start | Word::After, _) => Ok(oldest(dir, &current)?.first.saturating_sub(1)),
        },
        From::Time { time } => {
            let time = moment::parse(time).unwrap_or(Timestamp::MAX);
            before(time, dir, &current).map_err(|error| unreadable(&error))
        }
    }
}

/// Checks that the record that was acknowledged is still the one with its number.
///
/// A record that is not there is no fault where the next one follows it: its
/// archive was moved away.
fn check_kept(kept: &Position, place: &BeginContext<'_>, last: u64) -> Result<(), Failure> {
    let number = kept.number;
    if number == 0 {
        return Ok(());
    }
    let what = match find_record(place.dir, number).map_err(|error| unreadable(&error))? {
        Lookup::Record(line) => match (checksum(&line.bytes), kept.crc.as_deref()) {
            (Some(found), Some(kept)) if found != kept => format!(
                "message {number} is another one now (its checksum is {found}, that of the \
                 acknowledged one was {kept})"
            ),
            _ => return Ok(()),
        },
        Lookup::Absent { next: Some(next) } if next > number + 1 => {
            format!("messages {number} to {} are missing", next - 1)
        }
        Lookup::Absent { .. } if is_unknown(number, place.missing) => {
            format!("message {number} is not in it, and was not when it was written last")
        }
        Lookup::Absent { .. } => return Ok(()),
    };
    let message = format!(
        "the journal is not the one in which message {number} was acknowledged: {what}. It was \
         restored or replaced. Go on with \"from\":{} to take what comes behind that number, or \
         with \"from\":\"start\" to take all that is there",
        number + 1
    );
    Err(Failure::new(code::JOURNAL_CHANGED, message)
        .with(|details| (details.message_num, details.last) = (Some(number), Some(last))))
}

/// Tells whether the journal does not know of a number that somebody has seen.
fn is_unknown(number: u64, missing: &[Missing]) -> bool {
    let unknown = |one: &Missing| one.there.is_none() && (one.first..=one.last).contains(&number);
    missing.iter().any(unknown)
}

fn beyond(what: &str, last: u64) -> Failure {
    let message = format!("{what} is beyond the end: the last message is {last}");
    Failure::new(code::BEYOND_HEAD, message).with(|details| details.last = Some(last))
}

/// Says that the journal can't be read.
pub(super) fn unreadable(error: &ReadError) -> Failure {
    Failure::new(code::IO, format!("{error}: {}", error.source))
}

/// The oldest record that there may be.
struct Oldest {
    first: u64,
}

fn oldest(dir: &Path, current: &Current) -> Result<Oldest, Failure> {
    let archives = list_archives(dir).map_err(|error| unreadable(&error))?;
    let first = archives
        .first()
        .map_or(current.first, |archive| archive.first);
    Ok(Oldest { first })
}

fn there(after: u64, oldest: &Oldest) -> Result<u64, Failure> {
    let Oldest { first } = *oldest;
    if after + 1 >= first {
        return Ok(after);
    }
    let message = format!(
        "message {} is gone: the oldest one that is there is {first}; \
         begin with \"from\":{first} or \"start\"",
        after + 1
    );
    Err(Failure::new(code::GONE, message).with(|details| details.oldest = Some(first)))
}

/// Returns the number before the first record of a time or later. Where the
/// clock was put back in between, it is one of the places that fit.
fn before(time: Timestamp, dir: &Path, current: &Current) -> Result<u64, ReadError> {
    let archives = list_archives(dir)?;
    let mut end = current.next;
    let here = (current.first, None);
    let closed = archives.iter().rev();
    let closed = closed.map(|archive| (archive.first, Some(&*archive.path)));
    for (first, path) in std::iter::once(here).chain(closed) {
        if first >= end {
            continue;
        }
        let mut reader = match path {
            Some(path) => Reader::open(path)?,
            // What is committed, and nothing else.
            None => current.segment.reader(current.bytes)?,
        };
        if time_of_next(&mut reader)?.is_some_and(|first| first < time) {
            return within(reader, end, time);
        }
        end = first;
    }
    Ok(end.saturating_sub(1))
}

/// Finds the first record of that time or later in a session whose first one is older,
/// and returns the number before it.
fn within(mut reader: Reader, end: u64, time: Timestamp) -> Result<u64, ReadError> {
    let is_before = &mut |record: &journal::Record<'_>| Some(time_of(record.line)? < time);
    let found = reader.bracket(NEAR, is_before)?;
    reader.seek(found.start, Some(found.last));
    while let Some(item) = reader.next_item()? {
        if let Item::Record(record) = item
            && time_of(record.line).is_some_and(|found| found >= time)
        {
            return Ok(record.number.saturating_sub(1));
        }
    }
    Ok(end.saturating_sub(1))
}

/// Returns the time of the next record that has one.
fn time_of_next(reader: &mut Reader) -> Result<Option<Timestamp>, ReadError> {
    while let Some(item) = reader.next_item()? {
        if let Item::Record(record) = item
            && let Some(time) = time_of(record.line)
        {
            return Ok(Some(time));
        }
    }
    Ok(None)
}

fn time_of(line: &[u8]) -> Option<Timestamp> {
    recorded(&Record::parse(line).ok()?)
}

/// Returns when a record was made; older recorders say only what the sender's
/// clock said.
pub(super) fn recorded(record: &Record<'_>) -> Option<Timestamp> {
    let time = record.recorded_at.as_deref();
    moment::parse(time.unwrap_or(&record.timestamp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    fn number(from: &From, kept: Option<u64>, bench: &Bench) -> Result<u64, String> {
        let kept = kept.map(|number| Position { number, crc: None });
        begin_at(from, kept.as_ref(), bench, &[])
    }

    fn begin_at(
        from: &From,
        kept: Option<&Position>,
        bench: &Bench,
        missing: &[Missing],
    ) -> Result<u64, String> {
        let place = BeginContext {
            dir: bench.dir.path(),
            tail: &bench.tail,
            missing,
        };
        begin(from, kept, &place).map_err(|refusal| refusal.header(&protocol::Id::Unknown))
    }

    #[test]
    fn a_position_of_which_the_record_is_another_one_now_is_an_error_with_two_ways_on() {
        let (bench, archived) = four();
        let after = From::Word(Word::After);
        for number in 1..=4 {
            let Lookup::Record(line) = find_record(bench.dir.path(), number).unwrap() else {
                panic!("{number}")
            };
            let crc = checksum(&line.bytes).map(str::to_owned);
            let right = Position { number, crc };
            assert_eq!(begin_at(&after, Some(&right), &bench, &[]), Ok(number));
            let crc = Some("0badc0de".to_owned());
            let wrong = Position { number, crc };
            let error = begin_at(&after, Some(&wrong), &bench, &[]).unwrap_err();
            let ways = [format!("\\\"from\\\":{}", number + 1), "start".to_owned()];
            assert!(error.contains("journal_changed"), "{error}");
            assert!(ways.iter().all(|way| error.contains(way)), "{error}");
        }
        // The archive with the record was moved away, and nothing was missed.
        std::fs::remove_file(archived).unwrap();
        let crc = Some("0badc0de".to_owned());
        let before = Position { number: 2, crc };
        assert_eq!(begin_at(&after, Some(&before), &bench, &[]), Ok(2));
    }

    #[test]
    fn a_position_behind_which_messages_are_missing_is_an_error_that_names_them() {
        let mut bench = Bench::new(10);
        bench.record(&["a"]);
        bench.archive();
        bench.record(&["b", "c"]);
        let archived = bench.archive();
        bench.record(&["d"]);
        std::fs::remove_file(archived.path).unwrap();
        let error = number(&From::Word(Word::After), Some(2), &bench).unwrap_err();
        assert!(error.contains("journal_changed"), "{error}");
        assert!(error.contains("messages 2 to 3 are missing"), "{error}");
        // What comes behind the last one that is missing is there.
        assert_eq!(number(&From::Word(Word::After), Some(3), &bench), Ok(3));
    }

    #[test]
    fn a_position_that_the_journal_does_not_know_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let options = journal::Options {
            seen: 9,
            ..journal::Options::default()
        };
        let (writer, found) = journal::raw::Writer::open(dir.path(), options).unwrap();
        drop(writer);
        let bench = Bench::reopen(dir, 10);
        let kept = Position {
            number: 9,
            crc: None,
        };
        let error = begin_at(
            &From::Word(Word::After),
            Some(&kept),
            &bench,
            &found.missing,
        )
        .unwrap_err();
        assert!(error.contains("journal_changed"), "{error}");
    }

    /// Numbers 1 and 2 in an archive, 3 and 4 in the session.
    fn four() -> (Bench, std::path::PathBuf) {
        let mut bench = Bench::new(10);
        bench.record_at(&["a", "b"], "2025-11-20T04:00:00.000Z");
        let archived = bench.archive();
        bench.record_at(&["c"], "2025-11-20T05:00:00.000Z");
        bench.record_at(&["d"], "2025-11-20T06:00:00.000Z");
        (bench, archived.path)
    }

    #[test]
    fn every_kind_of_position_is_found() {
        let (bench, _) = four();
        assert_eq!(number(&From::Number(1), None, &bench), Ok(0));
        assert_eq!(number(&From::Number(5), None, &bench), Ok(4));
        assert_eq!(number(&From::Word(Word::Start), None, &bench), Ok(0));
        assert_eq!(number(&From::Word(Word::Session), None, &bench), Ok(2));
        assert_eq!(number(&From::Word(Word::Now), Some(1), &bench), Ok(4));
        assert_eq!(number(&From::Word(Word::After), Some(3), &bench), Ok(3));
        for (time, expected) in [
            ("2025-11-20T03:00:00Z", 0),
            ("2025-11-20T04:00:00Z", 0),
            ("2025-11-20T04:00:01Z", 2),
            ("2025-11-20T05:00:00Z", 2),
            ("2025-11-20T05:30:00", 3),
            ("2025-11-20T07:00:00Z", 4),
        ] {
            let time = time.to_owned();
            assert_eq!(number(&From::Time { time }, None, &bench), Ok(expected));
        }
    }

    #[test]
    fn what_is_beyond_the_end_or_gone_is_an_error_that_says_what_there_is() {
        let (bench, archived) = four();
        let beyond = number(&From::Number(6), None, &bench).unwrap_err();
        assert!(beyond.contains("beyond_head") && beyond.contains("\"last\":4"));
        assert!(
            number(&From::Word(Word::After), Some(9), &bench)
                .unwrap_err()
                .contains("kept")
        );
        std::fs::remove_file(archived).unwrap();
        let gone = number(&From::Number(2), None, &bench).unwrap_err();
        assert!(gone.contains("gone") && gone.contains("\"oldest\":3"));
        assert!(
            number(&From::Word(Word::After), Some(1), &bench)
                .unwrap_err()
                .contains("gone")
        );
        assert_eq!(number(&From::Word(Word::After), Some(2), &bench), Ok(2));
        assert_eq!(number(&From::Word(Word::Start), None, &bench), Ok(2));
    }

    #[test]
    fn an_empty_journal_has_a_start_and_an_end() {
        let bench = Bench::new(10);
        for from in [
            From::Word(Word::Start),
            From::Word(Word::Now),
            From::Word(Word::Session),
            From::Number(1),
        ] {
            assert_eq!(number(&from, None, &bench), Ok(0));
        }
        assert!(number(&From::Number(2), None, &bench).is_err());
        let time = "2025-11-20T04:30:00Z".to_owned();
        assert_eq!(number(&From::Time { time }, None, &bench), Ok(0));
    }
}
