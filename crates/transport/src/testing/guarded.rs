//! A folder of keys, and a client that has one of them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use tempfile::TempDir;
use zmtp::curve::{Certificate, Keypair, Session};
use zmtp::{Client, SocketType};

use crate::keys::Keys;

/// Makes a folder with the broker's keys and those of these clients.
pub(crate) fn key_folder(clients: &[&str]) -> (TempDir, Vec<Keypair>) {
    let dir = TempDir::new().unwrap();
    let own = Keypair::generate().unwrap();
    let text = Certificate::secret_text(&own);
    std::fs::write(dir.path().join("server.key_secret"), text.as_bytes()).unwrap();
    std::fs::create_dir(dir.path().join("authorized")).unwrap();
    let pairs = clients.iter().map(|name| let_in(&dir, name)).collect();
    (dir, pairs)
}

/// Lets one more client in.
pub(crate) fn let_in(dir: &TempDir, name: &str) -> Keypair {
    let pair = Keypair::generate().unwrap();
    let path = dir.path().join("authorized").join(format!("{name}.key"));
    std::fs::write(path, Certificate::public_text(&pair.public)).unwrap();
    pair
}

/// The far end of a connection: what it has to say to get in, and how it then speaks.
pub(crate) struct Guarded {
    pub(crate) keys: Arc<Keys>,
    client: Client,
    heard: Vec<u8>,
    _dir: TempDir,
}

impl Guarded {
    /// Begins as somebody who is let in.
    pub(crate) fn new(kind: SocketType) -> Self {
        let (dir, mut pairs) = key_folder(&["alice"]);
        let keys = Arc::new(Keys::open(dir.path()).unwrap());
        let client = Client::with_curve(kind, b"", pairs.remove(0), keys.public()).unwrap();
        Self {
            keys,
            client,
            heard: Vec::new(),
            _dir: dir,
        }
    }

    /// Says and hears what is due; the broker's end has to go on in between.
    pub(crate) fn step(&mut self, mut far: &TcpStream) -> Option<Session> {
        far.set_nonblocking(true).unwrap();
        let mut bytes = [0; 4096];
        if let Ok(count) = far.read(&mut bytes) {
            self.heard.extend_from_slice(&bytes[..count]);
        }
        far.set_nonblocking(false).unwrap();
        let (consumed, done) = self.client.advance(&self.heard).unwrap();
        self.heard.drain(..consumed);
        far.write_all(&self.client.take_unsent()).unwrap();
        done.then(|| self.client.take_session()).flatten()
    }

    /// What came behind the handshake already.
    pub(crate) fn heard(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.heard)
    }
}
