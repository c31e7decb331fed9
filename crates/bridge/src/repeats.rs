//! Says what goes wrong again and again without filling the log with it: a server may be
//! away for a day, and is looked for every two seconds.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use crate::sync::held;

/// How often the same is said, at most.
const EVERY: Duration = Duration::from_secs(60);
/// How many different things are remembered, at most.
const DIFFERENT: usize = 64;

static REPEATS: LazyLock<Mutex<Repeats>> = LazyLock::new(Mutex::default);

/// Warns, once a minute where the text is the same.
pub(crate) fn warn(text: String) {
    let mut repeats = held(REPEATS.lock());
    if let Some(text) = repeats.pass(text, Instant::now()) {
        log::warn!("{text}");
    }
}

/// What was said of late.
#[derive(Debug, Default)]
struct Repeats(HashMap<String, Said>);

#[derive(Debug)]
struct Said {
    last: Instant,
    kept_back: u64,
}

impl Repeats {
    /// Returns what is to be said, if anything.
    fn pass(&mut self, text: String, now: Instant) -> Option<String> {
        if let Some(said) = self.0.get_mut(&text) {
            if now.saturating_duration_since(said.last) < EVERY {
                said.kept_back += 1;
                return None;
            }
            said.last = now;
            return Some(match std::mem::take(&mut said.kept_back) {
                0 => text,
                more => format!("{text} ({more} more like this were not logged)"),
            });
        }
        if self.0.len() >= DIFFERENT {
            self.0.clear();
        }
        let said = Said {
            last: now,
            kept_back: 0,
        };
        self.0.insert(text.clone(), said);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(repeats: &mut Repeats, text: &str, now: Instant) -> Option<String> {
        repeats.pass(text.to_owned(), now)
    }

    #[test]
    fn the_same_is_said_once_a_minute_and_counted_meanwhile() {
        let (mut repeats, begin) = (Repeats::default(), Instant::now());
        assert_eq!(pass(&mut repeats, "away", begin).as_deref(), Some("away"));
        assert_eq!(pass(&mut repeats, "away", begin + EVERY / 3), None);
        assert_eq!(pass(&mut repeats, "away", begin + EVERY / 2), None);
        let other = pass(&mut repeats, "full", begin + EVERY / 2);
        assert_eq!(other.as_deref(), Some("full"));
        let again = pass(&mut repeats, "away", begin + EVERY);
        let text = "away (2 more like this were not logged)";
        assert_eq!(again.as_deref(), Some(text));
        let later = pass(&mut repeats, "away", begin + EVERY * 2);
        assert_eq!(later.as_deref(), Some("away"));
    }

    #[test]
    fn ever_new_texts_take_no_more_memory() {
        let (mut repeats, now) = (Repeats::default(), Instant::now());
        for number in 0..1_000 {
            assert!(repeats.pass(format!("number {number}"), now).is_some());
            assert!(repeats.0.len() <= DIFFERENT);
        }
    }
}
