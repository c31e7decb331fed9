//! Whose large message goes on while memory for unfinished messages is short.

use std::cmp::Reverse;
use std::time::Duration;

use log::Level;

use super::ended::Ended;
use super::inbound::Inbound;
use crate::throttle::log_throttled;

/// How long a turn is looked at before it is judged, and for how long its
/// holder may give nothing at all.
const TURN: Duration = Duration::from_secs(10);
/// The slowest rate in bytes per second at which a holder keeps its turn.
const MIN_RATE: u64 = 64 << 10;
/// After this many lost turns in one message, its connection is closed:
/// each turn adds a little to the memory that it holds.
const MAX_LOST: u32 = 6;

/// While unfinished messages take all the memory that they may, only one of
/// them goes on: so each comes to its end, one after the other.
#[derive(Debug)]
pub(super) struct Favour {
    /// How many bytes of unfinished messages may be in memory.
    limit: usize,
    holder: Option<u64>,
    /// For how long the holder was asked in this turn.
    asked: Duration,
    /// How much had come from it when the turn began.
    received: u64,
}

impl Favour {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            holder: None,
            asked: Duration::ZERO,
            received: 0,
        }
    }

    /// Tells whether unfinished messages take all the memory that they may.
    pub(super) fn is_needed(&self, connections: &[Inbound]) -> bool {
        let held: usize = connections.iter().map(Inbound::held).sum();
        held >= self.limit
    }

    /// Returns the connection whose large message goes on; `None` where all may.
    pub(super) fn choose(&mut self, connections: &[Inbound]) -> Option<usize> {
        if !self.is_needed(connections) {
            self.holder = None;
            return None;
        }
        let waits = |connection: &Inbound| connection.is_large() && !connection.is_drained();
        let holds = |connection: &Inbound| Some(connection.id) == self.holder;
        let current = connections.iter().position(|it| holds(it) && waits(it));
        if current.is_some() {
            return current;
        }
        // Who has lost a turn comes behind all who have not, and then the one
        // that takes most of the memory.
        let candidates = connections.iter().enumerate().filter(|(_, it)| waits(it));
        let next = candidates.min_by_key(|(_, it)| (it.turns_lost(), Reverse(it.held())));
        let (index, connection) = next?;
        self.holder = Some(connection.id);
        self.begin(connection);
        Some(index)
    }

    fn begin(&mut self, connection: &Inbound) {
        self.asked = Duration::ZERO;
        self.received = connection.received();
    }

    /// Notes for how long the holder was asked. It loses its turn where too
    /// little has come while others wait, and its connection where nothing has
    /// or where that has happened too often.
    pub(super) fn asked(
        &mut self,
        connections: &mut [Inbound],
        holder: usize,
        time: Duration,
    ) -> Result<(), Ended> {
        let others = connections.iter().filter(|it| it.is_large()).count() > 1;
        let Some(connection) = connections.get_mut(holder) else {
            return Ok(());
        };
        self.asked += time;
        if !others {
            self.begin(connection);
            return Ok(());
        }
        if connection.silent() >= TURN {
            return Err(Ended::Unfinished);
        }
        if self.asked < TURN {
            return Ok(());
        }
        let came = connection.received() - self.received;
        if came >= MIN_RATE * TURN.as_secs() {
            self.begin(connection);
            return Ok(());
        }
        self.holder = None;
        log_throttled!(
            Level::Warn,
            "{} sent only {came} bytes of a large message in {} s while memory is \
             short: the next one goes on before it",
            connection.peer,
            TURN.as_secs()
        );
        match connection.lose_turn() {
            0..MAX_LOST => Ok(()),
            _ => Err(Ended::Slow),
        }
    }
}

#[cfg(test)]
mod tests;
