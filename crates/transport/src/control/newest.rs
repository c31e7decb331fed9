//! Goes through the newest records of a journal, newest first.

use std::path::Path;

use journal::{Backward, Item, ReadError, Sessions};

/// Calls a function with each record numbered from `oldest` up to, but not including,
/// `below`, newest first: what is older is not touched.
pub(super) fn newest_first(
    dir: &Path,
    oldest: u64,
    below: u64,
    look_at: impl FnMut(u64, &[u8]),
) -> Result<(), ReadError> {
    let mut scan = Scan {
        oldest,
        below,
        look_at,
    };
    for session in Sessions::of(dir).all()?.backward() {
        if scan.below <= oldest {
            break;
        }
        scan.read(session?)?;
    }
    Ok(())
}

struct Scan<F> {
    oldest: u64,
    /// Records from this number on have been seen.
    below: u64,
    look_at: F,
}

impl<F: FnMut(u64, &[u8])> Scan<F> {
    fn read(&mut self, mut file: Backward) -> Result<(), ReadError> {
        while let Some(item) = file.next_item()? {
            let Item::Record(record) = item else {
                continue;
            };
            if record.number >= self.below {
                continue;
            }
            if record.number < self.oldest {
                self.below = self.oldest;
                break;
            }
            self.below = record.number;
            (self.look_at)(record.number, record.line);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    fn numbers(bench: &Bench, oldest: u64, below: u64) -> Vec<u64> {
        let mut numbers = Vec::new();
        let look_at = |number, line: &[u8]| {
            let record = message::Record::parse(line).unwrap();
            assert_eq!(record.message_num, Some(number));
            numbers.push(number);
        };
        newest_first(bench.dir.path(), oldest, below, look_at).unwrap();
        numbers
    }

    #[test]
    fn records_are_gone_through_backwards_across_sessions_and_only_those_asked_for() {
        let mut bench = Bench::new(10);
        bench.record(&["a", "b"]);
        bench.archive();
        bench.record(&["c", "d"]);
        bench.archive();
        bench.record(&["e"]);
        assert_eq!(numbers(&bench, 1, 6), [5, 4, 3, 2, 1]);
        assert_eq!(numbers(&bench, 2, 5), [4, 3, 2]);
        assert!(numbers(&bench, 3, 3).is_empty());
    }
}
