//! Whoever walks through what is committed, and two journals to do so.

use std::io::IoSlice;

use journal::raw::RealFs;

use super::*;
use crate::delivery::{Link, LinkError, Subscription, Topics};
use crate::testing::{Bench, TAIL};

/// Takes whatever it is sent.
#[derive(Default)]
struct Wire(Vec<u8>);

impl Link for Wire {
    fn receive(&mut self) -> Result<bool, LinkError> {
        Ok(false)
    }

    fn subscription(&mut self) -> Result<Option<Subscription>, LinkError> {
        Ok(None)
    }

    fn send(&mut self, messages: &[IoSlice<'_>], _: bool) -> Result<usize, LinkError> {
        messages.iter().for_each(|it| self.0.extend_from_slice(it));
        Ok(messages.iter().map(|it| it.len()).sum())
    }
}

/// The topic and the number of a message.
type Found = (Vec<u8>, u64);

/// Somebody who walks through what is committed.
pub(super) struct Walk {
    pub(super) cursor: Cursor,
    topics: Topics,
    pub(super) until: Option<SessionOffset>,
}

impl Walk {
    pub(super) fn new(cursor: Cursor, topic: &str) -> Self {
        let mut topics = Topics::default();
        topics.add(topic.as_bytes().into());
        let until = None;
        Self {
            cursor,
            topics,
            until,
        }
    }

    /// Begins before the newest records, and wants all of them.
    pub(super) fn of_newest(bench: &Bench, history: u64) -> Self {
        let (cursor, _) = Cursor::at_window(&bench.tail, history).unwrap();
        Self::new(cursor, "")
    }

    /// Does one step, and returns the topics and the numbers of what was found.
    pub(super) fn step(&mut self, bench: &Bench) -> Result<(Step, Vec<Found>), Lost> {
        let (mut out, mut link) = (Outgoing::default(), Wire::default());
        let wanted = Wanted {
            topics: &self.topics,
            without: None,
        };
        let step = self
            .cursor
            .fill(&bench.tail, self.until, wanted, &mut out)?;
        while !out.is_empty() {
            out.refill()?;
            assert!(out.send(&mut link).unwrap());
        }
        let frames: Vec<&[u8]> = zmtp::frames(&link.0).collect();
        let found = frames.chunks(2).map(|message| {
            let number = std::str::from_utf8(message[1]).unwrap();
            (message[0].to_vec(), number.parse().unwrap())
        });
        Ok((step, found.collect()))
    }

    /// Goes as far as it gets, and returns the numbers and what it has come to.
    pub(super) fn walk(&mut self, bench: &Bench) -> Result<(Vec<u64>, Step), Lost> {
        let mut numbers = Vec::new();
        loop {
            let (step, found) = self.step(bench)?;
            numbers.extend(found.into_iter().map(|(_, number)| number));
            if matches!(step, Step::Head | Step::Stop) {
                return Ok((numbers, step));
            }
        }
    }

    pub(super) fn numbers(&mut self, bench: &Bench) -> Vec<u64> {
        let (numbers, step) = self.walk(bench).unwrap();
        assert_eq!(step, Step::Head);
        numbers
    }
}

/// A journal whose newest records are in memory, and one with all in files.
pub(super) fn benches() -> [Bench; 2] {
    [TAIL, 0].map(|memory| {
        let dir = tempfile::tempdir().unwrap();
        Bench::open(dir, Arc::new(RealFs), 10, memory)
    })
}
