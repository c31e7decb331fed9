//! The client's side: it shows its key to a server whose key it knows.

use super::Session;
use super::boxes::{KEY, MAC, Shared};
use super::error::CurveError;
use super::keys::{Keypair, PublicKey, random};
use super::nonce::{self, LONG, SHORT};
use super::server::{
    COOKIE, HELLO, HELLO_FRONT, HELLO_PURPOSE, INITIATE, INITIATE_PURPOSE, READY, READY_PURPOSE,
    SIGNATURE, VOUCH_PURPOSE, WELCOME, WELCOME_PURPOSE,
};

/// What a client says and hears of CURVE, from the greeting on until it is let in.
#[derive(Debug)]
pub(crate) struct Initiator {
    own: Keypair,
    server: PublicKey,
    /// The key that is made for this connection.
    transient: Keypair,
    /// What both ends know when WELCOME has come.
    shared: Option<Shared>,
}

impl Initiator {
    /// Begins as the owner of a key, towards the server that owns `server`.
    pub(crate) fn new(own: Keypair, server: PublicKey) -> Result<Self, CurveError> {
        Ok(Self {
            own,
            server,
            transient: Keypair::generate().map_err(|_| CurveError::Random)?,
            shared: None,
        })
    }

    /// Tells whether WELCOME is what comes next, and not READY.
    pub(crate) fn expects_welcome(&self) -> bool {
        self.shared.is_none()
    }

    /// Returns the first command.
    pub(crate) fn hello(&self) -> Result<Vec<u8>, CurveError> {
        let shared = Shared::agree(&self.server.0, &self.transient.secret.0);
        let shared = shared.ok_or(wrong("HELLO", "the server's key is none"))?;
        let said = 1_u64;
        let mut hello = [HELLO, &HELLO_FRONT, &self.transient.public.0].concat();
        hello.extend_from_slice(&said.to_be_bytes());
        let nonce = nonce::counted(HELLO_PURPOSE, said);
        shared.push(&mut hello, &[&[0; SIGNATURE]], &nonce);
        Ok(hello)
    }

    /// Reads WELCOME; returns the command that shows who this client is.
    pub(crate) fn welcome(
        &mut self,
        body: &[u8],
        properties: &[u8],
    ) -> Result<Vec<u8>, CurveError> {
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
        let initiate = self.initiate(server, cookie, &shared, properties);
        self.shared = Some(shared);
        initiate
    }

    /// Shows the long-term key, to the server alone.
    fn initiate(
        &self,
        server: &[u8; KEY],
        cookie: &[u8],
        shared: &Shared,
        properties: &[u8],
    ) -> Result<Vec<u8>, CurveError> {
        let number: [u8; LONG] = random().map_err(|_| CurveError::Random)?;
        let vouching = Shared::agree(server, &self.own.secret.0);
        let vouching = vouching.ok_or(wrong("WELCOME", "its key is none"))?;
        let mut vouch = Vec::new();
        let meant = [&self.transient.public.0[..], &self.server.0];
        vouching.push(&mut vouch, &meant, &nonce::random(VOUCH_PURPOSE, &number));
        let said = 2_u64;
        let mut initiate = [INITIATE, cookie, &said.to_be_bytes()].concat();
        let parts = [&self.own.public.0[..], &number, &vouch, properties];
        shared.push(
            &mut initiate,
            &parts,
            &nonce::counted(INITIATE_PURPOSE, said),
        );
        Ok(initiate)
    }

    /// Reads READY; returns what the server says of itself, and both ways from now on.
    pub(crate) fn ready(&mut self, body: &[u8]) -> Result<(Vec<u8>, Session), CurveError> {
        const NAME: &str = "READY";
        let parts = body
            .strip_prefix(READY)
            .and_then(<[u8]>::split_first_chunk::<SHORT>);
        let (counter, sealed) = parts.ok_or(CurveError::Malformed { expected: NAME })?;
        let heard = u64::from_be_bytes(*counter);
        let shared = self
            .shared
            .as_ref()
            .ok_or(CurveError::Malformed { expected: NAME })?;
        let opened = shared.take(sealed, &nonce::counted(READY_PURPOSE, heard));
        let opened = opened.ok_or(wrong(NAME, "it was changed on its way"))?;
        Ok((
            opened.to_vec(),
            Session::new(shared.clone(), false, heard, 2),
        ))
    }
}

fn wrong(command: &'static str, reason: &'static str) -> CurveError {
    CurveError::Box { command, reason }
}
