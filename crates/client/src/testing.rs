//! A broker's end of a connection, for tests.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};
use zmtp::{Handshake, Role};

use crate::link::Frames;

/// A port on which somebody waits to be connected to.
pub(crate) struct Router {
    pub(crate) endpoint: String,
    listener: TcpListener,
    role: Role,
}

/// A connection whose handshake is done.
pub(crate) struct Accepted {
    stream: TcpStream,
    held: Vec<u8>,
}

impl Router {
    pub(crate) fn new() -> Self {
        Self::of(Role::Router)
    }

    pub(crate) fn of(role: Role) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            endpoint: format!("tcp://{}", listener.local_addr().unwrap()),
            listener,
            role,
        }
    }

    /// Takes a connection without a word.
    pub(crate) fn accept_silently(&self) -> TcpStream {
        self.listener.accept().unwrap().0
    }

    /// Takes a connection, and shakes hands.
    pub(crate) fn accept(&self) -> Accepted {
        let mut stream = self.accept_silently();
        let mut handshake = Handshake::new(self.role);
        let mut held = Vec::new();
        loop {
            let (consumed, done) = handshake.advance(&held).unwrap();
            held.drain(..consumed);
            stream.write_all(&handshake.take_unsent()).unwrap();
            if done {
                return Accepted { stream, held };
            }
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the client has left");
            held.extend_from_slice(&buffer[..count]);
        }
    }
}

impl Accepted {
    /// Fails where nothing comes in that time.
    pub(crate) fn set_patience(&mut self, time: std::time::Duration) {
        self.stream.set_read_timeout(Some(time)).unwrap();
    }

    /// Writes bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(crate) fn send(&mut self, frames: &[Vec<u8>]) {
        let mut wire = Vec::new();
        zmtp::push_message(&mut wire, frames.iter().map(Vec::as_slice));
        self.write(&wire);
    }

    /// Waits for a message, or for a command, whose body is returned as the only frame.
    pub(crate) fn receive(&mut self) -> Frames {
        self.try_receive().expect("the client has left")
    }

    /// Does the same; `None` where the client has left.
    pub(crate) fn try_receive(&mut self) -> Option<Frames> {
        let mut assembler = zmtp::Assembler::new(u64::MAX);
        let mut at = 0;
        loop {
            match assembler.look(&self.held[at..]).unwrap() {
                zmtp::Found::Frame { end, last } => {
                    at += end;
                    if last {
                        let message = zmtp::frames(&self.held[..at]).map(<[u8]>::to_vec);
                        let message = message.collect();
                        self.held.drain(..at);
                        return Some(message);
                    }
                }
                zmtp::Found::Command { body, end } => {
                    let command = self.held[at + body..at + end].to_vec();
                    self.held.drain(at..at + end);
                    return Some(vec![command]);
                }
                zmtp::Found::Part { .. } => {
                    let mut buffer = [0; 4096];
                    let count = self
                        .stream
                        .read(&mut buffer)
                        .ok()
                        .filter(|count| *count > 0)?;
                    self.held.extend_from_slice(&buffer[..count]);
                }
            }
        }
    }
}

/// Sends a header.
pub(crate) fn answer(peer: &mut Accepted, header: &Value) {
    peer.send(&[header.to_string().into_bytes()]);
}

/// Returns the reply to `hello`.
pub(crate) fn greeting(id: &Value, sequence: u64) -> Value {
    let limits = json!({
        "header_bytes": 1, "id_bytes": 1, "message_bytes": 1, "in_flight": 1, "consumers": 1,
        "names": 1, "name_bytes": 1, "credit": 1, "window_bytes": 1, "dedupe_window": 1,
        "consumer_timeout_seconds": 1,
    });
    json!({
        "type": "reply", "id": id, "protocol": 1, "protocols": [1], "broker": "0.1.0",
        "sequence": sequence, "limits": limits,
    })
}
