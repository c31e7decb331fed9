use std::collections::VecDeque;
use std::net::{TcpListener, TcpStream};

use zmtp::curve::Keypair;

use super::*;

/// A time that only a test that fails needs.
const LONG: Duration = Duration::from_secs(60);

fn shaking(stream: TcpStream, keys: Option<&Keys>, patience: Duration) -> Shaking {
    stream.set_nonblocking(true).unwrap();
    let give_up = Instant::now() + patience;
    Shaking::new(stream.into(), SocketType::Dealer, keys, give_up).unwrap()
}

/// A handshake with a peer that says these bytes, and its far end.
fn with_peer(said: &[u8], keys: Option<&Keys>, patience: Duration) -> (Shaking, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut far, _) = listener.accept().unwrap();
    far.write_all(said).unwrap();
    (shaking(near, keys, patience), far)
}

/// Goes on until something comes of it.
fn outcome(shaking: &mut Shaking) -> Result<Link, Refusal> {
    loop {
        if let Some(link) = shaking.step(LONG)? {
            return Ok(link);
        }
    }
}

fn refusal(shaking: &mut Shaking) -> Refusal {
    match outcome(shaking) {
        Ok(_) => panic!("it was let in"),
        Err(refusal) => refusal,
    }
}

fn keys() -> Keys {
    Keys {
        own: Keypair::generate().unwrap(),
        server: Keypair::generate().unwrap().public,
    }
}

/// How a peer begins that wants this mechanism.
fn greeting(mechanism: &[u8]) -> Vec<u8> {
    let mut greeting = b"\xff\0\0\0\0\0\0\0\0\x7f\x03\x01".to_vec();
    greeting.extend(mechanism);
    greeting.resize(zmtp::GREETING_BYTES, 0);
    greeting
}

#[test]
fn what_comes_together_with_the_end_of_the_handshake_is_kept_for_later() {
    let ready = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06ROUTER";
    let said = [&greeting(b"NULL")[..], ready, b"\0\x05first"].concat();
    let (mut shaking, _far) = with_peer(&said, None, LONG);
    let mut link = outcome(&mut shaking).unwrap();
    let mut messages = VecDeque::new();
    link.take(&mut messages).unwrap();
    assert_eq!(messages, [[b"first"]]);
}

#[test]
fn a_peer_is_told_to_want_a_key_or_none() {
    let (mut shaking, _far) = with_peer(&greeting(b"CURVE"), None, LONG);
    let refused = refusal(&mut shaking);
    assert!(
        matches!(refused, Refusal::WantsKey) && refused.is_lasting(),
        "{refused}"
    );
    let (mut shaking, _far) = with_peer(&greeting(b"NULL"), Some(&keys()), LONG);
    let refused = refusal(&mut shaking);
    assert!(
        matches!(refused, Refusal::WantsNone) && refused.is_lasting(),
        "{refused}"
    );
}

#[test]
fn a_peer_that_closes_the_connection_may_be_tried_again_soon_unless_it_was_shown_a_key() {
    let (mut shaking, far) = with_peer(&greeting(b"NULL")[..20], None, LONG);
    far.shutdown(std::net::Shutdown::Write).unwrap();
    let refused = refusal(&mut shaking);
    assert!(
        matches!(refused, Refusal::Ended(_)) && !refused.is_lasting(),
        "{refused}"
    );

    let (mut shaking, far) = with_peer(&greeting(b"CURVE"), Some(&keys()), LONG);
    far.shutdown(std::net::Shutdown::Write).unwrap();
    let refused = refusal(&mut shaking);
    assert!(
        matches!(refused, Refusal::Silent) && refused.is_lasting(),
        "{refused}"
    );

    // Nothing was heard of it before: it need not be one that knows keys.
    let (mut shaking, far) = with_peer(b"", Some(&keys()), LONG);
    far.shutdown(std::net::Shutdown::Write).unwrap();
    let refused = refusal(&mut shaking);
    assert!(matches!(refused, Refusal::Ended(_)), "{refused}");
}

#[test]
fn a_peer_that_says_nothing_is_given_up_when_the_time_is_up_and_not_before() {
    let (mut shaking, _far) = with_peer(b"", None, LONG);
    assert!(matches!(shaking.step(Duration::ZERO), Ok(None)));
    let (mut shaking, _far) = with_peer(b"", None, Duration::ZERO);
    let Err(Refusal::Ended(error)) = shaking.step(LONG) else {
        panic!("there is no more time");
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}
