//! A link made of an XPUB socket of its own behind the accepted connection.
//!
//! A ZeroMQ XPUB socket can't address one of its subscribers. So the broker
//! accepts the TCP connection itself and passes the bytes on to an XPUB socket
//! that has no other peer, over a private connection. libzmq still speaks the
//! whole protocol with the client.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use zmq::{PollItem, Socket};

use crate::endpoint::subscriber_socket;
use crate::link::{Link, LinkError, Sent, Subscription, Wait};
use crate::pipe::{Ended, Pipe};
use crate::platform::{LocalStream, listen_privately, raw};
use crate::waker::Sleeper;

/// How many bytes may be between the socket and the relay. It bounds a stuck
/// subscriber's memory, whatever the size of its messages: one message is let
/// through when nothing else is under way.
const IN_FLIGHT: u64 = 1 << 20;
/// How much the relay reads at once towards the subscriber.
const OUT_CHUNK: usize = 128 << 10;
/// The same from the subscriber, who sends subscriptions only.
const IN_CHUNK: usize = 8 << 10;

/// How long libzmq may take to connect its socket to the relay.
const CONNECT: Duration = Duration::from_secs(5);
/// libzmq's own hand-over of messages is announced by nothing.
const HAND_OVER: Duration = Duration::from_millis(10);
/// A subscriber that does not read makes no event; only the broker's end needs
/// to be noticed.
const STUCK: Duration = Duration::from_millis(250);

/// One subscriber's XPUB socket, and the relay to its TCP connection.
pub(crate) struct XpubLink {
    socket: Socket,
    /// The connection to that socket.
    inner: LocalStream,
    client: TcpStream,
    to_client: Pipe,
    to_socket: Pipe,
    /// Bytes that sent messages take on the wire, less those relayed.
    in_flight: u64,
    subscribed: bool,
}

impl XpubLink {
    /// Serves an accepted connection.
    pub(crate) fn new(context: &zmq::Context, client: TcpStream) -> Result<Self, LinkError> {
        // A subscriber waits for single messages more often than for bulk.
        client.set_nodelay(true)?;
        client.set_nonblocking(true)?;
        let socket = subscriber_socket(context)?;
        // The socket connects to the relay and not the other way round: libzmq
        // ends all connections that came in through an endpoint when that is
        // unbound, and an endpoint that stays bound lets others in.
        let listener = listen_privately()?;
        socket.connect(&listener.endpoint)?;
        let inner = listener.accept(CONNECT)?;
        inner.set_nonblocking(true)?;
        Ok(Self {
            socket,
            inner,
            client,
            to_client: Pipe::new(OUT_CHUNK),
            to_socket: Pipe::new(IN_CHUNK),
            in_flight: 0,
            subscribed: false,
        })
    }
}

impl Link for XpubLink {
    fn pump(&mut self) -> Result<(), LinkError> {
        let (client, inner) = (&self.client, &self.inner);
        self.to_socket
            .pump(&mut &*client, &mut &*inner)
            .map_err(|ended| match ended {
                Ended::Source => LinkError::Closed,
                Ended::Sink => LinkError::Refused,
                Ended::Failed(error) => error.into(),
            })?;
        let relayed = self.to_client.pump(&mut &*inner, &mut &*client);
        let relayed = relayed.map_err(|ended| match ended {
            Ended::Source => LinkError::Refused,
            Ended::Sink => LinkError::Closed,
            Ended::Failed(error) => error.into(),
        })?;
        self.in_flight = self.in_flight.saturating_sub(relayed);
        Ok(())
    }

    fn subscription(&mut self) -> Result<Option<Subscription>, LinkError> {
        loop {
            let message = match self.socket.recv_bytes(zmq::DONTWAIT) {
                Err(zmq::Error::EAGAIN | zmq::Error::EINTR) => return Ok(None),
                result => result?,
            };
            let subscription = match message.split_first() {
                Some((1, topic)) => Subscription::Add(topic.to_vec()),
                Some((0, topic)) => Subscription::Remove(topic.to_vec()),
                // Anything else is a message from an XSUB socket, which means
                // nothing here.
                _ => continue,
            };
            if !self.subscribed {
                // Which messages go out is decided by the cursor; the socket
                // lets everything through to its only peer.
                self.socket.set_subscribe(b"")?;
                self.subscribed = true;
                // The handshake is over: from here on each byte is a message's.
                self.in_flight = 0;
            }
            return Ok(Some(subscription));
        }
    }

    fn send(&mut self, frames: &[&[u8]]) -> Result<Sent, LinkError> {
        if self.in_flight >= IN_FLIGHT {
            return Ok(Sent::Full);
        }
        let Some((last, front)) = frames.split_last() else {
            return Ok(Sent::Whole);
        };
        for frame in front {
            match send_frame(&self.socket, frame, zmq::SNDMORE) {
                // Only a message's first frame can meet a full pipe.
                Err(zmq::Error::EAGAIN) => return Ok(Sent::Full),
                result => result?,
            }
        }
        match send_frame(&self.socket, last, 0) {
            Err(zmq::Error::EAGAIN) => return Ok(Sent::Full),
            result => result?,
        }
        self.in_flight += frames.iter().map(|frame| wire_bytes(frame)).sum::<u64>();
        Ok(Sent::Whole)
    }

    fn is_flushed(&self) -> bool {
        self.in_flight == 0 && self.to_client.is_empty()
    }

    fn wait(&mut self, sleeper: &Sleeper, wait: Wait) -> Result<(), LinkError> {
        let timeout = match wait {
            Wait::Wake(timeout) => timeout,
            Wait::Room if self.to_client.is_empty() => HAND_OVER,
            Wait::Room => STUCK,
        };
        let mut items = [
            self.socket.as_poll_item(zmq::POLLIN),
            PollItem::from_fd(sleeper.fd(), zmq::POLLIN),
            PollItem::from_fd(raw(&self.inner), interest(&self.to_client, &self.to_socket)),
            PollItem::from_fd(
                raw(&self.client),
                interest(&self.to_socket, &self.to_client),
            ),
        ];
        let timeout = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
        match zmq::poll(&mut items, timeout) {
            Ok(_) | Err(zmq::Error::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for XpubLink {
    fn drop(&mut self) {
        // What was relayed still arrives, and then the end. A client that is
        // gone needs to be told nothing.
        let _told: io::Result<()> = self.client.shutdown(Shutdown::Write);
    }
}

/// What to wait for on the connection that `from` reads and `to` writes.
fn interest(from: &Pipe, to: &Pipe) -> zmq::PollEvents {
    let mut events = zmq::PollEvents::empty();
    if from.is_empty() {
        events |= zmq::POLLIN;
    }
    if !to.is_empty() {
        events |= zmq::POLLOUT;
    }
    events
}

fn send_frame(socket: &Socket, frame: &[u8], flags: i32) -> zmq::Result<()> {
    loop {
        match socket.send(frame, flags | zmq::DONTWAIT) {
            Err(zmq::Error::EINTR) => {}
            result => return result,
        }
    }
}

/// Returns how many bytes a frame takes in ZMTP 3 (RFC 23): a flag, a length
/// of one or of eight bytes, the body.
fn wire_bytes(frame: &[u8]) -> u64 {
    let length = frame.len() as u64;
    length + if length > 255 { 9 } else { 2 }
}
