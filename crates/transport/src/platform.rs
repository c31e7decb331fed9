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

/// Listens for one connection from within this process. On Linux that is on a
/// name without a file, which nothing has to clean up.
#[cfg(target_os = "linux")]
pub(crate) fn listen_privately() -> io::Result<PrivateListener> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};
    let name = private_name()?;
    let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
    Ok(PrivateListener {
        listener,
        endpoint: format!("ipc://@{name}"),
    })
}

/// Listens for one connection from within this process.
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn listen_privately() -> io::Result<PrivateListener> {
    let path = std::env::temp_dir().join(private_name()?);
    let listener = std::os::unix::net::UnixListener::bind(&path)?;
    Ok(PrivateListener {
        listener,
        endpoint: format!("ipc://{}", path.display()),
    })
}

/// Listens for one connection from within this process.
#[cfg(not(unix))]
pub(crate) fn listen_privately() -> io::Result<PrivateListener> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let endpoint = format!("tcp://{}", listener.local_addr()?);
    Ok(PrivateListener { listener, endpoint })
}

/// Waits for one connection from within this process.
#[derive(Debug)]
pub(crate) struct PrivateListener {
    #[cfg(unix)]
    listener: std::os::unix::net::UnixListener,
    #[cfg(not(unix))]
    listener: TcpListener,
    pub(crate) endpoint: String,
}

impl PrivateListener {
    /// Accepts the connection, and listens no longer.
    pub(crate) fn accept(self, timeout: std::time::Duration) -> io::Result<LocalStream> {
        let mut items = [zmq::PollItem::from_fd(raw(&self.listener), zmq::POLLIN)];
        let timeout = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
        if zmq::poll(&mut items, timeout)? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(self.listener.accept()?.0)
    }
}

/// On systems without abstract names the endpoint is a file.
#[cfg(all(unix, not(target_os = "linux")))]
impl Drop for PrivateListener {
    fn drop(&mut self) {
        if let Some(path) = self.endpoint.strip_prefix("ipc://") {
            // It may be gone already; a leftover is an empty name.
            let _removed: io::Result<()> = std::fs::remove_file(path);
        }
    }
}

/// A name that nobody can guess: whoever connected to it in the moment before
/// the broker's own socket does would be taken for that.
#[cfg(unix)]
fn private_name() -> io::Result<String> {
    let mut random = [0; 16];
    io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut random)?;
    Ok(format!("recorder-{:032x}", u128::from_ne_bytes(random)))
}

/// Returns how many bytes a program without special rights can still write to
/// the file system of a path; `None` where the system does not tell.
#[cfg(unix)]
pub(crate) fn room(path: &std::path::Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The standard library does not tell.
#[cfg(not(unix))]
pub(crate) fn room(_path: &std::path::Path) -> Option<u64> {
    None
}

/// Listens on an address. The type is named here because the module is where
/// sockets of the system, not of ZeroMQ, are made.
pub(crate) fn listen(address: std::net::SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Makes a file that is created readable by its owner alone.
#[cfg(unix)]
pub(crate) fn private_file(options: &mut std::fs::OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

/// Files inherit the directory's access list on Windows.
#[cfg(not(unix))]
pub(crate) fn private_file(_options: &mut std::fs::OpenOptions) {}
