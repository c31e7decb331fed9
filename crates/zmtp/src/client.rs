//! The side that connects: its greeting, its mechanism, and what it says of itself.

use crate::command::split_name;
use crate::curve::{CurveError, Initiator, Keypair, PublicKey, Session};
use crate::error::{HandshakeError, printable};
use crate::frame::push_command;
use crate::greeting::{GREETING_BYTES, greeting, is_signature, read_greeting};
use crate::peer::Peer;
use crate::property::{push_property, split_property, whole_command};
use crate::socket_type::SocketType;

/// The beginning of a connection, at the end that has asked for it.
///
/// It is to a [`Handshake`](crate::Handshake) what a client is to a server: it says
/// everything that it has to say as soon as it may, and the server answers.
///
/// ```
/// use zmtp::{Client, Handshake, Role, SocketType};
///
/// let mut client = Client::new(SocketType::Dealer, b"");
/// let mut server = Handshake::new(Role::Router);
/// let (mut at_client, mut at_server, mut ended) = (Vec::new(), Vec::new(), (false, false));
/// while ended != (true, true) {
///     at_server.extend(client.take_unsent());
///     let (consumed, done) = server.advance(&at_server)?;
///     at_server.drain(..consumed);
///     ended.0 |= done;
///     at_client.extend(server.take_unsent());
///     let (consumed, done) = client.advance(&at_client)?;
///     at_client.drain(..consumed);
///     ended.1 |= done;
/// }
/// assert_eq!(server.peer().socket_type, Some(SocketType::Dealer));
/// assert_eq!(client.peer().socket_type, Some(SocketType::Router));
/// # Ok::<(), zmtp::HandshakeError>(())
/// ```
#[derive(Debug)]
pub struct Client {
    socket_type: SocketType,
    /// What it says of itself.
    properties: Vec<u8>,
    mechanism: Mechanism,
    state: ClientState,
    unsent: Vec<u8>,
    peer: Peer,
    session: Option<Session>,
}

#[derive(Debug)]
enum Mechanism {
    Null,
    Curve(Box<Initiator>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientState {
    Greeting,
    /// Commands of the mechanism come, the last one a READY.
    Commands,
    Done,
}

impl Client {
    /// Begins a handshake without security: the mechanism is NULL.
    #[must_use]
    pub fn new(socket_type: SocketType, identity: &[u8]) -> Self {
        Self::begin(socket_type, identity, Mechanism::Null)
    }

    /// Begins a handshake as the owner of a key with the server that owns `server`.
    ///
    /// # Errors
    /// [`CurveError::Random`] where the system gives no random bytes.
    pub fn with_curve(
        socket_type: SocketType,
        identity: &[u8],
        own: Keypair,
        server: PublicKey,
    ) -> Result<Self, CurveError> {
        let mechanism = Mechanism::Curve(Box::new(Initiator::new(own, server)?));
        Ok(Self::begin(socket_type, identity, mechanism))
    }

    fn begin(socket_type: SocketType, identity: &[u8], mechanism: Mechanism) -> Self {
        let mut properties = Vec::new();
        push_property(
            &mut properties,
            b"Socket-Type",
            socket_type.name().as_bytes(),
        );
        push_property(&mut properties, b"Identity", identity);
        Self {
            socket_type,
            properties,
            unsent: greeting(mechanism.name().as_bytes()).to_vec(),
            mechanism,
            state: ClientState::Greeting,
            peer: Peer::default(),
            session: None,
        }
    }

    /// Returns what is to be sent to the server, and forgets it.
    pub fn take_unsent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unsent)
    }

    /// Returns what the server has told so far.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Returns what opens and makes boxes, when the handshake is done; once, and only
    /// where the mechanism is CURVE.
    pub fn take_session(&mut self) -> Option<Session> {
        self.session.take()
    }

    /// Looks at what has come so far; what was consumed is not to be passed again.
    /// The second value tells whether the handshake is done.
    ///
    /// # Errors
    /// [`HandshakeError`] where the connection can't be used.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<(usize, bool), HandshakeError> {
        let mut consumed = 0;
        loop {
            let rest = bytes.get(consumed..).unwrap_or_default();
            let length = match self.state {
                ClientState::Done => return Ok((consumed, true)),
                ClientState::Greeting => self.greeting(rest)?,
                ClientState::Commands => self.command(rest)?,
            };
            match length {
                Some(length) => consumed += length,
                None => return Ok((consumed, false)),
            }
        }
    }

    fn greeting(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        // A server of another kind says so in its first bytes, and no more after that.
        if !is_signature(bytes) {
            return Err(HandshakeError::NotZeroMq);
        }
        let Some((version, mechanism)) = read_greeting(bytes)? else {
            return Ok(None);
        };
        self.peer.version = version;
        let ours = self.mechanism.name();
        if mechanism != ours.as_bytes() {
            return Err(HandshakeError::Mechanism {
                mechanism: printable(mechanism),
                offered: ours,
            });
        }
        let first = match &mut self.mechanism {
            Mechanism::Null => [b"\x05READY", &self.properties[..]].concat(),
            Mechanism::Curve(initiator) => initiator.hello()?,
        };
        push_command(&mut self.unsent, &first);
        self.state = ClientState::Commands;
        Ok(Some(GREETING_BYTES))
    }

    fn command(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some((body, end)) = whole_command(bytes)? else {
            return Ok(None);
        };
        if let Some(reason) = body.strip_prefix(b"\x05ERROR") {
            let reason = printable(reason.get(1..).unwrap_or_default());
            return Err(HandshakeError::Refused { reason });
        }
        match &mut self.mechanism {
            Mechanism::Null => {
                let Some((b"READY", properties)) = split_name(body) else {
                    return Err(HandshakeError::Malformed);
                };
                self.read_properties(properties)?;
                self.state = ClientState::Done;
            }
            Mechanism::Curve(initiator) if initiator.expects_welcome() => {
                let initiate = initiator.welcome(body, &self.properties)?;
                push_command(&mut self.unsent, &initiate);
            }
            Mechanism::Curve(initiator) => {
                let (properties, session) = initiator.ready(body)?;
                self.read_properties(&properties)?;
                self.session = Some(session);
                self.state = ClientState::Done;
            }
        }
        Ok(Some(end))
    }

    fn read_properties(&mut self, mut properties: &[u8]) -> Result<(), HandshakeError> {
        while !properties.is_empty() {
            let (name, value, rest) =
                split_property(properties).ok_or(HandshakeError::Malformed)?;
            if name.eq_ignore_ascii_case(b"Socket-Type") {
                let found = SocketType::from_name(value);
                if !found.is_some_and(|found| self.socket_type.talks_to(found)) {
                    return Err(HandshakeError::Partner {
                        ours: self.socket_type.name(),
                        found: printable(value),
                    });
                }
                self.peer.socket_type = found;
            } else if name.eq_ignore_ascii_case(b"Identity") {
                self.peer.identity = value.to_vec();
            }
            properties = rest;
        }
        Ok(())
    }
}

impl Mechanism {
    fn name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Curve(_) => "CURVE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Handshake, Role};

    /// Lets both ends talk until they are done, or one has had enough.
    fn meet(client: &mut Client, server: &mut Handshake) -> Result<(), HandshakeError> {
        let (mut at_client, mut at_server, mut done) = (Vec::new(), Vec::new(), (false, false));
        for _ in 0..10 {
            at_server.extend(client.take_unsent());
            let (consumed, server_done) = server.advance(&at_server)?;
            at_server.drain(..consumed);
            at_client.extend(server.take_unsent());
            let (consumed, client_done) = client.advance(&at_client)?;
            at_client.drain(..consumed);
            done = (done.0 || server_done, done.1 || client_done);
            if done == (true, true) {
                return Ok(());
            }
        }
        Err(HandshakeError::Malformed)
    }

    #[test]
    fn a_client_of_each_kind_is_let_in_and_both_know_each_other() {
        let kinds = [
            (SocketType::Dealer, Role::Router, SocketType::Router),
            (SocketType::Sub, Role::Publisher, SocketType::Pub),
            (SocketType::Xpub, Role::Subscriber, SocketType::Sub),
            (SocketType::Push, Role::Subscriber, SocketType::Pull),
        ];
        for (kind, role, answer) in kinds {
            let mut client = Client::new(kind, b"me");
            let mut server = Handshake::new(role);
            meet(&mut client, &mut server).unwrap();
            assert_eq!(client.peer().socket_type, Some(answer));
            assert_eq!(client.peer().version, (3, 1));
            assert_eq!(server.peer().socket_type, Some(kind));
            assert_eq!(server.peer().identity, b"me");
            assert!(client.take_session().is_none(), "nothing is in boxes");
        }
    }

    #[test]
    fn whatever_the_pieces_are_in_which_the_server_is_heard() {
        let mut server = greeting(b"NULL").to_vec();
        push_command(&mut server, b"\x05READY\x0bSocket-Type\0\0\0\x06ROUTER");
        server.extend_from_slice(b"\0\x02hi");
        let mut client = Client::new(SocketType::Dealer, b"");
        let (mut start, mut end) = (0, 0);
        while end < server.len() {
            end += 1;
            let (consumed, done) = client.advance(&server[start..end]).unwrap();
            start += consumed;
            assert_eq!(done, end >= server.len() - 4, "at {end}");
        }
        assert_eq!(&server[start..], b"\0\x02hi", "a message is not consumed");
    }

    #[test]
    fn a_server_that_is_none_or_asks_for_something_else_is_named() {
        let hear = |bytes: &[u8]| Client::new(SocketType::Dealer, b"").advance(bytes);
        for other in [&b"SSH-2.0-OpenSSH"[..], b"HTTP/1.1 400 Bad Request", b"\0"] {
            assert_eq!(hear(other), Err(HandshakeError::NotZeroMq), "{other:?}");
        }
        let error = hear(&greeting(b"CURVE")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "it asks for the security mechanism \"CURVE\"; only NULL is offered"
        );
        let answer = |command: &[u8]| {
            let mut bytes = greeting(b"NULL").to_vec();
            push_command(&mut bytes, command);
            hear(&bytes).unwrap_err().to_string()
        };
        let wrong = answer(b"\x05READY\x0bSocket-Type\0\0\0\x04PULL");
        assert_eq!(
            wrong,
            "it is a PULL socket, which a DEALER socket does not talk to"
        );
        let refused = answer(b"\x05ERROR\x03400");
        assert_eq!(refused, "it refuses the connection: \"400\"");
        assert_eq!(answer(b"\x04PING\0\0"), "its introduction is malformed");
    }
}
