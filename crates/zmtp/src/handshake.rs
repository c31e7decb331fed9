//! The greeting, which chooses a mechanism, and the introduction: who the peer is.

mod version_2;

use std::sync::Arc;

use crate::command::split_name;
use crate::curve::{Admitted, Keyring, Server, Session};
use crate::error::{HandshakeError, printable};
use crate::frame::push_command;
use crate::greeting::{
    GREETING_BYTES, SIGNATURE, VERSION, VERSION_AT, greeting, is_signature, read_greeting,
};
use crate::peer::{Peer, PeerKey};
use crate::property::{introduction, split_property, whole_command};
use crate::socket_type::{Role, SocketType};

/// What an anonymous peer of ZMTP 1 begins with (libzmq 2): an empty identity.
const VERSION_1: &[u8] = &[1, 0];

/// The beginning of a connection, until both ends know each other.
///
/// What this end says of itself goes out after what the peer says: so a peer of
/// the wrong type can be named, and one of several right types gets the answer
/// that it expects.
#[derive(Debug)]
pub struct Handshake {
    role: Role,
    state: HandshakeState,
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
enum HandshakeState {
    Signature,
    Greeting,
    Ready,
    Curve(Server),
    /// ZMTP 2.0: the rest of the greeting, and then a frame with the identity.
    OldGreeting,
    OldIdentity,
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
            state: HandshakeState::Signature,
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
                HandshakeState::Signature => self.signature(rest)?,
                HandshakeState::Greeting => self.greeting(rest)?,
                HandshakeState::OldGreeting => self.old_greeting(rest)?,
                HandshakeState::Curve(_) if self.session.is_none() => self.curve(rest)?,
                HandshakeState::Curve(_) => return Ok((consumed, true)),
                HandshakeState::Ready | HandshakeState::OldIdentity => {
                    let length = match self.state {
                        HandshakeState::Ready => self.ready(rest)?,
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
                self.state = HandshakeState::OldGreeting;
                Ok(Some(0))
            }
            Some(_) => {
                if matches!(self.security, Security::Null) {
                    self.say_mechanism(b"NULL");
                }
                self.state = HandshakeState::Greeting;
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
                self.state = HandshakeState::Curve(server);
                return Ok(Some(GREETING_BYTES));
            }
        }
        if !offered {
            return Err(self.wrong_mechanism(mechanism));
        }
        self.state = HandshakeState::Ready;
        Ok(Some(GREETING_BYTES))
    }

    /// Goes on with CURVE; returns the length of the command that has come.
    fn curve(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some((body, end)) = whole_command(bytes)? else {
            return Ok(None);
        };
        let HandshakeState::Curve(server) = &mut self.state else {
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
}

#[cfg(test)]
mod tests;
