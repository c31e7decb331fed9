use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use zmtp::Role;

use super::*;
use crate::testing::Router;

/// A time that only a test that fails needs.
const LONG: Duration = Duration::from_secs(60);

fn dealer(router: &Router) -> Socket {
    Socket::connect(&router.endpoint, SocketType::Dealer, None).unwrap()
}

/// Lets the peer do its part while the socket does its own; returns what came.
fn beside<T: Send>(socket: &mut Socket, peer: impl FnOnce() -> T + Send) -> (T, Vec<Frames>) {
    let (done, mut came) = (AtomicBool::new(false), Vec::new());
    thread::scope(|scope| {
        let peer = scope.spawn(|| {
            let result = peer();
            done.store(true, Ordering::SeqCst);
            result
        });
        while !(done.load(Ordering::SeqCst) || peer.is_finished()) {
            came.extend(socket.receive(Duration::from_millis(5)));
        }
        (peer.join().unwrap(), came)
    })
}

/// Waits until the socket knows why it is not let in.
fn refusal(socket: &mut Socket) -> String {
    let give_up = Instant::now() + LONG;
    while socket.refusal().is_none() {
        assert!(Instant::now() < give_up);
        assert!(!socket.poll(Duration::from_millis(5)));
    }
    socket.refusal().unwrap().to_owned()
}

/// Returns the first message, which may have come already.
fn first(came: Vec<Frames>, socket: &mut Socket) -> Frames {
    let first = came.into_iter().next();
    first.or_else(|| socket.receive(LONG)).unwrap()
}

fn one(bytes: &[u8]) -> Frames {
    vec![bytes.to_vec()]
}

#[test]
fn what_waits_while_nobody_is_there_is_sent_when_somebody_is() {
    let router = Router::new();
    let mut socket = dealer(&router);
    assert!(socket.send(&["topic", "early"]));
    let (mut peer, came) = beside(&mut socket, || {
        let mut peer = router.accept();
        assert_eq!(peer.receive(), [b"topic".to_vec(), b"early".to_vec()]);
        peer.send(&[b"answer".to_vec(), vec![7; 300_000]]);
        peer
    });
    let answer = first(came, &mut socket);
    assert_eq!(answer, [b"answer".to_vec(), vec![7; 300_000]]);
    for round in 0..1_000_u32 {
        assert!(socket.send(&[round.to_le_bytes()]));
        assert_eq!(peer.receive(), one(&round.to_le_bytes()));
    }
}

#[test]
fn a_connection_that_was_lost_is_made_anew_before_anything_is_sent_over_it() {
    let router = Router::new();
    let mut socket = dealer(&router);
    let (peer, _) = beside(&mut socket, || router.accept());
    drop(peer);
    thread::sleep(2 * STALE);
    assert!(socket.send(&["late"]), "nobody has looked at it since");
    let (_, came) = beside(&mut socket, || {
        assert_eq!(router.accept().receive(), one(b"late"));
    });
    assert!(came.is_empty());
}

#[test]
fn heartbeats_are_answered_also_in_the_midst_of_a_message() {
    let router = Router::new();
    let mut socket = dealer(&router);
    let (_, came) = beside(&mut socket, || {
        let mut peer = router.accept();
        peer.write(b"\x04\x07\x04PING\0\0\x01\x01a\x04\x0a\x04PING\0\0now\0\x01b");
        assert_eq!(peer.receive(), one(b"\x04PONG"));
        assert_eq!(peer.receive(), one(b"\x04PONGnow"));
        peer
    });
    assert_eq!(first(came, &mut socket), [b"a".to_vec(), b"b".to_vec()]);
}

#[test]
fn subscriptions_are_said_again_on_each_connection() {
    let router = Router::of(Role::Publisher);
    let mut socket = Socket::connect(&router.endpoint, SocketType::Sub, None).unwrap();
    socket.subscribe(b"a");
    for _ in 0..2 {
        let ((), _) = beside(&mut socket, || {
            assert_eq!(router.accept().receive(), one(b"\x09SUBSCRIBEa"));
        });
    }
}

#[test]
fn a_publisher_sees_subscriptions_of_both_forms_as_messages() {
    let router = Router::of(Role::Subscriber);
    let mut socket = Socket::connect(&router.endpoint, SocketType::Xpub, None).unwrap();
    let (_peer, mut came) = beside(&mut socket, || {
        let mut peer = router.accept();
        peer.write(b"\0\x02\x01a\x04\x0b\x09SUBSCRIBEb\x04\x08\x06CANCELb");
        peer
    });
    while came.len() < 3 {
        came.extend(socket.receive(LONG));
    }
    assert_eq!(came, [one(b"\x01a"), one(b"\x01b"), one(b"\0b")]);
}

#[test]
fn a_peer_that_takes_nothing_costs_bounded_memory() {
    let router = Router::new();
    let mut socket = dealer(&router);
    let (_peer, _) = beside(&mut socket, || router.accept());
    let give_up = Instant::now() + LONG;
    while socket.send(&[[0; 10_000]]) {
        assert!(Instant::now() < give_up);
    }
    assert!(socket.owed() < 2 * ROOM, "{}", socket.owed());
}

#[test]
fn who_does_not_speak_zeromq_or_wants_a_key_is_named() {
    let router = Router::new();
    let mut socket = dealer(&router);
    let mut stream = router.accept_silently();
    stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").unwrap();
    assert_eq!(refusal(&mut socket), "it does not speak ZeroMQ");

    let mut socket = dealer(&router);
    let mut stream = router.accept_silently();
    let mut greeting = [0; 64];
    greeting[..17].copy_from_slice(b"\xff\0\0\0\0\0\0\0\0\x7f\x03\x01CURVE");
    stream.write_all(&greeting).unwrap();
    let refusal = refusal(&mut socket);
    assert_eq!(refusal, "the broker wants to be shown a key");
}

#[test]
fn nobody_there_is_no_refusal() {
    let router = Router::new();
    let endpoint = router.endpoint.clone();
    drop(router);
    let mut socket = Socket::connect(&endpoint, SocketType::Dealer, None).unwrap();
    assert_eq!(socket.receive(Duration::from_millis(50)), None);
    assert!(socket.refusal().is_none() && socket.absence().is_some());
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_connected_to_by_its_path() {
    use std::io::Read as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("control");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let endpoint = format!("ipc://{}", path.display());
    let mut socket = Socket::connect(&endpoint, SocketType::Dealer, None).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let (greeting, _) = beside(&mut socket, move || {
        let mut greeting = [0; 64];
        stream.read_exact(&mut greeting).unwrap();
        greeting
    });
    assert!(greeting[12..].starts_with(b"NULL\0"));
}

#[test]
fn what_waits_is_drained_as_far_as_the_peer_takes_it() {
    let router = Router::new();
    let mut socket = dealer(&router);
    let large = vec![7; 16 << 20];
    assert!(socket.queue(&[&large]));
    assert!(!socket.drain(Duration::from_millis(20)), "nobody is there");
    let (mut peer, _) = beside(&mut socket, || router.accept());
    assert!(!socket.drain(Duration::from_millis(20)), "nobody reads");
    thread::scope(|scope| {
        let peer = scope.spawn(|| peer.receive());
        assert!(socket.drain(LONG));
        assert!(peer.join().unwrap() == [large]);
    });
}
