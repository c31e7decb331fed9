//! The handshake of ZMTP 2.0, which libzmq 3.2 speaks
//! ([RFC 15](https://rfc.zeromq.org/spec/15/)): the socket's type is a number in the
//! greeting, and a frame with the identity follows.

use super::{Handshake, HandshakeState};
use crate::error::HandshakeError;
use crate::frame::{Header, push_frame};
use crate::greeting::SIGNATURE;
use crate::socket_type::SocketType;

/// The length of a greeting of ZMTP 2.0: signature, version, socket type.
const OLD_GREETING: usize = SIGNATURE.len() + 2;
/// The longest identity, in bytes.
const MAX_IDENTITY: u64 = 255;

impl Handshake {
    /// Reads the greeting of ZMTP 2.0, and answers with the same and an empty
    /// identity.
    pub(super) fn old_greeting(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some(greeting) = bytes.get(..OLD_GREETING) else {
            return Ok(None);
        };
        let number = greeting.last().copied().unwrap_or_default();
        let found = SocketType::from_number(number);
        self.peer.socket_type = found;
        let ours = match found {
            Some(found) => self.towards(found)?,
            None => return Err(self.wrong(number.to_string())),
        };
        self.unsent.push(ours.number());
        push_frame(&mut self.unsent, b"", false);
        self.state = HandshakeState::OldIdentity;
        Ok(Some(OLD_GREETING))
    }

    pub(super) fn old_identity(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some(header) = Header::parse(bytes)? else {
            return Ok(None);
        };
        if header.command || header.more || header.body > MAX_IDENTITY {
            return Err(HandshakeError::Malformed);
        }
        let end = header.length + usize::try_from(header.body).unwrap_or(0);
        let Some(identity) = bytes.get(header.length..end) else {
            return Ok(None);
        };
        self.peer.identity = identity.to_vec();
        Ok(Some(end))
    }
}
