//! A consumer's thread reads as far as there is credit; the control thread sends, and
//! gives credit.

use message::Frames;
use shuttle::thread::{self, JoinHandle};

use super::events::{ControlEvents, Event};
use super::feed::{Feed, Out, Room};
use crate::net::{Sleeper, Waker, rest, sleeper};
use crate::shutdown::Phase;
use crate::sync::Arc;

/// How many messages there are, and for how many a client gives credit at once.
const MESSAGES: u64 = 5;
const CREDIT: u64 = 2;
/// The consumer's name among others.
const HANDLE: u64 = 7;

struct Bench {
    /// The control thread's.
    sleeper: Sleeper,
    events: Arc<ControlEvents>,
    feed: Arc<Feed>,
    /// The consumer's.
    waker: Arc<Waker>,
    consumer: JoinHandle<()>,
}

impl Bench {
    fn start() -> Self {
        let (control, own) = (sleeper().unwrap(), sleeper().unwrap());
        let events = Arc::new(ControlEvents::new(control.waker()));
        let feed = Arc::new(Feed::new(CREDIT));
        let waker = own.waker();
        let (told, fed) = (Arc::clone(&events), Arc::clone(&feed));
        Self {
            sleeper: control,
            events,
            feed,
            waker,
            consumer: thread::spawn(move || consume(&fed, &told, own)),
        }
    }

    /// Waits until the consumer has something.
    fn wait_for_ready(&mut self) {
        loop {
            let quiet = self.events.announce(&self.sleeper, &Phase::default());
            rest(&mut self.sleeper, quiet);
            let mut events = self.events.take().into_iter();
            if events.any(|event| matches!(event, Event::Ready(HANDLE))) {
                return;
            }
        }
    }

    /// Ends the consumer, which may sleep.
    fn close(self) {
        self.feed.close();
        self.waker.wake();
        self.consumer.join().unwrap();
    }
}

/// All messages come, in order, though the client gives credit for few at a time: each
/// side sleeps until the other has done something.
pub fn credit_and_messages_wake_each_other() {
    let mut bench = Bench::start();
    let mut came = Vec::new();
    while (came.len() as u64) < MESSAGES {
        bench.wait_for_ready();
        while let Some(Out::Message { number, .. }) = bench.feed.take() {
            bench.feed.sent(number);
            came.push(number);
            if number % CREDIT == 0 {
                bench.feed.grant(CREDIT, number).unwrap();
                bench.waker.wake();
            }
        }
    }
    assert!(came.into_iter().eq(1..=MESSAGES));
    bench.close();
}

/// A connection that takes nothing for the moment gets the same message later, before
/// what the consumer has left meanwhile.
pub fn what_is_put_back_comes_first() {
    let mut bench = Bench::start();
    bench.wait_for_ready();
    let first = bench.feed.take().unwrap();
    bench.feed.put_back(first);
    let Some(Out::Message { number: 1, .. }) = bench.feed.take() else {
        panic!("it comes again");
    };
    bench.close();
}

/// Is the consumer's thread: announces, looks, and sleeps.
fn consume(feed: &Feed, events: &ControlEvents, mut sleeper: Sleeper) {
    let mut next = 1;
    loop {
        match feed.room() {
            Room::Closed => return,
            Room::Go if next <= MESSAGES => {
                if feed.push(message(next)) {
                    events.post(Event::Ready(HANDLE));
                }
                next += 1;
                continue;
            }
            Room::Go | Room::Wait => {}
        }
        sleeper.about_to_sleep();
        let nothing = match feed.room() {
            Room::Closed => false,
            Room::Wait => true,
            Room::Go => next > MESSAGES,
        };
        rest(&mut sleeper, nothing);
    }
}

fn message(number: u64) -> Out {
    Out::Message {
        number,
        checksum: None,
        header: String::new(),
        frames: Frames::new(),
    }
}
