//! The handshake with a peer.

use std::io::{self, Read as _, Write as _};
use std::time::{Duration, Instant};

use socket2::Socket;
use zmtp::curve::CurveError;
use zmtp::{Client, HandshakeError, SocketType};

use crate::keys::Keys;
use crate::link::Link;
use crate::wait::{is_pause, wait};

/// A connection before the end of its handshake.
pub(crate) struct Shaking {
    /// Taken when the handshake is done.
    stream: Option<Socket>,
    client: Client,
    with_keys: bool,
    give_up: Instant,
    /// What has come and was not consumed.
    held: Vec<u8>,
    unsent: Vec<u8>,
}

/// Why a peer does not let this end in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the broker wants to be shown a key")]
    WantsKey,
    #[error("the broker asks for no keys, and was to be shown one")]
    WantsNone,
    #[error(
        "the broker did not finish the handshake: it has not let this key in, or has another one \
         itself; its log says which"
    )]
    Silent,
    #[error("whoever listens there did not finish ZeroMQ's handshake: {0}")]
    Ended(io::Error),
    #[error(transparent)]
    Handshake(HandshakeError),
}

impl Refusal {
    /// Tells whether the same will come of the next attempt, most likely.
    pub(crate) fn is_lasting(&self) -> bool {
        !matches!(self, Self::Ended(_))
    }
}

impl Shaking {
    pub(crate) fn new(
        stream: Socket,
        kind: SocketType,
        keys: Option<&Keys>,
        give_up: Instant,
    ) -> Result<Self, CurveError> {
        let client = match keys {
            Some(keys) => Client::with_curve(kind, b"", keys.own.clone(), keys.server)?,
            None => Client::new(kind, b""),
        };
        Ok(Self {
            stream: Some(stream),
            client,
            with_keys: keys.is_some(),
            give_up,
            held: Vec::new(),
            unsent: Vec::new(),
        })
    }

    /// Waits for the peer once, for at most this time; returns the connection when the
    /// handshake is done.
    pub(crate) fn step(&mut self, most: Duration) -> Result<Option<Link>, Refusal> {
        let came = self.read(most).map_err(|error| self.ended(error))?;
        let advanced = self.client.advance(&self.held);
        self.unsent.extend(self.client.take_unsent());
        let (consumed, done) = advanced.map_err(|error| self.named(error))?;
        self.held.drain(..consumed);
        self.write().map_err(|error| self.ended(error))?;
        if done && self.unsent.is_empty() {
            let behind = std::mem::take(&mut self.held);
            let (peer, session) = (self.client.peer().clone(), self.client.take_session());
            let stream = self.stream.take();
            return Ok(stream.map(|stream| Link::new(stream, peer, session, behind)));
        }
        if !came && Instant::now() >= self.give_up {
            return Err(self.ended(io::ErrorKind::TimedOut.into()));
        }
        Ok(None)
    }

    /// Reads once; false where nothing comes in that time.
    fn read(&mut self, most: Duration) -> io::Result<bool> {
        self.unsent.extend(self.client.take_unsent());
        self.write()?;
        let Some(stream) = &self.stream else {
            return Ok(false);
        };
        let left = self.give_up.saturating_duration_since(Instant::now());
        if !wait(stream, true, !self.unsent.is_empty(), most.min(left))? {
            return Ok(false);
        }
        let (mut reader, mut buffer) = (stream, [0; 4096]);
        match reader.read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                self.held.extend_from_slice(bytes);
                Ok(true)
            }
            Err(error) if is_pause(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(mut stream) = self.stream.as_ref() else {
            return Ok(());
        };
        while !self.unsent.is_empty() {
            match stream.write(&self.unsent) {
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(error) if is_pause(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The peer has gone away or says nothing: with keys that is how it refuses.
    fn ended(&self, error: io::Error) -> Refusal {
        match self.with_keys && self.client.peer().version > (0, 0) {
            true => Refusal::Silent,
            false => Refusal::Ended(error),
        }
    }

    fn named(&self, error: HandshakeError) -> Refusal {
        match error {
            HandshakeError::Mechanism { .. } if self.with_keys => Refusal::WantsNone,
            HandshakeError::Mechanism { mechanism, .. } if mechanism == "CURVE" => {
                Refusal::WantsKey
            }
            error => Refusal::Handshake(error),
        }
    }
}

#[cfg(test)]
mod tests;
