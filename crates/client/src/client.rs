//! Requests that get one reply.

use std::time::Duration;

use protocol::{Archive, Greeting, LastOf, Request, Status};

use crate::connection::{ATTEMPT, Connection, Incoming, hello};
use crate::consumer::{Consume, Consumer};
use crate::error::Error;
use crate::keys::Keys;
use crate::publish::{Published, publish_all};

/// A client of one broker.
pub struct Client {
    pub(crate) connection: Connection,
    timeout: Duration,
}

/// A session that was closed on request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// The archive's name.
    pub name: String,
    /// How many messages it holds.
    pub messages: u64,
}

impl Client {
    /// Connects to a broker's control port, such as `tcp://127.0.0.1:5558`, and
    /// waits for its first answer. `timeout` is for this call and each later one.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] where nobody answers in time, [`Error::Refused`] with
    /// the code `unsupported_protocol` by a broker of another version.
    pub fn connect(endpoint: &str, timeout: Duration) -> Result<Self, Error> {
        Self::begin(endpoint, None, timeout)
    }

    /// Connects to a broker that lets in the owners of keys alone (`--curve`).
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and [`Error::NotLetIn`] where the broker does not
    /// know the key, or is another one than expected.
    pub fn connect_with_keys(endpoint: &str, keys: Keys, timeout: Duration) -> Result<Self, Error> {
        Self::begin(endpoint, Some(keys), timeout)
    }

    fn begin(endpoint: &str, keys: Option<Keys>, timeout: Duration) -> Result<Self, Error> {
        Self::over(Connection::open(endpoint, keys)?, timeout)
    }

    /// Makes one with a connection of its own to the same broker.
    pub(crate) fn another(&self) -> Result<Self, Error> {
        Self::over(self.connection.another(), self.timeout)
    }

    fn over(connection: Connection, timeout: Duration) -> Result<Self, Error> {
        let mut client = Self {
            connection,
            timeout,
        };
        let answer = client.request(&hello())?;
        let greeting: Greeting = client.connection.read(&answer)?;
        client.connection.sequence = Some(greeting.sequence);
        Ok(client)
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns how far other journals' messages are recorded here.
    ///
    /// # Errors
    /// [`Error::Refused`] where the broker can't read that, and as
    /// [`connect`](Self::connect).
    pub fn origins(&mut self) -> Result<Vec<LastOf>, Error> {
        let answer = self.request(&Request::Origins)?;
        let origins: protocol::Origins = self.connection.read(&answer)?;
        Ok(origins.origins)
    }

    /// Sets how long each later call may take.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Publishes one message and returns when it is on stable storage.
    ///
    /// # Errors
    /// [`Error::Refused`] where the broker can't record it, [`Error::NoAnswer`]
    /// where it does not answer in time, [`Error::Unknown`] where it did not
    /// answer and the message could not be sent again.
    pub fn publish(&mut self, frames: &[&[u8]]) -> Result<Published, Error> {
        let published = self.publish_all(&[frames])?;
        published.into_iter().next().ok_or_else(|| self.no_answer())
    }

    /// Publishes messages without waiting for each reply before the next one,
    /// and returns when all of them are on stable storage. They are recorded in this
    /// order, also where the connection is lost or the broker is started again meanwhile.
    ///
    /// # Errors
    /// As [`publish`](Self::publish), for the first message that failed; those
    /// before and behind it may be recorded.
    pub fn publish_all<M, F>(&mut self, messages: &[M]) -> Result<Vec<Published>, Error>
    where
        M: AsRef<[F]>,
        F: AsRef<[u8]>,
    {
        publish_all(&mut self.connection, messages, self.timeout)
    }

    /// Begins to read the journal, over a connection of its own.
    ///
    /// # Errors
    /// [`Error::Refused`] where the position can't be served, and as
    /// [`connect`](Self::connect).
    pub fn consume(&self, request: Consume) -> Result<Consumer, Error> {
        Consumer::start(self.connection.another(), request, self.timeout)
    }

    /// Returns the broker's status.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn status(&mut self) -> Result<Status, Error> {
        let answer = self.request(&Request::Status)?;
        self.connection.read(&answer)
    }

    /// Returns the broker's status as it came: an object in JSON, which a newer broker
    /// may have given more members than [`Status`] has.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn status_json(&mut self) -> Result<Vec<u8>, Error> {
        let answer = self.request(&Request::Status)?;
        Ok(answer.header().to_vec())
    }

    /// Closes the session; `None` where nothing is in it.
    ///
    /// # Errors
    /// [`Error::Refused`] where it can't be closed, and as
    /// [`connect`](Self::connect). It is asked once: a session that was closed
    /// without an answer is not closed twice.
    pub fn archive(&mut self, label: Option<&str>) -> Result<Option<Archived>, Error> {
        let label = label.map(str::to_owned);
        let answer = self.ask(&Request::Archive(Archive { label }), self.timeout)?;
        let answer = answer.ok_or_else(|| self.no_answer())?;
        let archived: protocol::Archived = self.connection.read(&answer)?;
        Ok(archived.archive.map(|name| Archived {
            name,
            messages: archived.messages,
        }))
    }

    /// Asks again, over a new connection, until there is an answer.
    fn request(&mut self, request: &Request) -> Result<Incoming, Error> {
        let give_up = self.connection.clock().saturating_add(self.timeout);
        loop {
            let left = give_up.saturating_sub(self.connection.clock());
            if let Some(answer) = self.ask(request, left.min(ATTEMPT))? {
                return Ok(answer);
            }
            if self.connection.clock() >= give_up {
                return Err(self.no_answer());
            }
            self.connection.renew();
        }
    }

    /// Asks once; `None` where nobody answers in that time.
    fn ask(&mut self, request: &Request, most: Duration) -> Result<Option<Incoming>, Error> {
        let id = self.connection.id();
        // Where there is no room nobody reads: that shows in a moment.
        let _room = self.connection.send(id, request);
        let give_up = self.connection.clock().saturating_add(most);
        loop {
            let left = give_up.saturating_sub(self.connection.clock());
            match self.connection.receive(left)? {
                Some(answer) if !answer.answers(id) => {}
                Some(answer) if answer.is_error() => return Err(self.connection.refused(&answer)),
                answer => return Ok(answer),
            }
        }
    }

    pub(crate) fn no_answer(&self) -> Error {
        self.connection.no_answer(self.timeout)
    }
}

#[cfg(test)]
mod tests;
