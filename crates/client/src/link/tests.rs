use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::*;
use crate::wait::wait;

/// A time that only a test that fails needs.
const LONG: Duration = Duration::from_secs(60);

/// A link behind whose handshake these bytes came, and its far end.
fn linked(behind: &[u8]) -> (Link, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    near.set_nonblocking(true).unwrap();
    let (far, _) = listener.accept().unwrap();
    let link = Link::new(near.into(), Peer::default(), None, behind.to_vec());
    (link, far)
}

/// Waits until something comes, and returns the messages that are whole then.
fn read(link: &mut Link) -> io::Result<Vec<Frames>> {
    let mut messages = VecDeque::new();
    assert!(wait(&link.stream, true, false, LONG).unwrap());
    link.read(&mut messages)?;
    Ok(messages.into())
}

fn taken(link: &mut Link) -> Vec<Frames> {
    let mut messages = VecDeque::new();
    link.take(&mut messages).unwrap();
    messages.into()
}

#[test]
fn a_message_comes_when_it_is_whole_however_its_bytes_come() {
    let (mut link, mut far) = linked(b"");
    far.set_nodelay(true).unwrap();
    let wire = b"\x01\x01a\x01\0\0\x02bc";
    let (last, before) = wire.split_last().unwrap();
    for byte in before {
        far.write_all(&[*byte]).unwrap();
        assert!(read(&mut link).unwrap().is_empty());
    }
    far.write_all(&[*last]).unwrap();
    let whole = [b"a".to_vec(), b"".to_vec(), b"bc".to_vec()];
    assert_eq!(read(&mut link).unwrap(), [whole]);
}

#[test]
fn what_came_behind_the_handshake_is_the_beginning() {
    let (mut link, mut far) = linked(b"\0\x01a\0\x01b\0\x02c");
    assert_eq!(taken(&mut link), [[b"a"], [b"b"]]);
    assert!(taken(&mut link).is_empty());
    far.write_all(b"d").unwrap();
    assert_eq!(read(&mut link).unwrap(), [[b"cd"]]);
}

#[test]
fn commands_between_frames_are_taken_out_and_heartbeats_answered() {
    let ping = b"\x04\x08\x04PING\0\0x";
    let parts = [&b"\0\x01a"[..], ping, b"\x01\x01b", ping, b"\0\x01c"];
    let (mut link, mut far) = linked(&parts.concat());
    let messages = taken(&mut link);
    assert_eq!(
        messages,
        [vec![b"a".to_vec()], vec![b"b".to_vec(), b"c".to_vec()]]
    );
    link.flush().unwrap();
    let pong = b"\x04\x06\x04PONGx";
    let mut answers = vec![0; 2 * pong.len()];
    far.read_exact(&mut answers).unwrap();
    assert_eq!(answers, pong.repeat(2));
}

#[test]
fn a_peer_that_asks_for_signs_of_life_and_reads_none_costs_bounded_memory() {
    let pings = b"\x04\x17\x04PING\0\x0a0123456789abcdef".repeat(10_000);
    let (mut link, _far) = linked(&pings);
    assert!(taken(&mut link).is_empty());
    let owed = link.owed();
    assert!((MAX_UNSENT..MAX_UNSENT + 100).contains(&owed), "{owed}");
}

#[test]
fn a_subscription_that_comes_as_a_command_is_a_message_like_the_older_form() {
    let (mut link, _far) = linked(b"\x04\x0b\x09SUBSCRIBEa\x04\x08\x06CANCELa\0\x02\x01a");
    assert_eq!(taken(&mut link), [[b"\x01a"], [b"\0a"], [b"\x01a"]]);
}

#[test]
fn the_end_of_the_connection_is_told_behind_what_came_before_it() {
    let (mut link, mut far) = linked(b"");
    far.write_all(b"\0\x01a\x01\x01b").unwrap();
    drop(far);
    assert_eq!(read(&mut link).unwrap(), [[b"a"]]);
    let error = read(&mut link).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn nothing_to_read_is_no_error() {
    let (mut link, _far) = linked(b"");
    let mut messages = VecDeque::new();
    link.read(&mut messages).unwrap();
    assert!(messages.is_empty());
}

#[test]
fn what_the_peer_does_not_take_at_once_leaves_later_and_in_order() {
    let (mut link, mut far) = linked(b"");
    let bytes: Vec<u8> = (0..=250).cycle().take(16 << 20).collect();
    link.push(&bytes).unwrap();
    link.flush().unwrap();
    assert!(link.owed() > 0 && link.owed() < bytes.len());
    link.push(b"end").unwrap();
    let reading = std::thread::spawn(move || {
        let mut came = Vec::new();
        far.read_to_end(&mut came).unwrap();
        came
    });
    while link.owed() > 0 {
        assert!(wait(&link.stream, false, true, LONG).unwrap());
        link.flush().unwrap();
    }
    drop(link);
    assert!(reading.join().unwrap() == [&bytes[..], b"end"].concat());
}
