//! Where a broker is reached, and how a connection to it begins.

use std::io::{self, ErrorKind};
use std::net::ToSocketAddrs as _;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::error::Error;

/// An address as ZeroMQ writes it: `tcp://HOST:PORT` or `ipc://PATH`.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    text: String,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    /// A host, which may have several addresses, and a port.
    Tcp(String),
    /// A Unix socket's path.
    Ipc(String),
}

impl Endpoint {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let way = match text.split_once("://") {
            Some(("tcp", host)) if host.contains(':') => Way::Tcp(host.to_owned()),
            Some(("ipc", path)) if !path.is_empty() => Way::Ipc(path.to_owned()),
            _ => {
                return Err(Error::Endpoint {
                    endpoint: text.to_owned(),
                });
            }
        };
        let text = text.to_owned();
        Ok(Self { text, way })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns all addresses that it stands for now.
    fn addresses(&self) -> io::Result<Vec<SockAddr>> {
        match &self.way {
            Way::Tcp(host) => Ok(host.to_socket_addrs()?.map(SockAddr::from).collect()),
            Way::Ipc(path) => Ok(vec![SockAddr::unix(path)?]),
        }
    }

    /// Begins to connect, without waiting for the other end: to one of the addresses,
    /// another one at each attempt. The connection stands, or has failed, when the
    /// socket can be written.
    pub(crate) fn begin(&self, attempt: usize) -> io::Result<Socket> {
        let addresses = self.addresses()?;
        let chosen = attempt.checked_rem(addresses.len());
        let Some(address) = chosen.and_then(|at| addresses.get(at)) else {
            return Err(ErrorKind::AddrNotAvailable.into());
        };
        let socket = Socket::new(address.domain(), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        if address.domain() != Domain::UNIX {
            // Single messages are waited for more often than bulk is.
            socket.set_tcp_nodelay(true)?;
        }
        match socket.connect(address) {
            Err(error) if !is_under_way(&error) => Err(error),
            _ => Ok(socket),
        }
    }
}

/// Tells whether a connection is only being made.
fn is_under_way(error: &io::Error) -> bool {
    use rustix::io::Errno;
    // Windows says that it would have to wait.
    let under_way = [Errno::INPROGRESS, Errno::WOULDBLOCK];
    Errno::from_io_error(error).is_some_and(|found| under_way.contains(&found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_endpoint_is_refused_with_what_one_looks_like() {
        for wrong in [
            "",
            "127.0.0.1:5558",
            "tcp://localhost",
            "udp://a:1",
            "ipc://",
        ] {
            let error = Endpoint::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("tcp://HOST:PORT"), "{error}");
        }
        for right in [
            "tcp://localhost:5558",
            "tcp://[::1]:5558",
            "ipc:///run/control",
        ] {
            assert_eq!(Endpoint::parse(right).unwrap().as_str(), right);
        }
    }
}
