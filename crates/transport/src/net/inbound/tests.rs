use std::io::{Read as _, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use zmtp::SocketType;

use super::*;
use crate::net::Port;
use crate::testing::greeting;
use crate::testing::guarded::Guarded;

/// A publisher's end and the broker's end of a connection, after the handshake.
fn connected() -> (TcpStream, Inbound) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, peer) = Port::accept(&listener).unwrap();
    let mut publisher = Inbound::new(near, peer, Role::Subscriber, 1);
    (&far).write_all(&greeting(b"PUB")).unwrap();
    while !publisher.is_ready() {
        assert!(receive(&mut publisher).unwrap().is_empty());
    }
    (far, publisher)
}

/// Reads once, or not if nothing has come.
fn receive(publisher: &mut Inbound) -> Result<Vec<Vec<u8>>, Ended> {
    let mut scratch = vec![0; 2 * READ];
    let mut came = Vec::new();
    publisher.receive(1 << 20, &mut scratch, &mut |_, message| {
        came.push(message.into_owned());
    })?;
    Ok(came)
}

/// Sends bytes and behind them the end of the connection, so that a broker which takes all
/// of it comes to an end, too. Returns what was taken, and why the connection ended.
fn read_to_end(
    far: TcpStream,
    mut publisher: Inbound,
    limit: u64,
    bytes: Vec<u8>,
) -> (Vec<Vec<u8>>, Ended) {
    let sender = std::thread::spawn(move || {
        // A broker that has had enough of it takes no more. Closed with unread bytes, the
        // connection would be reset.
        let sent = (&far).write_all(&bytes);
        sent.and_then(|()| far.shutdown(Shutdown::Write)).ok();
        far
    });
    let (mut came, mut scratch) = (Vec::new(), vec![0; 2 * READ]);
    let ended = loop {
        let result = publisher.receive(limit, &mut scratch, &mut |_, message| {
            came.push(message.into_owned());
        });
        if let Err(ended) = result {
            break ended;
        }
    };
    drop(publisher);
    drop(sender.join().unwrap());
    (came, ended)
}

/// Reads until `count` messages have come.
fn receive_count(publisher: &mut Inbound, count: usize) -> Vec<Vec<u8>> {
    let mut came = Vec::new();
    while came.len() < count {
        came.extend(receive(publisher).unwrap());
    }
    came
}

fn message(frames: &[&[u8]]) -> Vec<u8> {
    let mut wire = Vec::new();
    zmtp::push_message(&mut wire, frames.iter().copied());
    wire
}

#[test]
fn messages_come_out_however_their_bytes_come_in() {
    let messages = [
        message(&[b"t", b"{}"]),
        message(&[b""]),
        message(&[b"large", &[7; 300_000]]),
        message(&[b"a", &[1; 40_000], b"c"]),
        message(&[b"last", b"x"]),
    ];
    let bytes = messages.concat();
    for piece in [10_000, 50_000, bytes.len()] {
        let (far, mut publisher) = connected();
        let mut came = Vec::new();
        for chunk in bytes.chunks(piece) {
            (&far).write_all(chunk).unwrap();
            came.extend(receive(&mut publisher).unwrap());
        }
        let rest = messages.len() - came.len();
        came.extend(receive_count(&mut publisher, rest));
        assert!(came == messages, "in pieces of {piece} bytes");
        assert_eq!(publisher.held(), 0);
    }
}

#[test]
fn a_heartbeat_in_the_middle_of_a_message_is_answered_and_taken_out() {
    let ping = b"\x04\x0a\x04PING\0\x0aabc";
    for size in [10, 100_000] {
        let (far, mut publisher) = connected();
        let whole = message(&[&vec![b'a'; size], b"tail", b"end"]);
        let back = whole.len() - 5 - 6;
        let bytes = [&whole[..back], ping, &whole[back..], &whole].concat();
        (&far).write_all(&bytes).unwrap();
        let came = receive_count(&mut publisher, 2);
        assert!(came == [&whole[..], &whole], "{size}");
        let mut answer = vec![0; 128];
        let mut got = Vec::new();
        while !got.ends_with(b"\x04\x08\x04PONGabc") {
            let count = (&far).read(&mut answer).unwrap();
            assert!(count > 0);
            got.extend_from_slice(&answer[..count]);
        }
    }
}

#[test]
fn the_broker_subscribes_to_everything() {
    let (far, publisher) = connected();
    assert!(!publisher.has_unsent());
    let mut answer = vec![0; 64 + 27 + 12];
    (&far).read_exact(&mut answer).unwrap();
    assert!(answer.ends_with(b"\x04\x0a\x09SUBSCRIBE"), "{answer:?}");
}

#[test]
fn a_peer_that_takes_no_answers_is_not_read_before_it_does_and_then_given_up() {
    let (far, mut publisher) = connected();
    far.set_nonblocking(true).unwrap();
    let pings = b"\x04\x17\x04PING\0\x0a0123456789abcdef".repeat(1000);
    while !publisher.owes_reading() {
        // The broker's buffers fill up.
        let _partly = (&far).write(&pings);
        receive(&mut publisher).unwrap();
    }
    assert!(publisher.owed() <= MAX_UNSENT + 2 * READ);
    publisher.check_patience().unwrap();
    publisher.gave_nothing(HANDSHAKE + Duration::from_secs(1));
    let ended = publisher.check_patience().unwrap_err();
    assert!(matches!(ended, Ended::Deaf), "{ended}");
}

#[test]
fn what_comes_together_with_the_end_of_the_connection_is_taken() {
    for size in [10, 40_000, 100_000, 600_000, 1_000_000] {
        let (far, publisher) = connected();
        let small = message(&[b"small", b"x"]);
        let large = message(&[b"topic", &vec![7; size], b"", b"end"]);
        let bytes = [&large[..], &small, &large, &small].concat();
        let (came, ended) = read_to_end(far, publisher, 8 << 20, bytes);
        assert!(matches!(ended, Ended::Left), "{ended}");
        assert!(
            came == [&large[..], &small, &large, &small],
            "{} messages of {size} bytes",
            came.len()
        );
    }
}

#[test]
fn a_peer_that_takes_nothing_any_more_is_read_to_its_end() {
    let (far, mut publisher) = connected();
    let whole = message(&[b"t", b"{}"]);
    (&far).write_all(&whole).unwrap();
    // A later answer can't be sent.
    publisher.socket.finish().unwrap();
    publisher.push([b"answer".as_slice()]);
    publisher.flush();
    assert!(!publisher.has_unsent());
    assert_eq!(receive_count(&mut publisher, 1), [whole]);
}

#[test]
fn commands_cost_no_more_than_their_bytes() {
    // Between the frames of a message, so that gaps have to be closed: moving
    // what follows for each of them would move 16 GiB.
    let (far, mut publisher) = connected();
    let whole = message(&[&vec![b'a'; 20_000], b"end"]);
    let back = whole.len() - 5;
    let commands = b"\x04\x01\x00".repeat(4_000_000);
    let bytes = [&whole[..back], &commands, &whole[back..]].concat();
    let sender = std::thread::spawn(move || {
        (&far).write_all(&bytes).unwrap();
        far
    });
    let came = receive_count(&mut publisher, 1);
    let _far = sender.join().unwrap();
    assert!(came == [whole]);
}

#[test]
fn what_breaks_the_protocol_ends_the_connection() {
    let (far, publisher) = connected();
    let (_, ended) = read_to_end(far, publisher, 1 << 20, vec![0xff; 10]);
    assert!(
        matches!(ended, Ended::Stream(zmtp::StreamError::Frame(_))),
        "{ended}"
    );
    let (far, publisher) = connected();
    let (_, ended) = read_to_end(far, publisher, 1 << 20, Vec::new());
    assert!(matches!(ended, Ended::Left), "{ended}");
}

#[test]
fn a_peer_that_is_silent_for_longer_than_it_announced_is_given_up() {
    let (far, mut publisher) = connected();
    assert!(!publisher.is_timed());
    // A time to live of ten tenths of a second.
    let ping = b"\x04\x07\x04PING\0\x0a";
    (&far)
        .write_all(&[&ping[..], &message(&[b"t"])].concat())
        .unwrap();
    receive_count(&mut publisher, 1);
    assert!(publisher.is_timed());
    publisher.gave_nothing(Duration::from_secs(1));
    publisher.check_patience().unwrap();
    publisher.gave_nothing(Duration::from_millis(1));
    let ended = publisher.check_patience().unwrap_err();
    assert!(matches!(ended, Ended::Expired), "{ended}");
}

#[test]
fn a_connection_that_is_to_be_closed_stays_until_its_last_request_is_answered() {
    let (_far, mut client) = connected();
    client.close_soon();
    client.hold_back(true);
    client.check_patience().unwrap();
    client.push([b"answer".as_slice()]);
    client.hold_back(false);
    client.check_patience().unwrap();
    client.flush();
    let ended = client.check_patience().unwrap_err();
    assert!(matches!(ended, Ended::Left), "{ended}");
}

#[test]
fn a_handshake_that_takes_too_long_ends_however_much_comes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, peer) = Port::accept(&listener).unwrap();
    let mut publisher = Inbound::new(near, peer, Role::Subscriber, 1);
    let pause = HANDSHAKE / 8;
    for (count, byte) in greeting(b"PUB").iter().take(9).enumerate() {
        publisher.check_patience().unwrap();
        far.write_all(&[*byte]).unwrap();
        while publisher.received == count as u64 {
            assert!(receive(&mut publisher).unwrap().is_empty());
        }
        publisher.passes(pause);
    }
    assert!(matches!(publisher.check_patience(), Err(Ended::Silent)));
    // Who has come to its end is left alone.
    let (_far, mut publisher) = connected();
    publisher.passes(2 * HANDSHAKE);
    publisher.check_patience().unwrap();
}

/// A publisher's end with a key and the broker's end of a connection.
fn connected_with_key() -> (TcpStream, zmtp::curve::Session, Inbound, Vec<u8>) {
    let mut guarded = Guarded::new(SocketType::Pub);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, peer) = Port::accept(&listener).unwrap();
    let publisher = Inbound::new(near, peer, Role::Subscriber, 1);
    let mut publisher = publisher.guarded_by(Some(&guarded.keys));
    publisher.flush();
    let session = loop {
        if let Some(session) = guarded.step(&far) {
            break session;
        }
        assert!(receive(&mut publisher).unwrap().is_empty());
    };
    assert_eq!(publisher.member().map(|it| &*it.name), Some("alice"));
    (far, session, publisher, guarded.heard())
}

#[test]
fn messages_come_out_of_boxes_however_their_bytes_come_in() {
    let ping = b"\x04\x0a\x04PING\0\x0aabc";
    let with_ping = [b"\x01\x01t", &ping[..], b"\0\x01x"].concat();
    let messages = [
        message(&[b"t", b"{}"]),
        message(&[b""]),
        message(&[b"large", &[7; 300_000]]),
        message(&[b"a", &[1; 40_000], b"c"]),
        message(&[&b"many"[..]].repeat(5_000)),
        message(&[b"last", b"x"]),
    ];
    let plain = [
        &with_ping[..],
        &messages.concat(),
        &with_ping,
        &messages.concat(),
    ]
    .concat();
    let with_ping = vec![b"\x01\x01t\0\x01x".to_vec()];
    let expected = [&with_ping[..], &messages, &with_ping, &messages].concat();
    for piece in [10_000, 50_000, 2_000_000] {
        let (far, mut session, mut publisher, _) = connected_with_key();
        let mut sealed = Vec::new();
        session.sealer.push(&mut sealed, &plain).unwrap();
        let sender = std::thread::spawn(move || {
            for chunk in sealed.chunks(piece) {
                (&far).write_all(chunk).unwrap();
            }
            far
        });
        let mut came = Vec::new();
        while came.len() < expected.len() {
            came.extend(receive(&mut publisher).unwrap());
        }
        assert!(came == expected, "in pieces of {piece} bytes");
        assert_eq!(publisher.held(), 0);
        drop(sender.join().unwrap());
    }
}

#[test]
fn what_is_said_to_a_peer_with_a_key_is_in_boxes() {
    let (far, mut session, mut publisher, mut heard) = connected_with_key();
    let mut sealed = Vec::new();
    let ping = b"\x04\x0a\x04PING\0\x0aabc";
    session.sealer.push(&mut sealed, ping).unwrap();
    (&far).write_all(&sealed).unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"PONGabc") {
        receive(&mut publisher).unwrap();
        publisher.flush();
        let mut bytes = [0; 4096];
        far.set_nonblocking(true).unwrap();
        if let Ok(count) = (&far).read(&mut bytes) {
            heard.extend_from_slice(&bytes[..count]);
        }
        while let zmtp::curve::Opened::Frame { plain, end, .. } =
            session.opener.open(&mut heard).unwrap()
        {
            said.extend_from_slice(&heard[plain]);
            heard.drain(..end);
        }
    }
    assert_eq!(said, b"\x04\x0a\x09SUBSCRIBE\x04\x08\x04PONGabc");
}

#[test]
fn what_came_before_a_box_that_was_changed_is_taken_and_the_connection_ends() {
    let (far, mut session, publisher, _) = connected_with_key();
    let mut sealed = Vec::new();
    session
        .sealer
        .push(&mut sealed, &message(&[b"t", b"1"]))
        .unwrap();
    session
        .sealer
        .push(&mut sealed, &message(&[b"t", b"2"]))
        .unwrap();
    *sealed.last_mut().unwrap() ^= 1;
    let (came, ended) = read_to_end(far, publisher, 1 << 20, sealed);
    assert!(matches!(ended, Ended::Box(_)), "{ended}");
    assert_eq!(came, [message(&[b"t", b"1"])]);
}

#[test]
fn a_box_that_carries_too_much_is_refused_as_it_is_announced() {
    let (far, mut session, publisher, _) = connected_with_key();
    let mut sealed = Vec::new();
    // The limit is 1 MiB for all frames together.
    session
        .sealer
        .push(&mut sealed, &message(&[&[7; 600_000], &[7; 600_000]]))
        .unwrap();
    let announced = sealed.len() - 599_000;
    sealed.truncate(announced);
    let (came, ended) = read_to_end(far, publisher, 1 << 20, sealed);
    assert!(came.is_empty());
    assert!(
        ended.to_string().contains("1200000 bytes in 2 frames"),
        "{ended}"
    );
}

#[test]
fn a_key_that_is_not_let_in_is_held_for_a_while_and_not_listened_to() {
    let mut guarded = Guarded::new(SocketType::Pub);
    let strict = Guarded::new(SocketType::Pub).keys;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, peer) = Port::accept(&listener).unwrap();
    let publisher = Inbound::new(near, peer, Role::Subscriber, 1);
    // It knows another server: its first word can't be opened.
    let mut publisher = publisher.guarded_by(Some(&strict));
    publisher.flush();
    while publisher.is_heard() {
        assert!(guarded.step(&far).is_none());
        assert!(receive(&mut publisher).unwrap().is_empty());
    }
    assert!(!publisher.is_ready() && publisher.is_timed() && publisher.is_drained());
    publisher.check_patience().unwrap();
    publisher.refused = Instant::now().checked_sub(HOLD + Duration::from_secs(1));
    assert!(matches!(publisher.check_patience(), Err(Ended::Refused)));
}
