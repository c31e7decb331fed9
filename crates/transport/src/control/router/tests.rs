use std::io::Write as _;

use super::*;
use crate::control::testing::{Door, Far};

fn door() -> Door {
    Door::new(1 << 20)
}

/// Waits until a client's requests lie there; nobody has been given them.
fn wait_for(door: &mut Door, peer: Peer, count: usize) {
    let waiting = |door: &Door| {
        door.router
            .requests
            .get(&peer.connection)
            .map(VecDeque::len)
    };
    while waiting(door) != Some(count) {
        door.serve();
    }
}

/// Lets the client read as many messages, and sends what waits for it meanwhile.
fn read(door: &mut Door, far: &mut Far, count: usize) {
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| (0..count).for_each(|_| drop(far.receive())));
        while !door.router.is_flushed() {
            door.serve();
        }
        reading.join().unwrap();
    });
}

/// Sends messages until the connection is full, which is soon; returns how many it has
/// taken.
fn fill(door: &mut Door, peer: &Peer) -> usize {
    let large = "x".repeat(256 << 10);
    let sent = std::iter::from_fn(|| match door.router.send(peer, &large, []) {
        Sent::Whole => Some(()),
        full => {
            assert_eq!(full, Sent::Full);
            None
        }
    });
    let count = sent.count();
    let owed = door.router.server.get(peer.connection).unwrap().owed();
    assert!(owed < 2 * large.len(), "{owed}");
    count
}

#[test]
fn a_reply_comes_to_whoever_asked_and_to_nobody_else() {
    let mut door = door();
    let (mut one, first) = door.connect();
    let (mut other, second) = door.connect();
    door.router.reply(&second, "for the second");
    door.router.reply(&first, "for the first");
    assert_eq!(one.receive(), [b"for the first"]);
    assert_eq!(other.receive(), [b"for the second"]);
}

#[test]
fn a_client_that_has_left_gets_nothing_and_nobody_else_gets_it_in_its_place() {
    let mut door = door();
    let (far, gone) = door.connect();
    drop(far);
    while door.router.connected().contains(&gone.connection) {
        door.serve();
    }
    let (mut next, peer) = door.connect();
    door.router.reply(&gone, "late");
    let sent = door.router.send(&gone, "later", [b"frame".as_slice()]);
    assert_eq!(sent, Sent::Gone);
    door.router.reply(&peer, "own");
    assert_eq!(next.receive(), [b"own"]);
    assert_eq!(door.router.connected(), HashSet::from([peer.connection]));
}

#[test]
fn a_req_socket_gets_its_empty_frame_back_and_a_dealer_none() {
    let mut door = door();
    let mut far = door.far(b"REQ");
    far.send(&[b"", b"header", b""]);
    let incoming = door.receive();
    assert_eq!(incoming.frames, [b"header".as_slice(), b""]);
    door.router.reply(&incoming.peer, "reply");
    assert_eq!(far.receive(), [b"".as_slice(), b"reply"]);
    let sent = door
        .router
        .send(&incoming.peer, "message", [b"1".as_slice(), b"2"]);
    assert_eq!(sent, Sent::Whole);
    door.router.flush(&incoming.peer);
    assert_eq!(far.receive(), [b"".as_slice(), b"message", b"1", b"2"]);

    let mut far = door.far(b"DEALER");
    // A frame that stands alone is what was asked for, also where it is empty.
    far.send(&[b""]);
    let incoming = door.receive();
    assert_eq!(incoming.frames, [b""]);
    door.router.reply(&incoming.peer, "reply");
    assert_eq!(far.receive(), [b"reply"]);
}

#[test]
fn clients_take_turns_however_many_requests_one_of_them_has_sent() {
    let mut door = door();
    let (mut one, first) = door.connect();
    let (mut other, second) = door.connect();
    let mut wire = Vec::new();
    for request in [b"1", b"2", b"3"] {
        zmtp::push_message(&mut wire, [request.as_slice()]);
    }
    one.stream.write_all(&wire).unwrap();
    wait_for(&mut door, first, 3);
    other.send(&[b"4"]);
    wait_for(&mut door, second, 1);
    let order = std::iter::from_fn(|| door.router.receive());
    let order: Vec<_> = order.map(|it| it.frames[0].clone()).collect();
    assert_eq!(order, [b"1", b"4", b"2", b"3"]);
}

#[test]
fn nothing_more_is_read_of_a_client_while_its_requests_wait() {
    let mut door = door();
    let (mut one, first) = door.connect();
    let (mut other, second) = door.connect();
    one.send(&[b"1"]);
    wait_for(&mut door, first, 1);
    one.send(&[b"2"]);
    // What comes behind that shows that it was there to be read.
    other.send(&[b"3"]);
    wait_for(&mut door, second, 1);
    assert_eq!(door.router.requests[&first.connection].len(), 1);
    let order: Vec<_> = (0..3).map(|_| door.receive().frames[0].clone()).collect();
    assert_eq!(order, [b"1", b"3", b"2"]);
}

#[test]
fn a_client_that_does_not_take_its_replies_is_answered_nothing_more_before_it_does() {
    let mut door = door();
    let (mut one, first) = door.connect();
    let (mut other, second) = door.connect();
    one.send(&[b"1"]);
    wait_for(&mut door, first, 1);
    let filled = fill(&mut door, &first);
    assert!(door.router.receive().is_none());
    other.send(&[b"2"]);
    assert_eq!(door.receive().peer, second, "others go on");
    read(&mut door, &mut one, filled);
    assert_eq!(door.receive().peer, first);
    assert_eq!(door.router.send(&first, "behind", []), Sent::Whole);
    door.router.flush(&first);
    assert_eq!(one.receive(), [b"behind"], "what was not taken never comes");
}

#[test]
fn replies_that_nobody_reads_take_no_more_memory_than_there_is_room_for() {
    let mut door = door();
    let (mut far, peer) = door.connect();
    let filled = fill(&mut door, &peer);
    let large = "x".repeat(1 << 20);
    for _ in 0..10 {
        door.router.reply(&peer, &large);
    }
    let owed = door.router.server.get(peer.connection).unwrap().owed();
    assert!(owed <= limits::OUTBOX, "{owed}");
    let came = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let replies = std::iter::from_fn(|| Some(far.receive().remove(0)));
            replies.take_while(|it| it != b"there is room").count()
        });
        while !door.router.is_flushed() {
            door.serve();
        }
        door.router.reply(&peer, "there is room");
        reading.join().unwrap()
    });
    let kept = came - filled;
    assert!((1..10).contains(&kept), "{kept}");
}

#[test]
fn a_few_messages_leave_together_and_are_there_when_they_are_flushed() {
    let mut door = door();
    let (mut far, peer) = door.connect();
    for message in ["1", "2"] {
        assert_eq!(door.router.send(&peer, message, []), Sent::Whole);
    }
    assert!(!door.router.is_flushed());
    door.router.flush(&peer);
    assert!(door.router.is_flushed());
    assert_eq!(
        (far.receive(), far.receive()),
        (vec![b"1".into()], vec![b"2".into()])
    );
    // So many bytes need no word.
    let sent = door.router.send(&peer, &"x".repeat(TOGETHER), []);
    assert_eq!((sent, far.receive().len()), (Sent::Whole, 1));
}

#[test]
fn a_request_that_is_too_large_is_answered_as_soon_as_it_is_announced_and_ends_the_connection() {
    let mut door = Door::new(1000);
    let (mut far, peer) = door.connect();
    let too_much = 1001 + protocol::MAX_HEADER as u64;
    let announced = [&b"\x01\x06header\x02"[..], &too_much.to_be_bytes()].concat();
    far.stream.write_all(&announced).unwrap();
    let incoming = door.receive();
    assert_eq!(incoming.peer, peer);
    assert_eq!(
        incoming.frames,
        [b"header"],
        "it says which request that is"
    );
    let why = incoming.too_large;
    assert!(matches!(why, Some(StreamError::TooLarge { .. })));
    assert_eq!(door.router.counters.refused.load(Ordering::Relaxed), 1);
    door.router.reply(&peer, "refused");
    assert_eq!(far.receive(), [b"refused"]);
    door.look();
    assert!(door.router.connected().is_empty());
}
