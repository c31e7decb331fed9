//! One DEALER socket, and headers on it.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use zmtp::SocketType;

use crate::error::Error;
use crate::keys::Keys;
use crate::socket::Socket;

/// A header and the frames behind it.
pub(crate) type Incoming = (Map<String, Value>, Vec<Vec<u8>>);

/// A longer wait is made of several of these, so that a pause of this program
/// counts as no more than one of them.
const SLICE: Duration = Duration::from_millis(250);

/// A connection to the broker, which can be made anew.
pub(crate) struct Connection {
    socket: RefCell<Socket>,
    next_id: u64,
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
    pub(crate) fn send<F: AsRef<[u8]>>(&self, header: &Value, frames: &[F]) -> bool {
        let taken = self.queue(header, frames);
        self.socket.borrow_mut().flush();
        taken
    }

    /// Takes a request to be sent with the next one, or when replies are waited for;
    /// false where there is no room for it now.
    pub(crate) fn queue<F: AsRef<[u8]>>(&self, header: &Value, frames: &[F]) -> bool {
        let header = header.to_string();
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
        match serde_json::from_slice(&header) {
            Ok(Value::Object(header)) => Ok(Some((header, frames))),
            _ => Err(Error::NoBroker {
                endpoint: self.endpoint(),
                found: String::from_utf8_lossy(&header).chars().take(80).collect(),
            }),
        }
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

/// Returns a member that is a number, or 0.
pub(crate) fn number(header: &Map<String, Value>, name: &str) -> u64 {
    header.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// Tells whether a message belongs to the request with this id.
pub(crate) fn answers(header: &Map<String, Value>, id: u64) -> bool {
    header.get("id").and_then(Value::as_u64) == Some(id)
}

/// Tells whether a message is of this type.
pub(crate) fn is(header: &Map<String, Value>, kind: &str) -> bool {
    header.get("type").and_then(Value::as_str) == Some(kind)
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
        let header = serde_json::json!({"op": "hello", "id": id});
        assert!(connection.send::<&[u8]>(&header, &[]));
        let echo = std::thread::spawn(move || {
            let mut peer = broker.accept();
            let request = peer.receive();
            peer.send(&request);
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
        let (answer, frames) = connection
            .receive(Duration::from_secs(60))
            .unwrap()
            .unwrap();
        assert!(answers(&answer, id) && frames.is_empty());
        assert!(connection.clock() - before < Duration::from_secs(1));
    }
}
