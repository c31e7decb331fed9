//! New messages as they are recorded.
//!
//! It asks the files again and again, at short intervals after something came
//! and at longer ones later: that works on every system and file system, across
//! rotation and while the broker is down, and costs next to nothing.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use journal::{Follower, Item};

use crate::error::Error;
use crate::fields::Fields;
use crate::filter::Filter;
use crate::findings::{Alteration, Findings};
use crate::pause::next_pause;
use crate::select::{Counts, Order, Sink, Summary, show};
use crate::source::{Entry, Source};
use crate::tailing::{self, Tail};

/// What is followed.
#[derive(Debug, Clone, Copy)]
pub struct Follow<'a> {
    /// The journal's directory.
    pub dir: &'a Path,
    /// Whether closed sessions are shown as well before new messages are.
    pub all: bool,
    /// Which messages are shown.
    pub filter: &'a Filter,
    /// How many of the newest messages that are there already; `None` is all.
    pub limit: Option<u64>,
}

/// Shows the newest matching messages, and then each new one once, in the order
/// of their numbers, across closed sessions and restarts of the broker.
///
/// `idle` is called whenever everything new was shown, and gets what was found
/// wrong since; it may end the following.
///
/// # Errors
/// [`Error::NoDirectory`], [`Error::Read`] where a file can't be read, and
/// whatever the sink and `idle` report. A session that does not exist yet is
/// waited for.
pub fn follow(
    what: Follow<'_>,
    sink: &mut dyn Sink,
    idle: &mut dyn FnMut(Findings) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    // What is recorded from here on is new.
    let mut follower = Follower::from_end(what.dir)?;
    let mut findings = Findings::default();
    show_history(what, follower.last_number(), &mut findings, sink)?;
    let mut waited = Duration::ZERO;
    let mut beginning = beginning_of(what.dir);
    loop {
        let mut is_new = false;
        while let Some(item) = follower.next_item()? {
            is_new = true;
            see(item, what, &mut findings, sink)?;
        }
        sink.flush()?;
        if idle(std::mem::take(&mut findings))?.is_break() {
            return Ok(());
        }
        if is_new {
            waited = Duration::ZERO;
            beginning = beginning_of(what.dir);
        } else if let Some(note) = begins_anew(what.dir, &mut beginning, follower.last_number()) {
            findings.note(note);
            // From here on only the file tells what is new.
            let current = Tail::session(&journal::current_session(what.dir))?;
            return tailing::run(&mut [current], what.filter, findings, sink, idle);
        }
        let pause = next_pause(waited);
        sleep(pause);
        waited += pause;
    }
}

/// Reads how the current session begins: its first line, as far as it tells it from
/// others. Empty where there is none.
fn beginning_of(dir: &Path) -> Vec<u8> {
    const LENGTH: u64 = 512;
    let mut beginning = Vec::new();
    if let Ok(file) = File::open(journal::current_session(dir)) {
        // What can't be read now is read the next time.
        let _read = file.take(LENGTH).read_to_end(&mut beginning);
    }
    let end = memchr::memchr(b'\n', &beginning).unwrap_or(beginning.len());
    beginning.truncate(end);
    beginning
}

/// Tells, where another session has taken the place of the current one, whether its
/// numbers begin again: what it holds would pass for known.
fn begins_anew(dir: &Path, known: &mut Vec<u8>, last: u64) -> Option<String> {
    let found = beginning_of(dir);
    if found.is_empty() || found == *known {
        return None;
    }
    let before = std::mem::replace(known, found);
    let first = first_number(known);
    let is_again = !before.is_empty() && first.is_none_or(|first| first <= last);
    is_again.then(|| {
        format!(
            "{} is another one, and its numbers begin again: it is read from its beginning",
            crate::error::shown(&journal::current_session(dir))
        )
    })
}

/// Reads the number that a line of the journal begins with.
fn first_number(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"{\"message_num\":")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
}

/// Shows what was there when the following began.
fn show_history(
    what: Follow<'_>,
    last: u64,
    findings: &mut Findings,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let source = match what.all {
        true => Source::all(what.dir),
        false => Source::current(what.dir),
    };
    let source = match source {
        Err(Error::NoSession { .. }) => {
            return sink.begin(&Summary {
                counts: Some(Counts::default()),
                shown: Some(0),
            });
        }
        opened => opened?,
    };
    let order = Order {
        limit: what.limit,
        newest_first: false,
    };
    show(&source, &what.filter.up_to(last), order, findings, sink).map(drop)
}

fn see(
    item: Item<'_>,
    what: Follow<'_>,
    findings: &mut Findings,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let record = match item {
        Item::Record(record) => record,
        Item::Damage(damage) => {
            findings.add_damage(damage);
            return Ok(());
        }
    };
    let path = journal::current_session(what.dir);
    if record.integrity == journal::Integrity::Altered {
        findings.altered += 1;
        findings.add_alteration(|| Alteration {
            path: path.clone(),
            number: record.number,
            offset: record.offset,
            length: record.line.len() as u64,
        });
    }
    // Other JSON is no message.
    let Ok(fields) = message::Record::parse(record.line).map(Fields::from) else {
        return Ok(());
    };
    if !what.filter.accepts_number(record.number) || !what.filter.matches(&fields) {
        return Ok(());
    }
    sink.message(&Entry {
        number: Some(record.number),
        path: &path,
        offset: record.offset,
        integrity: record.integrity,
        line: record.line,
        depth: 0,
    })
}

#[cfg(test)]
mod tests;
