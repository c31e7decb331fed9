//! Commands that travel between messages.

use crate::frame::push_command;

/// The longest context that a PING may carry, in bytes.
const MAX_CONTEXT: usize = 16;

/// A command after the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// The peer wants messages whose first frame begins so.
    Subscribe(&'a [u8]),
    /// The peer wants these no more.
    Cancel(&'a [u8]),
    /// The peer asks for a sign of life, which carries this context.
    Ping(&'a [u8]),
    /// The peer's sign of life.
    Pong,
    /// The peer gives up, for this reason.
    Error(&'a [u8]),
    /// Something that this crate does not know, and that may be passed over.
    Other,
}

/// Why bytes are no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a command of {length} bytes is cut short or too long")]
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
            // The first two bytes say for how long the peer will wait.
            b"PING" => match data.get(2..) {
                Some(context) if context.len() <= MAX_CONTEXT => Ok(Self::Ping(context)),
                _ => Err(error),
            },
            b"PONG" => Ok(Self::Pong),
            b"ERROR" => Ok(Self::Error(data.get(1..).unwrap_or_default())),
            _ => Ok(Self::Other),
        }
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
        assert_eq!(parse(b"\x04PING\x00\x0aabc"), Ok(Command::Ping(b"abc")));
        assert_eq!(parse(b"\x04PONGabc"), Ok(Command::Pong));
        assert_eq!(parse(b"\x05ERROR\x02no"), Ok(Command::Error(b"no")));
        assert_eq!(parse(b"\x07UNKNOWN..."), Ok(Command::Other));
    }

    #[test]
    fn a_command_that_is_cut_short_or_too_long_is_refused() {
        for body in [
            b"".as_slice(),
            b"\x05PING",
            b"\x04PING\x00",
            b"\x04PING\x00\x000123456789abcdefg",
        ] {
            assert!(Command::parse(body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn a_pong_carries_the_context_back() {
        let mut out = Vec::new();
        push_pong(&mut out, b"abc");
        assert_eq!(out, b"\x04\x08\x04PONGabc");
    }
}
