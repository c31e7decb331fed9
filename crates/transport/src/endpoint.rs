//! The broker's ZeroMQ sockets: one function per role, with the reason for
//! each value that is not the default.

use std::net::SocketAddr;

use crate::sockopt::{set_xpub_manual, set_xpub_nodrop};

/// The longest subscription that a client may send, in bytes. Far more than
/// any topic in use, and what libzmq's tree of topics bears.
pub(crate) const MAX_SUBSCRIPTION: i64 = 64 << 10;

/// How many messages of each publisher libzmq may receive ahead of intake.
const RECEIVED_AHEAD: i32 = 64;

/// Makes the socket that all publishers connect to.
pub(crate) fn intake_socket(context: &zmq::Context, max_message: u64) -> zmq::Result<zmq::Socket> {
    let socket = context.socket(zmq::SUB)?;
    // Everything is recorded, whether or not anybody subscribes to it.
    socket.set_subscribe(b"")?;
    // Nothing is sent on this socket, so nothing has to be waited for.
    socket.set_linger(0)?;
    // A message somewhat above the limit is received, so that its refusal can
    // be logged with its size. A frame far above it ends the connection before
    // memory is taken.
    let refused_softly = max_message
        .saturating_mul(2)
        .max(max_message.saturating_add(16 << 20));
    socket.set_maxmsgsize(i64::try_from(refused_softly).unwrap_or(i64::MAX))?;
    // libzmq counts messages and not bytes, and they may be large. The number
    // stays as it is while the socket lives: libzmq 4.3 does not wake a
    // connection that is held up when its limit changes.
    socket.set_rcvhwm(RECEIVED_AHEAD)?;
    // A dead publisher's connection must not stay for ever.
    socket.set_tcp_keepalive(1)?;
    Ok(socket)
}

/// Makes the socket that serves one subscriber.
pub(crate) fn subscriber_socket(context: &zmq::Context) -> zmq::Result<zmq::Socket> {
    let mut socket = context.socket(zmq::XPUB)?;
    set_xpub_manual(&mut socket)?;
    set_xpub_nodrop(&mut socket)?;
    // A connection that has ended is not to be made again.
    socket.set_reconnect_ivl(-1)?;
    // The relay sees whether everything has left; what has not is in the journal.
    socket.set_linger(0)?;
    // The bytes in flight are bounded by the link; this bounds tiny messages.
    socket.set_sndhwm(10_000)?;
    socket.set_maxmsgsize(MAX_SUBSCRIPTION)?;
    Ok(socket)
}

/// Returns the endpoint that stands for a TCP address.
pub(crate) fn tcp(address: SocketAddr) -> String {
    format!("tcp://{address}")
}
