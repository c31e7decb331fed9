//! One DEALER socket, and headers on it.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use protocol::{Failure, Head, Hello, Id, Kind, Request};
use serde::de::DeserializeOwned;
use zmtp::SocketType;

use crate::error::Error;
use crate::keys::Keys;
use crate::socket::Socket;

/// What the broker has sent.
pub(crate) struct Incoming {
    pub(crate) head: Head,
    header: Vec<u8>,
    /// The frames behind the header.
    pub(crate) frames: Vec<Vec<u8>>,
}

/// How long one attempt may take before the connection is made anew.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(3);

/// A longer wait is made of several of these, so that a pause of this program
/// counts as no more than one of them.
const SLICE: Duration = Duration::from_millis(250);

/// Returns the request that begins a sequence of messages.
pub(crate) fn hello() -> Request {
    Request::Hello(Hello {
        protocol: protocol::VERSION,
        client: None,
    })
}

/// A connection to the broker, which can be made anew.
pub(crate) struct Connection {
    socket: RefCell<Socket>,
    next_id: u64,
    /// The sequence of messages that the broker takes over this connection, if one was
    /// begun and goes on.
    pub(crate) sequence: Option<u64>,
    /// For how long the broker was waited for.
    waited: Cell<Duration>,
}

impl Connection {
    pub(crate) fn open(endpoint: &str, keys: Option<Keys>) -> Result<Self, Error> {
        Ok(Self::over(Socket::connect(
            endpoint,
            SocketType::Dealer,
            keys,
        )?))
    }

    fn over(socket: Socket) -> Self {
        Self {
            socket: RefCell::new(socket),
            next_id: 0,
            sequence: None,
            waited: Cell::default(),
        }
    }

    /// Opens another one to the same broker.
    pub(crate) fn another(&self) -> Self {
        Self::over(self.socket.borrow().again())
    }

    /// Drops the connection with all that is on its way, and makes a new one.
    pub(crate) fn renew(&mut self) {
        let new = self.socket.borrow().again();
        self.socket = RefCell::new(new);
        self.sequence = None;
    }

    /// Returns where the broker is expected.
    pub(crate) fn endpoint(&self) -> String {
        self.socket.borrow().endpoint().to_owned()
    }

    /// Says that nobody answered in that time, or why nobody is let in.
    pub(crate) fn no_answer(&self, waited: Duration) -> Error {
        let socket = self.socket.borrow();
        let endpoint = socket.endpoint().to_owned();
        match socket.refusal() {
            Some(reason) => Error::NotLetIn {
                endpoint,
                reason: reason.to_owned(),
            },
            None => Error::NoAnswer { endpoint, waited },
        }
    }

    /// Returns an id that no other request on this connection has.
    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Sends a request; false where there is no room for it now.
    pub(crate) fn send(&self, id: u64, request: &Request) -> bool {
        let taken = self.queue::<&[u8]>(id, request, &[]);
        self.socket.borrow_mut().flush();
        taken
    }

    /// Takes a request to be sent with the next one, or when replies are waited for;
    /// false where there is no room for it now.
    pub(crate) fn queue<F: AsRef<[u8]>>(&self, id: u64, request: &Request, frames: &[F]) -> bool {
        let header = request.header(&Id::Number(id));
        let frames = frames.iter().map(AsRef::as_ref);
        let message: Vec<&[u8]> = [header.as_bytes()].into_iter().chain(frames).collect();
        self.socket.borrow_mut().queue(&message)
    }

    /// A clock that goes only while the broker is waited for. Time limits are
    /// measured by it: a program that was stopped, or busy with something else,
    /// must not take that for the broker's silence while the answer lies there.
    pub(crate) fn clock(&self) -> Duration {
        self.waited.get()
    }

    /// Waits for a while before the broker is tried again.
    pub(crate) fn pause(&self, time: Duration) {
        std::thread::sleep(time);
        self.waited.set(self.waited.get() + time);
    }

    /// Receives a message; `None` where none comes in that time. What is there
    /// is received in no time.
    pub(crate) fn receive(&self, most: Duration) -> Result<Option<Incoming>, Error> {
        let mut left = most;
        while !self.poll(left.min(SLICE)) {
            left = left.saturating_sub(SLICE);
            if left.is_zero() {
                return Ok(None);
            }
        }
        let Some(mut frames) = self.socket.borrow_mut().receive(Duration::ZERO) else {
            return Ok(None);
        };
        if frames.is_empty() {
            return Ok(None);
        }
        let header = frames.remove(0);
        match protocol::read(&header) {
            Ok(head) => Ok(Some(Incoming {
                head,
                header,
                frames,
            })),
            Err(_) => Err(Error::NoBroker {
                endpoint: self.endpoint(),
                found: String::from_utf8_lossy(&header).chars().take(80).collect(),
            }),
        }
    }

    /// Reads the members of an answer.
    pub(crate) fn read<T: DeserializeOwned>(&self, incoming: &Incoming) -> Result<T, Error> {
        protocol::read(&incoming.header).map_err(|error| Error::NoBroker {
            endpoint: self.endpoint(),
            found: error.to_string(),
        })
    }

    /// Reads an error, to be told as one.
    pub(crate) fn refused(&self, incoming: &Incoming) -> Error {
        self.read::<Failure>(incoming)
            .map_or_else(|error| error, Error::refused)
    }

    /// Waits for a message; false where none comes in that time.
    fn poll(&self, slice: Duration) -> bool {
        let began = Instant::now();
        let come = self.socket.borrow_mut().poll(slice);
        self.waited
            .set(self.waited.get() + began.elapsed().min(slice));
        come
    }
}

impl Incoming {
    /// Tells whether it belongs to the request with this id.
    pub(crate) fn answers(&self, id: u64) -> bool {
        self.head.id == Id::Number(id)
    }

    /// Tells whether what was asked for is not done.
    pub(crate) fn is_error(&self) -> bool {
        self.head.kind == Kind::Error
    }

    /// The header as it came.
    pub(crate) fn header(&self) -> &[u8] {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Router;

    #[test]
    fn the_clock_goes_only_while_the_broker_is_waited_for() {
        let broker = Router::new();
        let mut connection = Connection::open(&broker.endpoint, None).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(connection.clock(), Duration::ZERO, "nobody was waited for");
        let wait = Duration::from_millis(20);
        assert!(connection.receive(wait).unwrap().is_none());
        let waited = connection.clock();
        assert!(waited <= wait, "{waited:?}");
        connection.pause(wait);
        assert_eq!(connection.clock(), waited + wait);

        // An answer that lies there is received in no time.
        let id = connection.id();
        assert!(connection.send(id, &Request::Ping));
        let echo = std::thread::spawn(move || {
            let mut peer = broker.accept();
            peer.receive();
            peer.send(&[br#"{"type":"reply","id":1}"#.to_vec()]);
            peer
        });
        while !echo.is_finished() {
            // The handshake goes on only while somebody waits.
            connection
                .socket
                .borrow_mut()
                .poll(Duration::from_millis(1));
        }
        let before = connection.clock();
        let answer = connection.receive(Duration::from_secs(60));
        let answer = answer.unwrap().unwrap();
        assert!(answer.answers(id) && !answer.is_error() && answer.frames.is_empty());
        assert!(connection.clock() - before < Duration::from_secs(1));
    }
}
