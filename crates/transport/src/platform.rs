//! What differs between operating systems, one small function each.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};

/// A byte stream between two ends within this machine.
#[cfg(unix)]
pub(crate) type LocalStream = std::os::unix::net::UnixStream;
/// AF_UNIX may be missing on Windows.
#[cfg(not(unix))]
pub(crate) type LocalStream = TcpStream;

/// Connects two ends with each other.
#[cfg(unix)]
pub(crate) fn stream_pair() -> io::Result<(LocalStream, LocalStream)> {
    LocalStream::pair()
}

/// Connects two ends with each other.
#[cfg(not(unix))]
pub(crate) fn stream_pair() -> io::Result<(LocalStream, LocalStream)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let expected = near.local_addr()?;
    loop {
        // Some other program may have been quicker.
        let (far, peer) = listener.accept()?;
        if peer == expected {
            near.set_nodelay(true)?;
            return Ok((near, far));
        }
    }
}

/// Returns how many bytes a program without special rights can still write to
/// the file system of a path; `None` where the system does not tell.
pub(crate) fn room(path: &std::path::Path) -> Option<u64> {
    fs4::available_space(path).ok()
}

/// Makes a file that is created readable by its owner alone.
#[cfg(unix)]
pub(crate) fn private_file(options: &mut std::fs::OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

/// Files inherit the directory's access list on Windows.
#[cfg(not(unix))]
pub(crate) fn private_file(_options: &mut std::fs::OpenOptions) {}

/// Tells whether other users of the machine can read a file.
#[cfg(unix)]
pub(crate) fn others_can_read(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let found = std::fs::metadata(path);
    found.is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

/// Files inherit the directory's access list on Windows.
#[cfg(not(unix))]
pub(crate) fn others_can_read(_path: &std::path::Path) -> bool {
    false
}

/// Listens on an address. The type is named here because the module is where
/// sockets of the system, not of ZeroMQ, are made.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Listens on whatever addresses the machine has or gets, of both kinds where it has
/// both: what the system does by itself with such a socket depends on its settings.
pub(crate) fn listen_everywhere(port: u16) -> io::Result<TcpListener> {
    let both = || {
        let socket = Socket::new(Domain::IPV6, Type::STREAM, None)?;
        socket.set_only_v6(false)?;
        // As the standard library does: a port is free again as soon as its broker has
        // ended. On Windows this would let two programs have it at once.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    match both() {
        Err(error) if is_absent(&error) => {
            log::warn!("this machine has no IPv6 ({error}): it is listened on IPv4 alone");
            listen((Ipv4Addr::UNSPECIFIED, port).into())
        }
        listener => listener,
    }
}

/// How many connections wait until they are accepted.
const BACKLOG: i32 = 1024;

/// Tells whether an address is none of this machine's, or of a kind that it does not
/// have.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let kinds = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL];
    Errno::from_io_error(error).is_some_and(|found| kinds.contains(&found))
}

/// Makes an accepted connection ready for use.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    // Single messages are waited for more often than bulk is.
    stream.set_nodelay(true)?;
    // The connection of a peer whose machine is gone must not stay for ever.
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// A connection that is silent for this long is asked whether it is still there.
const KEEPALIVE: std::time::Duration = std::time::Duration::from_secs(60);
