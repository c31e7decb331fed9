//! `--metrics`: how recording goes, for Prometheus and for checks of health, over HTTP.
//!
//! One thread serves one request after the other. Each has a time limit, so that a
//! client that says nothing holds up nobody for long; nothing of the broker waits for it.

mod text;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use transport::Monitor;

/// How long a client has for its request, and for taking the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the broker has to say how it goes; in less it answers always.
const ANSWER: Duration = Duration::from_secs(1);
/// No scraper asks for more.
const LONGEST: usize = 8 << 10;

/// The thread that answers, which ends with the process.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Metrics {
    /// Listens on an address; port 0 picks a free one.
    pub(crate) fn start(address: SocketAddr, monitor: Monitor) -> anyhow::Result<Self> {
        let listen = || -> io::Result<(TcpListener, SocketAddr)> {
            let listener = TcpListener::bind(address)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listen().with_context(|| {
            format!("cannot listen on {address}: choose another address with --metrics")
        })?;
        let thread = std::thread::Builder::new().name("metrics".to_owned());
        let thread = thread.spawn(move || serve(&listener, &monitor));
        thread.context("cannot start a thread")?;
        Ok(Self { address })
    }
}

fn serve(listener: &TcpListener, monitor: &Monitor) {
    for connection in listener.incoming() {
        match connection {
            Ok(connection) => {
                if let Err(error) = answer(connection, monitor) {
                    log::debug!("a request for metrics was not answered: {error}");
                }
            }
            Err(error) => {
                log::debug!("a request for metrics was not accepted: {error}");
                // Without free descriptors it would fail again at once.
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

fn answer(mut connection: TcpStream, monitor: &Monitor) -> io::Result<()> {
    connection.set_write_timeout(Some(PATIENCE))?;
    let head = read_head(&mut connection)?;
    let (status, kind, body) = respond(&head, monitor);
    let reply = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Connection: close\r\nCache-Control: no-store\r\n\r\n",
        body.len()
    );
    connection.write_all(reply.as_bytes())?;
    if !head.starts_with("HEAD ") {
        connection.write_all(body.as_bytes())?;
    }
    Ok(())
}

/// Reads a request up to its blank line; a body is none of ours.
fn read_head(connection: &mut TcpStream) -> io::Result<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() > LONGEST {
            return Err(io::ErrorKind::TimedOut.into());
        }
        connection.set_read_timeout(Some(left))?;
        let count = connection.read(&mut piece)?;
        head.extend_from_slice(piece.get(..count).unwrap_or_default());
        let is_whole = head.windows(4).any(|part| part == b"\r\n\r\n")
            || head.windows(2).any(|part| part == b"\n\n");
        if is_whole || count == 0 {
            return Ok(String::from_utf8_lossy(&head).into_owned());
        }
    }
}

/// Returns the status line's rest, the type and the body.
fn respond(head: &str, monitor: &Monitor) -> (&'static str, &'static str, String) {
    const PLAIN: &str = "text/plain; charset=utf-8";
    /// The version of Prometheus' text format.
    const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";
    let mut words = head.split_ascii_whitespace();
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    if !matches!(method, Some("GET" | "HEAD")) {
        return (
            "405 Method Not Allowed",
            PLAIN,
            "only GET is served\n".to_owned(),
        );
    }
    let path = target.split('?').next().unwrap_or_default();
    let down = || {
        let text = "the broker does not answer: it stops, or hangs\n".to_owned();
        ("503 Service Unavailable", PLAIN, text)
    };
    let status = || monitor.status(ANSWER);
    match path {
        "/metrics" => match status() {
            Some(status) => {
                let text = text::write(&status, &monitor.commit_times(), monitor.flow());
                ("200 OK", EXPOSITION, text)
            }
            None => down(),
        },
        // It lives, whatever the disk does: a restart would not make room.
        "/healthz" => match status() {
            Some(_) => ("200 OK", PLAIN, "ok\n".to_owned()),
            None => down(),
        },
        "/readyz" => match status() {
            Some(status) => match status.stalled {
                None => ("200 OK", PLAIN, "recording\n".to_owned()),
                Some(stalled) => {
                    let text = format!("not recording: {}\n", stalled.reason);
                    ("503 Service Unavailable", PLAIN, text)
                }
            },
            None => down(),
        },
        _ => {
            let text = "there is /metrics, /healthz and /readyz\n".to_owned();
            ("404 Not Found", PLAIN, text)
        }
    }
}
