//! What the broker is compared with: `zmq_proxy`, which records nothing, in a
//! process of its own.

use std::io::{Read as _, Write as _};
use std::process::Command;
use std::thread;

use anyhow::Context as _;
use zmq::{Context, Socket, SocketType};

use crate::process::Process;
use crate::zeromq::ZeroMq;

/// The hidden command that makes this program the proxy.
pub(crate) const COMMAND: &str = "proxy";
const PUBLISH: &str = "publish ";
const SUBSCRIBE: &str = "subscribe ";

/// Starts the proxy.
pub(crate) fn start() -> anyhow::Result<(Process, ZeroMq)> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let process = Process::start(Command::new(program).arg(COMMAND))?;
    let medium = ZeroMq {
        publish: process.number_after(PUBLISH)?,
        subscribe: process.number_after(SUBSCRIBE)?,
    };
    Ok((process, medium))
}

/// Is the proxy until standard input is closed.
pub(crate) fn run() -> anyhow::Result<()> {
    let context = Context::new();
    let publishers = listen(&context, SocketType::XSUB)?;
    let subscribers = listen(&context, SocketType::XPUB)?;
    let mut out = std::io::stdout();
    writeln!(out, "{PUBLISH}{}", port(&publishers)?)?;
    writeln!(out, "{SUBSCRIBE}{}", port(&subscribers)?)?;
    out.flush()?;
    thread::spawn(move || zmq::proxy(&publishers, &subscribers));
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    Ok(())
}

fn listen(context: &Context, kind: SocketType) -> anyhow::Result<Socket> {
    let socket = context.socket(kind)?;
    // A high-water mark would make it drop messages.
    socket.set_sndhwm(0)?;
    socket.set_rcvhwm(0)?;
    socket.set_linger(0)?;
    socket.bind("tcp://127.0.0.1:*")?;
    Ok(socket)
}

fn port(socket: &Socket) -> anyhow::Result<u16> {
    let endpoint = socket.get_last_endpoint()?;
    let port = endpoint
        .as_deref()
        .ok()
        .and_then(|endpoint| endpoint.rsplit(':').next());
    Ok(port.context("an endpoint without a port")?.parse()?)
}
