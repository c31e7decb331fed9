use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::net::Port;
use crate::testing::greeting;
use crate::testing::guarded::Guarded;
use zmtp::SocketType;

/// A subscriber's end and the broker's end of a connection, after the handshake.
fn connected() -> (TcpStream, Connection) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, peer) = Port::accept(&listener).unwrap();
    let mut connection = Connection::new(near, peer);
    far.write_all(&greeting(b"SUB")).unwrap();
    while !connection.greet().unwrap() {}
    assert_eq!(connection.subscription().unwrap(), None);
    let mut answer = vec![0; 64 + 27];
    far.read_exact(&mut answer).unwrap();
    assert!(answer.ends_with(b"Socket-Type\0\0\0\x03PUB"));
    (far, connection)
}

/// Waits for the next subscription, or for the connection's end.
fn next(connection: &mut Connection) -> Result<Subscription, LinkError> {
    loop {
        if let Some(subscription) = connection.subscription()? {
            return Ok(subscription);
        }
        connection.receive()?;
    }
}

#[test]
fn subscriptions_come_as_messages_and_as_commands() {
    let (mut far, mut connection) = connected();
    far.write_all(b"\0\x03\x01ab\x04\x0c\x09SUBSCRIBEcd\0\x03\0ab\x04\x09\x06CANCELcd")
        .unwrap();
    for expected in [
        Subscription::Add(b"ab"[..].into()),
        Subscription::Add(b"cd"[..].into()),
        Subscription::Remove(b"ab"[..].into()),
        Subscription::Remove(b"cd"[..].into()),
    ] {
        assert_eq!(next(&mut connection).unwrap(), expected);
    }
}

#[test]
fn a_topic_that_is_too_long_is_passed_over_and_its_client_goes_on() {
    let (mut far, mut connection) = connected();
    let mut sent = Vec::new();
    for length in [MAX_TOPIC + 1, MAX_TOPIC + 2, 3 * MAX_TOPIC] {
        // Both to subscribe and not to any more, as a message and as a command.
        for start in [1, 0] {
            zmtp::push_frame(
                &mut sent,
                &[&[start], &vec![b'x'; length][..]].concat(),
                false,
            );
        }
        let command = [b"\x09SUBSCRIBE", &vec![b'x'; length][..]].concat();
        sent.extend_from_slice(b"\x06");
        sent.extend_from_slice(&(command.len() as u64).to_be_bytes());
        sent.extend_from_slice(&command);
    }
    zmtp::push_frame(
        &mut sent,
        &[&[1], &vec![b'y'; MAX_TOPIC][..]].concat(),
        false,
    );
    sent.extend_from_slice(b"\0\x03\x01ab");
    let writer = std::thread::spawn(move || {
        far.write_all(&sent).unwrap();
        far
    });
    let longest = Subscription::Add(vec![b'y'; MAX_TOPIC].into());
    assert_eq!(next(&mut connection).unwrap(), longest);
    assert_eq!(
        next(&mut connection).unwrap(),
        Subscription::Add(b"ab"[..].into())
    );
    drop(writer.join().unwrap());
}

#[test]
fn an_answer_waits_for_the_end_of_a_message_that_has_begun_to_leave() {
    let (mut far, mut connection) = connected();
    let mut message = Vec::new();
    zmtp::push_message(&mut message, [&vec![7; 16 << 20][..]]);
    let mut sent = connection.send(&[IoSlice::new(&message)], true).unwrap();
    assert!(sent < message.len(), "the connection takes only part of it");
    far.write_all(b"\x04\x0a\x04PING\0\x0aabc\0\x01\x01")
        .unwrap();
    assert_eq!(
        next(&mut connection).unwrap(),
        Subscription::Add([][..].into())
    );
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        far.read_to_end(&mut all).map(|_| all)
    });
    while sent < message.len() {
        sent += connection
            .send(&[IoSlice::new(&message[sent..])], true)
            .unwrap();
    }
    while !connection.flush().unwrap() {}
    drop(connection);
    let all = reader.join().unwrap().unwrap();
    assert!(all == [&message[..], b"\x04\x08\x04PONGabc"].concat());
}

#[test]
fn an_answer_waits_between_the_parts_of_one_message_and_the_last_one_is_enough() {
    let (mut far, mut connection) = connected();
    far.write_all(&b"\x04\x0a\x04PING\0\x0aabc".repeat(1000))
        .unwrap();
    far.write_all(b"\x04\x0a\x04PING\0\x0axyz\0\x01\x01")
        .unwrap();
    assert_eq!(
        connection.send(&[IoSlice::new(b"\0\x02a")], false).unwrap(),
        3
    );
    next(&mut connection).unwrap();
    assert!(
        connection
            .answer
            .as_ref()
            .is_some_and(|answer| answer.len() == 10)
    );
    assert_eq!(connection.send(&[IoSlice::new(b"b")], true).unwrap(), 1);
    connection.receive().unwrap();
    let mut all = [0; 4 + 10];
    far.read_exact(&mut all).unwrap();
    assert_eq!(all, *b"\0\x02ab\x04\x08\x04PONGxyz");
}

#[test]
fn with_a_key_messages_leave_in_boxes_and_subscriptions_come_in_them() {
    let mut guarded = Guarded::new(SocketType::Sub);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, peer) = Port::accept(&listener).unwrap();
    let connection = Connection::new(near, peer);
    let mut connection = connection.guarded_by(Some(&guarded.keys));
    let mut session = loop {
        connection.greet().unwrap();
        if let Some(session) = guarded.step(&far) {
            break session;
        }
    };
    let (mut sealed, mut subscribe) = (Vec::new(), Vec::new());
    zmtp::push_frame(&mut subscribe, b"\x01ab", false);
    // One that is too long does not end the connection.
    zmtp::push_frame(&mut subscribe, &vec![1; 3 * MAX_TOPIC], false);
    zmtp::push_frame(&mut subscribe, b"\x01cd", false);
    session.sealer.push(&mut sealed, &subscribe).unwrap();
    (&far).write_all(&sealed).unwrap();
    for topic in [&b"ab"[..], b"cd"] {
        assert_eq!(
            next(&mut connection).unwrap(),
            Subscription::Add(topic.into())
        );
    }
    // More than the connection takes, in one frame and in many.
    let mut plain = Vec::new();
    for _ in 0..40_000 {
        zmtp::push_message(&mut plain, [&b"topic"[..], &[8; 500]]);
    }
    zmtp::push_message(&mut plain, [&vec![7; 20 << 20][..], b"x"]);
    // As long as nobody reads, little waits.
    let mut stuck = 0;
    while stuck < 20 << 20 {
        let piece = &plain[stuck..stuck + 100_001];
        match connection.send(&[IoSlice::new(piece)], false).unwrap() {
            0 => break,
            taken => stuck += taken,
        }
    }
    let held = connection.sealed.as_ref().unwrap().held();
    assert!(held <= SEALED + (256 << 10), "{held} bytes wait");
    let (mut heard, expected) = (guarded.heard(), plain.len());
    let reader = std::thread::spawn(move || {
        let (mut bytes, mut opened) = (vec![0; 1 << 20], Vec::new());
        while opened.len() < expected {
            let count = (&far).read(&mut bytes).unwrap();
            assert!(count > 0, "{} of {expected}", opened.len());
            heard.extend_from_slice(&bytes[..count]);
            let mut at = 0;
            while let Opened::Frame { plain, end, .. } =
                session.opener.open(&mut heard[at..]).unwrap()
            {
                opened.extend_from_slice(&heard[at..][plain]);
                at += end;
            }
            heard.drain(..at);
        }
        opened
    });
    let mut sent = stuck;
    while sent < plain.len() || connection.has_unsent() {
        // As pieces of a large message come: cut anywhere.
        let piece = &plain[sent..plain.len().min(sent + 100_001)];
        sent += connection.send(&[IoSlice::new(piece)], true).unwrap();
        connection.receive().unwrap();
    }
    assert!(reader.join().unwrap() == plain);
}
