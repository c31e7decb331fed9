use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::frame::{Header, push_message};
use crate::{Client, Handshake, HandshakeError, Role, SocketType};

/// Lets in the owner of one key.
#[derive(Debug)]
struct One {
    own: Keypair,
    friend: PublicKey,
}

impl Keyring for One {
    fn own(&self) -> &Keypair {
        &self.own
    }

    fn name_of(&self, key: &PublicKey) -> Option<Arc<str>> {
        (*key == self.friend).then(|| "friend".into())
    }
}

/// Two ends and what is on its way between them.
struct Wire {
    client: Client,
    server: Handshake,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    /// Whether each end is done.
    done: (bool, bool),
}

fn keys() -> (Arc<One>, Keypair) {
    let friend = Keypair::generate().unwrap();
    let own = Keypair::generate().unwrap();
    let keyring = One {
        own,
        friend: friend.public,
    };
    (Arc::new(keyring), friend)
}

impl Wire {
    fn new(keyring: &Arc<One>, client: Keypair) -> Self {
        Self::towards(keyring, client, keyring.own.public)
    }

    fn towards(keyring: &Arc<One>, client: Keypair, server: PublicKey) -> Self {
        let keyring = Arc::clone(keyring);
        Self {
            client: Client::with_curve(SocketType::Pub, b"me", client, server).unwrap(),
            server: Handshake::with_curve(Role::Subscriber, keyring, false),
            to_server: Vec::new(),
            to_client: Vec::new(),
            done: (false, false),
        }
    }

    /// Lets each end do one step; true when both are done.
    fn step(&mut self) -> Result<bool, HandshakeError> {
        self.to_server.extend(self.client.take_unsent());
        self.hear()?;
        let (consumed, done) = self.client.advance(&self.to_client)?;
        self.to_client.drain(..consumed);
        self.done.0 |= done;
        Ok(self.done == (true, true))
    }

    /// Lets the server take what has come.
    fn hear(&mut self) -> Result<(), HandshakeError> {
        let result = self.server.advance(&self.to_server);
        self.to_client.extend(self.server.take_unsent());
        let (consumed, done) = result?;
        self.to_server.drain(..consumed);
        self.done.1 |= done;
        Ok(())
    }

    /// Lets the client say its next thing, and the server not hear it yet.
    fn say(&mut self) {
        let (consumed, _) = self.client.advance(&self.to_client).unwrap();
        self.to_client.drain(..consumed);
        self.to_server.extend(self.client.take_unsent());
    }

    fn finish(mut self) -> (Session, Session) {
        while !self.step().unwrap() {}
        let server = self.server.take_session().unwrap();
        (self.client.take_session().unwrap(), server)
    }

    /// Goes on until HELLO, or INITIATE, lies before the server.
    fn until(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step().unwrap();
        }
        self.say();
    }
}

/// After these many steps the client's next word is HELLO, or INITIATE.
const HELLO_NEXT: usize = 1;
const INITIATE_NEXT: usize = 2;

fn sessions() -> (Session, Session) {
    let (keyring, friend) = keys();
    Wire::new(&keyring, friend).finish()
}

/// Opens all whole boxes; what came of them, or of the first that could not be opened.
fn open(opener: &mut Opener, mut bytes: Vec<u8>) -> Result<Vec<u8>, OpenError> {
    let mut plain = Vec::new();
    while let Opened::Frame {
        plain: range, end, ..
    } = opener.open(&mut bytes)?
    {
        plain.extend_from_slice(&bytes[range]);
        bytes.drain(..end);
    }
    Ok(plain)
}

fn sealed(sealer: &mut Sealer, frames: &[&[u8]]) -> Vec<u8> {
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    push_message(&mut plain, frames.iter().copied());
    sealer.push(&mut out, &plain).unwrap();
    out
}

#[test]
fn both_ends_learn_who_the_other_is() {
    let (keyring, friend) = keys();
    let mut wire = Wire::new(&keyring, friend.clone());
    while !wire.step().unwrap() {}
    let peer = wire.server.peer();
    let key = peer.key.as_ref().unwrap();
    assert_eq!((&*key.name, key.public), ("friend", friend.public));
    assert_eq!(peer.socket_type, Some(SocketType::Pub));
    assert_eq!((&peer.identity[..], peer.version), (&b"me"[..], (3, 1)));
    assert_eq!(wire.client.peer().socket_type, Some(SocketType::Sub));
}

#[test]
fn the_commands_have_the_lengths_of_the_specification() {
    let (keyring, friend) = keys();
    let mut wire = Wire::new(&keyring, friend);
    wire.until(HELLO_NEXT);
    assert_eq!(wire.to_server.len(), 2 + 200, "HELLO");
    assert_eq!(wire.to_server[..8], *b"\x04\xc8\x05HELLO");
    wire.hear().unwrap();
    assert_eq!(wire.to_client.len(), 2 + 168, "WELCOME");
    wire.say();
    let initiate = Header::parse(&wire.to_server).unwrap().unwrap();
    let metadata = "\x0bSocket-Type....PUB\x08Identity....me".len() as u64;
    assert_eq!((initiate.length, initiate.body), (9, 257 + metadata));
}

#[test]
fn a_key_that_is_not_let_in_is_named_and_gets_no_answer() {
    let (keyring, _) = keys();
    let stranger = Keypair::generate().unwrap();
    let key = stranger.public;
    let mut wire = Wire::new(&keyring, stranger);
    wire.until(INITIATE_NEXT);
    let error = wire.hear().unwrap_err();
    assert_eq!(error, HandshakeError::Curve(CurveError::Unknown { key }));
    assert!(wire.to_client.is_empty() && wire.server.take_session().is_none());
    assert_eq!(wire.server.peer().key, None);
}

#[test]
fn nobody_gets_in_with_the_public_key_of_somebody_else() {
    let (keyring, friend) = keys();
    let thief = Keypair {
        public: friend.public,
        ..Keypair::generate().unwrap()
    };
    let mut wire = Wire::new(&keyring, thief);
    wire.until(INITIATE_NEXT);
    let error = wire.hear().unwrap_err();
    let reason = "its owner does not vouch for it";
    let command = "INITIATE";
    assert_eq!(error, CurveError::Box { command, reason }.into());
    assert!(wire.server.take_session().is_none());
}

#[test]
fn a_client_with_another_servers_key_is_refused_at_its_first_word() {
    let (keyring, friend) = keys();
    let other = Keypair::generate().unwrap().public;
    let mut wire = Wire::towards(&keyring, friend, other);
    wire.until(HELLO_NEXT);
    let error = wire.hear().unwrap_err();
    let reason = "it was made for another server key";
    let command = "HELLO";
    assert_eq!(error, CurveError::Box { command, reason }.into());
    assert!(wire.to_client.is_empty());
}

#[test]
fn a_client_does_not_show_its_key_to_a_server_that_has_not_its_own() {
    let (keyring, friend) = keys();
    let (impostor, _) = keys();
    let mut wire = Wire::new(&keyring, friend);
    wire.step().unwrap();
    // The impostor answers the HELLO as well as it can: with its own key.
    let hello = wire.client.take_unsent();
    assert!(!hello.is_empty());
    let mut other = Wire::new(&impostor, Keypair::generate().unwrap());
    other.until(HELLO_NEXT);
    other.hear().unwrap();
    let error = wire.client.advance(&other.to_client).unwrap_err();
    assert!(error.to_string().contains("WELCOME"), "{error}");
    assert!(wire.client.take_unsent().is_empty());
}

#[test]
fn a_greeting_without_security_is_no_way_around_keys() {
    let greetings: [(&[u8], &str); 3] = [
        (&greeting_of(b"NULL"), "NULL"),
        (&greeting_of(b"PLAIN"), "PLAIN"),
        (b"\xff\0\0\0\0\0\0\0\x03\x7f\x01\x01\0\0", "NULL"),
    ];
    for (bytes, asked) in greetings {
        let (keyring, _) = keys();
        let mut server = Handshake::with_curve(Role::Subscriber, keyring, false);
        let (mechanism, offered) = (asked.to_owned(), "CURVE");
        let error = server.advance(bytes).unwrap_err();
        assert_eq!(error, HandshakeError::Mechanism { mechanism, offered });
        assert!(server.take_session().is_none());
        let said = server.take_unsent();
        // A client that hears of another mechanism stops trying.
        assert_eq!(said.len() == 64, bytes.len() == 64, "{asked}");
        assert!(
            said.get(12..17)
                .is_none_or(|mechanism| mechanism == b"CURVE")
        );
    }
}

fn greeting_of(mechanism: &[u8]) -> [u8; 64] {
    crate::greeting::greeting(mechanism)
}

#[test]
fn one_port_serves_peers_with_keys_and_without_where_that_is_allowed() {
    let (keyring, friend) = keys();
    let mut without = Handshake::with_curve(Role::Subscriber, keyring.clone(), true);
    let ready = b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB";
    let bytes = [&greeting_of(b"NULL")[..], ready].concat();
    assert_eq!(without.advance(&bytes), Ok((bytes.len(), true)));
    assert!(without.take_session().is_none() && without.peer().key.is_none());
    assert_eq!(without.take_unsent()[12..16], *b"NULL");
    let mut with = Wire::new(&keyring, friend);
    with.server = Handshake::with_curve(Role::Subscriber, keyring, true);
    drop(with.finish());
}

#[test]
fn a_recorded_handshake_opens_nothing_a_second_time() {
    let (keyring, friend) = keys();
    let mut recorded = Wire::new(&keyring, friend);
    let mut said = Vec::new();
    for _ in 0..3 {
        recorded.to_server.extend(recorded.client.take_unsent());
        said.push(recorded.to_server.clone());
        recorded.step().unwrap();
    }
    assert_eq!(recorded.done, (true, true));
    let mut server = Handshake::with_curve(Role::Subscriber, keyring, false);
    assert!(server.advance(&said[0]).is_ok());
    assert!(server.advance(&said[1]).is_ok(), "anybody may say HELLO");
    let error = server.advance(&said[2]).unwrap_err();
    assert!(matches!(
        error,
        HandshakeError::Curve(CurveError::Box {
            command: "INITIATE",
            ..
        })
    ));
    assert!(server.take_session().is_none());
}

#[test]
fn a_hello_or_an_initiate_that_comes_twice_ends_the_handshake() {
    let (keyring, friend) = keys();
    let mut wire = Wire::new(&keyring, friend.clone());
    wire.until(HELLO_NEXT);
    wire.to_server = wire.to_server.repeat(2);
    let error = wire.hear().unwrap_err();
    let expected = "INITIATE";
    assert_eq!(error, CurveError::Malformed { expected }.into());

    let mut wire = Wire::new(&keyring, friend);
    wire.until(INITIATE_NEXT);
    let initiate = wire.to_server.clone();
    wire.hear().unwrap();
    // What follows has to be a box.
    let mut opener = wire.server.take_session().unwrap().opener;
    let error = opener.open(&mut initiate.clone()).unwrap_err();
    assert_eq!(
        error,
        CurveError::Malformed {
            expected: "MESSAGE"
        }
        .into()
    );
}

#[test]
fn every_byte_of_the_handshake_that_is_changed_is_seen() {
    let (keyring, friend) = keys();
    for steps in [HELLO_NEXT, INITIATE_NEXT] {
        let mut at = 0;
        loop {
            let mut wire = Wire::new(&keyring, friend.clone());
            wire.until(steps);
            let Some(byte) = wire.to_server.get_mut(at) else {
                break;
            };
            *byte ^= 0x40;
            // The minor version and the padding of HELLO mean nothing to anybody;
            // a longer length waits for more.
            let free = steps == HELLO_NEXT && (9..82).contains(&at);
            let heard = wire.hear();
            let waits = heard.is_ok() && wire.to_client.is_empty();
            assert!(heard.is_err() || waits || free, "byte {at} after {steps}");
            assert!(wire.server.take_session().is_none());
            at += 1;
        }
        assert!(at > 200);
    }
}

#[test]
fn a_key_that_agrees_with_everybody_is_refused() {
    let (keyring, _) = keys();
    let mut hello = b"\x04\xc8\x05HELLO\x01".to_vec();
    hello.resize(2 + 200, 0);
    let mut server = Handshake::with_curve(Role::Subscriber, keyring, false);
    server.advance(&greeting_of(b"CURVE")).unwrap();
    assert!(server.advance(&hello).is_err());
}

#[test]
fn a_box_is_opened_once_and_in_order() {
    let (mut client, mut server) = sessions();
    let boxes: Vec<_> = [b"a", b"b", b"c"]
        .iter()
        .map(|body| sealed(&mut client.sealer, &[&body[..]]))
        .collect();
    let mut open = |at: usize| open(&mut server.opener, boxes[at].clone());
    assert_eq!(open(0), Ok(b"\0\x01a".to_vec()));
    assert_eq!(open(2), Ok(b"\0\x01c".to_vec()), "gaps are allowed");
    for (at, nonce) in [(2, 5), (1, 4), (0, 3)] {
        let (command, last) = ("MESSAGE", 5);
        let error = CurveError::Nonce {
            command,
            nonce,
            last,
        };
        assert_eq!(open(at), Err(error.into()));
    }
}

#[test]
fn a_box_that_was_changed_or_cut_is_not_opened() {
    let (mut client, mut server) = sessions();
    let sealed = sealed(&mut client.sealer, &[b"topic", &[7; 300]]);
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        let heard = server.opener.heard();
        // At worst it waits for bytes that never come, behind what was not changed.
        let plain = open(&mut server.opener, changed).unwrap_or_default();
        assert!(plain.is_empty() || plain == b"\x01\x05topic", "byte {at}");
        server.opener.set_heard(heard);
    }
    for end in 0..40 {
        assert!(matches!(
            server.opener.open(&mut sealed.clone()[..end]).unwrap(),
            Opened::Part { .. }
        ));
    }
    assert!(open(&mut server.opener, sealed).is_ok());
}

#[test]
fn a_box_does_not_open_in_the_other_direction_or_on_another_connection() {
    let (mut client, mut server) = sessions();
    let box_of_client = sealed(&mut client.sealer, &[b"x"]);
    assert!(open(&mut client.opener, box_of_client.clone()).is_err());
    let (_, mut other) = sessions();
    assert!(open(&mut other.opener, box_of_client.clone()).is_err());
    assert!(open(&mut server.opener, box_of_client).is_ok());
}

#[test]
fn flags_that_do_not_go_together_are_refused_inside_of_a_box() {
    for flags in [MORE | COMMAND, 4, 0xff] {
        let (mut client, mut server) = sessions();
        let mut out = vec![0, u8::try_from(OVERHEAD).unwrap() + 1];
        out.extend_from_slice(MESSAGE);
        out.extend_from_slice(&[0; 24]);
        out.extend_from_slice(&[flags, b'x']);
        client.sealer.finish(&mut out[2..]);
        let error = server.opener.open(&mut out).unwrap_err();
        assert!(matches!(error, OpenError::Frame(_)), "{flags}: {error}");
    }
}

#[test]
fn commands_travel_in_boxes_and_are_not_marked_on_the_outside() {
    let (mut client, mut server) = sessions();
    let mut plain = Vec::new();
    crate::push_pong(&mut plain, b"abc");
    let mut out = Vec::new();
    client.sealer.push(&mut out, &plain).unwrap();
    assert_eq!(out[0], 0);
    assert_eq!(open(&mut server.opener, out.clone()), Ok(plain));
    let mut marked = Vec::new();
    client
        .sealer
        .push(&mut marked, b"\x04\x05\x04PONG")
        .unwrap();
    marked[0] = 4;
    assert_eq!(
        open(&mut server.opener, marked),
        Ok(b"\x04\x05\x04PONG".to_vec())
    );
}

#[test]
fn the_size_of_a_frame_is_known_before_its_box_has_come() {
    let (mut client, mut server) = sessions();
    let sealed = sealed(&mut client.sealer, &[&[7; 5000]]);
    let part = server.opener.open(&mut sealed.clone()[..20]).unwrap();
    let (missing, carries) = (sealed.len() - 20, Some(5000));
    assert_eq!(part, Opened::Part { missing, carries });
}

fn messages() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    let frame = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 200..600),
    ];
    prop::collection::vec(prop::collection::vec(frame, 1..4), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_come_back_whatever_the_pieces(
        messages in messages(),
        given in 1_usize..700,
        taken in 1_usize..900,
    ) {
        let (client, mut server) = sessions();
        let mut plain = Vec::new();
        for frames in &messages {
            push_message(&mut plain, frames.iter().map(Vec::as_slice));
        }
        let mut sealed = Sealed::new(client.sealer);
        let (mut held, mut opened) = (Vec::new(), Vec::new());
        let mut travel = |sealed: &mut Sealed, limit: usize| {
            let ready = sealed.ready();
            let piece = ready[..limit.min(ready.len())].to_vec();
            sealed.consume(piece.len());
            held.extend_from_slice(&piece);
            while let Opened::Frame { plain, end, .. } = server.opener.open(&mut held).unwrap() {
                opened.extend_from_slice(&held[plain]);
                held.drain(..end);
            }
        };
        for piece in plain.chunks(given) {
            sealed.push(piece).unwrap();
            travel(&mut sealed, taken);
        }
        prop_assert!(!sealed.is_within_frame());
        while sealed.held() > 0 {
            travel(&mut sealed, taken);
        }
        prop_assert_eq!(opened, plain);
    }

    #[test]
    fn any_bytes_are_heard_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), stage in 0_usize..4) {
        let (keyring, friend) = keys();
        let mut wire = Wire::new(&keyring, friend);
        for _ in 0..stage.min(2) {
            wire.step().unwrap();
        }
        if stage < 3 {
            wire.to_server = bytes.clone();
            let _heard = wire.hear();
            let _heard = wire.client.advance(&bytes);
        } else {
            let (mut client, mut server) = wire.finish();
            let mut bytes = bytes;
            let _opened = client.opener.open(&mut bytes);
            let _opened = server.opener.open(&mut bytes);
        }
    }
}
