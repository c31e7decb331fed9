//! Counts the publishers that are connected.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zmq::{Socket, SocketEvent};

/// Where libzmq tells of the intake socket's connections.
const ENDPOINT: &str = "inproc://publishers";

/// Listens to what libzmq tells of a socket, until that socket is closed.
///
/// It has a thread of its own: libzmq's I/O thread waits for whoever does not
/// take its events, and intake may be waiting for the disk.
pub(crate) struct Publishers {
    events: Socket,
    connected: Arc<AtomicU64>,
}

impl Publishers {
    pub(crate) fn of(context: &zmq::Context, socket: &Socket) -> zmq::Result<Self> {
        let events = SocketEvent::ACCEPTED.to_raw()
            | SocketEvent::DISCONNECTED.to_raw()
            | SocketEvent::MONITOR_STOPPED.to_raw();
        socket.monitor(ENDPOINT, i32::from(events))?;
        let monitor = context.socket(zmq::PAIR)?;
        monitor.connect(ENDPOINT)?;
        Ok(Self {
            events: monitor,
            connected: Arc::default(),
        })
    }

    /// Returns the number that is kept up to date.
    pub(crate) fn connected(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.connected)
    }

    /// Keeps count until the socket is closed.
    pub(crate) fn run(self) -> zmq::Result<()> {
        loop {
            let event = match self.events.recv_multipart(0) {
                Err(zmq::Error::EINTR) => continue,
                Err(zmq::Error::ETERM) => return Ok(()),
                event => event?,
            };
            // The event's number is in the first two bytes, in the machine's
            // order; the second frame is the address.
            let number = match event.first().map(Vec::as_slice) {
                Some([low, high, ..]) => u16::from_ne_bytes([*low, *high]),
                _ => continue,
            };
            if number == SocketEvent::ACCEPTED.to_raw() {
                self.connected.fetch_add(1, Ordering::Relaxed);
            } else if number == SocketEvent::DISCONNECTED.to_raw() {
                let fewer = |count: u64| Some(count.saturating_sub(1));
                let order = Ordering::Relaxed;
                let _counted = self.connected.fetch_update(order, order, fewer);
            } else {
                return Ok(());
            }
        }
    }
}
