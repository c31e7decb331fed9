//! What somebody sends who has no key, or changes what the owner of one sends.

use std::sync::Arc;

use zmtp::curve::{Keypair, Keyring, OpenError, Opened, Opener, PublicKey, Session};
use zmtp::{Client, Handshake, Role, SocketType};

/// Lets in the owner of one key.
#[derive(Debug)]
struct One(Keypair, PublicKey);

impl Keyring for One {
    fn own(&self) -> &Keypair {
        &self.0
    }

    fn name_of(&self, key: &PublicKey) -> Option<Arc<str>> {
        (*key == self.1).then(|| "friend".into())
    }
}

/// Both ends of a connection.
struct Ends {
    client: Client,
    server: Handshake,
}

/// Reads bytes as what comes over a connection with keys. The first byte says who
/// hears them: the server, the client, or one of both in place of what the other says.
///
/// # Panics
/// Where somebody gets in who does not own the key, or something is opened that was
/// not sent, or not in order.
pub fn curve(data: &[u8]) {
    let Some((&how, bytes)) = data.split_first() else {
        return;
    };
    // Without random bytes there is nothing to try.
    let Some(mut ends) = ends() else { return };
    let piece = usize::from(how >> 2) + 1;
    match how & 3 {
        0 => {
            heard(bytes, piece, |bytes| {
                ends.server.advance(bytes).map_err(drop)
            });
            assert!(ends.server.peer().key.is_none() && ends.server.take_session().is_none());
            assert!(ends.server.take_unsent().len() <= 64 + 170);
        }
        1 => {
            heard(bytes, piece, |bytes| {
                ends.client.advance(bytes).map_err(drop)
            });
            assert!(ends.client.take_session().is_none());
        }
        2 => changed_handshake(ends, bytes),
        _ => changed_messages(ends, bytes),
    }
}

fn ends() -> Option<Ends> {
    let (own, friend) = (Keypair::generate().ok()?, Keypair::generate().ok()?);
    let (public, allowed) = (own.public, friend.public);
    Some(Ends {
        client: Client::with_curve(SocketType::Pub, b"", friend, public).ok()?,
        server: Handshake::with_curve(Role::Subscriber, Arc::new(One(own, allowed)), false),
    })
}

/// Lets an end hear bytes piece by piece, until it is done or has had enough.
fn heard(bytes: &[u8], piece: usize, mut advance: impl FnMut(&[u8]) -> Result<(usize, bool), ()>) {
    let (mut start, mut end) = (0, 0);
    while end < bytes.len() {
        end = bytes.len().min(end + piece);
        match advance(&bytes[start..end]) {
            Ok((consumed, done)) => {
                assert!(consumed <= end - start && !done);
                start += consumed;
            }
            Err(()) => return,
        }
    }
}

/// Changes bytes on their way: two bytes say where, one says which bits.
fn change(sent: &mut [u8], changes: &mut &[u8]) {
    if let Some((change, rest)) = changes.split_first_chunk::<3>() {
        *changes = rest;
        let at = usize::from(u16::from_be_bytes([change[0], change[1]]));
        if let Some(byte) = sent.get_mut(at) {
            *byte ^= change[2];
        }
    }
}

/// Somebody between the two changes what they say to each other.
fn changed_handshake(mut ends: Ends, mut changes: &[u8]) {
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let mut said = ends.client.take_unsent();
        change(&mut said, &mut changes);
        to_server.extend_from_slice(&said);
        let Ok((consumed, _)) = ends.server.advance(&to_server) else {
            return;
        };
        to_server.drain(..consumed);
        let mut said = ends.server.take_unsent();
        change(&mut said, &mut changes);
        to_client.extend_from_slice(&said);
        let Ok((consumed, _)) = ends.client.advance(&to_client) else {
            return;
        };
        to_client.drain(..consumed);
    }
    let (server, client) = (ends.server.take_session(), ends.client.take_session());
    if let (Some(server), Some(client)) = (server, client) {
        // Only what is in no box was changed: the two speak with each other alone.
        check(client, server, &[]);
    }
}

/// Somebody between the two changes, repeats, drops and cuts what was sealed.
fn changed_messages(mut ends: Ends, changes: &[u8]) {
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        to_server.extend(ends.client.take_unsent());
        let Ok((consumed, _)) = ends.server.advance(&to_server) else {
            panic!("nobody has changed anything");
        };
        to_server.drain(..consumed);
        to_client.extend(ends.server.take_unsent());
        let Ok((consumed, _)) = ends.client.advance(&to_client) else {
            panic!("nobody has changed anything");
        };
        to_client.drain(..consumed);
    }
    match (ends.client.take_session(), ends.server.take_session()) {
        (Some(client), Some(server)) => check(client, server, changes),
        _ => panic!("nobody has changed anything"),
    }
}

/// What is opened are frames that were sent, in their order, and each once.
fn check(mut client: Session, mut server: Session, mut changes: &[u8]) {
    let frames: Vec<Vec<u8>> = (0..8_u8).map(|at| vec![0, 3, at, at, at]).collect();
    let mut boxes = Vec::new();
    for frame in &frames {
        let mut sealed = Vec::new();
        assert!(client.sealer.push(&mut sealed, frame).is_ok());
        boxes.push(sealed);
    }
    let mut stream = Vec::new();
    while let Some((&what, rest)) = changes.split_first() {
        changes = rest;
        let Some(mut sealed) = boxes.get(usize::from(what & 7)).cloned() else {
            continue;
        };
        if what & 8 != 0 {
            change(&mut sealed, &mut changes);
        }
        if what & 16 != 0 {
            sealed.truncate(usize::from(what >> 5) * 6);
        }
        stream.extend(sealed);
    }
    let opened = open(&mut server.opener, stream);
    let mut last = None;
    for frame in opened {
        let at = frames.iter().position(|sent| *sent == frame);
        assert!(at.is_some(), "{frame:?} was not sent");
        assert!(at > last, "{frame:?} comes again, or too late");
        last = at;
    }
}

fn open(opener: &mut Opener, mut bytes: Vec<u8>) -> Vec<Vec<u8>> {
    let mut opened = Vec::new();
    loop {
        let result: Result<Opened, OpenError> = opener.open(&mut bytes);
        match result {
            Ok(Opened::Frame { plain, end, .. }) => {
                opened.push(bytes[plain].to_vec());
                bytes.drain(..end);
            }
            Ok(Opened::Part { missing, .. }) => {
                assert!(missing > 0);
                return opened;
            }
            Err(_) => return opened,
        }
    }
}
