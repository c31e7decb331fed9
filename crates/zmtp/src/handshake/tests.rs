use proptest::prelude::*;

use super::*;
use crate::property::push_property;

/// What libzmq 4.3 sends, recorded from the wire.
fn greeting() -> Vec<u8> {
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
    bytes.extend_from_slice(b"NULL");
    bytes.resize(GREETING_BYTES, 0);
    bytes
}

fn ready(socket_type: &[u8]) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    push_property(&mut body, b"Socket-Type", socket_type);
    push_property(&mut body, b"Identity", b"");
    let mut out = Vec::new();
    push_command(&mut out, &body);
    out
}

fn whole(socket_type: &[u8]) -> Vec<u8> {
    [greeting(), ready(socket_type)].concat()
}

#[test]
fn a_handshake_ends_where_the_first_message_begins() {
    let bytes = [&whole(b"PUB")[..], b"\0\x01x"].concat();
    let mut handshake = Handshake::new(Role::Subscriber);
    assert_eq!(handshake.take_unsent(), greeting_of_ours(11));
    assert_eq!(handshake.advance(&bytes), Ok((bytes.len() - 3, true)));
    let sent = handshake.take_unsent();
    assert_eq!(sent[..53], greeting_of_ours(64)[11..]);
    assert_eq!(
        sent[53..],
        *b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB"
    );
}

fn greeting_of_ours(length: usize) -> Vec<u8> {
    let mut bytes = greeting();
    bytes[8] = 0;
    bytes.truncate(length);
    bytes
}

#[test]
fn garbage_is_refused_at_its_first_byte() {
    for bytes in [&b"GET / HTTP/1.1"[..], b"\x16\x03\x01", b"\0", b"\n\n"] {
        let mut handshake = Handshake::new(Role::Subscriber);
        assert_eq!(handshake.advance(bytes), Err(HandshakeError::NotZeroMq));
    }
    let mut handshake = Handshake::new(Role::Subscriber);
    assert_eq!(
        handshake.advance(&[0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        Err(HandshakeError::NotZeroMq)
    );
}

#[test]
fn libzmq_2_is_named() {
    for bytes in [&b"\x01\0"[..], b"\xff\0\0\0\0\0\0\0\x01\x7f\0"] {
        let error = Handshake::new(Role::Subscriber).advance(bytes);
        assert_eq!(error, Err(HandshakeError::TooOld { major: 1 }), "{bytes:?}");
    }
    let mut handshake = Handshake::new(Role::Subscriber);
    assert_eq!(handshake.advance(b"\x01"), Ok((0, false)));
    let error = handshake.advance(b"\x01\x01");
    assert_eq!(error, Err(HandshakeError::NotZeroMq));
}

#[test]
fn a_peer_of_zmtp_2_tells_its_type_and_identity_behind_the_version() {
    // What libzmq 3.2 sends: a PUB socket whose identity is "me".
    let bytes = b"\xff\0\0\0\0\0\0\0\x03\x7f\x01\x01\0\x02me\0\x01x";
    let mut handshake = Handshake::new(Role::Subscriber);
    assert_eq!(handshake.take_unsent(), greeting_of_ours(11));
    assert_eq!(handshake.advance(bytes), Ok((bytes.len() - 3, true)));
    assert_eq!(handshake.take_unsent(), b"\x02\0\0", "a SUB without a name");
    let peer = handshake.peer();
    assert_eq!(peer.version, (2, 0));
    assert_eq!(peer.socket_type, Some(SocketType::Pub));
    assert_eq!(peer.identity, b"me");
    let mut wrong = bytes.to_vec();
    wrong[11] = 2;
    let (expected, found) = ("PUB", "SUB".to_owned());
    assert_eq!(
        Handshake::new(Role::Subscriber).advance(&wrong),
        Err(HandshakeError::SocketType { expected, found })
    );
}

#[test]
fn nothing_is_said_of_this_end_before_the_peer_has_said_who_it_is() {
    let mut handshake = Handshake::new(Role::Subscriber);
    handshake.advance(&greeting()).unwrap();
    assert_eq!(handshake.take_unsent(), greeting_of_ours(64));
    assert!(handshake.advance(&ready(b"SUB")).is_err());
    assert_eq!(handshake.take_unsent(), b"", "and nothing to a wrong one");
}

#[test]
fn each_type_gets_the_answer_that_it_expects() {
    for (role, theirs, ours) in [
        (Role::Subscriber, "PUB", "SUB"),
        (Role::Subscriber, "PUSH", "PULL"),
        (Role::Publisher, "XSUB", "PUB"),
        (Role::Router, "DEALER", "ROUTER"),
        (Role::Router, "REQ", "ROUTER"),
        (Role::Router, "ROUTER", "ROUTER"),
    ] {
        let mut handshake = Handshake::new(role);
        handshake.advance(&whole(theirs.as_bytes())).unwrap();
        let sent = handshake.take_unsent();
        assert!(sent.ends_with(ours.as_bytes()), "{theirs}");
        let found = handshake.peer().socket_type.map(SocketType::name);
        assert_eq!(found, Some(theirs));
        assert_eq!(handshake.peer().version, (3, 1));
    }
}

#[test]
fn a_peer_that_does_not_tell_its_type_is_taken_for_the_right_one() {
    let mut bytes = greeting();
    push_command(&mut bytes, b"\x05READY");
    let mut handshake = Handshake::new(Role::Subscriber);
    assert_eq!(handshake.advance(&bytes), Ok((bytes.len(), true)));
    assert!(handshake.take_unsent().ends_with(b"SUB"));
}

#[test]
fn a_security_mechanism_is_named() {
    let mut bytes = greeting();
    bytes[12..17].copy_from_slice(b"CURVE");
    let error = Handshake::new(Role::Subscriber).advance(&bytes);
    let mechanism = "CURVE".to_owned();
    assert_eq!(
        error,
        Err(HandshakeError::Mechanism {
            mechanism,
            offered: "NULL"
        })
    );
}

#[test]
fn a_peer_that_wants_security_gets_the_whole_greeting_all_the_same() {
    let mut bytes = greeting();
    bytes[12..17].copy_from_slice(b"CURVE");
    let mut handshake = Handshake::new(Role::Subscriber);
    handshake.advance(&bytes).unwrap_err();
    assert_eq!(handshake.take_unsent(), greeting_of_ours(64));
}

#[test]
fn a_socket_at_the_wrong_port_is_named() {
    for (role, expected, right, wrong) in [
        (Role::Subscriber, "PUB", [b"PUB".as_slice(), b"XPUB"], "SUB"),
        (
            Role::Publisher,
            "SUB",
            [b"SUB".as_slice(), b"XSUB"],
            "DEALER",
        ),
    ] {
        for right in right {
            let done = Handshake::new(role).advance(&whole(right)).unwrap();
            assert!(done.1);
        }
        let found = wrong.to_owned();
        assert_eq!(
            Handshake::new(role).advance(&whole(wrong.as_bytes())),
            Err(HandshakeError::SocketType { expected, found })
        );
    }
}

#[test]
fn what_a_peer_says_of_itself_cannot_drive_a_terminal() {
    let error = Handshake::new(Role::Publisher).advance(&whole(b"\x1b[2J"));
    let text = error.unwrap_err().to_string();
    assert!(!text.contains('\x1b'), "{text}");
}

#[test]
fn an_introduction_that_is_malformed_is_refused() {
    for body in [
        &b"\x05READY\x0bSocket-Type\0\0\0\xffPUB"[..],
        b"\x05READ",
        b"",
        b"\x05HELLO",
        b"\x05READY\xff",
    ] {
        let mut bytes = greeting();
        push_command(&mut bytes, body);
        let error = Handshake::new(Role::Subscriber).advance(&bytes);
        assert_eq!(error, Err(HandshakeError::Malformed), "{body:?}");
    }
    let huge = [&greeting()[..], b"\x06\0\0\0\0\x7f\xff\xff\xff"].concat();
    let error = Handshake::new(Role::Subscriber).advance(&huge);
    assert_eq!(error, Err(HandshakeError::Malformed));
}

proptest! {
    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut(cuts in prop::collection::vec(0usize..120, 0..8)) {
        let bytes = whole(b"XPUB");
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < bytes.len()).collect();
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let mut handshake = Handshake::new(Role::Subscriber);
        let mut consumed = 0;
        let mut done = false;
        for cut in cuts {
            prop_assert!(!done || consumed == bytes.len());
            if !done {
                let (length, now) = handshake.advance(&bytes[consumed..cut]).unwrap();
                consumed += length;
                done = now;
            }
        }
        prop_assert!(done);
    }

    #[test]
    fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100), role: bool) {
        let role = if role { Role::Publisher } else { Role::Subscriber };
        let mut handshake = Handshake::new(role);
        if let Ok((consumed, _)) = handshake.advance(&[&greeting()[..], &bytes].concat()) {
            prop_assert!(consumed <= bytes.len() + GREETING_BYTES);
        }
    }
}
