//! The ROUTER socket: requests in, replies out, nobody waited for.

use std::collections::{HashMap, VecDeque};

use log::Level;
use zmq::{Message, Socket};

use super::limits;
use crate::throttle::log_throttled;

/// How many replies libzmq takes for one client that does not read.
const SEND_AHEAD: i32 = 1_000;
/// How many requests of each client libzmq receives ahead.
const RECEIVE_AHEAD: i32 = 64;
/// In milliseconds: a connection on which nothing is heard for so long is dead.
const HEARTBEAT: i32 = 10_000;

/// Where a reply goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Peer {
    /// What libzmq calls the connection.
    pub(super) identity: Vec<u8>,
    /// A REQ socket puts an empty frame before what it sends, and wants it back.
    delimiter: bool,
}

/// One request as it came.
pub(super) struct Incoming {
    pub(super) peer: Peer,
    /// The header and the frames behind it; `None` where there were too many.
    pub(super) frames: Option<Vec<Message>>,
}

/// What became of a message to a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Whole,
    /// The connection is full: the same message has to be sent again.
    Full,
    /// There is no such connection any more.
    Gone,
}

/// The socket, with what waits for clients that do not read.
pub(super) struct Router {
    socket: Socket,
    waiting: HashMap<Vec<u8>, Waiting>,
}

#[derive(Default)]
struct Waiting {
    replies: VecDeque<(Peer, String)>,
    bytes: usize,
}

/// Makes the socket that clients of the control port connect to.
pub(super) fn socket(context: &zmq::Context, max_message: u64) -> zmq::Result<Socket> {
    let socket = context.socket(zmq::ROUTER)?;
    // A reply to a client that is gone, or that does not read, says so instead
    // of being dropped.
    socket.set_router_mandatory(true)?;
    // A client that chose its own identity and connects again is the one that
    // counts, even if nobody has noticed yet that its old connection is dead.
    socket.set_router_handover(true)?;
    socket.set_linger(i32::try_from(limits::LINGER.as_millis()).unwrap_or(0))?;
    let frame = max_message.saturating_add(limits::HEADER as u64);
    socket.set_maxmsgsize(i64::try_from(frame).unwrap_or(i64::MAX))?;
    socket.set_sndhwm(SEND_AHEAD)?;
    socket.set_rcvhwm(RECEIVE_AHEAD)?;
    socket.set_heartbeat_ivl(HEARTBEAT)?;
    socket.set_heartbeat_timeout(HEARTBEAT)?;
    socket.set_tcp_keepalive(1)?;
    Ok(socket)
}

impl Router {
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket,
            waiting: HashMap::new(),
        }
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Receives a request that is there.
    pub(super) fn receive(&self) -> zmq::Result<Option<Incoming>> {
        let Some(identity) = self.frame()? else {
            return Ok(None);
        };
        let (mut frames, mut count, mut more) = (Vec::new(), 0, identity.get_more());
        while more {
            // The frames of a message arrive together.
            let Some(frame) = self.frame()? else { break };
            more = frame.get_more();
            count += 1;
            if count <= limits::FRAMES + 2 {
                frames.push(frame);
            }
        }
        let delimiter = frames.len() > 1 && frames.first().is_some_and(|frame| frame.is_empty());
        if delimiter {
            frames.remove(0);
        }
        let peer = Peer {
            identity: identity.to_vec(),
            delimiter,
        };
        let fits = count <= limits::FRAMES + 2;
        Ok(Some(Incoming {
            peer,
            frames: fits.then_some(frames),
        }))
    }

    fn frame(&self) -> zmq::Result<Option<Message>> {
        loop {
            match self.socket.recv_msg(zmq::DONTWAIT) {
                Ok(frame) => return Ok(Some(frame)),
                Err(zmq::Error::EAGAIN) => return Ok(None),
                Err(zmq::Error::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends a reply; keeps it for a while where the client does not read.
    pub(super) fn reply(&mut self, peer: &Peer, header: String) -> zmq::Result<()> {
        if !self.waiting.contains_key(&peer.identity) {
            match self.try_send(peer, &header, [])? {
                Sent::Whole | Sent::Gone => return Ok(()),
                Sent::Full => {}
            }
        }
        let waiting = self.waiting.entry(peer.identity.clone()).or_default();
        if waiting.bytes + header.len() > limits::OUTBOX {
            log_throttled!(
                Level::Warn,
                "dropped replies to a client of the control port that does not read them"
            );
            return Ok(());
        }
        waiting.bytes += header.len();
        waiting.replies.push_back((peer.clone(), header));
        Ok(())
    }

    /// Sends a message of a consumer, behind all replies to the same client.
    pub(super) fn send<'a>(
        &self,
        peer: &Peer,
        header: &str,
        frames: impl IntoIterator<Item = &'a [u8]>,
    ) -> zmq::Result<Sent> {
        if self.waiting.contains_key(&peer.identity) {
            return Ok(Sent::Full);
        }
        self.try_send(peer, header, frames)
    }

    fn try_send<'a>(
        &self,
        peer: &Peer,
        header: &str,
        frames: impl IntoIterator<Item = &'a [u8]>,
    ) -> zmq::Result<Sent> {
        // What can fail fails at the first frame; the rest follows it.
        loop {
            match self
                .socket
                .send(&peer.identity[..], zmq::SNDMORE | zmq::DONTWAIT)
            {
                Ok(()) => break,
                Err(zmq::Error::EAGAIN) => return Ok(Sent::Full),
                Err(zmq::Error::EHOSTUNREACH) => return Ok(Sent::Gone),
                Err(zmq::Error::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
        if peer.delimiter {
            self.socket.send("", zmq::SNDMORE)?;
        }
        let mut last = header.as_bytes();
        for frame in frames {
            self.socket.send(last, zmq::SNDMORE)?;
            last = frame;
        }
        self.socket.send(last, 0)?;
        Ok(Sent::Whole)
    }

    /// Tries again to send what waits.
    pub(super) fn flush(&mut self) -> zmq::Result<()> {
        let mut waiting = std::mem::take(&mut self.waiting);
        for queue in waiting.values_mut() {
            while let Some((peer, header)) = queue.replies.front() {
                match self.try_send(peer, header, [])? {
                    Sent::Full => break,
                    Sent::Gone => queue.replies.clear(),
                    Sent::Whole => {
                        queue.bytes -= header.len();
                        queue.replies.pop_front();
                    }
                }
            }
        }
        waiting.retain(|_, queue| !queue.replies.is_empty());
        self.waiting = waiting;
        Ok(())
    }

    /// Tells whether something waits for a client to read.
    pub(super) fn is_flushed(&self) -> bool {
        self.waiting.is_empty()
    }
}
