//! Where a peer connects from.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Where a peer connects from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerAddress {
    Tcp(SocketAddr),
    /// A Unix socket of this machine, whose other end has no name.
    #[cfg_attr(not(unix), expect(dead_code, reason = "see `no_ipc`"))]
    Ipc,
}

impl PeerAddress {
    /// Returns what all connections of the same peer have in common.
    pub(crate) fn host(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Ipc => None,
        }
    }
}

impl From<SocketAddr> for PeerAddress {
    /// A socket for both kinds of addresses tells those of IPv4 as ones of IPv6, which
    /// nobody would look for.
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Ipc => f.write_str("ipc"),
        }
    }
}
