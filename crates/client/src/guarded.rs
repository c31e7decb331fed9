//! A DEALER socket to a broker that lets in the owners of keys alone.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use zmtp::curve::{Client, Opened, Opener, Sealer};
use zmtp::{Assembler, Command, Found, SocketType};

use crate::error::Error;
use crate::keys::Keys;

/// How long connecting and shaking hands may take.
const HANDSHAKE: Duration = Duration::from_secs(3);
/// How much waits to be sent before no more is taken.
const ROOM: usize = 1 << 20;
/// While something waits to be sent, it is tried again this often.
const SOON: Duration = Duration::from_millis(5);

/// One connection, or what is wrong with it.
pub(crate) struct Guarded {
    state: Result<Open, String>,
}

struct Open {
    stream: TcpStream,
    sealer: Sealer,
    opener: Opener,
    /// What has come and is in no whole box.
    sealed: Vec<u8>,
    /// What was in boxes and is no whole message.
    plain: Vec<u8>,
    /// Where the frame begins in it that was not looked at.
    next: usize,
    assembler: Assembler,
    messages: VecDeque<Vec<Vec<u8>>>,
    unsent: Vec<u8>,
}

impl Guarded {
    /// Connects and shows a key. That nobody is there, or that the key is not let in,
    /// is no error yet: it may be so only for a moment.
    pub(crate) fn open(endpoint: &str, keys: &Keys) -> Self {
        let state = connect(endpoint, keys);
        Self {
            state: state.map_err(|error| error.to_string()),
        }
    }

    /// Returns why there is no connection.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.state.as_ref().err().map(String::as_str)
    }

    /// Sends a message; false where there is no room for it now.
    pub(crate) fn send(&mut self, message: &[Vec<u8>]) -> Result<bool, Error> {
        // As over a connection that is lost a moment later: nobody answers.
        let Ok(open) = &mut self.state else {
            return Ok(true);
        };
        if open.unsent.len() >= ROOM {
            self.check(Open::flush);
            if self
                .state
                .as_ref()
                .is_ok_and(|open| open.unsent.len() >= ROOM)
            {
                return Ok(false);
            }
        }
        let mut plain = Vec::new();
        zmtp::push_message(&mut plain, message.iter().map(Vec::as_slice));
        if let Ok(open) = &mut self.state {
            let sealed = open.sealer.push(&mut open.unsent, &plain);
            if let Err(error) = sealed {
                self.state = Err(error.to_string());
            }
        }
        self.check(Open::flush);
        Ok(true)
    }

    /// Waits for a message; false where none comes in that time.
    pub(crate) fn poll(&mut self, most: Duration) -> bool {
        let give_up = Instant::now() + most;
        loop {
            match &self.state {
                Ok(open) if !open.messages.is_empty() => return true,
                Ok(_) => {}
                Err(_) => {
                    std::thread::sleep(give_up.saturating_duration_since(Instant::now()));
                    return false;
                }
            }
            let left = give_up.saturating_duration_since(Instant::now());
            self.check(|open| open.receive(left));
            if left.is_zero() {
                return self
                    .state
                    .as_ref()
                    .is_ok_and(|open| !open.messages.is_empty());
            }
        }
    }

    /// Returns the next message that has come.
    pub(crate) fn recv(&mut self) -> Option<Vec<Vec<u8>>> {
        self.state.as_mut().ok()?.messages.pop_front()
    }

    fn check(&mut self, act: impl FnOnce(&mut Open) -> io::Result<()>) {
        if let Ok(open) = &mut self.state
            && let Err(error) = act(open)
        {
            // What has come is given out first.
            if open.messages.is_empty() {
                self.state = Err(error.to_string());
            }
        }
    }
}

fn connect(endpoint: &str, keys: &Keys) -> io::Result<Open> {
    let address = endpoint.strip_prefix("tcp://").unwrap_or(endpoint);
    let mut last = io::Error::new(ErrorKind::NotFound, format!("{address} is no address"));
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, HANDSHAKE) {
            Ok(stream) => return shake_hands(stream, keys),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn shake_hands(mut stream: TcpStream, keys: &Keys) -> io::Result<Open> {
    let give_up = Instant::now() + HANDSHAKE;
    stream.set_nodelay(true)?;
    let own = keys.own.clone();
    let client = Client::new(SocketType::Dealer, b"", own, keys.server);
    let mut client = client.map_err(io::Error::other)?;
    let (mut held, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        stream.write_all(&client.take_unsent())?;
        let (consumed, done) = client.advance(&held).map_err(io::Error::other)?;
        held.drain(..consumed);
        if done && let Some(session) = client.take_session() {
            return Ok(Open {
                stream,
                sealer: session.sealer,
                opener: session.opener,
                sealed: held,
                plain: Vec::new(),
                next: 0,
                assembler: Assembler::new(u64::MAX),
                messages: VecDeque::new(),
                unsent: Vec::new(),
            });
        }
        stream.write_all(&client.take_unsent())?;
        let left = give_up.saturating_duration_since(Instant::now());
        let silent = || {
            let text = "the broker did not finish the handshake: it has not let this key in, or \
                        has another one itself; its log says which";
            io::Error::new(ErrorKind::PermissionDenied, text)
        };
        if left.is_zero() {
            return Err(silent());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer) {
            Ok(0) => return Err(silent()),
            Ok(count) => held.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if is_pause(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

impl Open {
    /// Sends what waits, as far as that goes without waiting.
    fn flush(&mut self) -> io::Result<()> {
        self.stream.set_nonblocking(true)?;
        let mut sent = 0;
        let result = loop {
            let rest = self.unsent.get(sent..).unwrap_or_default();
            if rest.is_empty() {
                break Ok(());
            }
            match self.stream.write(rest) {
                Ok(count) => sent += count,
                Err(error) if is_pause(&error) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.unsent.drain(..sent);
        self.stream.set_nonblocking(false)?;
        result
    }

    /// Reads once, waiting for at most this time, and takes what is whole.
    fn receive(&mut self, most: Duration) -> io::Result<()> {
        self.flush()?;
        let most = match self.unsent.is_empty() {
            true => most,
            false => most.min(SOON),
        };
        let mut buffer = vec![0; 64 << 10];
        let read = if most.is_zero() {
            self.stream.set_nonblocking(true)?;
            let read = self.stream.read(&mut buffer);
            self.stream.set_nonblocking(false)?;
            read
        } else {
            self.stream.set_read_timeout(Some(most))?;
            self.stream.read(&mut buffer)
        };
        match read {
            Ok(0) => {
                let text = "the broker has closed the connection";
                return Err(io::Error::new(ErrorKind::ConnectionReset, text));
            }
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                self.sealed.extend_from_slice(bytes);
            }
            Err(error) if is_pause(&error) => {}
            Err(error) => return Err(error),
        }
        self.open_boxes()?;
        self.find_messages()
    }

    fn open_boxes(&mut self) -> io::Result<()> {
        let mut at = 0;
        loop {
            let rest = self.sealed.get_mut(at..).unwrap_or_default();
            match self.opener.open(rest).map_err(io::Error::other)? {
                Opened::Frame { plain, end, .. } => {
                    let frame = rest.get(plain).unwrap_or_default();
                    self.plain.extend_from_slice(frame);
                    at += end;
                }
                Opened::Part { .. } => break,
            }
        }
        self.sealed.drain(..at);
        Ok(())
    }

    fn find_messages(&mut self) -> io::Result<()> {
        loop {
            let rest = self.plain.get(self.next..).unwrap_or_default();
            match self.assembler.look(rest).map_err(io::Error::other)? {
                Found::Frame { end, last } => {
                    self.next += end;
                    if last {
                        let whole = self.plain.get(..self.next).unwrap_or_default();
                        let frames = zmtp::frames(whole).map(<[u8]>::to_vec).collect();
                        self.messages.push_back(frames);
                        self.plain.drain(..self.next);
                        self.next = 0;
                    }
                }
                Found::Command { body, end } => {
                    let command = rest.get(body..end).unwrap_or_default();
                    if let Ok(Command::Ping { context, .. }) = Command::parse(command) {
                        let mut pong = Vec::new();
                        zmtp::push_pong(&mut pong, context);
                        let sealed = self.sealer.push(&mut self.unsent, &pong);
                        sealed.map_err(io::Error::other)?;
                    }
                    self.plain.drain(self.next..self.next + end);
                }
                Found::Part { .. } => return Ok(()),
            }
        }
    }
}
