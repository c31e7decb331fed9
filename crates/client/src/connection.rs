//! One DEALER socket, and headers on it.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::error::Error;

/// A header and the frames behind it.
pub(crate) type Incoming = (Map<String, Value>, Vec<Vec<u8>>);

/// A connection to the broker, which can be made anew.
pub(crate) struct Connection {
    context: zmq::Context,
    pub(crate) endpoint: String,
    socket: zmq::Socket,
    next_id: u64,
}

impl Connection {
    pub(crate) fn open(context: &zmq::Context, endpoint: &str) -> Result<Self, Error> {
        let socket = dealer(context, endpoint)?;
        Ok(Self {
            context: context.clone(),
            endpoint: endpoint.to_owned(),
            socket,
            next_id: 0,
        })
    }

    /// Opens another one to the same broker.
    pub(crate) fn another(&self) -> Result<Self, Error> {
        Self::open(&self.context, &self.endpoint)
    }

    /// Drops the connection with all that is on its way, and makes a new one.
    pub(crate) fn renew(&mut self) -> Result<(), Error> {
        self.socket = dealer(&self.context, &self.endpoint)?;
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
        match self.socket.send_multipart(message, zmq::DONTWAIT) {
            Ok(()) => Ok(true),
            Err(zmq::Error::EAGAIN) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Receives a message; `None` where none comes in that time.
    pub(crate) fn receive(&self, most: Duration) -> Result<Option<Incoming>, Error> {
        let give_up = Instant::now() + most;
        loop {
            let left = give_up.saturating_duration_since(Instant::now());
            let millis = i64::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i64::MAX);
            match self.socket.poll(zmq::POLLIN, millis) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(zmq::Error::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut frames = self.socket.recv_multipart(zmq::DONTWAIT)?;
        let header = frames.remove(0);
        match serde_json::from_slice(&header) {
            Ok(Value::Object(header)) => Ok(Some((header, frames))),
            _ => Err(Error::NoBroker {
                endpoint: self.endpoint.clone(),
                found: String::from_utf8_lossy(&header).chars().take(80).collect(),
            }),
        }
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
