//! Commands that travel between messages.

use std::time::Duration;

use crate::frame::{push_command, push_frame};
use crate::peer::Peer;

/// How much of a PING's context is sent back, in bytes.
const MAX_CONTEXT: usize = 16;

/// A command after the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// The peer wants messages whose first frame begins so.
    Subscribe(&'a [u8]),
    /// The peer wants these no more.
    Cancel(&'a [u8]),
    /// The peer asks for a sign of life.
    Ping {
        /// For how long after this one the peer wants to be taken for alive
        /// without another sign of life; zero is for ever.
        ttl: Duration,
        /// What the answer carries back.
        context: &'a [u8],
    },
    /// The peer's sign of life.
    Pong,
    /// The peer gives up, for this reason.
    Error(&'a [u8]),
    /// Something that this crate does not know, and that may be passed over.
    Other,
}

/// Why bytes are no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a command of {length} bytes is cut short")]
pub struct CommandError {
    /// The length of the command's body in bytes.
    pub length: usize,
}

impl<'a> Command<'a> {
    /// Reads the body of a frame that is a command.
    ///
    /// # Errors
    /// [`CommandError`] where the command has not the form that it should have.
    pub fn parse(body: &'a [u8]) -> Result<Self, CommandError> {
        let error = CommandError { length: body.len() };
        let (name, data) = split_name(body).ok_or(error)?;
        match name {
            b"SUBSCRIBE" => Ok(Self::Subscribe(data)),
            b"CANCEL" => Ok(Self::Cancel(data)),
            b"PING" => Ok(ping(data)),
            b"PONG" => Ok(Self::Pong),
            b"ERROR" => Ok(Self::Error(data.get(1..).unwrap_or_default())),
            _ => Ok(Self::Other),
        }
    }
}

/// Reads a PING's data as libzmq does: a time to live in tenths of a second may
/// be missing, and a context may be longer than it should be.
fn ping(data: &[u8]) -> Command<'_> {
    let (ttl, context) = match data.split_first_chunk() {
        Some((ttl, context)) => (u16::from_be_bytes(*ttl), context),
        None => (0, [].as_slice()),
    };
    Command::Ping {
        ttl: Duration::from_millis(u64::from(ttl) * 100),
        context: context.get(..MAX_CONTEXT).unwrap_or(context),
    }
}

/// Splits a command's body into its name and its data.
pub(crate) fn split_name(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = body.split_first()?;
    rest.split_at_checked(usize::from(length))
}

/// Appends the answer to a [`Command::Ping`].
pub fn push_pong(out: &mut Vec<u8>, context: &[u8]) {
    let mut body = b"\x04PONG".to_vec();
    body.extend_from_slice(context);
    push_command(out, &body);
}

/// Appends a subscription to all topics that begin so, in the form that the
/// peer understands: a command since ZMTP 3.1, a message before.
pub fn push_subscription(out: &mut Vec<u8>, topic: &[u8], peer: &Peer) {
    if peer.version >= (3, 1) {
        push_command(out, &[b"\x09SUBSCRIBE", topic].concat());
    } else {
        push_frame(out, &[b"\x01", topic].concat(), false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_apart_by_name() {
        let parse = Command::parse;
        assert_eq!(
            parse(b"\x09SUBSCRIBEtopic"),
            Ok(Command::Subscribe(b"topic"))
        );
        assert_eq!(parse(b"\x06CANCEL"), Ok(Command::Cancel(b"")));
        let ping = |millis, context| {
            let ttl = Duration::from_millis(millis);
            Ok(Command::Ping { ttl, context })
        };
        assert_eq!(parse(b"\x04PING\x00\x0aabc"), ping(1_000, b"abc"));
        assert_eq!(parse(b"\x04PING\x00"), ping(0, b""), "without a time");
        let long = b"\x04PING\x00\x000123456789abcdefg";
        assert_eq!(parse(long), ping(0, b"0123456789abcdef"));
        assert_eq!(parse(b"\x04PONGabc"), Ok(Command::Pong));
        assert_eq!(parse(b"\x05ERROR\x02no"), Ok(Command::Error(b"no")));
        assert_eq!(parse(b"\x07UNKNOWN..."), Ok(Command::Other));
    }

    #[test]
    fn a_command_whose_name_is_cut_short_is_refused() {
        for body in [b"".as_slice(), b"\x05PING"] {
            assert!(Command::parse(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn a_subscription_has_the_form_that_the_peer_understands() {
        let form = |version| {
            let mut out = Vec::new();
            let peer = Peer {
                version,
                ..Peer::default()
            };
            push_subscription(&mut out, b"t", &peer);
            out
        };
        assert_eq!(form((3, 1)), b"\x04\x0b\x09SUBSCRIBEt");
        assert_eq!(form((3, 0)), b"\0\x02\x01t");
        assert_eq!(form((2, 0)), b"\0\x02\x01t");
    }

    #[test]
    fn a_pong_carries_the_context_back() {
        let mut out = Vec::new();
        push_pong(&mut out, b"abc");
        assert_eq!(out, b"\x04\x08\x04PONGabc");
    }
}
