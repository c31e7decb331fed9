//! Servers with keys, and agents that show some. The zmq crate's libzmq has no CURVE, so
//! the agents are sockets of our own for both servers, and the proxy is pyzmq's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use client::{Keys, Socket, SocketType};

use crate::agents::{Medium, Publish, Receive};
use crate::payload::TOPIC;
use crate::peers::python;
use crate::process::Process;
use crate::subject::{Running, broker, start_broker as start, workspace};

/// The name of the proxy in the results.
pub(crate) const PROXY: &str = "zmq_proxy, CURVE";
/// How long a receiver waits at a time.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long a publisher waits for its subscription, or for room.
const LONG: Duration = Duration::from_secs(10);

/// Where the files of keys are.
struct Files(PathBuf);

impl Files {
    /// Makes keys for a server and one client that it lets in.
    fn make(program: &Path, dir: &Path) -> anyhow::Result<Self> {
        let files = Self(dir.join("keys"));
        for options in [&["keys"][..], &["clients", "client"]] {
            let (folder, names) = options.split_first().context("a folder")?;
            let made = Command::new(program)
                .args(["keygen", "--out"])
                .arg(dir.join(folder))
                .args(names)
                .output()?;
            ensure!(made.status.success(), "no keys could be made");
        }
        fs::copy(
            dir.join("clients/client.key"),
            files.0.join("authorized/client.key"),
        )?;
        Ok(files)
    }

    fn client(&self) -> anyhow::Result<Keys> {
        let own = self.0.with_file_name("clients").join("client.key_secret");
        Ok(Keys::read(&own, &self.0.join("server.key"))?)
    }
}

/// Starts a broker that lets in the owners of keys alone.
pub(crate) fn start_broker(
    program: &Path,
    options: &[String],
    dir: &Path,
) -> anyhow::Result<Running> {
    let files = Files::make(program, dir)?;
    let mut command = broker(program, dir);
    command.args(options).arg("--curve").arg(&files.0);
    let (process, ports) = start(command)?;
    let medium = Curve {
        publish: ports.publish,
        subscribe: ports.subscribe,
        keys: files.client()?,
    };
    Ok(Running::new(process, Box::new(medium)))
}

/// Starts libzmq's proxy with keys.
pub(crate) fn start_proxy(keygen: &Path, dir: &Path) -> anyhow::Result<Running> {
    let files = Files::make(keygen, dir)?;
    let script = workspace().join("bench/peers/curve_proxy.py");
    let mut command = Command::new(python::interpreter()?);
    command.arg(script).arg(files.0.join("server.key_secret"));
    let process = Process::start(&mut command)?;
    let medium = Curve {
        publish: process.number_after("publish ")?,
        subscribe: process.number_after("subscribe ")?,
        keys: files.client()?,
    };
    Ok(Running::new(process, Box::new(medium)))
}

/// A server that publishers and subscribers reach over ZeroMQ with keys.
struct Curve {
    publish: u16,
    subscribe: u16,
    keys: Keys,
}

impl Curve {
    fn connect(&self, port: u16, kind: SocketType) -> anyhow::Result<Socket> {
        let endpoint = format!("tcp://127.0.0.1:{port}");
        Ok(Socket::connect(&endpoint, kind, Some(self.keys.clone()))?)
    }
}

impl Medium for Curve {
    fn publisher(&self) -> anyhow::Result<Box<dyn Publish>> {
        let mut socket = self.connect(self.publish, SocketType::Xpub)?;
        let subscription = socket.receive(LONG).context("no subscription came")?;
        ensure!(subscription == [vec![1]], "no subscription came");
        Ok(Box::new(Publisher(socket)))
    }

    fn subscriber(&self) -> anyhow::Result<Box<dyn Receive>> {
        let mut socket = self.connect(self.subscribe, SocketType::Sub)?;
        socket.subscribe(b"");
        Ok(Box::new(Subscriber(socket, Vec::new())))
    }
}

struct Publisher(Socket);

impl Publish for Publisher {
    fn send(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        while !self.0.queue(&[TOPIC, payload]) {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        ensure!(self.0.drain(LONG), "not all was taken for {LONG:?}");
        Ok(())
    }
}

struct Subscriber(Socket, Vec<u8>);

impl Receive for Subscriber {
    fn receive(&mut self) -> anyhow::Result<Option<&[u8]>> {
        let Some(frames) = self.0.receive(PATIENCE) else {
            return Ok(None);
        };
        let [topic, payload]: [Vec<u8>; 2] =
            frames.try_into().ok().context("another number of frames")?;
        ensure!(topic == TOPIC, "a wrong topic");
        self.1 = payload;
        Ok(Some(&self.1))
    }
}
