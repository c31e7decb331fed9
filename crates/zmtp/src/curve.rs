//! CURVE: everything behind the greeting is in boxes that only the two ends can
//! make and open, and each end has shown that it owns its key.
//!
//! It is [RFC 26](https://rfc.zeromq.org/spec/26/) as libzmq speaks it. There is no
//! cryptography in here: `boxes` hands that to a library.

mod boxes;
mod certificate;
mod client;
mod error;
mod keys;
mod nonce;
mod opener;
mod sealer;
mod server;
mod z85;

pub use self::certificate::{Certificate, CertificateError};
pub use self::error::CurveError;
pub use self::keys::{KeyError, Keypair, PublicKey, RandomError, SecretKey};
pub use self::opener::{OpenError, Opened, Opener};
pub use self::sealer::{Sealed, Sealer};
pub use self::server::Keyring;
pub use self::z85::{decode as decode_z85, encode as encode_z85};

pub(crate) use self::client::Initiator;
pub(crate) use self::server::{Admitted, Server};

/// How many bytes a box adds to what a frame carries.
pub const OVERHEAD: usize = MESSAGE.len() + nonce::SHORT + boxes::MAC + 1;
/// Begins each frame that carries a box of a message or of a command.
const MESSAGE: &[u8] = b"\x07MESSAGE";
/// Further frames of the same message follow the one in this box.
const MORE: u8 = 1;
/// The box holds a command. Outside of boxes the bit is another one.
const COMMAND: u8 = 2;

/// What a connection needs after the handshake: one end's way in and out.
#[derive(Debug)]
pub struct Session {
    /// Opens what the peer sends.
    pub opener: Opener,
    /// Makes the boxes that the peer opens.
    pub sealer: Sealer,
}

impl Session {
    /// Begins with the secret that both ends share, as the server or as its client.
    fn new(shared: boxes::Shared, server: bool, heard: u64, said: u64) -> Self {
        let [from_client, from_server] = [b"CurveZMQMESSAGEC", b"CurveZMQMESSAGES"];
        let (theirs, ours) = match server {
            true => (from_client, from_server),
            false => (from_server, from_client),
        };
        Self {
            opener: Opener::new(shared.clone(), *theirs, heard),
            sealer: Sealer::new(shared, *ours, said),
        }
    }
}

#[cfg(test)]
mod tests;
