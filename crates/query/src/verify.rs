//! Checks sessions line by line: structure, checksums, messages and numbers.

mod lines;
mod numbering;
mod report;
mod sessions;

use std::path::{Path, PathBuf};

use journal::{Damage, Integrity, Item, Record};

pub use report::{Fault, Finding, Location, Report};

use crate::closed;
use crate::error::Error;
use lines::CheckedLines;
use numbering::{Gap, Numbering, Step};
use sessions::Session;

/// Which sessions are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// The one being written.
    Current,
    /// Files that lie anywhere, each by itself.
    Files(&'a [PathBuf]),
    /// Closed ones, by their names with or without `.jsonl`, each by itself.
    Archives(&'a [String]),
    /// All of them in the order of their first numbers, the one being written
    /// last. Numbers begin with 1 and go on from session to session.
    All,
}

/// Checks each line of the sessions, and gives each finding to `visit`.
///
/// Missing numbers are known for certain only at the end of the last session,
/// and are given then. Memory is bounded, however much is found. A last line of
/// the session being written that has no end yet is no finding.
///
/// # Errors
/// [`Error::NoDirectory`], [`Error::NoSession`] or [`Error::NoArchive`] where
/// there is no such session, [`Error::Read`], and what `visit` returns.
pub fn verify(
    dir: &Path,
    scope: Scope<'_>,
    visit: &mut dyn FnMut(&Finding) -> Result<(), Error>,
) -> Result<Report, Error> {
    let mut check = Check {
        report: Report::default(),
        visit,
    };
    match scope {
        Scope::Current => {
            let session = Session::current(dir);
            check.sequence(Numbering::anywhere(), [session])?;
        }
        Scope::Archives(names) => {
            // A wrong name is told before anything is read.
            for archive in closed::choose_all(dir, names)? {
                let session = Session::closed(archive.path);
                check.sequence(Numbering::anywhere(), [session])?;
            }
        }
        Scope::Files(paths) => {
            for path in paths {
                check.sequence(Numbering::anywhere(), [Session::file(path)])?;
            }
        }
        Scope::All => {
            check.report.inventory = journal::take_inventory(dir)?;
            let (archives, current) = sessions::all(dir)?;
            let archives = archives.into_iter().map(Session::closed);
            let current = current.map(Ok);
            let removed = check.report.inventory.removed.iter();
            let removed = removed.map(|one| (one.first, one.last)).collect();
            check.sequence(Numbering::from_one(removed), archives.chain(current))?;
        }
    }
    Ok(check.report)
}

/// Sessions on their way through a check.
struct Check<'v> {
    report: Report,
    visit: &'v mut dyn FnMut(&Finding) -> Result<(), Error>,
}

impl Check<'_> {
    /// Checks sessions whose numbers go on from one to the next.
    fn sequence(
        &mut self,
        mut numbering: Numbering<Location>,
        sessions: impl IntoIterator<Item = Result<Session, Error>>,
    ) -> Result<(), Error> {
        for session in sessions {
            numbering.next_file();
            self.session(&mut session?, &mut numbering)?;
        }
        for gap in numbering.finish() {
            self.found(missing(gap))?;
        }
        Ok(())
    }

    fn session(
        &mut self,
        session: &mut Session,
        numbering: &mut Numbering<Location>,
    ) -> Result<(), Error> {
        self.report.files += 1;
        let Session { reading, lines } = session;
        let path = reading.name.clone();
        let mut is_first = true;
        reading.each(&mut |item| match item {
            Item::Damage(damage) => self.found(damaged(damage)),
            Item::Record(record) => {
                let mut place = Place {
                    path: &path,
                    lines: &mut *lines,
                    record: &record,
                };
                let was_first = std::mem::replace(&mut is_first, false);
                self.record(&mut place, numbering, was_first)
            }
        })?;
        let offset = reading.reader.offset();
        self.report.bytes += offset;
        self.report.unfinished += lines.behind(offset);
        Ok(())
    }

    fn record(
        &mut self,
        place: &mut Place<'_>,
        numbering: &mut Numbering<Location>,
        is_first: bool,
    ) -> Result<(), Error> {
        let record = place.record;
        self.report.records += 1;
        match record.integrity {
            Integrity::Verified => self.report.verified += 1,
            Integrity::Unverified => self.report.unverified += 1,
            Integrity::Altered => {
                let number = record.number;
                self.found(place.finding(Fault::Altered { number }))?;
            }
        }
        let own = match decoded(record.line) {
            Ok(own) => own,
            Err(reason) => {
                let number = record.number;
                self.found(place.finding(Fault::Undecodable { number, reason }))?;
                None
            }
        };
        match believed(record, own, numbering, is_first) {
            Number::Own(number) => self.number(number, place, numbering),
            Number::Counted => {
                numbering.count(record.number);
                Ok(())
            }
            Number::Unknown => {
                numbering.pass();
                Ok(())
            }
        }
    }

    fn number(
        &mut self,
        number: u64,
        place: &mut Place<'_>,
        numbering: &mut Numbering<Location>,
    ) -> Result<(), Error> {
        match numbering.see(number, || place.location()) {
            Step::Follows => {}
            Step::Repeated => self.found(place.finding(Fault::Repeated { number }))?,
            Step::OutOfOrder { after } => {
                self.found(place.finding(Fault::OutOfOrder { number, after }))?;
            }
        }
        match numbering.overflow() {
            Some(gap) => self.found(missing(gap)),
            None => Ok(()),
        }
    }

    fn found(&mut self, finding: Finding) -> Result<(), Error> {
        self.report.add(&finding);
        (self.visit)(&finding)
    }
}

/// A record, and how to find out where it stands.
struct Place<'a> {
    path: &'a Path,
    lines: &'a mut CheckedLines,
    record: &'a Record<'a>,
}

impl Place<'_> {
    fn location(&mut self) -> Location {
        Location {
            path: self.path.to_owned(),
            line: self.lines.line_of(self.record.offset),
            offset: self.record.offset,
            length: self.record.line.len() as u64,
        }
    }

    fn finding(&mut self, fault: Fault) -> Finding {
        let at = self.location();
        Finding { at, fault }
    }
}

/// Rebuilds the frames of a line, and returns the number that it carries.
fn decoded(line: &[u8]) -> Result<Option<u64>, message::DecodeError> {
    let record = message::Record::parse(line)?;
    record.frames()?;
    Ok(record.message_num)
}

/// What the numbering may rely on.
enum Number {
    Own(u64),
    /// The record has none, and counts on from the one before it.
    Counted,
    /// The record has one that somebody changed.
    Unknown,
}

/// Tells which number of a record is to be believed; `own` is what it carries.
///
/// The reader's own count passes over repeats among lines without a checksum.
fn believed(
    record: &Record<'_>,
    own: Option<u64>,
    numbering: &Numbering<Location>,
    is_first: bool,
) -> Number {
    let counted = record.number;
    match (record.integrity, own.filter(|own| *own > 0)) {
        (Integrity::Verified, _) => Number::Own(counted),
        (Integrity::Unverified, Some(own)) => Number::Own(own.min(counted)),
        (Integrity::Unverified, None) => Number::Counted,
        (Integrity::Altered, Some(own))
            if numbering.is_next(own) || (own == counted && !is_first) =>
        {
            Number::Own(own)
        }
        (Integrity::Altered, _) => Number::Unknown,
    }
}

fn damaged(damage: Damage) -> Finding {
    Finding {
        fault: Fault::Damaged(damage.reason),
        at: Location {
            path: damage.path,
            line: damage.line,
            offset: damage.offset,
            length: damage.length,
        },
    }
}

fn missing(gap: Gap<Location>) -> Finding {
    let Gap { first, last, at } = gap;
    Finding {
        at,
        fault: Fault::Missing { first, last },
    }
}

#[cfg(test)]
mod tests;
