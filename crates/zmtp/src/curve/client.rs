//! The client's side, for programs that connect to a server with a key.

use super::Session;
use super::boxes::{KEY, MAC, Shared};
use super::error::CurveError;
use super::keys::{Keypair, PublicKey, random};
use super::nonce::{self, LONG, SHORT};
use super::server::{
    COOKIE, HELLO, HELLO_FRONT, HELLO_PURPOSE, INITIATE, INITIATE_PURPOSE, READY, READY_PURPOSE,
    SIGNATURE, VOUCH_PURPOSE, WELCOME, WELCOME_PURPOSE,
};
use crate::frame::{Header, push_command};
use crate::handshake::{
    GREETING_BYTES, HandshakeError, MAX_READY, Peer, greeting, printable, push_property,
    read_greeting, split_property,
};
use crate::socket_type::SocketType;

/// The beginning of a connection to a server with a key.
///
/// ```
/// use std::sync::Arc;
/// use zmtp::curve::{Client, Keypair, Keyring, PublicKey};
/// use zmtp::{Handshake, Role, SocketType};
///
/// #[derive(Debug)]
/// struct Everybody(Keypair);
/// impl Keyring for Everybody {
///     fn own(&self) -> &Keypair {
///         &self.0
///     }
///     fn name_of(&self, _: &PublicKey) -> Option<Arc<str>> {
///         Some("guest".into())
///     }
/// }
///
/// let pair = Keypair::generate()?;
/// let mut client = Client::new(SocketType::Dealer, b"", Keypair::generate()?, pair.public)?;
/// let mut server = Handshake::with_curve(Role::Router, Arc::new(Everybody(pair)), false);
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
/// assert_eq!(&*server.peer().key.as_ref().expect("it was shown").name, "guest");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client {
    socket_type: SocketType,
    identity: Vec<u8>,
    own: Keypair,
    server: PublicKey,
    /// The key that is made for this connection.
    transient: Keypair,
    state: State,
    unsent: Vec<u8>,
    peer: Peer,
    session: Option<Session>,
}

#[derive(Debug)]
enum State {
    Greeting,
    Welcome,
    Ready(Shared),
    Done,
}

impl Client {
    /// Begins a handshake as the owner of a key with the server that owns `server`.
    ///
    /// # Errors
    /// [`CurveError::Random`] where the system gives no random bytes.
    pub fn new(
        socket_type: SocketType,
        identity: &[u8],
        own: Keypair,
        server: PublicKey,
    ) -> Result<Self, CurveError> {
        Ok(Self {
            socket_type,
            identity: identity.to_vec(),
            own,
            server,
            transient: Keypair::generate().map_err(|_| CurveError::Random)?,
            state: State::Greeting,
            unsent: greeting(b"CURVE").to_vec(),
            peer: Peer::default(),
            session: None,
        })
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

    /// Returns what opens and makes boxes, when the handshake is done; once.
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
                State::Done => return Ok((consumed, true)),
                State::Greeting => self.greeting(rest)?,
                _ => self.command(rest)?,
            };
            match length {
                Some(length) => consumed += length,
                None => return Ok((consumed, false)),
            }
        }
    }

    fn greeting(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some((version, mechanism)) = read_greeting(bytes)? else {
            return Ok(None);
        };
        self.peer.version = version;
        if mechanism != b"CURVE" {
            return Err(HandshakeError::Mechanism {
                mechanism: printable(mechanism),
                offered: "CURVE",
            });
        }
        self.hello()?;
        self.state = State::Welcome;
        Ok(Some(GREETING_BYTES))
    }

    fn hello(&mut self) -> Result<(), CurveError> {
        let shared = Shared::agree(&self.server.0, &self.transient.secret.0);
        let shared = shared.ok_or(wrong("HELLO", "the server's key is none"))?;
        let said = 1_u64;
        let mut hello = [HELLO, &HELLO_FRONT, &self.transient.public.0].concat();
        hello.extend_from_slice(&said.to_be_bytes());
        let nonce = nonce::counted(HELLO_PURPOSE, said);
        shared.push(&mut hello, &[&[0; SIGNATURE]], &nonce);
        push_command(&mut self.unsent, &hello);
        Ok(())
    }

    fn command(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let Some(header) = Header::parse(bytes)? else {
            return Ok(None);
        };
        if !header.command || header.body > MAX_READY {
            return Err(HandshakeError::Malformed);
        }
        let end = header.length + usize::try_from(header.body).unwrap_or(0);
        let Some(body) = bytes.get(header.length..end) else {
            return Ok(None);
        };
        if let Some(reason) = body.strip_prefix(b"\x05ERROR") {
            let reason = printable(reason.get(1..).unwrap_or_default());
            return Err(CurveError::Refused { reason }.into());
        }
        match std::mem::replace(&mut self.state, State::Done) {
            State::Welcome => self.state = State::Ready(self.welcome(body)?),
            State::Ready(shared) => self.ready(shared, body)?,
            State::Greeting | State::Done => return Err(HandshakeError::Malformed),
        }
        Ok(Some(end))
    }

    fn welcome(&mut self, body: &[u8]) -> Result<Shared, CurveError> {
        const NAME: &str = "WELCOME";
        let parts = body
            .strip_prefix(WELCOME)
            .and_then(<[u8]>::split_first_chunk::<LONG>);
        let (number, sealed) = parts.ok_or(CurveError::Malformed { expected: NAME })?;
        let forged = wrong(NAME, "it is of another server");
        let agreed = Shared::agree(&self.server.0, &self.transient.secret.0);
        let opened = agreed.and_then(|shared| {
            let nonce = nonce::random(WELCOME_PURPOSE, number);
            (sealed.len() == MAC + KEY + COOKIE)
                .then(|| shared.take(sealed, &nonce))
                .flatten()
        });
        let opened = opened.ok_or(forged.clone())?;
        let (server, cookie) = opened.split_first_chunk::<KEY>().ok_or(forged.clone())?;
        let shared = Shared::agree(server, &self.transient.secret.0).ok_or(forged)?;
        self.initiate(server, cookie, &shared)?;
        Ok(shared)
    }

    /// Shows the long-term key, to the server alone.
    fn initiate(
        &mut self,
        server: &[u8; KEY],
        cookie: &[u8],
        shared: &Shared,
    ) -> Result<(), CurveError> {
        let number: [u8; LONG] = random().map_err(|_| CurveError::Random)?;
        let vouching = Shared::agree(server, &self.own.secret.0);
        let vouching = vouching.ok_or(wrong("WELCOME", "its key is none"))?;
        let mut vouch = Vec::new();
        let meant = [&self.transient.public.0[..], &self.server.0];
        vouching.push(&mut vouch, &meant, &nonce::random(VOUCH_PURPOSE, &number));
        let mut metadata = Vec::new();
        push_property(
            &mut metadata,
            b"Socket-Type",
            self.socket_type.name().as_bytes(),
        );
        push_property(&mut metadata, b"Identity", &self.identity);
        let said = 2_u64;
        let mut initiate = [INITIATE, cookie, &said.to_be_bytes()].concat();
        let parts = [&self.own.public.0[..], &number, &vouch, &metadata];
        shared.push(
            &mut initiate,
            &parts,
            &nonce::counted(INITIATE_PURPOSE, said),
        );
        push_command(&mut self.unsent, &initiate);
        Ok(())
    }

    fn ready(&mut self, shared: Shared, body: &[u8]) -> Result<(), HandshakeError> {
        const NAME: &str = "READY";
        let parts = body
            .strip_prefix(READY)
            .and_then(<[u8]>::split_first_chunk::<SHORT>);
        let (counter, sealed) = parts.ok_or(CurveError::Malformed { expected: NAME })?;
        let heard = u64::from_be_bytes(*counter);
        let opened = shared.take(sealed, &nonce::counted(READY_PURPOSE, heard));
        let opened = opened.ok_or(wrong(NAME, "it was changed on its way"))?;
        let mut properties = &opened[..];
        while !properties.is_empty() {
            let (name, value, rest) =
                split_property(properties).ok_or(HandshakeError::Malformed)?;
            if name.eq_ignore_ascii_case(b"Socket-Type") {
                self.peer.socket_type = SocketType::from_name(value);
            }
            properties = rest;
        }
        self.session = Some(Session::new(shared, false, heard, 2));
        Ok(())
    }
}

fn wrong(command: &'static str, reason: &'static str) -> CurveError {
    CurveError::Box { command, reason }
}
