//! One DEALER socket, and headers on it.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::error::Error;
use crate::guarded::Guarded;
use crate::keys::Keys;

/// A header and the frames behind it.
pub(crate) type Incoming = (Map<String, Value>, Vec<Vec<u8>>);

/// A longer wait is made of several of these, so that a pause of this program
/// counts as no more than one of them.
const SLICE: Duration = Duration::from_millis(250);

/// A connection to the broker, which can be made anew.
pub(crate) struct Connection {
    context: zmq::Context,
    pub(crate) endpoint: String,
    /// What the broker is shown; `None` where it lets everybody in.
    keys: Option<Keys>,
    socket: Socket,
    next_id: u64,
    /// For how long the broker was waited for.
    waited: Cell<Duration>,
}

/// What carries the messages. The bundled libzmq has no CURVE.
enum Socket {
    Open(zmq::Socket),
    Guarded(Box<RefCell<Guarded>>),
}

impl Socket {
    fn open(context: &zmq::Context, endpoint: &str, keys: Option<&Keys>) -> zmq::Result<Self> {
        Ok(match keys {
            None => Self::Open(dealer(context, endpoint)?),
            Some(keys) => Self::Guarded(Box::new(RefCell::new(Guarded::open(endpoint, keys)))),
        })
    }

    /// False where there is no room for it now.
    fn send(&self, message: Vec<Vec<u8>>) -> Result<bool, Error> {
        match self {
            Self::Guarded(socket) => socket.borrow_mut().send(&message),
            Self::Open(socket) => match socket.send_multipart(message, zmq::DONTWAIT) {
                Ok(()) => Ok(true),
                Err(zmq::Error::EAGAIN) => Ok(false),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Waits for a message; false where none comes in that time.
    fn poll(&self, most: Duration) -> Result<bool, Error> {
        match self {
            Self::Guarded(socket) => Ok(socket.borrow_mut().poll(most)),
            Self::Open(socket) => {
                let millis = i64::try_from(most.as_micros().div_ceil(1000)).unwrap_or(i64::MAX);
                match socket.poll(zmq::POLLIN, millis) {
                    Ok(count) => Ok(count > 0),
                    Err(zmq::Error::EINTR) => Ok(false),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    fn receive(&self) -> Result<Vec<Vec<u8>>, Error> {
        Ok(match self {
            Self::Guarded(socket) => socket.borrow_mut().recv().unwrap_or_default(),
            Self::Open(socket) => socket.recv_multipart(zmq::DONTWAIT)?,
        })
    }
}

impl Connection {
    pub(crate) fn open(
        context: &zmq::Context,
        endpoint: &str,
        keys: Option<Keys>,
    ) -> Result<Self, Error> {
        Ok(Self {
            socket: Socket::open(context, endpoint, keys.as_ref())?,
            context: context.clone(),
            endpoint: endpoint.to_owned(),
            keys,
            next_id: 0,
            waited: Cell::default(),
        })
    }

    /// Opens another one to the same broker.
    pub(crate) fn another(&self) -> Result<Self, Error> {
        Self::open(&self.context, &self.endpoint, self.keys.clone())
    }

    /// Returns why a broker with keys can't be talked with.
    pub(crate) fn problem(&self) -> Option<String> {
        match &self.socket {
            Socket::Open(_) => None,
            Socket::Guarded(socket) => socket.borrow().problem().map(str::to_owned),
        }
    }

    /// Drops the connection with all that is on its way, and makes a new one.
    pub(crate) fn renew(&mut self) -> Result<(), Error> {
        self.socket = Socket::open(&self.context, &self.endpoint, self.keys.as_ref())?;
        Ok(())
    }

    /// Returns an id that no other request on this connection has.
    pub(crate) fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Sends a request; false where there is no room for it now.
    pub(crate) fn send<F: AsRef<[u8]>>(&self, header: &Value, frames: &[F]) -> Result<bool, Error> {
        let mut message = vec![header.to_string().into_bytes()];
        message.extend(frames.iter().map(|frame| frame.as_ref().to_vec()));
        self.socket.send(message)
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
        while !self.poll(left.min(SLICE))? {
            left = left.saturating_sub(SLICE);
            if left.is_zero() {
                return Ok(None);
            }
        }
        let mut frames = self.socket.receive()?;
        if frames.is_empty() {
            return Ok(None);
        }
        let header = frames.remove(0);
        match serde_json::from_slice(&header) {
            Ok(Value::Object(header)) => Ok(Some((header, frames))),
            _ => Err(Error::NoBroker {
                endpoint: self.endpoint.clone(),
                found: String::from_utf8_lossy(&header).chars().take(80).collect(),
            }),
        }
    }

    /// Waits for a message; false where none comes in that time.
    fn poll(&self, slice: Duration) -> Result<bool, Error> {
        let began = Instant::now();
        let come = self.socket.poll(slice)?;
        self.waited
            .set(self.waited.get() + began.elapsed().min(slice));
        Ok(come)
    }
}

fn dealer(context: &zmq::Context, endpoint: &str) -> zmq::Result<zmq::Socket> {
    let socket = context.socket(zmq::DEALER)?;
    // What is unsent when it is closed is sent again by whoever cares.
    socket.set_linger(0)?;
    socket.connect(endpoint)?;
    Ok(socket)
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

    #[test]
    fn the_clock_goes_only_while_the_broker_is_waited_for() {
        let context = zmq::Context::new();
        let broker = context.socket(zmq::ROUTER).unwrap();
        broker.bind("inproc://broker").unwrap();
        let mut connection = Connection::open(&context, "inproc://broker", None).unwrap();
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
        assert!(connection.send::<&[u8]>(&header, &[]).unwrap());
        let request = broker.recv_multipart(0).unwrap();
        broker.send_multipart(request, 0).unwrap();
        let (answer, frames) = connection.receive(Duration::ZERO).unwrap().unwrap();
        assert!(answers(&answer, id) && frames.is_empty());
    }
}
