//! The greeting, which chooses a mechanism, and the introduction: who the peer is.

use std::sync::Arc;

use crate::command::split_name;
use crate::curve::{Admitted, CurveError, Keyring, Server, Session};
use crate::frame::{FrameError, Header, push_command, push_frame};
use crate::peer::{Peer, PeerKey};
use crate::socket_type::{Role, SocketType};

/// The length of a greeting of ZMTP 3 in bytes.
pub const GREETING_BYTES: usize = 64;

/// A greeting's beginning, which tells ZeroMQ from everything else.
const SIGNATURE: [u8; 10] = [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f];
const VERSION: [u8; 2] = [3, 1];
/// Where the major version stands: all that is sent before the peer's is known.
const VERSION_AT: usize = SIGNATURE.len();
const MECHANISM: std::ops::Range<usize> = 12..32;
/// The length of a greeting of ZMTP 2.0: signature, version, socket type.
const OLD_GREETING: usize = SIGNATURE.len() + 2;
/// What an anonymous peer of ZMTP 1 begins with (libzmq 2): an empty identity.
const VERSION_1: &[u8] = &[1, 0];
/// More than any socket has to say of itself.
const MAX_READY: u64 = 64 << 10;
/// The longest identity, in bytes.
const MAX_IDENTITY: u64 = 255;

/// The beginning of a connection, until both ends know each other.
///
/// What this end says of itself goes out after what the peer says: so a peer of
/// the wrong type can be named, and one of several right types gets the answer
/// that it expects.
#[derive(Debug)]
pub struct Handshake {
    role: Role,
    state: State,
    unsent: Vec<u8>,
    peer: Peer,
    security: Security,
    /// What came of CURVE.
    session: Option<Session>,
}

/// Which mechanisms are offered.
#[derive(Debug)]
enum Security {
    Null,
    Curve {
        keyring: Arc<dyn Keyring>,
        /// Whether peers without keys are served, too.
        null_too: bool,
    },
}

#[derive(Debug)]
enum State {
    Signature,
    Greeting,
    Ready,
    Curve(Server),
    /// ZMTP 2.0: the rest of the greeting, and then a frame with the identity.
    OldGreeting,
    OldIdentity,
}

/// Why a peer can't be talked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Something that is no ZeroMQ.
    #[error("it does not speak ZeroMQ")]
    NotZeroMq,
    /// The protocol of libzmq 2.
    #[error("it speaks version {major} of ZeroMQ's protocol; 2 or newer is needed (libzmq 3)")]
    TooOld {
        /// The peer's major version.
        major: u8,
    },
    /// Security was asked for.
    #[error("it asks for the security mechanism {mechanism:?}; only {offered} is offered")]
    Mechanism {
        /// What the peer asked for.
        mechanism: String,
        /// What this end has to offer.
        offered: &'static str,
    },
    /// The peer could not show that it owns a key that is let in.
    #[error(transparent)]
    Curve(#[from] CurveError),
    /// The peer's socket is of a type that this end has nothing to say to.
    #[error("it is a {found} socket; here {expected} sockets connect")]
    SocketType {
        /// What was expected.
        expected: &'static str,
        /// What the peer is.
        found: String,
    },
    /// The server's socket is of a type that a client of this type can't use.
    #[error("it is a {found} socket, which a {ours} socket does not talk to")]
    Partner {
        /// What this end is.
        ours: &'static str,
        /// What the server is.
        found: String,
    },
    /// The server has refused this end.
    #[error("it refuses the connection: {reason:?}")]
    Refused {
        /// The reason that it gives, shortened and without control characters.
        reason: String,
    },
    /// The peer's introduction is malformed.
    #[error("its introduction is malformed")]
    Malformed,
    /// The peer's introduction is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl HandshakeError {
    /// Tells whether the peer can't be served whatever it does, and is most likely a
    /// socket of somebody who has mistaken the port or an option.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::TooOld { .. } | Self::Mechanism { .. } | Self::SocketType { .. }
        )
    }
}

impl Handshake {
    /// Begins a handshake without security: the mechanism is NULL.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self::begin(role, Security::Null)
    }

    /// Begins a handshake in which the peer has to show that it owns a key; with
    /// `null_too`, one that asks for no security is served as well.
    #[must_use]
    pub fn with_curve(role: Role, keyring: Arc<dyn Keyring>, null_too: bool) -> Self {
        Self::begin(role, Security::Curve { keyring, null_too })
    }

    fn begin(role: Role, security: Security) -> Self {
        let mut unsent = SIGNATURE.to_vec();
        // An older peer would not understand more than this.
        unsent.extend(VERSION.first());
        Self {
            role,
            state: State::Signature,
            unsent,
            peer: Peer::default(),
            security,
            session: None,
        }
    }

    /// Returns what opens and makes boxes, when the handshake is done; once, and
    /// only where the mechanism is CURVE.
    pub fn take_session(&mut self) -> Option<Session> {
        self.session.take()
    }

    /// Returns what is to be sent to the peer, and forgets it. That holds after
    /// an error, too: a peer that has got the whole greeting does not try again
    /// many times a second.
    pub fn take_unsent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unsent)
    }

    /// Returns what this end is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns what the peer has told so far.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
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
                State::OldGreeting => self.old_greeting(rest)?,
                State::Curve(_) if self.session.is_none() => self.curve(rest)?,
                State::Curve(_) => return Ok((consumed, true)),
                State::Ready | State::OldIdentity => {
                    let length = match self.state {
                        State::Ready => self.ready(rest)?,
                        _ => self.old_identity(rest)?,
                    };
                    return Ok((consumed + length.unwrap_or(0), length.is_some()));
                }
            };
            match step {
                Some(length) => consumed += length,
                None => return Ok((consumed, false)),
            }
        }
    }

    /// Garbage is seen as such from its first bytes. A greeting is consumed as
    /// a whole, later.
    fn signature(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        if bytes.starts_with(VERSION_1) {
            return Err(HandshakeError::TooOld { major: 1 });
        }
        // The first byte alone may be the beginning of ZMTP 1.
        if !is_signature(bytes) && bytes != &VERSION_1[..1] {
            return Err(HandshakeError::NotZeroMq);
        }
        match bytes.get(VERSION_AT) {
            None => Ok(None),
            // ZMTP 2.0 counted its revisions: 0 is ZMTP 1 with a signature.
            Some(0) => Err(HandshakeError::TooOld { major: 1 }),
            Some(&major) if major < VERSION[0] => {
                self.peer.version = (2, 0);
                // It knows no mechanisms: to let it in would be a way around keys.
                if !self.offers(b"NULL") {
                    return Err(self.wrong_mechanism(b"NULL"));
                }
                self.state = State::OldGreeting;
                Ok(Some(0))
            }
            Some(_) => {
                if matches!(self.security, Security::Null) {
                    self.say_mechanism(b"NULL");
                }
                self.state = State::Greeting;
                Ok(Some(0))
            }
        }
    }

    /// Sends the rest of the greeting. With keys that waits for the peer's, so that
    /// each peer hears the mechanism that it asked for, if it is offered.
    fn say_mechanism(&mut self, mechanism: &[u8]) {
        let whole = greeting(mechanism);
        let rest = whole.get(VERSION_AT + 1..).unwrap_or_default();
        self.unsent.extend_from_slice(rest);
    }

    fn offers(&self, mechanism: &[u8]) -> bool {
        match &self.security {
            Security::Null => mechanism == b"NULL",
            Security::Curve { null_too, .. } => {
                mechanism == b"CURVE" || (*null_too && mechanism == b"NULL")
            }
        }
    }

    fn wrong_mechanism(&self, mechanism: &[u8]) -> HandshakeError {
        HandshakeError::Mechanism {
            mechanism: printable(mechanism),
            offered: match &self.security {
                Security::Null => "NULL",
                Security::Curve { .. } => "CURVE",
            },
        }
    }

    fn greeting(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some((version, mechanism)) = read_greeting(bytes)? else {
            return Ok(None);
        };
        self.peer.version = version;
        let offered = self.offers(mechanism);
        if let Security::Curve { keyring, .. } = &self.security {
            let server = Server::new(Arc::clone(keyring));
            // One that asks for what is not offered hears what is, and stops.
            match offered && mechanism == b"NULL" {
                true => self.say_mechanism(b"NULL"),
                false => self.say_mechanism(b"CURVE"),
            }
            if offered && mechanism == b"CURVE" {
                self.state = State::Curve(server);
                return Ok(Some(GREETING_BYTES));
            }
        }
        if !offered {
            return Err(self.wrong_mechanism(mechanism));
        }
        self.state = State::Ready;
        Ok(Some(GREETING_BYTES))
    }

    /// Goes on with CURVE; returns the length of the command that has come.
    fn curve(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some((body, end)) = whole_command(bytes)? else {
            return Ok(None);
        };
        let State::Curve(server) = &mut self.state else {
            return Ok(None);
        };
        let mut answer = Vec::new();
        if let Some(admitted) = server.command(body, &mut answer)? {
            self.session = Some(self.admit(admitted, &mut answer)?);
        }
        push_command(&mut self.unsent, &answer);
        Ok(Some(end))
    }

    /// Notes who has shown to own a key, and introduces this end to it.
    fn admit(&mut self, peer: Admitted, answer: &mut Vec<u8>) -> Result<Session, HandshakeError> {
        // Known also where the socket turns out to be of the wrong type.
        let (public, name) = (peer.key, Arc::clone(&peer.name));
        self.peer.key = Some(PeerKey { public, name });
        let ours = self.read_properties(&peer.metadata)?;
        Ok(peer.ready(&introduction(ours), answer))
    }

    /// Returns the length of the peer's introduction when it has come.
    fn ready(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some((body, end)) = whole_command(bytes)? else {
            return Ok(None);
        };
        let Some((b"READY", properties)) = split_name(body) else {
            return Err(HandshakeError::Malformed);
        };
        let ours = self.read_properties(properties)?;
        let ready = [b"\x05READY", &introduction(ours)[..]].concat();
        push_command(&mut self.unsent, &ready);
        Ok(Some(end))
    }

    /// Notes what the peer says of itself; returns what this end is to it.
    fn read_properties(&mut self, mut properties: &[u8]) -> Result<SocketType, HandshakeError> {
        // A peer that tells no type is taken for the right one, as by libzmq.
        let mut ours = self.towards(self.role.expected());
        while !properties.is_empty() {
            let (name, value, rest) =
                split_property(properties).ok_or(HandshakeError::Malformed)?;
            if name.eq_ignore_ascii_case(b"Socket-Type") {
                self.peer.socket_type = SocketType::from_name(value);
                ours = match self.peer.socket_type {
                    Some(found) => self.towards(found),
                    None => Err(self.wrong(printable(value))),
                };
            } else if name.eq_ignore_ascii_case(b"Identity") {
                self.peer.identity = value.to_vec();
            }
            properties = rest;
        }
        ours
    }

    fn towards(&self, peer: SocketType) -> Result<SocketType, HandshakeError> {
        let ours = self.role.towards(peer);
        ours.ok_or_else(|| self.wrong(peer.name().to_owned()))
    }

    fn wrong(&self, found: String) -> HandshakeError {
        let expected = self.role.expected().name();
        HandshakeError::SocketType { expected, found }
    }

    /// Reads the greeting of ZMTP 2.0, and answers with the same and an empty
    /// identity.
    fn old_greeting(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
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
        self.state = State::OldIdentity;
        Ok(Some(OLD_GREETING))
    }

    fn old_identity(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
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

/// Tells whether a greeting can begin with these bytes, of which there may be few yet.
pub(crate) fn is_signature(bytes: &[u8]) -> bool {
    let ends = [(0, 0xff, 0xff), (9, 0x01, 0x01)];
    let mut there = ends
        .into_iter()
        .filter_map(|(at, mask, value)| Some((bytes.get(at)?, mask, value)));
    there.all(|(byte, mask, value)| byte & mask == value)
}

/// Returns the whole greeting of this end.
pub(crate) fn greeting(mechanism: &[u8]) -> [u8; GREETING_BYTES] {
    let mut greeting = [0; GREETING_BYTES];
    let parts = [&SIGNATURE[..], &VERSION, mechanism];
    let bytes = parts.into_iter().flatten();
    greeting
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    greeting
}

/// A version, major and minor, and the name of a mechanism.
type Greeting<'a> = ((u8, u8), &'a [u8]);

/// Reads a whole greeting.
pub(crate) fn read_greeting(bytes: &[u8]) -> Result<Option<Greeting<'_>>, HandshakeError> {
    let Some(greeting) = bytes.get(..GREETING_BYTES) else {
        return Ok(None);
    };
    let Some(&[major, minor]) = greeting.get(VERSION_AT..VERSION_AT + 2) else {
        return Err(HandshakeError::NotZeroMq);
    };
    let mechanism = greeting.get(MECHANISM).unwrap_or_default();
    let mechanism = mechanism.split(|&byte| byte == 0).next();
    Ok(Some(((major, minor), mechanism.unwrap_or_default())))
}

/// Returns the body of the command that the bytes begin with, if it is whole, and
/// where it ends.
pub(crate) fn whole_command(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, HandshakeError> {
    let Some(header) = Header::parse(bytes)? else {
        return Ok(None);
    };
    if !header.command || header.body > MAX_READY {
        return Err(HandshakeError::Malformed);
    }
    let body = usize::try_from(header.body).map_err(|_| HandshakeError::Malformed)?;
    let end = header.length + body;
    Ok(bytes.get(header.length..end).map(|body| (body, end)))
}

/// What this end says of itself.
fn introduction(ours: SocketType) -> Vec<u8> {
    let mut properties = Vec::new();
    push_property(&mut properties, b"Socket-Type", ours.name().as_bytes());
    properties
}

/// A name of one byte's length and a value of four bytes' length.
pub(crate) fn split_property(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name, rest) = split_name(bytes)?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some((name, value, rest))
}

pub(crate) fn push_property(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend(u8::try_from(name.len()));
    out.extend_from_slice(name);
    out.extend(u32::try_from(value.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(value);
}

/// What a peer says of itself, fit for a log: short, and without control characters.
pub(crate) fn printable(bytes: &[u8]) -> String {
    const SHORT: usize = 20;
    let short = bytes.get(..SHORT).unwrap_or(bytes);
    short.escape_ascii().to_string()
}

#[cfg(test)]
mod tests;
