//! The server's side of the handshake.

use std::fmt;
use std::sync::Arc;

use super::Session;
use super::boxes::{KEY, MAC, Shared};
use super::error::CurveError;
use super::keys::{Keypair, PublicKey, random};
use super::nonce::{self, LONG, SHORT};

/// How many bytes the client has to send back as they are.
pub(super) const COOKIE: usize = 96;
pub(super) const HELLO: &[u8] = b"\x05HELLO";
pub(super) const WELCOME: &[u8] = b"\x07WELCOME";
pub(super) const INITIATE: &[u8] = b"\x08INITIATE";
pub(super) const READY: &[u8] = b"\x05READY";
/// The version of CURVE, and zeros that make the first command of a client longer
/// than the answer to it.
pub(super) const HELLO_FRONT: [u8; 74] = {
    let mut front = [0; 74];
    front[0] = 1;
    front
};
pub(super) const HELLO_PURPOSE: &[u8; 16] = b"CurveZMQHELLO---";
pub(super) const WELCOME_PURPOSE: &[u8; 8] = b"WELCOME-";
pub(super) const VOUCH_PURPOSE: &[u8; 8] = b"VOUCH---";
pub(super) const INITIATE_PURPOSE: &[u8; 16] = b"CurveZMQINITIATE";
pub(super) const READY_PURPOSE: &[u8; 16] = b"CurveZMQREADY---";
/// What the box of a HELLO holds: zeros, which only prove who sent them.
pub(super) const SIGNATURE: usize = 64;
/// A box with two keys.
pub(super) const VOUCH: usize = MAC + 2 * KEY;

/// Whom a server lets in.
pub trait Keyring: fmt::Debug + Send + Sync {
    /// Returns the server's own keys.
    fn own(&self) -> &Keypair;

    /// Returns the name under which the owner of a key is let in; `None` where it
    /// is not.
    fn name_of(&self, key: &PublicKey) -> Option<Arc<str>>;
}

/// The server's side of a handshake behind the greeting.
#[derive(Debug)]
pub(crate) struct Server {
    keyring: Arc<dyn Keyring>,
    state: ServerState,
}

#[derive(Debug)]
enum ServerState {
    Hello,
    Initiate(Box<Waiting>),
    Done,
}

/// What is remembered between WELCOME and INITIATE.
#[derive(Debug)]
struct Waiting {
    /// The nonce of HELLO.
    heard: u64,
    /// The key that the client has made for this connection.
    client: [u8; KEY],
    /// The one of this end.
    own: Keypair,
    shared: Shared,
    cookie: [u8; COOKIE],
}

/// A client that has proven to own a key that is let in.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) key: PublicKey,
    pub(crate) name: Arc<str>,
    /// The properties of its socket.
    pub(crate) metadata: Vec<u8>,
    shared: Shared,
    heard: u64,
}

impl Server {
    pub(crate) fn new(keyring: Arc<dyn Keyring>) -> Self {
        let state = ServerState::Hello;
        Self { keyring, state }
    }

    /// Takes the body of the next command that has come, and adds the body of the
    /// answer, if there is one to be given already.
    pub(crate) fn command(
        &mut self,
        body: &[u8],
        answer: &mut Vec<u8>,
    ) -> Result<Option<Admitted>, CurveError> {
        match std::mem::replace(&mut self.state, ServerState::Done) {
            ServerState::Hello => {
                let waiting = self.hello(body, answer)?;
                self.state = ServerState::Initiate(Box::new(waiting));
                Ok(None)
            }
            ServerState::Initiate(waiting) => self.initiate(*waiting, body).map(Some),
            ServerState::Done => Err(CurveError::Malformed {
                expected: "MESSAGE",
            }),
        }
    }

    fn hello(&self, body: &[u8], answer: &mut Vec<u8>) -> Result<Waiting, CurveError> {
        const NAME: &str = "HELLO";
        let malformed = CurveError::Malformed { expected: NAME };
        let parts = split_hello(body).ok_or(malformed)?;
        let (client, counter, signature) = parts;
        let own = self.keyring.own();
        let wrong = CurveError::Box {
            command: NAME,
            reason: "it was made for another server key",
        };
        let shared = Shared::agree(client, &own.secret.0).ok_or_else(|| wrong.clone())?;
        let heard = u64::from_be_bytes(*counter);
        let zeros = shared.take(signature, &nonce::counted(HELLO_PURPOSE, heard));
        if zeros.is_none_or(|zeros| zeros[..] != [0; SIGNATURE]) {
            return Err(wrong);
        }
        let waiting = Waiting {
            heard,
            client: *client,
            own: Keypair::generate().map_err(|_| CurveError::Random)?,
            // Taken for what follows; that of the long-term key was for HELLO.
            shared: shared.clone(),
            cookie: random().map_err(|_| CurveError::Random)?,
        };
        let number: [u8; LONG] = random().map_err(|_| CurveError::Random)?;
        answer.extend_from_slice(WELCOME);
        answer.extend_from_slice(&number);
        let parts = [&waiting.own.public.0[..], &waiting.cookie];
        shared.push(answer, &parts, &nonce::random(WELCOME_PURPOSE, &number));
        let shared = Shared::agree(client, &waiting.own.secret.0).ok_or(wrong)?;
        Ok(Waiting { shared, ..waiting })
    }

    fn initiate(&self, waiting: Waiting, body: &[u8]) -> Result<Admitted, CurveError> {
        const NAME: &str = "INITIATE";
        let malformed = || CurveError::Malformed { expected: NAME };
        let (cookie, counter, sealed) = split_initiate(body).ok_or_else(malformed)?;
        // It was sent once, sealed, over this very connection, which a wrong one ends.
        if *cookie != waiting.cookie {
            return Err(wrong_box("its cookie is not the one that it was given"));
        }
        let mut heard = waiting.heard;
        let nonce = u64::from_be_bytes(*counter);
        if !nonce::advance(&mut heard, nonce) {
            let (command, last) = (NAME, waiting.heard);
            return Err(CurveError::Nonce {
                command,
                nonce,
                last,
            });
        }
        let opened = waiting
            .shared
            .take(sealed, &nonce::counted(INITIATE_PURPOSE, nonce))
            .ok_or_else(|| {
                wrong_box("it was changed on its way, or belongs to another connection")
            })?;
        let (key, rest) = opened.split_first_chunk::<KEY>().ok_or_else(malformed)?;
        let (number, rest) = rest.split_first_chunk::<LONG>().ok_or_else(malformed)?;
        let (vouch, metadata) = rest.split_at_checked(VOUCH).ok_or_else(malformed)?;
        self.check_vouch(&waiting, key, number, vouch)?;
        let key = PublicKey(*key);
        let name = self.keyring.name_of(&key);
        Ok(Admitted {
            key,
            name: name.ok_or(CurveError::Unknown { key })?,
            metadata: metadata.to_vec(),
            shared: waiting.shared,
            heard,
        })
    }

    /// The owner of the long-term key has to say itself that the connection's key is
    /// its own, and that it means this server: else somebody could pass on what it
    /// has said to another one.
    fn check_vouch(
        &self,
        waiting: &Waiting,
        key: &[u8; KEY],
        number: &[u8; LONG],
        vouch: &[u8],
    ) -> Result<(), CurveError> {
        let forged = || wrong_box("its owner does not vouch for it");
        let shared = Shared::agree(key, &waiting.own.secret.0).ok_or_else(forged)?;
        let said = shared.take(vouch, &nonce::random(VOUCH_PURPOSE, number));
        let meant = [waiting.client, self.keyring.own().public.0].concat();
        match said {
            Some(said) if *said == meant => Ok(()),
            _ => Err(forged()),
        }
    }
}

fn wrong_box(reason: &'static str) -> CurveError {
    let command = "INITIATE";
    CurveError::Box { command, reason }
}

impl Admitted {
    /// Appends the body of the last answer, and begins with messages.
    pub(crate) fn ready(self, metadata: &[u8], answer: &mut Vec<u8>) -> Session {
        let said = 1_u64;
        answer.extend_from_slice(READY);
        answer.extend_from_slice(&said.to_be_bytes());
        self.shared
            .push(answer, &[metadata], &nonce::counted(READY_PURPOSE, said));
        Session::new(self.shared, true, self.heard, said)
    }
}

type Hello<'a> = (&'a [u8; KEY], &'a [u8; SHORT], &'a [u8]);

fn split_hello(body: &[u8]) -> Option<Hello<'_>> {
    let rest = body.strip_prefix(HELLO)?;
    // The minor version is the client's business, and the zeros mean nothing.
    let (front, rest) = rest.split_at_checked(HELLO_FRONT.len())?;
    let (client, rest) = rest.split_first_chunk()?;
    let (counter, signature) = rest.split_first_chunk()?;
    let whole = front.first() == Some(&1) && signature.len() == MAC + SIGNATURE;
    whole.then_some((client, counter, signature))
}

type Initiate<'a> = (&'a [u8; COOKIE], &'a [u8; SHORT], &'a [u8]);

fn split_initiate(body: &[u8]) -> Option<Initiate<'_>> {
    let rest = body.strip_prefix(INITIATE)?;
    let (cookie, rest) = rest.split_first_chunk()?;
    let (counter, sealed) = rest.split_first_chunk()?;
    Some((cookie, counter, sealed))
}
