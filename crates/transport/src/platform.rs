//! What differs between operating systems, one small function each.

use std::io;
use std::net::TcpListener;
#[cfg(not(unix))]
use std::net::TcpStream;

/// A byte stream between two ends within this machine.
#[cfg(unix)]
pub(crate) type LocalStream = std::os::unix::net::UnixStream;
/// AF_UNIX may be missing on Windows.
#[cfg(not(unix))]
pub(crate) type LocalStream = TcpStream;

/// The handle of a socket, for polling it together with ZeroMQ sockets.
#[cfg(unix)]
pub(crate) fn raw<T: std::os::fd::AsRawFd>(socket: &T) -> zmq_sys::RawFd {
    socket.as_raw_fd()
}

/// The handle of a socket, for polling it together with ZeroMQ sockets.
#[cfg(windows)]
pub(crate) fn raw<T: std::os::windows::io::AsRawSocket>(socket: &T) -> zmq_sys::RawFd {
    socket.as_raw_socket() as zmq_sys::RawFd
}

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

/// Binds a socket to a private endpoint and connects to it. On Linux the
/// endpoint is a name without a file, which nothing has to clean up.
#[cfg(target_os = "linux")]
pub(crate) fn connect_privately(socket: &zmq::Socket) -> io::Result<(LocalStream, String)> {
    use std::os::linux::net::SocketAddrExt;
    let name = private_name()?;
    let endpoint = format!("ipc://@{name}");
    socket.bind(&endpoint)?;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    Ok((LocalStream::connect_addr(&address)?, endpoint))
}

/// Binds a socket to a private endpoint and connects to it.
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn connect_privately(socket: &zmq::Socket) -> io::Result<(LocalStream, String)> {
    // A wildcard makes libzmq create a directory of its own, readable by its
    // owner alone, which it removes again when the endpoint is unbound.
    socket.bind("ipc://*")?;
    let endpoint = last_endpoint(socket)?;
    let path = endpoint.strip_prefix("ipc://").unwrap_or(&endpoint);
    Ok((LocalStream::connect(path)?, endpoint.clone()))
}

/// Binds a socket to a private endpoint and connects to it.
#[cfg(not(unix))]
pub(crate) fn connect_privately(socket: &zmq::Socket) -> io::Result<(LocalStream, String)> {
    socket.bind("tcp://127.0.0.1:*")?;
    let endpoint = last_endpoint(socket)?;
    let address = endpoint.strip_prefix("tcp://").unwrap_or(&endpoint);
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok((stream, endpoint))
}

/// A name that nobody can guess: whoever connected to it in the moment before
/// it is unbound would be served as if he were the subscriber.
#[cfg(target_os = "linux")]
fn private_name() -> io::Result<String> {
    let mut random = [0; 16];
    io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut random)?;
    Ok(format!("recorder-{:032x}", u128::from_ne_bytes(random)))
}

#[cfg(not(target_os = "linux"))]
fn last_endpoint(socket: &zmq::Socket) -> io::Result<String> {
    let endpoint = socket.get_last_endpoint()?;
    endpoint.map_err(|_| io::Error::other("the endpoint's name is not UTF-8"))
}

/// Listens on an address. The type is named here because the module is where
/// sockets of the system, not of ZeroMQ, are made.
pub(crate) fn listen(address: std::net::SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
