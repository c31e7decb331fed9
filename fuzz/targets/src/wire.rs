//! What a peer sends over a connection.

use zmtp::{Assembler, Command, Found, Handshake, Role, StreamError};

/// The largest message that is taken, in bytes.
const LIMIT: u64 = 300;

/// Reads bytes as a peer's stream: the first byte says in pieces of which size
/// they come, and as whom.
///
/// # Panics
/// Where the pieces make a difference, or something is taken that is too large
/// or not there.
pub fn wire(data: &[u8]) {
    let Some((&how, stream)) = data.split_first() else {
        return;
    };
    let role = [Role::Publisher, Role::Subscriber][usize::from(how & 1)];
    let piece = usize::from(how >> 1) + 1;
    let at_once = read(role, stream, stream.len().max(1));
    assert_eq!(read(role, stream, piece), at_once, "in pieces of {piece}");
    // The handshake is hard to guess: what would be behind it is read as well.
    let at_once = messages(stream, stream.len().max(1));
    assert_eq!(messages(stream, piece), at_once, "in pieces of {piece}");
}

/// Shakes hands, and returns where that ended, if it did, and with what.
fn read(role: Role, stream: &[u8], piece: usize) -> Result<Option<usize>, String> {
    let mut handshake = Handshake::new(role);
    let (mut start, mut end) = (0, 0);
    while end < stream.len() {
        end = stream.len().min(end + piece);
        let bytes = &stream[start..end];
        let (consumed, done) = handshake
            .advance(bytes)
            .map_err(|error| error.to_string())?;
        assert!(consumed <= bytes.len());
        assert!(handshake.take_unsent().len() <= 128);
        start += consumed;
        if done {
            return Ok(Some(start));
        }
    }
    Ok(None)
}

/// Returns the messages in a stream, without the commands between their frames.
fn messages(stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<StreamError>) {
    let mut assembler = Assembler::new(LIMIT);
    // The frames of the message under way, and what was not understood yet.
    let (mut found, mut message, mut held) = (Vec::new(), Vec::new(), Vec::new());
    for bytes in stream.chunks(piece) {
        held.extend_from_slice(bytes);
        loop {
            match assembler.look(&held) {
                Ok(Found::Frame { end, last }) => {
                    message.extend(held.drain(..end));
                    if last {
                        check(&message);
                        found.push(std::mem::take(&mut message));
                    }
                }
                Ok(Found::Command { body, end }) => {
                    assert!(body <= end && end <= held.len());
                    // Whatever it is, it is understood or refused.
                    let _understood = Command::parse(&held[body..end]);
                    held.drain(..end);
                }
                Ok(Found::Part { missing }) => {
                    assert!(missing > 0);
                    break;
                }
                Err(error) => return (found, Some(error)),
            }
        }
    }
    (found, None)
}

/// A message is as large as it may be, and its frames give it back.
fn check(message: &[u8]) {
    let frames: Vec<&[u8]> = zmtp::frames(message).collect();
    assert!(!frames.is_empty());
    let size: usize = frames.iter().map(|frame| frame.len()).sum();
    assert!(size as u64 <= LIMIT, "{size} bytes");
    let mut again = Vec::new();
    zmtp::push_message(&mut again, frames.iter().copied());
    assert!(zmtp::frames(&again).eq(frames));
    assert!(again.len() <= message.len(), "no frame is longer than ours");
}
