//! NATS JetStream: published without waiting for the acknowledgement, and
//! pushed to consumers.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::free_port;
use super::pipeline::{Answer, Pipeline};
use crate::agents::{Medium, Publish, Receive};
use crate::payload::TOPIC;
use crate::process::Process;
use crate::subject::Running;

const STREAM: &str = "bench";
/// How long a subscriber waits at a time.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long the rest of what has begun to come may take.
const REST: Duration = Duration::from_secs(30);
/// How many tries a server gets to listen.
const TRIES: u32 = 100;

pub(super) fn check() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let test = Command::new("nats-server")
        .arg("-t")
        .arg("-c")
        .arg(configure(dir.path(), 4_222)?)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .ok()
        .context("nats-server is not installed")?;
    let complaint = String::from_utf8_lossy(&test.stderr);
    ensure!(
        test.status.success(),
        "nats-server is too old: {}",
        complaint.trim()
    );
    Ok(())
}

pub(super) fn start(dir: &Path) -> anyhow::Result<Running> {
    let port = free_port()?;
    let mut command = Command::new("nats-server");
    command
        .arg("-c")
        .arg(configure(dir, port)?)
        .stderr(Stdio::null());
    let process = Process::start(&mut command)?;
    let mut client = (0..TRIES)
        .find_map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            Client::connect(port).ok()
        })
        .context("nats-server doesn't listen")?;
    let subject = String::from_utf8_lossy(TOPIC);
    let stream =
        json!({ "name": STREAM, "subjects": [subject], "storage": "file", "num_replicas": 1 });
    client.request(&format!("$JS.API.STREAM.CREATE.{STREAM}"), &stream)?;
    Ok(Running::new(process, Box::new(Nats { port })))
}

fn configure(dir: &Path, port: u16) -> anyhow::Result<std::path::PathBuf> {
    let store = dir.join("store");
    let path = dir.join("nats.conf");
    let text = format!(
        "listen: \"127.0.0.1:{port}\"\nmax_pending: 1GB\n\
         jetstream {{ store_dir: {store:?}, sync_interval: always }}\n"
    );
    fs::write(&path, text)?;
    Ok(path)
}

struct Nats {
    port: u16,
}

impl Medium for Nats {
    fn publisher(&self) -> anyhow::Result<Box<dyn Publish>> {
        let mut client = Client::connect(self.port)?;
        let inbox = client.subscribe("publisher")?;
        let header = format!("PUB {} {inbox}", String::from_utf8_lossy(TOPIC));
        let stream = client.stream.into_inner();
        // An acknowledgement is a line of its own behind its MSG line.
        let pipeline = Pipeline::new(stream, |line| match line {
            [b'-', ..] => Answer::Bad,
            [b'{', rest @ ..] if rest.starts_with(b"\"error\"") => Answer::Bad,
            [b'{', ..] => Answer::Good,
            _ => Answer::Part,
        })?;
        Ok(Box::new(Publisher { header, pipeline }))
    }

    fn subscriber(&self) -> anyhow::Result<Box<dyn Receive>> {
        let mut client = Client::connect(self.port)?;
        let inbox = client.subscribe("subscriber")?;
        let config = json!({
            "deliver_subject": inbox,
            "deliver_policy": "all",
            "ack_policy": "none",
            "replay_policy": "instant",
        });
        let request = json!({ "stream_name": STREAM, "config": config });
        // The answer must not be mixed up with the first messages.
        let mut other = Client::connect(self.port)?;
        other.request(&format!("$JS.API.CONSUMER.CREATE.{STREAM}"), &request)?;
        Ok(Box::new(client))
    }
}

struct Publisher {
    /// Everything of a request but its length.
    header: String,
    pipeline: Pipeline,
}

impl Publish for Publisher {
    fn send(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        push(&mut self.pipeline.buffer, &self.header, payload);
        self.pipeline.requested()
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.pipeline.flush()
    }
}

/// A connection of which what comes is read in place.
struct Client {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
    payload: Vec<u8>,
}

impl Client {
    fn connect(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let mut client = Self {
            stream: BufReader::with_capacity(64 << 10, stream),
            line: Vec::new(),
            payload: Vec::new(),
        };
        client.say("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n")?;
        while client.read_line()? != b"PONG" {}
        Ok(client)
    }

    /// Subscribes to an address that nobody else has, and returns it.
    fn subscribe(&mut self, name: &str) -> anyhow::Result<String> {
        let port = self.stream.get_ref().local_addr()?.port();
        let inbox = format!("_INBOX.{name}.{port}");
        self.say(&format!("SUB {inbox} 1\r\n"))?;
        Ok(inbox)
    }

    /// Asks the server for something and checks that it is done.
    fn request(&mut self, subject: &str, body: &Value) -> anyhow::Result<()> {
        let port = self.stream.get_ref().local_addr()?.port();
        let inbox = format!("_INBOX.request.{port}");
        self.say(&format!("SUB {inbox} 2\r\nUNSUB 2 1\r\n"))?;
        let mut request = Vec::new();
        push(
            &mut request,
            &format!("PUB {subject} {inbox}"),
            &serde_json::to_vec(body)?,
        );
        self.stream.get_mut().write_all(&request)?;
        let answer: Value = loop {
            if let Some(answer) = self.receive()? {
                break serde_json::from_slice(answer)?;
            }
        };
        if let Some(error) = answer.get("error") {
            bail!("nats-server refused: {error}");
        }
        Ok(())
    }

    fn say(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.stream.get_mut().write_all(text.as_bytes())?)
    }

    /// Waits a moment for something to read.
    fn wait(&mut self) -> anyhow::Result<bool> {
        if !self.stream.buffer().is_empty() {
            return Ok(true);
        }
        // What has begun to come is then read to its end.
        self.stream.get_ref().set_read_timeout(Some(PATIENCE))?;
        let came = match self.stream.fill_buf() {
            Ok([]) => bail!("nats-server closed the connection"),
            Ok(_) => true,
            Err(error) if is_timeout(&error) => false,
            Err(error) => bail!(error),
        };
        self.stream.get_ref().set_read_timeout(Some(REST))?;
        Ok(came)
    }

    /// Reads a line without its end.
    fn read_line(&mut self) -> anyhow::Result<&[u8]> {
        self.line.clear();
        self.stream.read_until(b'\n', &mut self.line)?;
        ensure!(
            !self.line.starts_with(b"-ERR"),
            "{}",
            String::from_utf8_lossy(&self.line)
        );
        Ok(self.line.trim_ascii_end())
    }
}

impl Receive for Client {
    fn receive(&mut self) -> anyhow::Result<Option<&[u8]>> {
        while self.wait()? {
            let line = self.read_line()?;
            if line == b"PING" {
                self.say("PONG\r\n")?;
            } else if line.starts_with(b"MSG ") {
                let length = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
                let length: usize = std::str::from_utf8(length)?.parse()?;
                self.payload.resize(length + 2, 0);
                self.stream.read_exact(&mut self.payload)?;
                return Ok(self.payload.get(..length));
            }
        }
        Ok(None)
    }
}

fn push(buffer: &mut Vec<u8>, header: &str, payload: &[u8]) {
    buffer.extend_from_slice(format!("{header} {}\r\n", payload.len()).as_bytes());
    buffer.extend_from_slice(payload);
    buffer.extend_from_slice(b"\r\n");
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
