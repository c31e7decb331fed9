//! What stands between a consumer's thread and the control thread: credit in
//! one direction, messages in the other. It bounds what a consumer costs.

use std::collections::VecDeque;

use message::Frames;
use protocol::{Failure, code};

use super::limits;
use crate::sync::{Mutex, MutexGuard, held};

/// Frames take memory also where they are empty.
const FRAME: usize = 64;
/// How many checksums are kept for a client that is slow to acknowledge.
const CHECKSUMS: usize = 20_000;

/// Something for the client.
#[derive(Debug)]
pub(super) enum Out {
    /// Reading has begun after this number.
    Started(u64),
    Message {
        number: u64,
        /// What its record carries, for the position that may be kept.
        checksum: Option<String>,
        header: String,
        frames: Frames,
    },
    /// There is no more to come.
    Ended { header: String },
    /// It can't be done.
    Refused(Failure),
}

/// What a consumer's thread may do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    Go,
    /// Not before the client has given credit, or has received more.
    Wait,
    /// It is not wanted any more.
    Closed,
}

#[derive(Debug, Default)]
pub(super) struct Feed(Mutex<FeedState>);

#[derive(Debug, Default)]
struct FeedState {
    credit: u64,
    /// Numbers and bytes of what the client has not said it received.
    in_flight: VecDeque<(u64, usize)>,
    bytes: usize,
    /// The checksums of the last messages, for those that are acknowledged.
    checksums: VecDeque<(u64, Option<String>)>,
    outbox: VecDeque<Out>,
    /// The number of the last message that was sent.
    sent: u64,
    /// How far the journal was read.
    position: u64,
    closed: bool,
}

impl Feed {
    pub(super) fn new(credit: u64) -> Self {
        Self(Mutex::new(FeedState {
            credit,
            ..FeedState::default()
        }))
    }

    pub(super) fn room(&self) -> Room {
        let state = self.lock();
        match (state.closed, state.credit, state.bytes) {
            (true, ..) => Room::Closed,
            (_, 0, _) => Room::Wait,
            (_, _, bytes) if bytes >= limits::WINDOW => Room::Wait,
            _ => Room::Go,
        }
    }

    /// Leaves something for the client; true where nothing else waits.
    pub(super) fn push(&self, out: Out) -> bool {
        let mut state = self.lock();
        if let Out::Message {
            number,
            frames,
            header,
            checksum,
        } = &out
        {
            let bytes = header.len() + frames.total_bytes() + frames.len() * FRAME;
            state.credit = state.credit.saturating_sub(1);
            state.in_flight.push_back((*number, bytes));
            state.bytes += bytes;
            if state.checksums.len() == CHECKSUMS {
                state.checksums.pop_front();
            }
            state.checksums.push_back((*number, checksum.clone()));
        }
        state.outbox.push_back(out);
        state.outbox.len() == 1
    }

    /// Notes how far the journal was read.
    pub(super) fn note(&self, position: u64) {
        self.lock().position = position;
    }

    pub(super) fn position(&self) -> u64 {
        self.lock().position
    }

    /// Takes what comes next.
    pub(super) fn take(&self) -> Option<Out> {
        self.lock().outbox.pop_front()
    }

    /// Puts back what could not be sent.
    pub(super) fn put_back(&self, out: Out) {
        self.lock().outbox.push_front(out);
    }

    /// Notes that a message was sent.
    pub(super) fn sent(&self, number: u64) {
        self.lock().sent = number;
    }

    /// Gives credit, and notes what was received.
    pub(super) fn grant(&self, credit: u64, received: u64) -> Result<u64, Failure> {
        let mut state = self.lock();
        let total = state.credit + credit;
        if total > limits::CREDIT {
            let message = format!(
                "that would be credit for {total} messages: at most {} at a time; nothing was changed",
                limits::CREDIT
            );
            return Err(Failure::new(code::LIMIT, message)
                .with(|details| details.credit = Some(state.credit)));
        }
        state.check(received)?;
        state.received(received);
        state.credit = total;
        Ok(total)
    }

    /// Checks a position that is to be acknowledged, which says that all up to
    /// it was received. Returns the checksum of that message's record.
    pub(super) fn acknowledge(&self, number: u64, ended: bool) -> Result<Option<String>, Failure> {
        let mut state = self.lock();
        // Behind the end, what did not match was seen by the broker.
        if !(ended && number <= state.position) {
            state.check(number)?;
        }
        state.received(number);
        Ok(state.take_checksum(number))
    }

    /// Ends the consumer's thread.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.outbox.clear();
    }

    fn lock(&self) -> MutexGuard<'_, FeedState> {
        held(self.0.lock())
    }
}

impl FeedState {
    fn check(&self, number: u64) -> Result<(), Failure> {
        if number <= self.sent {
            return Ok(());
        }
        let sent = self.sent;
        Err(Failure::bad(format!(
            "message {number} was not sent to this consumer: the last one was {sent}"
        ))
        .with(|details| details.sent = Some(sent)))
    }

    /// Returns the checksum of a message, and forgets those before it. Another
    /// one may be acknowledged once more.
    fn take_checksum(&mut self, number: u64) -> Option<String> {
        while self
            .checksums
            .front()
            .is_some_and(|(first, _)| *first < number)
        {
            self.checksums.pop_front();
        }
        let (_, checksum) = self
            .checksums
            .front()
            .filter(|(first, _)| *first == number)?;
        checksum.clone()
    }

    fn received(&mut self, number: u64) {
        while let Some((first, bytes)) = self.in_flight.front()
            && *first <= number
        {
            self.bytes -= bytes;
            self.in_flight.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64, size: usize) -> Out {
        let mut frames = Frames::new();
        frames.push(&vec![0; size]);
        Out::Message {
            number,
            checksum: Some(format!("{number:08x}")),
            header: String::new(),
            frames,
        }
    }

    fn deliver(feed: &Feed) {
        while let Some(out) = feed.take() {
            if let Out::Message { number, .. } = out {
                feed.sent(number);
            }
        }
    }

    #[test]
    fn no_more_is_read_than_there_is_credit_for() {
        let feed = Feed::new(2);
        assert!(feed.push(message(1, 10)));
        assert!(!feed.push(message(2, 10)));
        assert_eq!(feed.room(), Room::Wait);
        deliver(&feed);
        assert_eq!(feed.grant(3, 2), Ok(3));
        assert_eq!(feed.room(), Room::Go);
        assert!(feed.grant(limits::CREDIT, 2).is_err());
        assert_eq!(feed.grant(0, 2), Ok(3), "nothing was changed");
    }

    #[test]
    fn bytes_are_bounded_whatever_the_credit() {
        let feed = Feed::new(1000);
        feed.push(message(1, limits::WINDOW));
        assert_eq!(feed.room(), Room::Wait);
        deliver(&feed);
        feed.grant(0, 1).unwrap();
        assert_eq!(feed.room(), Room::Go);
    }

    #[test]
    fn what_was_not_sent_can_neither_be_received_nor_acknowledged() {
        let feed = Feed::new(10);
        feed.push(message(5, 1));
        feed.note(9);
        assert!(feed.grant(1, 5).is_err(), "it is not sent yet");
        deliver(&feed);
        assert!(feed.grant(1, 5).is_ok());
        let checksum = Ok(Some("00000005".to_owned()));
        assert_eq!(feed.acknowledge(5, false), checksum);
        assert_eq!(feed.acknowledge(5, false), checksum, "once more");
        assert_eq!(feed.acknowledge(4, false), Ok(None), "it is not known");
        assert!(feed.acknowledge(6, false).is_err());
        assert!(feed.acknowledge(9, true).is_ok(), "nothing else matched");
        assert!(feed.acknowledge(10, true).is_err());
    }

    #[test]
    fn a_closed_feed_says_so() {
        let feed = Feed::new(10);
        feed.push(message(1, 1));
        feed.close();
        assert_eq!(feed.room(), Room::Closed);
        assert!(feed.take().is_none());
    }
}
