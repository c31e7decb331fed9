//! Agents with ordinary libzmq sockets, each in a context of its own as a
//! process would have it.

use anyhow::{Context as _, bail, ensure};
use zmq::{Context, Message, SNDMORE, Socket, SocketType};

use crate::agents::{Medium, Publish, Receive};
use crate::payload::TOPIC;

/// How long a receiver waits at a time, in milliseconds.
const PATIENCE: i32 = 200;
/// How long a publisher waits for its subscription, in milliseconds.
const SUBSCRIPTION: i32 = 10_000;
/// How long closing waits for what is unsent, in milliseconds.
const LINGER: i32 = 5_000;

/// A server that publishers and subscribers reach over ZeroMQ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ZeroMq {
    /// The port for publishers on loopback.
    pub(crate) publish: u16,
    /// The port for subscribers on loopback.
    pub(crate) subscribe: u16,
}

impl Medium for ZeroMq {
    fn publisher(&self) -> anyhow::Result<Box<dyn Publish>> {
        Ok(Box::new(Publisher::connect(self.publish)?))
    }

    fn subscriber(&self) -> anyhow::Result<Box<dyn Receive>> {
        Ok(Box::new(Subscriber::connect(self.subscribe)?))
    }
}

struct Publisher {
    // Closed before its context ends.
    socket: Socket,
    _context: Context,
}

impl Publisher {
    fn connect(port: u16) -> anyhow::Result<Self> {
        let context = Context::new();
        // XPUB sends as PUB does, and tells when the subscription is there.
        let socket = context.socket(SocketType::XPUB)?;
        socket.set_sndhwm(0)?;
        socket.set_linger(LINGER)?;
        socket.set_rcvtimeo(SUBSCRIPTION)?;
        socket.connect(&format!("tcp://127.0.0.1:{port}"))?;
        let subscription = socket.recv_bytes(0).context("no subscription came")?;
        ensure!(subscription.first() == Some(&1), "no subscription came");
        Ok(Self {
            socket,
            _context: context,
        })
    }
}

impl Publish for Publisher {
    fn send(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        self.socket.send(TOPIC, SNDMORE)?;
        Ok(self.socket.send(payload, 0)?)
    }
}

/// A SUB socket with everything subscribed.
pub(crate) struct Subscriber {
    // Closed before its context ends.
    socket: Socket,
    _context: Context,
    frame: Message,
}

impl Subscriber {
    /// Connects to a port on loopback.
    pub(crate) fn connect(port: u16) -> anyhow::Result<Self> {
        let context = Context::new();
        let socket = context.socket(SocketType::SUB)?;
        socket.set_rcvhwm(0)?;
        socket.set_linger(0)?;
        socket.set_rcvtimeo(PATIENCE)?;
        socket.set_subscribe(b"")?;
        socket.connect(&format!("tcp://127.0.0.1:{port}"))?;
        Ok(Self {
            socket,
            _context: context,
            frame: Message::new(),
        })
    }
}

impl Receive for Subscriber {
    fn receive(&mut self) -> anyhow::Result<Option<&[u8]>> {
        match self.socket.recv(&mut self.frame, 0) {
            Ok(()) => {}
            Err(zmq::Error::EAGAIN | zmq::Error::EINTR) => return Ok(None),
            Err(error) => bail!(error),
        }
        ensure!(
            *self.frame == *TOPIC && self.frame.get_more(),
            "a wrong topic"
        );
        self.socket.recv(&mut self.frame, 0)?;
        ensure!(!self.frame.get_more(), "a frame too many");
        Ok(Some(&self.frame))
    }
}
