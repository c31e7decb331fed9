//! What is known of the other end of a connection.

use std::sync::Arc;

use crate::curve::PublicKey;
use crate::socket_type::SocketType;

/// What is known of a peer after the handshake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// The version of ZMTP that it speaks, major and minor.
    pub version: (u8, u8),
    /// Its type, where it told one.
    pub socket_type: Option<SocketType>,
    /// Its identity, which is most often empty.
    pub identity: Vec<u8>,
    /// The key that it has proven to own; `None` with the mechanism NULL.
    pub key: Option<PeerKey>,
}

/// A key that a peer has proven to own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerKey {
    /// The key.
    pub public: PublicKey,
    /// The name under which it was let in.
    pub name: Arc<str>,
}

impl PeerKey {
    /// Names a key.
    #[must_use]
    pub fn new(public: PublicKey, name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        Self { public, name }
    }
}
