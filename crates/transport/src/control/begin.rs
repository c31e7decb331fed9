//! Where does a consumer begin?

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use journal::{Archive, Item, ReadError, Reader, list_archives};
use message::Record;

use super::moment;
use super::refusal::Refusal;
use super::request::From;
use crate::tail::{Current, Tail};

/// Returns the number after which a consumer begins.
///
/// `kept` is the position that the broker keeps for its name.
pub(super) fn begin(
    from: &From,
    kept: Option<u64>,
    dir: &Path,
    tail: &Arc<Tail>,
) -> Result<u64, Refusal> {
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
        From::Word(word) => match (&**word, kept) {
            ("now", _) => Ok(last),
            ("session", _) => Ok(current.first.saturating_sub(1)),
            ("after", Some(kept)) if kept > last => Err(beyond(
                &format!("the position {kept} kept for this name"),
                last,
            )),
            ("after", Some(kept)) => there(kept, &oldest(dir, &current)?),
            _ => Ok(oldest(dir, &current)?.first.saturating_sub(1)),
        },
        From::Time { time } => {
            let time = moment::parse(time).unwrap_or(Timestamp::MAX);
            before(time, dir, &current).map_err(|error| unreadable(&error))
        }
    }
}

fn beyond(what: &str, last: u64) -> Refusal {
    let message = format!("{what} is beyond the end: the last message is {last}");
    Refusal::new("beyond_head", message).with("last", last)
}

/// Says that the journal can't be read.
pub(super) fn unreadable(error: &ReadError) -> Refusal {
    Refusal::new("io", format!("{error}: {}", error.source))
}

/// The oldest record that there may be.
struct Oldest {
    first: u64,
}

fn oldest(dir: &Path, current: &Current) -> Result<Oldest, Refusal> {
    let archives = list_archives(dir).map_err(|error| unreadable(&error))?;
    let first = archives
        .first()
        .map_or(current.first, |archive| archive.first);
    Ok(Oldest { first })
}

fn there(after: u64, oldest: &Oldest) -> Result<u64, Refusal> {
    let Oldest { first } = *oldest;
    if after + 1 >= first {
        return Ok(after);
    }
    let message = format!(
        "message {} is gone: the oldest one that is there is {first}; \
         begin with \"from\":{first} or \"start\"",
        after + 1
    );
    Err(Refusal::new("gone", message).with("oldest", first))
}

/// Returns the number before the first record of a time or later. Where the
/// clock was put back in between, it is one of the places that fit.
fn before(time: Timestamp, dir: &Path, current: &Current) -> Result<u64, ReadError> {
    let archives = list_archives(dir)?;
    let mut end = current.next;
    let here = Archive {
        name: String::new(),
        path: current.path.clone(),
        bytes: current.bytes,
        first: current.first,
    };
    for session in std::iter::once(&here).chain(archives.iter().rev()) {
        if session.first >= end {
            continue;
        }
        let mut reader = open(session, current)?;
        if time_of_next(&mut reader)?.is_some_and(|first| first < time) {
            return within(session, current, end, time);
        }
        end = session.first;
    }
    Ok(end.saturating_sub(1))
}

/// Opens a session; of the one being written what is committed, and nothing else.
fn open(session: &Archive, current: &Current) -> Result<Reader, ReadError> {
    match session.path == current.path {
        true => current.segment.reader(current.bytes),
        false => Reader::open(&session.path),
    }
}

/// Halves a session whose first record is older than the time.
fn within(
    session: &Archive,
    current: &Current,
    end: u64,
    time: Timestamp,
) -> Result<u64, ReadError> {
    let (mut older, mut end) = (session.first, end);
    while older + 1 < end {
        let middle = older + (end - older) / 2;
        let mut reader = open(session, current)?;
        reader.seek_number(middle)?;
        if time_of_next(&mut reader)?.is_some_and(|found| found < time) {
            older = middle;
        } else {
            end = middle;
        }
    }
    Ok(older)
}

/// Returns the time of the next record that has one.
fn time_of_next(reader: &mut Reader) -> Result<Option<Timestamp>, ReadError> {
    reader.set_max_line(usize::MAX);
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
        begin(from, kept, bench.dir.path(), &bench.tail)
            .map_err(|refusal| refusal.reply(&serde_json::Value::Null))
    }

    fn word(word: &str) -> From {
        From::Word(word.to_owned())
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
        assert_eq!(number(&word("start"), None, &bench), Ok(0));
        assert_eq!(number(&word("session"), None, &bench), Ok(2));
        assert_eq!(number(&word("now"), Some(1), &bench), Ok(4));
        assert_eq!(number(&word("after"), Some(3), &bench), Ok(3));
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
            number(&word("after"), Some(9), &bench)
                .unwrap_err()
                .contains("kept")
        );
        std::fs::remove_file(archived).unwrap();
        let gone = number(&From::Number(2), None, &bench).unwrap_err();
        assert!(gone.contains("gone") && gone.contains("\"oldest\":3"));
        assert!(
            number(&word("after"), Some(1), &bench)
                .unwrap_err()
                .contains("gone")
        );
        assert_eq!(number(&word("after"), Some(2), &bench), Ok(2));
        assert_eq!(number(&word("start"), None, &bench), Ok(2));
    }

    #[test]
    fn an_empty_journal_has_a_start_and_an_end() {
        let bench = Bench::new(10);
        for from in [word("start"), word("now"), word("session"), From::Number(1)] {
            assert_eq!(number(&from, None, &bench), Ok(0));
        }
        assert!(number(&From::Number(2), None, &bench).is_err());
        let time = "2025-11-20T04:30:00Z".to_owned();
        assert_eq!(number(&From::Time { time }, None, &bench), Ok(0));
    }
}
