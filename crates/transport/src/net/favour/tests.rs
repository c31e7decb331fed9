use std::io::Write;
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::net::{Port, READ};
use crate::testing::greeting;

const LIMIT: usize = 100_000;

/// Publishers that have each sent a part of a message of 1 MB.
struct Publishers {
    far: Vec<TcpStream>,
    near: Vec<Inbound>,
}

impl Publishers {
    fn new(held: &[usize]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (mut far, mut near) = (Vec::new(), Vec::new());
        for &held in held {
            let stream = TcpStream::connect(address).unwrap();
            let (accepted, peer) = Port::accept(&listener).unwrap();
            let mut publisher =
                Inbound::new(accepted, peer, zmtp::Role::Subscriber, near.len() as u64);
            (&stream).write_all(&greeting(b"PUB")).unwrap();
            let header = b"\x02\0\0\0\0\0\x0f\x42\x40";
            let part = [&header[..], &vec![0; held - header.len()]].concat();
            (&stream).write_all(&part).unwrap();
            while publisher.held() < held {
                read(&mut publisher);
            }
            far.push(stream);
            near.push(publisher);
        }
        Self { far, near }
    }

    /// Sends this many more bytes of one's message.
    fn send(&mut self, index: usize, count: usize) {
        let held = self.near[index].held() + count;
        (&self.far[index]).write_all(&vec![0; count]).unwrap();
        while self.near[index].held() < held {
            read(&mut self.near[index]);
        }
    }
}

fn read(publisher: &mut Inbound) {
    let mut scratch = vec![0; 2 * READ];
    publisher
        .receive(2 << 20, &mut scratch, &mut |_, _| ())
        .unwrap();
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn all_go_on_while_there_is_memory_and_then_the_longest() {
    let mut favour = Favour::new(LIMIT);
    let few = Publishers::new(&[40_000, 50_000]);
    assert_eq!(favour.choose(&few.near), None);
    let many = Publishers::new(&[40_000, 60_000, 50_000]);
    assert_eq!(favour.choose(&many.near), Some(1));
}

#[test]
fn a_publisher_that_sends_a_byte_now_and_then_gives_its_turn_to_the_next() {
    let mut favour = Favour::new(LIMIT);
    let mut all = Publishers::new(&[60_000, 50_000]);
    for _ in 0..9 {
        assert_eq!(favour.choose(&all.near), Some(0));
        all.send(0, 1);
        favour.asked(&mut all.near, 0, SECOND).unwrap();
    }
    favour.asked(&mut all.near, 0, SECOND).unwrap();
    assert_eq!(favour.choose(&all.near), Some(1), "the next one's turn");
    // One that is fast enough keeps it, however long it takes.
    for _ in 0..30 {
        all.send(1, 70_000);
        favour.asked(&mut all.near, 1, SECOND).unwrap();
        assert_eq!(favour.choose(&all.near), Some(1));
        if all.near[1].held() > 900_000 {
            break;
        }
    }
}

#[test]
fn one_that_is_always_too_slow_is_given_up_in_the_end() {
    let mut favour = Favour::new(LIMIT);
    let mut all = Publishers::new(&[60_000, 50_000]);
    for turn in 1..=2 * MAX_LOST {
        let index = favour.choose(&all.near).unwrap();
        all.send(index, 1);
        match favour.asked(&mut all.near, index, TURN) {
            Ok(()) => assert!(turn < 2 * MAX_LOST - 1),
            Err(end) => {
                assert!(matches!(end, Ended::Slow), "{end}");
                return;
            }
        }
    }
    panic!("nobody was given up");
}

#[test]
fn only_time_in_which_it_was_asked_counts_against_a_silent_one() {
    let mut favour = Favour::new(LIMIT);
    let mut all = Publishers::new(&[60_000, 50_000]);
    // The broker was paused for a minute, which counts as one second.
    let holder = favour.choose(&all.near).unwrap();
    for _ in 0..9 {
        all.near[holder].gave_nothing(SECOND);
        favour.asked(&mut all.near, holder, SECOND).unwrap();
    }
    all.near[holder].gave_nothing(SECOND);
    let end = favour.asked(&mut all.near, holder, SECOND).unwrap_err();
    assert!(matches!(end, Ended::Unfinished), "{end}");
}

#[test]
fn one_alone_may_take_its_time() {
    let mut favour = Favour::new(LIMIT);
    let mut all = Publishers::new(&[120_000, 10]);
    for _ in 0..100 {
        assert_eq!(favour.choose(&all.near), Some(0));
        all.near[0].gave_nothing(SECOND);
        favour.asked(&mut all.near, 0, SECOND).unwrap();
    }
}
