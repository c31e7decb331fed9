//! A running server, and as little of a client as there can be.

#![allow(
    clippy::unwrap_used,
    reason = "a failing test is to stop and to say why; clippy sees only #[test] functions as tests"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use page::{Options, Server};
use query::Zone;
use serde_json::Value;

/// Long enough for anything on any machine.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Running {
    pub(crate) host: String,
    pub(crate) path: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Running {
    pub(crate) fn of(dir: &Path) -> Self {
        Self::with(Options::of(dir))
    }

    pub(crate) fn with(options: Options) -> Self {
        let server = Server::open(Options {
            port: 0,
            zone: Zone::utc(),
            ..options
        });
        let server = server.unwrap();
        let address = server.address().strip_prefix("http://").unwrap();
        let (host, path) = address.split_once('/').unwrap();
        let (host, path) = (host.to_owned(), format!("/{path}"));
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = thread::spawn(move || server.run(&told).unwrap());
        Self {
            host,
            path,
            stop,
            thread: Some(thread),
        }
    }

    /// Asks with these headers besides the usual ones.
    pub(crate) fn request(&self, method: &str, target: &str, headers: &str) -> Reply {
        let mut stream = self.connect();
        let host = match headers.contains("Host:") {
            true => String::new(),
            false => format!("Host: {}\r\n", self.host),
        };
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n"
        )
        .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let head = head.to_lowercase();
        let body = match head.contains("transfer-encoding: chunked") {
            true => dechunked(body),
            false => body.to_owned(),
        };
        Reply { status, head, body }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub(crate) fn get(&self, question: &str) -> Reply {
        self.request("GET", &format!("{}{question}", self.path), "")
    }

    #[track_caller]
    pub(crate) fn ask(&self, question: &str) -> Value {
        let reply = self.get(&format!("api/{question}"));
        assert_eq!(reply.status, 200, "{question}: {}", reply.body);
        serde_json::from_str(&reply.body).unwrap()
    }

    /// Begins to watch.
    pub(crate) fn watch(&self, question: &str, headers: &str) -> Events {
        let mut stream = self.connect();
        let (path, host) = (&self.path, &self.host);
        write!(
            stream,
            "GET {path}api/live?{question} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n"
        )
        .unwrap();
        let mut events = Events(BufReader::new(stream));
        let (kind, ..) = events.next();
        assert_eq!(kind, "begin");
        events
    }

    pub(crate) fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn dechunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        whole.push_str(&rest[..length]);
        body = &rest[length + 2..];
        if length == 0 {
            break;
        }
    }
    whole
}

/// A stream of events.
pub(crate) struct Events(BufReader<TcpStream>);

impl Events {
    /// Waits for the next event: its kind, its name, and its data.
    pub(crate) fn next(&mut self) -> (String, String, String) {
        let (mut kind, mut id, mut data) = Default::default();
        loop {
            let mut line = String::new();
            assert_ne!(
                self.0.read_line(&mut line).unwrap(),
                0,
                "the stream has ended"
            );
            match line.trim_end().split_once(": ") {
                Some(("event", value)) => kind = value.to_owned(),
                Some(("id", value)) => id = value.to_owned(),
                Some(("data", value)) => data = value.to_owned(),
                _ if line.trim_end().is_empty() && !kind.is_empty() => return (kind, id, data),
                // Comments, and the lengths of chunks.
                _ => {}
            }
        }
    }

    /// Waits for the next message: its number.
    pub(crate) fn number(&mut self) -> u64 {
        let (kind, id, data) = self.next();
        assert_eq!(kind, "message", "{data}");
        let message: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(message["number"].to_string(), id);
        id.parse().unwrap()
    }
}
