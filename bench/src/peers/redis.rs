//! Redis streams: pipelined XADD, and XREAD that waits.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use super::free_port;
use super::pipeline::{Answer, Pipeline};
use crate::agents::{Medium, Publish, Receive};
use crate::payload::TOPIC;
use crate::process::Process;
use crate::subject::Running;

/// How long XREAD waits, in milliseconds, and how many entries it takes.
const BLOCK: &[u8] = b"200";
const COUNT: &[u8] = b"1000";
const STREAM: &[u8] = b"bench";

pub(super) fn check() -> anyhow::Result<()> {
    let version = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    ensure!(
        version.is_ok_and(|status| status.success()),
        "redis-server is not installed"
    );
    Ok(())
}

pub(super) fn start(dir: &Path) -> anyhow::Result<Running> {
    let port = free_port()?;
    let mut command = Command::new("redis-server");
    command
        .arg("--port")
        .arg(port.to_string())
        .args(["--bind", "127.0.0.1", "--save", ""]);
    command
        .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
        .arg(dir);
    let process = Process::start(&mut command)?;
    process.line_with("Ready to accept connections")?;
    let medium = Redis { port };
    Ok(Running::new(process, Box::new(medium)))
}

struct Redis {
    port: u16,
}

impl Medium for Redis {
    fn publisher(&self) -> anyhow::Result<Box<dyn Publish>> {
        let pipeline = Pipeline::new(connect(self.port)?, |line| match line.first() {
            // The new entry's number follows its length.
            Some(b'$') => Answer::Part,
            Some(b'-') => Answer::Bad,
            _ => Answer::Good,
        })?;
        Ok(Box::new(Publisher { pipeline }))
    }

    fn subscriber(&self) -> anyhow::Result<Box<dyn Receive>> {
        Ok(Box::new(Subscriber {
            stream: BufReader::with_capacity(64 << 10, connect(self.port)?),
            last: b"0-0".to_vec(),
            waiting: 0,
            payload: Vec::new(),
        }))
    }
}

fn connect(port: u16) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).context("cannot connect to Redis")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

struct Publisher {
    pipeline: Pipeline,
}

impl Publish for Publisher {
    fn send(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        let request = [b"XADD", STREAM, b"*", b"topic", TOPIC, b"payload", payload];
        push(&mut self.pipeline.buffer, &request);
        self.pipeline.requested()
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.pipeline.flush()
    }
}

struct Subscriber {
    stream: BufReader<TcpStream>,
    /// The number of the last entry that was read.
    last: Vec<u8>,
    /// How many entries of an answer are still to be read.
    waiting: i64,
    payload: Vec<u8>,
}

impl Receive for Subscriber {
    fn receive(&mut self) -> anyhow::Result<Option<&[u8]>> {
        if self.waiting == 0 && !self.ask()? {
            return Ok(None);
        }
        self.waiting -= 1;
        self.expect(b'*', 2)?;
        read_text(&mut self.stream, &mut self.last)?;
        self.expect(b'*', 4)?;
        for expected in [b"topic", TOPIC, b"payload"] {
            read_text(&mut self.stream, &mut self.payload)?;
            ensure!(self.payload == expected, "an entry that is not ours");
        }
        read_text(&mut self.stream, &mut self.payload)?;
        Ok(Some(&self.payload))
    }
}

impl Subscriber {
    /// Asks for what is behind the last entry; false if nothing came.
    fn ask(&mut self) -> anyhow::Result<bool> {
        let mut request = Vec::new();
        let parts = [
            b"XREAD",
            &b"COUNT"[..],
            COUNT,
            b"BLOCK",
            BLOCK,
            b"STREAMS",
            STREAM,
            &self.last,
        ];
        push(&mut request, &parts);
        self.stream.get_mut().write_all(&request)?;
        if read_number(&mut self.stream, b'*')? < 1 {
            return Ok(false);
        }
        self.expect(b'*', 2)?;
        read_text(&mut self.stream, &mut self.payload)?;
        self.waiting = read_number(&mut self.stream, b'*')?;
        Ok(self.waiting > 0)
    }

    fn expect(&mut self, kind: u8, number: i64) -> anyhow::Result<()> {
        let found = read_number(&mut self.stream, kind)?;
        ensure!(found == number, "{found} parts where {number} were due");
        Ok(())
    }
}

/// Adds a request: an array of strings.
fn push(buffer: &mut Vec<u8>, parts: &[&[u8]]) {
    buffer.extend_from_slice(format!("*{}\r\n", parts.len()).as_bytes());
    for part in parts {
        buffer.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        buffer.extend_from_slice(part);
        buffer.extend_from_slice(b"\r\n");
    }
}

/// Reads the line that says how long an array or a string is.
fn read_number(stream: &mut impl BufRead, kind: u8) -> anyhow::Result<i64> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    match line.as_bytes().first() {
        Some(first) if *first == kind => Ok(line[1..].trim_end().parse()?),
        _ => bail!("Redis said {line:?}"),
    }
}

fn read_text(stream: &mut impl BufRead, text: &mut Vec<u8>) -> anyhow::Result<()> {
    let length = usize::try_from(read_number(stream, b'$')?)?;
    text.resize(length + 2, 0);
    stream.read_exact(text)?;
    text.truncate(length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_arrays_of_strings_that_read_back() {
        let mut request = Vec::new();
        push(&mut request, &[b"XADD", b"", b"a\r\nb"]);
        assert_eq!(request, b"*3\r\n$4\r\nXADD\r\n$0\r\n\r\n$4\r\na\r\nb\r\n");
        let (mut rest, mut text) = (&request[..], Vec::new());
        assert_eq!(read_number(&mut rest, b'*').unwrap(), 3);
        for expected in [&b"XADD"[..], b"", b"a\r\nb"] {
            read_text(&mut rest, &mut text).unwrap();
            assert_eq!(text, expected);
        }
        let error = read_number(&mut &b"-ERR no\r\n"[..], b'*').unwrap_err();
        assert!(error.to_string().contains("ERR no"), "{error}");
    }
}
