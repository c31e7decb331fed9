//! Watches the publishers' connections: which of them libzmq has dropped for
//! what they sent.

use std::collections::HashMap;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use log::Level;
use zmq::{Socket, SocketEvent};

use crate::intake::Counters;
use crate::shutdown::Phase;
use crate::sockopt::second_handle;
use crate::throttle::log_throttled;

/// Where libzmq tells of the intake socket's connections.
const ENDPOINT: &str = "inproc://publishers";
const EVENTS: [SocketEvent; 3] = [
    SocketEvent::ACCEPTED,
    SocketEvent::DISCONNECTED,
    SocketEvent::MONITOR_STOPPED,
];

/// Listens to what libzmq tells of a socket, until that socket is closed.
///
/// It has a thread of its own: libzmq's I/O thread waits for whoever does not
/// take its events, and intake may be waiting for the disk.
pub(crate) struct Publishers {
    events: Socket,
    /// A second handle to each connection, with which to see afterwards who
    /// ended it.
    connections: HashMap<u32, Option<TcpStream>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) phase: Arc<Phase>,
    pub(crate) max_message: u64,
}

impl Publishers {
    pub(crate) fn of(
        context: &zmq::Context,
        socket: &Socket,
        counters: &Arc<Counters>,
        phase: &Arc<Phase>,
        max_message: u64,
    ) -> zmq::Result<Self> {
        let events = EVENTS
            .into_iter()
            .fold(0, |mask, event| mask | event.to_raw());
        socket.monitor(ENDPOINT, i32::from(events))?;
        let monitor = context.socket(zmq::PAIR)?;
        monitor.connect(ENDPOINT)?;
        Ok(Self {
            events: monitor,
            connections: HashMap::new(),
            counters: Arc::clone(counters),
            phase: Arc::clone(phase),
            max_message,
        })
    }

    /// Watches until the socket is closed.
    pub(crate) fn run(mut self) -> zmq::Result<()> {
        loop {
            let frames = match self.events.recv_multipart(0) {
                Err(zmq::Error::EINTR) => continue,
                Err(zmq::Error::ETERM) => return Ok(()),
                frames => frames?,
            };
            // The event's number and value (the connection's file descriptor),
            // in the machine's byte order; the second frame is an address.
            let Some(&[n0, n1, v0, v1, v2, v3]) = frames.first().map(Vec::as_slice) else {
                continue;
            };
            let (number, fd) = (
                u16::from_ne_bytes([n0, n1]),
                u32::from_ne_bytes([v0, v1, v2, v3]),
            );
            match EVENTS.into_iter().find(|event| event.to_raw() == number) {
                Some(SocketEvent::ACCEPTED) => {
                    drop(self.connections.insert(fd, second_handle(fd)));
                }
                Some(SocketEvent::DISCONNECTED) => self.disconnected(fd),
                _ => return Ok(()),
            }
        }
    }

    /// Says so where libzmq has dropped a connection for what came through it:
    /// nothing else tells that a message far above the limit was refused.
    fn disconnected(&mut self, fd: u32) {
        let Some(Some(stream)) = self.connections.remove(&fd) else {
            return;
        };
        if !self.phase.is_running() || ended_by_peer(&stream) {
            return;
        }
        self.counters.disconnected.fetch_add(1, Ordering::Relaxed);
        let peer = stream
            .peer_addr()
            .map_or_else(|_| String::new(), |peer| format!(" {peer}"));
        let limit = self.max_message;
        log_throttled!(
            Level::Error,
            "disconnected the publisher{peer}: it sent a message far above the limit of {limit} \
             bytes, or does not speak ZeroMQ"
        );
    }
}

/// Tells whether a connection has been ended from the other side: then there
/// is nothing more to read from it than its end.
fn ended_by_peer(stream: &TcpStream) -> bool {
    match stream.peek(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}
