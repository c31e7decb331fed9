//! How far other journals' messages are recorded here: each once, and in their order.
//!
//! Whoever carries them over says which message of which journal it is, and behind
//! which one it comes. It is taken if that one is the last that is here; so no window is
//! needed, and nothing goes round in circles. What the table forgets at a stop or a
//! crash stands in the records. A small file says how far that is for all records up to
//! a number, so that closed sessions need not be read again, and may be removed.

mod file;
mod load;
mod storing;

use std::collections::{BTreeMap, HashMap};

use protocol::{Failure, LastOf, Origin, code};

pub use self::file::{OriginsError, origins_file, origins_known_through};
pub(super) use self::file::{is_there, store};
pub(super) use self::load::load;
pub(super) use self::storing::Storing;

/// For how many journals this is kept.
const MOST: usize = 10_000;

/// How far all journals' messages are recorded, as of a record of this one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// All records up to this one were looked at.
    pub(super) through: u64,
    /// By the journals' identities.
    pub(super) last: BTreeMap<String, LastOf>,
}

/// What becomes of a message of another journal.
#[derive(Debug, PartialEq)]
pub(super) enum Admission {
    /// It is the next one.
    Next,
    /// It is here, under this number where that is still known.
    Recorded(Option<u64>),
    /// It is on its way to the disk, with this handle.
    Pending(u64),
    /// It can't be taken.
    Refused(Failure),
}

/// How far other journals' messages are recorded, or on their way.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// This journal's identity.
    own: String,
    last: BTreeMap<String, LastOf>,
    /// For each journal of which messages are on their way: their numbers and handles.
    pending: HashMap<String, BTreeMap<u64, u64>>,
    /// The record that was noted last.
    noted: u64,
}

impl Origins {
    pub(super) fn new(own: String) -> Self {
        Self {
            own,
            ..Self::default()
        }
    }

    /// Takes what was read of the journal.
    pub(super) fn know(&mut self, kept: Kept) {
        self.last = kept.last;
        self.noted = kept.through;
    }

    /// Says what becomes of a message.
    pub(super) fn admit(&self, origin: &Origin) -> Admission {
        if origin.journal == self.own {
            return Admission::Refused(
                Failure::bad("the message's origin is this very journal: it is here already")
                    .not_recorded(),
            );
        }
        let last = self.last.get(&origin.journal);
        let recorded = last.map_or(0, |last| last.message_num);
        if origin.message_num <= recorded {
            let known = last.filter(|last| last.message_num == origin.message_num);
            return Admission::Recorded(known.map(|last| last.recorded_as));
        }
        let pending = self.pending.get(&origin.journal);
        if let Some(ack) = pending.and_then(|pending| pending.get(&origin.message_num)) {
            return Admission::Pending(*ack);
        }
        let newest = pending.and_then(|pending| pending.last_key_value());
        let before = newest.map_or(recorded, |(number, _)| *number);
        if origin.after != before {
            return Admission::Refused(gap(origin, before, recorded));
        }
        if last.is_none() && self.last.len() + self.pending.len() >= MOST {
            let message =
                format!("messages of {MOST} other journals are recorded: no more are taken");
            return Admission::Refused(Failure::new(code::LIMIT, message).not_recorded());
        }
        Admission::Next
    }

    /// Notes that a message is on its way.
    pub(super) fn submitted(&mut self, origin: &Origin, ack: u64) {
        let pending = self.pending.entry(origin.journal.clone()).or_default();
        pending.insert(origin.message_num, ack);
    }

    /// Notes what became of one: the number under which it is recorded, if it is.
    ///
    /// Where one is not, none behind it is either: what intake has taken is recorded or
    /// the broker ends, and what it has not taken is taken back from there to the end.
    pub(super) fn settled(&mut self, origin: &Origin, recorded_as: Option<u64>) {
        if let Some(pending) = self.pending.get_mut(&origin.journal) {
            pending.remove(&origin.message_num);
            if pending.is_empty() {
                self.pending.remove(&origin.journal);
            }
        }
        if let Some(recorded_as) = recorded_as {
            self.noted = recorded_as;
            let last = LastOf {
                journal: origin.journal.clone(),
                name: origin.name.clone(),
                message_num: origin.message_num,
                recorded_as,
            };
            self.last.insert(origin.journal.clone(), last);
        }
    }

    /// Returns what is to be stored, where `last` is this journal's last record: what is
    /// on its way may have a lower number.
    pub(super) fn kept(&self, last: u64) -> Kept {
        let through = match self.pending.is_empty() {
            true => last,
            false => self.noted,
        };
        Kept {
            through,
            last: self.last.clone(),
        }
    }

    /// Returns what clients are told.
    pub(super) fn list(&self) -> Vec<LastOf> {
        self.last.values().cloned().collect()
    }
}

fn gap(origin: &Origin, before: u64, recorded: u64) -> Failure {
    let message = format!(
        "message {} of {} comes behind {}, but the last one that came is {before}; nothing was \
         recorded; go on behind \"last\", which is the last one recorded",
        origin.message_num, origin.name, origin.after
    );
    Failure::new(code::ORIGIN_GAP, message)
        .not_recorded()
        .with(|details| details.last = Some(recorded))
}

#[cfg(test)]
mod tests;
