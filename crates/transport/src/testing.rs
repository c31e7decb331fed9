//! A journal with its tail, and a link that only remembers, for unit tests.

pub(crate) mod faulty;
pub(crate) mod guarded;
pub(crate) mod recorder;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use journal::raw::{FileSystem, Group, RealFs, Session, Writer};
use journal::{Archived, CommitError, Options};

use crate::batch::Batch;
use crate::config::Replay;
use crate::delivery::{Link, LinkError, Subscriber, Subscription, Turn};
use crate::tail::Tail;

/// What a peer of the given kind sends before anything else.
pub(crate) fn greeting(kind: &[u8]) -> Vec<u8> {
    let length = u8::try_from(kind.len()).unwrap();
    let mut greeting = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1];
    greeting.extend_from_slice(b"NULL");
    greeting.resize(zmtp::GREETING_BYTES, 0);
    greeting.extend([4, 22 + length]);
    greeting.extend_from_slice(b"\x05READY\x0bSocket-Type\0\0\0");
    greeting.push(length);
    greeting.extend_from_slice(kind);
    greeting
}

/// A batch of one message, whose payload has this many bytes.
pub(crate) fn batch(number: u64, bytes: usize) -> Batch {
    let mut batch = Batch::new(Group::new(number, 1 << 20));
    let mut wire = Vec::new();
    zmtp::push_message(&mut wire, [b"topic".as_slice(), &vec![b'x'; bytes]]);
    let at = "2025-11-20T04:30:00.123Z";
    batch.push(Cow::Owned(wire), at, None).unwrap();
    batch
}

/// How many bytes of records stay in memory.
pub(crate) const TAIL: usize = 64 << 20;

/// A recorder without threads: what it records is committed when it returns.
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) writer: Writer,
    pub(crate) tail: Arc<Tail>,
}

impl Bench {
    pub(crate) fn new(history: u64) -> Self {
        Self::reopen(tempfile::tempdir().unwrap(), history)
    }

    pub(crate) fn reopen(dir: tempfile::TempDir, history: u64) -> Self {
        Self::open(dir, Arc::new(RealFs), history, TAIL)
    }

    /// Opens a journal on a file system, of which the newest bytes stay in memory.
    pub(crate) fn open(
        dir: tempfile::TempDir,
        fs: Arc<dyn FileSystem>,
        history: u64,
        memory: usize,
    ) -> Self {
        Self::open_with(dir, fs, Replay::Session, history, memory)
    }

    /// The same, with a word on which sessions are replayed.
    pub(crate) fn open_with(
        dir: tempfile::TempDir,
        fs: Arc<dyn FileSystem>,
        replay: Replay,
        history: u64,
        memory: usize,
    ) -> Self {
        let options = Options {
            fs,
            ..Options::default()
        };
        let (writer, _) = Writer::open(dir.path(), options).unwrap();
        let (session, file) = (writer.session(), writer.session_file());
        let (path, next) = (writer.session_path(), writer.next_number());
        let closed = match replay {
            Replay::Session => None,
            Replay::All => Some(journal::list_archives(dir.path()).unwrap()),
        };
        let session = (session, file);
        let tail = Tail::new(path, closed.as_deref(), session, next, history, memory);
        Self {
            dir,
            writer,
            tail: Arc::new(tail),
        }
    }

    /// Ends the writer as a crash would, and starts another one.
    pub(crate) fn restart(self, history: u64) -> Self {
        let Self { dir, writer, tail } = self;
        drop((writer, tail));
        Self::reopen(dir, history)
    }

    /// Records one message per topic, in one group.
    pub(crate) fn record(&mut self, topics: &[&str]) {
        self.record_at(topics, "2025-11-20T04:30:00.123Z");
    }

    /// Records as at a given time.
    pub(crate) fn record_at(&mut self, topics: &[&str], recorded_at: &str) {
        self.try_record(topics, recorded_at).unwrap();
    }

    /// Records in one group, and tells the tail what the recorder would.
    pub(crate) fn try_record(
        &mut self,
        topics: &[&str],
        recorded_at: &str,
    ) -> Result<(), CommitError> {
        let mut batch = Batch::new(self.writer.group());
        for topic in topics {
            let number = batch.group.next().to_string();
            let mut wire = Vec::new();
            zmtp::push_message(&mut wire, [topic.as_bytes(), number.as_bytes()]);
            batch.push(Cow::Owned(wire), recorded_at, None).unwrap();
        }
        let committed = self.writer.commit(&[&batch.group])?;
        if !committed.fresh.is_empty() || self.tail.lacks_file() {
            let archived = committed.fresh.iter().filter_map(|it| it.archived.as_ref());
            let before = Session {
                bytes: committed.offset,
                ..self.writer.session()
            };
            self.tail
                .rotate(archived, before, self.writer.session_file());
        }
        let bytes = batch.take_lines().bytes().len();
        drop(self.tail.publish([(batch, bytes)], &committed));
        self.tail.listeners.wake_all();
        Ok(())
    }

    /// Tells the tail where the writer is now.
    pub(crate) fn rotate(&self, archived: Option<&Archived>) {
        let (session, file) = (self.writer.session(), self.writer.session_file());
        self.tail.rotate(archived, session, file);
    }

    pub(crate) fn archive(&mut self) -> Archived {
        let archived = self.writer.archive(None).unwrap().unwrap();
        self.rotate(Some(&archived));
        archived
    }
}

/// Remembers what was sent, and is full after `room` messages.
#[derive(Default)]
pub(crate) struct MemoryLink {
    pub(crate) sent: Vec<String>,
    pub(crate) room: Option<usize>,
    subscriptions: VecDeque<Subscription>,
}

impl Link for MemoryLink {
    fn receive(&mut self) -> Result<bool, LinkError> {
        Ok(false)
    }

    fn subscription(&mut self) -> Result<Option<Subscription>, LinkError> {
        Ok(self.subscriptions.pop_front())
    }

    fn send(&mut self, messages: &[IoSlice<'_>], _: bool) -> Result<usize, LinkError> {
        let mut taken = 0;
        for mut rest in messages.iter().map(|slice| &**slice) {
            while !rest.is_empty() && self.room != Some(0) {
                let (topic, payload) = (zmtp::first_frame(rest), zmtp::frames(rest).nth(1));
                let payload = payload.unwrap();
                self.sent.push(format!(
                    "{} {}",
                    topic.escape_ascii(),
                    payload.escape_ascii()
                ));
                // Two frames of two bytes' header each.
                let length = topic.len() + payload.len() + 4;
                rest = &rest[length..];
                taken += length;
                self.room = self.room.map(|room| room - 1);
            }
        }
        Ok(taken)
    }
}

/// A subscriber with its link.
pub(crate) struct Client {
    pub(crate) subscriber: Subscriber,
    pub(crate) link: MemoryLink,
}

impl Client {
    pub(crate) fn new(history: u64) -> Self {
        let subscriber = Subscriber::new(history);
        Self {
            subscriber,
            link: MemoryLink::default(),
        }
    }

    pub(crate) fn subscribe(&mut self, topic: &str) {
        self.subscriber
            .apply(Subscription::Add(topic.as_bytes().into()))
            .unwrap();
    }

    pub(crate) fn unsubscribe(&mut self, topic: &str) {
        self.subscriber
            .apply(Subscription::Remove(topic.as_bytes().into()))
            .unwrap();
    }

    /// Takes what there is to take, and returns what came.
    pub(crate) fn take(&mut self, bench: &Bench) -> Vec<String> {
        loop {
            match self.subscriber.turn(&bench.tail, &mut self.link).unwrap() {
                Turn::More => {}
                Turn::Quiet(pause) => std::thread::sleep(pause),
                Turn::Idle | Turn::Full => return std::mem::take(&mut self.link.sent),
            }
        }
    }
}
