//! A ZeroMQ socket with one peer.

use std::collections::VecDeque;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use socket2::Socket as Stream;
use zmtp::SocketType;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::keys::Keys;
use crate::link::{Frames, Link};
use crate::shaking::Shaking;
use crate::wait::wait;

/// How long connecting and shaking hands may take.
const HANDSHAKE: Duration = Duration::from_secs(3);
/// How long to wait before the next attempt, as libzmq does.
const RETRY: Duration = Duration::from_millis(100);
/// The same after a handshake that failed, which costs the other end more.
const REFUSED: Duration = Duration::from_secs(1);
/// How many bytes wait to be sent before no more is taken.
const ROOM: usize = 1 << 20;
/// After this time without a look at it, a connection may have ended unnoticed.
const STALE: Duration = Duration::from_millis(20);

/// A ZeroMQ socket with one peer: what a program needs that talks to a broker, and to
/// nobody else.
///
/// It connects by itself, again and again where that is needed, but only while it is
/// used: there is no thread behind it. As with libzmq's sockets, a message that was
/// given to a connection is lost with it, and others wait for the next one.
///
/// ```no_run
/// use std::time::Duration;
/// use client::{Socket, SocketType};
///
/// let mut subscriber = Socket::connect("tcp://127.0.0.1:5556", SocketType::Sub, None)?;
/// subscriber.subscribe(b"greeting");
/// while let Some(frames) = subscriber.receive(Duration::from_secs(1)) {
///     println!("{} frames", frames.len());
/// }
/// # Ok::<(), client::Error>(())
/// ```
pub struct Socket {
    endpoint: Endpoint,
    kind: SocketType,
    /// What the peer is shown; `None` where it lets everybody in.
    keys: Option<Keys>,
    state: SocketState,
    attempts: usize,
    /// Messages that no connection has taken, as they stand on the wire without keys.
    waiting: VecDeque<Vec<u8>>,
    /// Their bytes.
    waiting_bytes: usize,
    subscriptions: Vec<Vec<u8>>,
    arrived: VecDeque<Frames>,
    problem: Option<Problem>,
    /// When the connection was looked at last.
    looked: Instant,
}

enum SocketState {
    /// There is no connection until this time.
    Away(Instant),
    /// One is being made, up to this time.
    Connecting(Stream, Instant),
    Shaking(Box<Shaking>),
    Open(Box<Link>),
}

/// Why there is no connection.
enum Problem {
    /// Nobody is there.
    Away(io::Error),
    /// Somebody is there, and lets nobody in like this.
    Refused(String),
}

impl Socket {
    /// Makes a socket of this type that connects to `tcp://HOST:PORT` or, on systems
    /// that have them, to the Unix socket `ipc://PATH`. That nobody is there is no
    /// error: it may be so only for a moment.
    ///
    /// # Errors
    /// [`Error::Endpoint`] where the address is none.
    pub fn connect(endpoint: &str, kind: SocketType, keys: Option<Keys>) -> Result<Self, Error> {
        let mut socket = Self {
            endpoint: Endpoint::parse(endpoint)?,
            kind,
            keys,
            state: SocketState::Away(Instant::now()),
            attempts: 0,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            subscriptions: Vec::new(),
            arrived: VecDeque::new(),
            problem: None,
            looked: Instant::now(),
        };
        socket.step(Duration::ZERO);
        Ok(socket)
    }

    /// Makes another one to the same peer.
    pub(crate) fn again(&self) -> Self {
        let mut socket = Self {
            endpoint: self.endpoint.clone(),
            kind: self.kind,
            keys: self.keys.clone(),
            state: SocketState::Away(Instant::now()),
            attempts: self.attempts,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            subscriptions: self.subscriptions.clone(),
            arrived: VecDeque::new(),
            problem: None,
            looked: Instant::now(),
        };
        socket.step(Duration::ZERO);
        socket
    }

    /// Returns where the peer is.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.endpoint.as_str()
    }

    /// Returns why the peer does not let this socket in, where that is so.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        match &self.problem {
            Some(Problem::Refused(reason)) => Some(reason),
            _ => None,
        }
    }

    /// Returns why there is no connection, where nobody is there.
    #[must_use]
    pub fn absence(&self) -> Option<&io::Error> {
        match &self.problem {
            Some(Problem::Away(error)) => Some(error),
            _ => None,
        }
    }

    /// Asks for messages whose first frame begins so, on this connection and each
    /// later one.
    pub fn subscribe(&mut self, topic: &[u8]) {
        self.subscriptions.push(topic.to_vec());
        if let SocketState::Open(link) = &mut self.state {
            let mut plain = Vec::new();
            zmtp::push_subscription(&mut plain, topic, &link.peer);
            let pushed = link.push(&plain).and_then(|()| link.flush());
            self.check(pushed);
        }
    }

    /// Sends a message; false where too much waits to be sent already.
    pub fn send<F: AsRef<[u8]>>(&mut self, frames: &[F]) -> bool {
        let taken = self.queue(frames);
        self.flush();
        taken
    }

    /// Takes a message to be sent with the next [`flush`](Self::flush), or at the next
    /// [`receive`](Self::receive); false where too much waits to be sent already.
    pub fn queue<F: AsRef<[u8]>>(&mut self, frames: &[F]) -> bool {
        if self.owed() >= ROOM {
            self.flush();
            if self.owed() >= ROOM {
                return false;
            }
        }
        let mut plain = Vec::new();
        zmtp::push_message(&mut plain, frames.iter().map(AsRef::as_ref));
        self.waiting_bytes += plain.len();
        self.waiting.push_back(plain);
        true
    }

    /// Sends what waits, as far as that goes without waiting.
    pub fn flush(&mut self) {
        // What was given to a connection that has ended meanwhile would be lost.
        if self.looked.elapsed() >= STALE || !matches!(self.state, SocketState::Open(_)) {
            self.step(Duration::ZERO);
        }
        self.pass_on();
    }

    /// Sends all that waits; false where the peer does not take it in that time. A
    /// program that ends loses what it has not sent.
    pub fn drain(&mut self, most: Duration) -> bool {
        let give_up = Instant::now().checked_add(most);
        loop {
            self.flush();
            if self.owed() == 0 {
                return true;
            }
            let left = give_up.map_or(most, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            self.step(left);
        }
    }

    /// Returns the next message; `None` where none comes in that time.
    pub fn receive(&mut self, most: Duration) -> Option<Frames> {
        self.poll(most);
        self.arrived.pop_front()
    }

    /// Waits for a message; false where none comes in that time.
    pub(crate) fn poll(&mut self, most: Duration) -> bool {
        let give_up = Instant::now().checked_add(most);
        self.pass_on();
        while self.arrived.is_empty() {
            let left = give_up.map_or(most, |end| end.saturating_duration_since(Instant::now()));
            self.step(left);
            if left.is_zero() {
                break;
            }
        }
        !self.arrived.is_empty()
    }

    fn owed(&self) -> usize {
        match &self.state {
            SocketState::Open(link) => self.waiting_bytes + link.owed(),
            _ => self.waiting_bytes,
        }
    }

    /// Does the next thing that there is to do, waiting for it for at most this time.
    fn step(&mut self, most: Duration) {
        let now = Instant::now();
        let done = match &mut self.state {
            SocketState::Away(until) if *until > now => {
                thread::sleep(until.duration_since(now).min(most));
                return;
            }
            SocketState::Away(_) => self.begin(),
            SocketState::Connecting(stream, until) => {
                let most = most.min(until.saturating_duration_since(now));
                match wait(stream, false, true, most) {
                    Ok(true) => self.connected(),
                    Ok(false) if Instant::now() >= *until => Err(io::ErrorKind::TimedOut.into()),
                    Ok(false) => Ok(()),
                    Err(error) => Err(error),
                }
            }
            SocketState::Shaking(_) => return self.shake(most),
            SocketState::Open(link) => {
                self.looked = now;
                let awaited = wait(&link.stream, true, link.owed() > 0, most);
                awaited.and_then(|_| {
                    link.flush()?;
                    link.read(&mut self.arrived)?;
                    // Answers to heartbeats.
                    link.flush()
                })
            }
        };
        self.check(done);
    }

    fn begin(&mut self) -> io::Result<()> {
        let stream = self.endpoint.begin(self.attempts);
        self.attempts = self.attempts.wrapping_add(1);
        self.state = SocketState::Connecting(stream?, Instant::now() + HANDSHAKE);
        Ok(())
    }

    /// The connection stands, or has failed: both end the wait for it.
    fn connected(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let SocketState::Connecting(stream, _) =
            std::mem::replace(&mut self.state, SocketState::Away(now))
        else {
            return Ok(());
        };
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        let shaking = Shaking::new(stream, self.kind, self.keys.as_ref(), now + HANDSHAKE);
        self.state = SocketState::Shaking(Box::new(shaking.map_err(io::Error::other)?));
        Ok(())
    }

    fn shake(&mut self, most: Duration) {
        let SocketState::Shaking(shaking) = &mut self.state else {
            return;
        };
        match shaking.step(most) {
            Ok(None) => {}
            Ok(Some(link)) => {
                self.problem = None;
                self.looked = Instant::now();
                self.state = SocketState::Open(Box::new(link));
                let opened = self.opened();
                self.check(opened);
            }
            Err(refusal) => {
                self.problem = Some(Problem::Refused(refusal.to_string()));
                let lasting = refusal.is_lasting();
                let pause = if lasting { REFUSED } else { RETRY };
                self.state = SocketState::Away(Instant::now() + pause);
            }
        }
    }

    /// Says on a new connection what is to be said on each, and takes what has come
    /// together with the end of the handshake.
    fn opened(&mut self) -> io::Result<()> {
        let SocketState::Open(link) = &mut self.state else {
            return Ok(());
        };
        let mut plain = Vec::new();
        for topic in &self.subscriptions {
            zmtp::push_subscription(&mut plain, topic, &link.peer);
        }
        link.push(&plain)?;
        link.take(&mut self.arrived)?;
        self.pass_on();
        Ok(())
    }

    /// Gives what waits to the connection, if there is one.
    fn pass_on(&mut self) {
        let SocketState::Open(link) = &mut self.state else {
            return;
        };
        let mut done = Ok(());
        while done.is_ok()
            && link.owed() < ROOM
            && let Some(plain) = self.waiting.pop_front()
        {
            self.waiting_bytes -= plain.len();
            done = link.push(&plain);
        }
        let done = done.and_then(|()| link.flush());
        self.check(done);
    }

    /// Gives up a connection on which something went wrong. What has come over it
    /// stays.
    fn check(&mut self, done: io::Result<()>) {
        if let Err(error) = done {
            self.state = SocketState::Away(Instant::now() + RETRY);
            // Why a peer refuses says more than how it closes the door.
            if self.refusal().is_none() {
                self.problem = Some(Problem::Away(error));
            }
        }
    }
}

#[cfg(test)]
mod tests;
