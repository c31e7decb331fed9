//! A control port and what connects to it, for unit tests.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::router::{Incoming, Peer, Router};
use crate::net::{Port, Sleeper, sleeper};
use crate::testing::greeting;

/// A time that only a test that fails needs.
const LONG: Duration = Duration::from_secs(60);

/// A control port that serves when a test says so.
pub(super) struct Door {
    pub(super) router: Router,
    sleeper: Sleeper,
    address: SocketAddr,
}

impl Door {
    /// Takes messages of up to this many bytes.
    pub(super) fn new(max_message: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let port: Box<dyn Port> = Box::new(listener);
        Self {
            router: Router::new(port.into(), max_message, 1 << 20, Arc::default(), None),
            sleeper: sleeper().unwrap(),
            address,
        }
    }

    /// Waits until something happens on a connection, and does it.
    pub(super) fn serve(&mut self) {
        self.sleeper.about_to_sleep();
        self.router.serve(&mut self.sleeper, LONG).unwrap();
    }

    /// Does what can be done at once.
    pub(super) fn look(&mut self) {
        self.sleeper.about_to_sleep();
        let result = self.router.serve(&mut self.sleeper, Duration::ZERO);
        result.unwrap();
    }

    /// Waits for the next request.
    pub(super) fn receive(&mut self) -> Incoming {
        loop {
            if let Some(incoming) = self.router.receive() {
                return incoming;
            }
            self.serve();
        }
    }

    /// Connects somebody whose first request has come.
    pub(super) fn connect(&mut self) -> (Far, Peer) {
        let mut far = self.far(b"DEALER");
        far.send(&[b"{}"]);
        let peer = self.receive().peer;
        (far, peer)
    }

    /// Connects a socket of a kind, which has said nothing yet.
    pub(super) fn far(&self, kind: &[u8]) -> Far {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // What was sent is there when something that was sent behind it is.
        stream.set_nodelay(true).unwrap();
        stream.write_all(&greeting(kind)).unwrap();
        Far {
            stream,
            held: Vec::new(),
            greeted: false,
        }
    }
}

/// A client's end of a connection.
pub(super) struct Far {
    pub(super) stream: TcpStream,
    held: Vec<u8>,
    greeted: bool,
}

impl Far {
    pub(super) fn send(&mut self, frames: &[&[u8]]) {
        let mut wire = Vec::new();
        zmtp::push_message(&mut wire, frames.iter().copied());
        self.stream.write_all(&wire).unwrap();
    }

    /// Waits for a message, and returns its frames.
    pub(super) fn receive(&mut self) -> Vec<Vec<u8>> {
        let mut assembler = zmtp::Assembler::new(u64::MAX);
        let mut at = 0;
        loop {
            if !self.greeted && self.held.len() >= zmtp::GREETING_BYTES {
                self.held.drain(..zmtp::GREETING_BYTES);
                self.greeted = true;
            }
            let found = match self.greeted {
                true => assembler.look(&self.held[at..]).unwrap(),
                false => zmtp::Found::Part { missing: 1 },
            };
            match found {
                zmtp::Found::Frame { end, last } => {
                    at += end;
                    if last {
                        let whole: Vec<u8> = self.held.drain(..at).collect();
                        return zmtp::frames(&whole).map(<[u8]>::to_vec).collect();
                    }
                }
                zmtp::Found::Command { end, .. } => drop(self.held.drain(at..at + end)),
                zmtp::Found::Part { .. } => {
                    let mut buffer = [0; 64 << 10];
                    let count = self.stream.read(&mut buffer).unwrap();
                    assert!(count > 0, "the broker has closed the connection");
                    self.held.extend_from_slice(&buffer[..count]);
                }
            }
        }
    }

    /// Waits for a message, and returns its header.
    pub(super) fn header(&mut self) -> Value {
        serde_json::from_slice(&self.receive()[0]).unwrap()
    }
}
