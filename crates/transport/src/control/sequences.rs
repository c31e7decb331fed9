//! Which messages may follow each other: many are sent without waiting for replies, and
//! none is recorded in front of one that was sent before it.
//!
//! ZeroMQ's sockets reconnect by themselves. What was given to the connection that was
//! lost is lost with it, and what was sent after that goes out over the new one: without
//! a word from here, a client's later messages would be recorded and its earlier ones
//! sent again behind them. The same where one message is refused for a moment and the
//! next is not.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use protocol::{Failure, code};

/// The sequences that go on, at most one of each connection.
pub(super) struct Sequences {
    by_connection: HashMap<u64, u64>,
    next: u64,
}

impl Sequences {
    pub(super) fn new() -> Self {
        // A sequence of a broker that ran before is none of this one's. All have 16
        // digits, and JSON's readers keep integers exactly up to 2^53.
        let chance = RandomState::new().hash_one(std::process::id());
        Self {
            by_connection: HashMap::new(),
            next: 1 << 52 | chance >> 13,
        }
    }

    /// Begins a new sequence of a connection, and ends the one before.
    pub(super) fn begin(&mut self, connection: u64) -> u64 {
        self.next += 1;
        self.by_connection.insert(connection, self.next);
        self.next
    }

    /// Tells whether a message may follow those that came before it.
    pub(super) fn check(&self, connection: u64, sequence: Option<u64>) -> Result<(), Failure> {
        let current = self.by_connection.get(&connection).copied();
        if sequence.is_none() || sequence == current {
            return Ok(());
        }
        let message = "a message that was sent before this one was not taken, or over another \
                       connection; nothing was recorded; begin a new sequence with \"hello\" \
                       and send again what has no reply";
        Err(Failure::new(code::INTERRUPTED, message).not_recorded())
    }

    /// Takes nothing more of a connection's sequence: a message of it is to be sent again.
    pub(super) fn interrupt(&mut self, connection: u64) {
        self.by_connection.remove(&connection);
    }

    /// Forgets the sequences of all connections but these.
    pub(super) fn keep(&mut self, connections: &HashSet<u64>) {
        self.by_connection
            .retain(|connection, _| connections.contains(connection));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_another_sequence_or_another_connections_is_not_taken() {
        let mut sequences = Sequences::new();
        let before = sequences.begin(1);
        let (own, others) = (sequences.begin(1), sequences.begin(2));
        assert_eq!(sequences.check(1, Some(own)), Ok(()));
        assert_eq!(sequences.check(1, None), Ok(()), "it asks for no order");
        for wrong in [before, others, own + 100] {
            let refusal = sequences.check(1, Some(wrong)).unwrap_err();
            assert_eq!(refusal.code, code::INTERRUPTED);
            assert_eq!(refusal.recorded, Some(Some(false)), "it may be sent again");
        }
        assert!(sequences.check(3, Some(own)).is_err());
    }

    #[test]
    fn behind_a_message_that_was_refused_nothing_is_taken_before_a_new_beginning() {
        let mut sequences = Sequences::new();
        let (old, other) = (sequences.begin(1), sequences.begin(2));
        sequences.interrupt(1);
        assert!(sequences.check(1, Some(old)).is_err());
        assert_eq!(sequences.check(2, Some(other)), Ok(()));
        let new = sequences.begin(1);
        assert_eq!(sequences.check(1, Some(new)), Ok(()));
        assert!(sequences.check(1, Some(old)).is_err());
    }

    #[test]
    fn a_connection_that_is_gone_leaves_nothing_behind() {
        let mut sequences = Sequences::new();
        let [kept, _] = [1, 2].map(|connection| sequences.begin(connection));
        sequences.keep(&HashSet::from([1]));
        assert_eq!(sequences.check(1, Some(kept)), Ok(()));
        assert_eq!(sequences.by_connection.len(), 1);
    }
}
