//! How intake ends: what had arrived when the broker was stopped is taken in.

use std::time::{Duration, Instant};

use crate::clock;
use crate::net::Inbound;

/// After this long it is said that the stop takes time.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was left with publishers when the broker stopped taking it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread {
    /// How many publishers still had something to give.
    pub publishers: usize,
    /// How many bytes of it are known of: those that have come as far as this
    /// machine. Publishers may hold more.
    pub bytes: u64,
}

/// The time between the order to stop and the end of intake.
#[derive(Debug)]
pub(super) struct LastCall {
    began: Instant,
    limit: Duration,
    told: bool,
}

impl LastCall {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            began: clock::now(),
            limit,
            told: false,
        }
    }

    /// Tells whether there is no more time.
    pub(super) fn is_over(&mut self, publishers: &[Inbound]) -> bool {
        let waited = clock::now().duration_since(self.began);
        if waited >= PATIENCE && !self.told {
            self.told = true;
            let (limit, left) = (self.limit.as_secs(), left(publishers).count());
            log::warn!(
                "stopping takes time: {left} publishers have sent more than could be recorded \
                 so far; it goes on for at most {limit} s (--stop-timeout)"
            );
        }
        waited >= self.limit
    }
}

fn left(publishers: &[Inbound]) -> impl Iterator<Item = &Inbound> {
    publishers.iter().filter(|it| !it.is_drained())
}

/// Returns what is left with publishers that were not found empty.
pub(super) fn unread(publishers: &[Inbound], most: usize) -> Option<Unread> {
    let mut unread = Unread {
        publishers: 0,
        bytes: 0,
    };
    for publisher in left(publishers) {
        // Where the connection has ended, there is nothing behind it.
        let count = publisher.socket.waiting(most).unwrap_or(0);
        unread.publishers += 1;
        unread.bytes += (count + publisher.held()) as u64;
    }
    (unread.publishers > 0).then_some(unread)
}

/// Says which messages came only in part: these can't be recorded.
pub(super) fn report_unfinished(publishers: &[Inbound]) {
    for publisher in publishers.iter().filter(|it| it.held() > 0) {
        if publisher.is_drained() && publisher.is_ready() {
            log::warn!(
                "publisher {} had sent {} bytes of a message that was not whole when the \
                 broker stopped",
                publisher.peer,
                publisher.held()
            );
        }
    }
}
