//! The control thread, told by others, and stopped.

use std::time::Duration;

use shuttle::thread::{self, JoinHandle};

use super::events::{ControlEvents, Event};
use crate::net::{Sleeper, rest, sleeper};
use crate::pending::Outcome;
use crate::shutdown::Phase;
use crate::sync::Arc;

/// How many others tell it something, and how often each.
const OTHERS: u64 = 3;
const EACH: u64 = 2;

/// All that it is told arrives, in the order of each thread, and nobody has to stop it
/// for that.
pub fn what_is_told_arrives() {
    let (mut sleeper, events, phase) = bench();
    let others: Vec<_> = (0..OTHERS).map(|other| tell(&events, other)).collect();
    let mut got = Vec::new();
    while (got.len() as u64) < OTHERS * EACH {
        turn(&mut sleeper, &events, &phase, &mut got);
    }
    for (other, thread) in (0..OTHERS).zip(others) {
        thread.join().unwrap();
        let of_it = got.iter().filter(|id| *id / EACH == other);
        assert!(of_it.copied().eq(EACH * other..EACH * (other + 1)));
    }
}

/// It ends when all is recorded, whatever it is about; what it was told by then is
/// there to be read.
pub fn the_end_of_recording_is_noticed() {
    let (mut sleeper, events, phase) = bench();
    let (others, waker) = (tell(&events, 0), sleeper.waker());
    let (read, watched) = (Arc::clone(&events), Arc::clone(&phase));
    let control = thread::spawn(move || {
        let mut got = Vec::new();
        while watched.is_recording() {
            turn(&mut sleeper, &read, &watched, &mut got);
        }
        got.len()
    });
    phase.finish_delivery();
    waker.wake();
    let got = control.join().unwrap();
    others.join().unwrap();
    assert_eq!((got + events.take().len()) as u64, EACH);
}

/// Another thread of this process asks for the status, and gets it.
pub fn whoever_asks_gets_an_answer() {
    let (mut sleeper, events, phase) = bench();
    let asks = Arc::clone(&events);
    let asked = thread::spawn(move || asks.status(Duration::from_secs(1)));
    let mut answered = false;
    while !answered {
        let quiet = events.announce(&sleeper, &phase);
        rest(&mut sleeper, quiet);
        for event in events.take() {
            answered |= matches!(event, Event::Status(_));
        }
    }
    assert!(asked.join().unwrap().is_none(), "who asked was let go");
}

fn bench() -> (Sleeper, Arc<ControlEvents>, Arc<Phase>) {
    let sleeper = sleeper().unwrap();
    let events = Arc::new(ControlEvents::new(sleeper.waker()));
    (sleeper, events, Arc::default())
}

fn tell(events: &Arc<ControlEvents>, other: u64) -> JoinHandle<()> {
    let events = Arc::clone(events);
    thread::spawn(move || {
        for id in EACH * other..EACH * (other + 1) {
            events.post(Event::Outcome(id, Outcome::Recorded(id)));
        }
    })
}

fn turn(sleeper: &mut Sleeper, events: &ControlEvents, phase: &Phase, got: &mut Vec<u64>) {
    for event in events.take() {
        if let Event::Outcome(id, _) = event {
            got.push(id);
        }
    }
    if (got.len() as u64) < OTHERS * EACH {
        let quiet = events.announce(sleeper, phase);
        rest(sleeper, quiet);
    }
}
