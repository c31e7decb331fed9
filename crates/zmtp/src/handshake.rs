//! The greeting and the NULL mechanism: who the peer is.

use crate::command::split_name;
use crate::frame::{FrameError, Header, push_command};

/// The length of a greeting in bytes.
pub const GREETING_BYTES: usize = 64;

/// A greeting's beginning, which tells ZeroMQ from everything else.
const SIGNATURE: [u8; 10] = [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f];
const VERSION: [u8; 2] = [3, 1];
/// Where the major version stands: all that is sent before the peer's is known.
const VERSION_AT: usize = SIGNATURE.len();
const MECHANISM: std::ops::Range<usize> = 12..32;
/// More than any socket has to say of itself.
const MAX_READY: u64 = 64 << 10;

/// What this end of a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A PUB socket; its peers are SUB and XSUB sockets.
    Publisher,
    /// A SUB socket; its peers are PUB and XPUB sockets.
    Subscriber,
}

impl Role {
    fn socket_type(self) -> &'static [u8] {
        match self {
            Self::Publisher => b"PUB",
            Self::Subscriber => b"SUB",
        }
    }

    fn peers(self) -> [&'static [u8]; 2] {
        match self {
            Self::Publisher => [b"SUB", b"XSUB"],
            Self::Subscriber => [b"PUB", b"XPUB"],
        }
    }
}

/// The beginning of a connection, until both ends know each other.
#[derive(Debug)]
pub struct Handshake {
    role: Role,
    state: State,
    unsent: Vec<u8>,
}

#[derive(Debug)]
enum State {
    Signature,
    Greeting,
    Ready,
}

/// Why a peer can't be talked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Something that is no ZeroMQ, or ZeroMQ before 3.0.
    #[error("it does not speak ZeroMQ")]
    NotZeroMq,
    /// A protocol before ZMTP 3, which came with libzmq 4.0.
    #[error("it speaks version {major} of ZeroMQ's protocol; 3 or newer is needed (libzmq 4.0)")]
    TooOld {
        /// The peer's major version.
        major: u8,
    },
    /// Security was asked for.
    #[error("it asks for the security mechanism {mechanism:?}; only NULL is offered")]
    Mechanism {
        /// What the peer asked for.
        mechanism: String,
    },
    /// The peer's socket is of a type that this end has nothing to say to.
    #[error("it is a {found} socket; here {expected} sockets connect")]
    SocketType {
        /// What was expected.
        expected: &'static str,
        /// What the peer is.
        found: String,
    },
    /// The peer's introduction is malformed.
    #[error("its introduction is malformed")]
    Malformed,
    /// The peer's introduction is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl Handshake {
    /// Begins a handshake.
    #[must_use]
    pub fn new(role: Role) -> Self {
        let mut unsent = SIGNATURE.to_vec();
        // An older peer would not understand more than this.
        unsent.extend(VERSION.first());
        Self {
            role,
            state: State::Signature,
            unsent,
        }
    }

    /// Returns what is to be sent to the peer, and forgets it.
    pub fn take_unsent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unsent)
    }

    /// Looks at what has come so far; what was consumed is not to be passed
    /// again. The second value tells whether the handshake is done, so that
    /// the rest of the bytes are frames.
    ///
    /// # Errors
    /// [`HandshakeError`] where the connection can't be used.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<(usize, bool), HandshakeError> {
        let mut consumed = 0;
        loop {
            let rest = bytes.get(consumed..).unwrap_or_default();
            let step = match self.state {
                State::Signature => self.signature(rest)?,
                State::Greeting => self.greeting(rest)?,
                State::Ready => {
                    let length = self.ready(rest)?;
                    return Ok((consumed + length.unwrap_or(0), length.is_some()));
                }
            };
            match step {
                Some(length) => consumed += length,
                None => return Ok((consumed, false)),
            }
        }
    }

    /// Garbage is seen as such from its first bytes.
    fn signature(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let ends = [(0, 0xff, 0xff), (9, 0x01, 0x01)];
        let wrong = |&(at, mask, value): &(usize, u8, u8)| {
            bytes.get(at).is_some_and(|byte| byte & mask != value)
        };
        if ends.iter().any(wrong) {
            return Err(HandshakeError::NotZeroMq);
        }
        match bytes.get(VERSION_AT) {
            None => Ok(None),
            Some(&major) if major < VERSION[0] => Err(HandshakeError::TooOld { major }),
            Some(_) => {
                let mut rest = [0; GREETING_BYTES - VERSION_AT - 1];
                rest[0] = VERSION[1];
                rest[1..5].copy_from_slice(b"NULL");
                self.unsent.extend_from_slice(&rest);
                self.state = State::Greeting;
                // The greeting is consumed as a whole.
                Ok(Some(0))
            }
        }
    }

    fn greeting(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some(greeting) = bytes.get(..GREETING_BYTES) else {
            return Ok(None);
        };
        let mechanism = greeting.get(MECHANISM).unwrap_or_default();
        let mechanism = mechanism.split(|&byte| byte == 0).next();
        let mechanism = mechanism.unwrap_or_default();
        if mechanism != b"NULL" {
            return Err(HandshakeError::Mechanism {
                mechanism: printable(mechanism),
            });
        }
        let mut ready = b"\x05READY".to_vec();
        push_property(&mut ready, b"Socket-Type", self.role.socket_type());
        push_command(&mut self.unsent, &ready);
        self.state = State::Ready;
        Ok(Some(GREETING_BYTES))
    }

    /// Returns the length of the peer's introduction when it has come.
    fn ready(&self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some(header) = Header::parse(bytes)? else {
            return Ok(None);
        };
        if !header.command || header.body > MAX_READY {
            return Err(HandshakeError::Malformed);
        }
        let body = usize::try_from(header.body).map_err(|_| HandshakeError::Malformed)?;
        let end = header.length + body;
        let Some(body) = bytes.get(header.length..end) else {
            return Ok(None);
        };
        match split_name(body) {
            Some((b"READY", properties)) => self.check_peer(properties)?,
            _ => return Err(HandshakeError::Malformed),
        }
        Ok(Some(end))
    }

    fn check_peer(&self, mut properties: &[u8]) -> Result<(), HandshakeError> {
        let mut found = None;
        while !properties.is_empty() {
            let (name, value, rest) =
                split_property(properties).ok_or(HandshakeError::Malformed)?;
            if name.eq_ignore_ascii_case(b"Socket-Type") {
                found = Some(value);
            }
            properties = rest;
        }
        let found = found.ok_or(HandshakeError::Malformed)?;
        if self.role.peers().contains(&found) {
            return Ok(());
        }
        Err(HandshakeError::SocketType {
            expected: match self.role {
                Role::Publisher => "SUB",
                Role::Subscriber => "PUB",
            },
            found: printable(found),
        })
    }
}

/// A name of one byte's length and a value of four bytes' length.
fn split_property(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = split_name(bytes)?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some((name, value, rest))
}

fn push_property(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend(u8::try_from(name.len()));
    out.extend_from_slice(name);
    out.extend(u32::try_from(value.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(value);
}

/// What a peer says of itself, fit for a log: short, and without control characters.
fn printable(bytes: &[u8]) -> String {
    const SHORT: usize = 20;
    let short = bytes.get(..SHORT).unwrap_or(bytes);
    short.escape_ascii().to_string()
}

#[cfg(test)]
mod tests;
