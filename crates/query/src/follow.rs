//! New messages as they are recorded.
//!
//! It asks the files again and again, at short intervals after something came
//! and at longer ones later: that works on every system and file system, across
//! rotation and while the broker is down, and costs next to nothing.

use std::ops::ControlFlow;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use journal::{Follower, Item};

use crate::error::Error;
use crate::fields::Fields;
use crate::filter::Filter;
use crate::findings::{Alteration, Findings};
use crate::select::{Counts, Order, Sink, Summary, show};
use crate::source::{Entry, Source};

/// So long is waited at first where nothing new has come, and twice as long each
/// time, up to the longest, which is longer once nothing has come for a while.
const SHORTEST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(50);
const LONGEST_IDLE: Duration = Duration::from_millis(200);
const IDLE: Duration = Duration::from_secs(1);

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
        }
        let pause = next_pause(waited);
        sleep(pause);
        waited += pause;
    }
}

/// Returns how long to wait where nothing has come for so long.
pub(crate) fn next_pause(waited: Duration) -> Duration {
    let longest = if waited < IDLE { LONGEST } else { LONGEST_IDLE };
    // As long as all pauses before: that is twice the last one.
    longest.min(waited + SHORTEST)
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
        number: record.number,
        path: &path,
        offset: record.offset,
        integrity: record.integrity,
        line: record.line,
        depth: 0,
    })
}

#[cfg(test)]
mod tests;
