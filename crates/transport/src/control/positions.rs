//! The positions of named consumers: small files, written by a thread of their own.
//!
//! What is to be kept and what is to be forgotten wait in one line and are done
//! in that order, so that no position comes back that was forgotten behind it.

mod file;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use journal::raw::checksum;
use journal::{Lookup, find_record};
use protocol::{Failure, Id, code};

pub(super) use self::file::{Position, Stored, directory};
use self::file::{list, read_all, remove, write_all};
use super::limits;
use super::router::Peer;
use crate::sync::held;
use crate::worker::{Next, Worker};

/// Something that is to be done for a name, and who asked for that.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) peer: Peer,
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) what: What,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A position is to be stored.
    Keep(Position),
    /// The same, of where a consumer begins, which is told of it then.
    Begin(Position),
    /// The name is to be forgotten; `there` tells whether anything was kept.
    Forget { there: bool },
}

impl What {
    /// Returns the position that is to be stored.
    pub(super) fn position(&self) -> Option<&Position> {
        match self {
            Self::Keep(position) | Self::Begin(position) => Some(position),
            Self::Forget { .. } => None,
        }
    }
}

/// What was stored, and what waits for it. Shared with the thread that writes.
#[derive(Debug)]
pub(super) struct Positions {
    logs: PathBuf,
    dir: PathBuf,
    state: Mutex<PositionsState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct PositionsState {
    stored: BTreeMap<String, Stored>,
    waiting: Vec<Order>,
    /// The names whose files are being written.
    in_hand: Vec<String>,
    ended: bool,
}

/// Returns the highest position that is kept below a journal's directory.
pub(crate) fn highest(logs: &Path) -> u64 {
    let stored = read_all(&directory(logs)).into_values();
    let numbers = stored.map(|stored| match stored {
        Stored::At(position) => position.number,
        Stored::Damaged(_) => 0,
    });
    numbers.max().unwrap_or(0)
}

/// A named consumer, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPosition {
    /// The consumer's name.
    pub name: String,
    /// All messages up to this one were acknowledged; `None` where what is kept can't be
    /// read, so that nobody knows.
    pub number: Option<u64>,
}

/// Lists the named consumers of a journal's directory, whether a broker runs or not.
///
/// # Errors
/// Whatever the system reports where they can't be listed.
pub fn named_positions(logs: &Path) -> io::Result<Vec<NamedPosition>> {
    let stored = list(&directory(logs))?.into_iter();
    let named = stored.map(|(name, stored)| NamedPosition {
        name,
        number: match stored {
            Stored::At(position) => Some(position.number),
            Stored::Damaged(_) => None,
        },
    });
    Ok(named.collect())
}

impl Positions {
    /// Reads the positions that are stored below a journal's directory.
    pub(super) fn open(logs: &Path) -> Self {
        let dir = directory(logs);
        let stored = read_all(&dir);
        Self {
            logs: logs.to_owned(),
            dir,
            state: Mutex::new(PositionsState {
                stored,
                ..PositionsState::default()
            }),
            changed: Condvar::new(),
        }
    }

    /// Returns the position that is kept for a name.
    pub(super) fn get(&self, name: &str) -> Result<Option<Position>, Failure> {
        match self.lock().stored.get(name) {
            None => Ok(None),
            Some(Stored::At(position)) => Ok(Some(position.clone())),
            Some(Stored::Damaged(reason)) => Err(Failure::new(
                code::DAMAGED_POSITION,
                format!(
                    "the position kept for {name} can't be read: {reason}; \
                     say where to begin with \"from\", or forget the name"
                ),
            )),
        }
    }

    /// Checks that there is room for a name.
    pub(super) fn check_room(&self, name: &str) -> Result<(), Failure> {
        let state = self.lock();
        if state.stored.len() < limits::NAMES || state.stored.contains_key(name) {
            return Ok(());
        }
        let message = format!(
            "positions are kept for {} names already: forget one that is not used any more",
            limits::NAMES
        );
        Err(Failure::new(code::LIMIT, message))
    }

    /// Gives a position to the thread that stores it.
    pub(super) fn keep(&self, peer: Peer, id: Id, name: String, position: Position) {
        self.lock().waiting.push(Order {
            peer,
            id,
            name,
            what: What::Keep(position),
        });
        self.changed.notify_one();
    }

    /// Keeps where a consumer begins of whose name nothing is kept: retention holds what
    /// it has not acknowledged, also before it has acknowledged anything. True where
    /// something is kept on the disk; if not, the thread that stores tells when it is.
    pub(super) fn begin(&self, peer: Peer, id: Id, name: String, number: u64) -> bool {
        let mut state = self.lock();
        if state.stored.contains_key(&name) {
            return true;
        }
        if state.is_coming(&name) {
            return false;
        }
        let what = What::Begin(Position { number, crc: None });
        let order = Order {
            peer,
            id,
            name,
            what,
        };
        state.waiting.push(order);
        drop(state);
        self.changed.notify_one();
        false
    }

    /// Forgets a name, and gives its file to the thread that removes it.
    pub(super) fn forget(&self, peer: Peer, id: Id, name: String) {
        let mut state = self.lock();
        let is_coming = state.is_coming(&name);
        let there = state.stored.remove(&name).is_some() || is_coming;
        state.waiting.push(Order {
            peer,
            id,
            name,
            what: What::Forget { there },
        });
        drop(state);
        self.changed.notify_one();
    }

    pub(super) fn list(&self) -> BTreeMap<String, Stored> {
        self.lock().stored.clone()
    }

    /// Does what can be done at once of what is asked for.
    fn turn(&self, told: &dyn Fn(Vec<Order>, Result<(), String>)) -> Next {
        let Some(orders) = self.next_orders() else {
            return match self.lock().ended {
                true => Next::Done,
                false => Next::Idle,
            };
        };
        let done = match orders.as_slice() {
            [
                Order {
                    name,
                    what: What::Forget { .. },
                    ..
                },
            ] => remove(&self.dir, name),
            orders => self.store(orders),
        };
        self.lock().in_hand.clear();
        told(orders, done.map_err(|error| error.to_string()));
        Next::More
    }

    /// Waits until something is asked for, or the end.
    fn wait(&self) {
        let waited = self.changed.wait_while(self.lock(), |state| {
            state.waiting.is_empty() && !state.ended
        });
        drop(waited);
    }

    /// Takes the orders that can be done together: positions up to the next
    /// name that is to be forgotten, or that alone.
    fn next_orders(&self) -> Option<Vec<Order>> {
        let mut state = self.lock();
        let keeps = |order: &Order| order.what.position().is_some();
        let until = state
            .waiting
            .iter()
            .take_while(|order| keeps(order))
            .count();
        let count = until.max(1).min(state.waiting.len());
        let orders: Vec<Order> = state.waiting.drain(..count).collect();
        state.in_hand = orders
            .iter()
            .filter(|order| keeps(order))
            .map(|order| order.name.clone())
            .collect();
        (!orders.is_empty()).then_some(orders)
    }

    /// Stores positions; the last one of a name is the one.
    fn store(&self, orders: &[Order]) -> std::io::Result<()> {
        let mut newest: BTreeMap<String, Position> = orders
            .iter()
            .filter_map(|order| {
                let position = order.what.position()?;
                Some((order.name.clone(), position.clone()))
            })
            .collect();
        for position in newest
            .values_mut()
            .filter(|position| position.crc.is_none())
        {
            position.crc = self.checksum_of(position.number);
        }
        write_all(&self.dir, &newest)?;
        let mut state = self.lock();
        for (name, position) in newest {
            // Its file is about to be removed.
            if !state.will_forget(&name) {
                state.stored.insert(name, Stored::At(position));
            }
        }
        Ok(())
    }

    /// Looks a checksum up that the consumer's feed does not have: its client
    /// acknowledges what an earlier one got, or what did not match its filter.
    fn checksum_of(&self, number: u64) -> Option<String> {
        match find_record(&self.logs, number) {
            Ok(Lookup::Record(line)) => checksum(&line.bytes).map(str::to_owned),
            // A position without a checksum is kept all the same.
            _ => None,
        }
    }

    /// Lets the thread end when all is stored.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, PositionsState> {
        held(self.state.lock())
    }
}

impl PositionsState {
    /// Tells whether a position of a name is on its way to the disk.
    fn is_coming(&self, name: &str) -> bool {
        let mut last = self.waiting.iter().rev().filter(|order| order.name == name);
        match last.next() {
            Some(order) => order.what.position().is_some(),
            None => self.in_hand.iter().any(|written| written == name),
        }
    }

    fn will_forget(&self, name: &str) -> bool {
        let mut orders = self.waiting.iter();
        orders.any(|order| order.name == name && matches!(order.what, What::Forget { .. }))
    }
}

/// The thread that stores positions, and tells what became of them.
pub(super) struct Storing {
    positions: Arc<Positions>,
    told: Box<Told>,
}

/// Takes orders that are done, or why they are not.
type Told = dyn Fn(Vec<Order>, Result<(), String>) + Send;

impl Storing {
    pub(super) fn new(
        positions: &Arc<Positions>,
        told: impl Fn(Vec<Order>, Result<(), String>) + Send + 'static,
    ) -> Self {
        Self {
            positions: Arc::clone(positions),
            told: Box::new(told),
        }
    }
}

impl Worker for Storing {
    fn turn(&mut self) -> Next {
        self.positions.turn(&self.told)
    }

    fn wait(&mut self) {
        self.positions.wait();
    }
}

#[cfg(test)]
mod tests;
