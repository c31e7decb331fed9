//! Shakes hands on a connection: who is it, and may it come in?

use log::Level;
use zmtp::{Assembler, HandshakeError, Peer, Role, SocketType};

use super::{ConnectionState, Inbound};
use crate::clock;
use crate::net::ended::Ended;
use crate::throttle::log_throttled;

impl Inbound {
    /// Goes on with the handshake, and returns how many bytes it consumed.
    pub(super) fn shake_hands(&mut self, limit: u64, bytes: &[u8]) -> Result<usize, Ended> {
        let ConnectionState::Handshake(handshake) = &mut self.state else {
            return Ok(0);
        };
        let result = handshake.advance(bytes);
        self.outbox.end().extend(handshake.take_unsent());
        match result {
            Ok((consumed, false)) => Ok(consumed),
            Ok((consumed, true)) => {
                let (role, peer) = (handshake.role(), handshake.peer().clone());
                let session = handshake.take_session();
                if let Some(keys) = &self.keys {
                    match keys.admit(&peer, role) {
                        Ok(member) => self.member = Some(member),
                        Err(denied) => return Ok(self.refuse(&denied, bytes)),
                    }
                }
                if let Some(session) = session {
                    self.outbox.seal_with(session.sealer);
                    self.opener = Some(session.opener);
                }
                greet(self.outbox.end(), role, &peer);
                self.introduction = peer;
                self.state = ConnectionState::Messages(Assembler::new(limit));
                Ok(consumed)
            }
            Err(HandshakeError::Curve(error)) => Ok(self.refuse(&error, bytes)),
            Err(error) => {
                // A peer that knows why tries again less often.
                self.flush();
                Err(error.into())
            }
        }
    }

    /// Holds a peer whose key is not let in for a while before its connection ends:
    /// the key may be added later, so that it has to go on trying, but each try costs
    /// the broker more than it costs the peer. All that has come of it is consumed.
    fn refuse(&mut self, reason: &dyn std::fmt::Display, bytes: &[u8]) -> usize {
        log_throttled!(Level::Warn, "refused {}: {reason}", self.peer);
        self.refused = Some(clock::now());
        self.drained = true;
        bytes.len()
    }
}

/// Says what is to be said right after the handshake.
fn greet(out: &mut Vec<u8>, role: Role, peer: &Peer) {
    // Everything is recorded, whether or not anybody subscribes to it. A PUSH
    // socket knows no subscriptions.
    if role == Role::Subscriber && peer.socket_type != Some(SocketType::Push) {
        zmtp::push_subscription(out, b"", peer);
    }
}
