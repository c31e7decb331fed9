use std::io::Write;
use std::net::TcpListener;

use super::*;
use crate::testing::greeting;

/// A publisher's end and the broker's end of a connection, after the handshake.
fn connected() -> (TcpStream, Publisher) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, peer) = listener.accept().unwrap();
    let mut publisher = Publisher::new(near, peer).unwrap();
    (&far).write_all(&greeting(b"PUB")).unwrap();
    while !publisher.is_ready() {
        assert!(receive(&mut publisher).unwrap().is_empty());
    }
    (far, publisher)
}

/// Reads once, or not if nothing has come.
fn receive(publisher: &mut Publisher) -> Result<Vec<Vec<u8>>, Ended> {
    let mut scratch = vec![0; 2 * READ];
    let mut came = Vec::new();
    publisher.receive(1 << 20, &mut scratch, &mut |message| {
        came.push(message.into_owned());
    })?;
    Ok(came)
}

/// Reads until so many messages have come.
fn receive_count(publisher: &mut Publisher, count: usize) -> Vec<Vec<u8>> {
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
    let mut answer = vec![0; 64 + 27 + 3];
    (&far).read_exact(&mut answer).unwrap();
    assert!(answer.ends_with(b"\0\x01\x01"), "{answer:?}");
}

#[test]
fn a_peer_that_asks_and_takes_no_answers_is_given_up() {
    let (far, mut publisher) = connected();
    far.set_nonblocking(true).unwrap();
    let pings = b"\x04\x17\x04PING\0\x0a0123456789abcdef".repeat(1000);
    let ended = loop {
        // The broker's buffers fill up, and then its patience ends.
        let _partly = (&far).write(&pings);
        if let Err(ended) = receive(&mut publisher) {
            break ended;
        }
    };
    assert!(matches!(ended, Ended::Deaf), "{ended}");
}

#[test]
fn what_breaks_the_protocol_ends_the_connection() {
    let (far, mut publisher) = connected();
    (&far).write_all(&[0xff; 10]).unwrap();
    let ended = loop {
        if let Err(ended) = receive(&mut publisher) {
            break ended;
        }
    };
    assert!(
        matches!(ended, Ended::Stream(StreamError::Frame(_))),
        "{ended}"
    );
    let (far, mut publisher) = connected();
    drop(far);
    let ended = loop {
        if let Err(ended) = receive(&mut publisher) {
            break ended;
        }
    };
    assert!(matches!(ended, Ended::Left), "{ended}");
}
