//! Unix sockets: a port of the broker that has a path in place of a number.

use std::fs;
use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::io::Errno;
use socket2::{Domain, SockAddr, SockRef, Type};

use super::address::PeerAddress;
use super::poll::Pollable;
use super::socket::{Port, Socket};

/// A Unix socket that is listened on. Its file goes with it.
#[derive(Debug)]
struct IpcPort {
    listener: UnixListener,
    path: PathBuf,
    /// Which file it is, so that another program's under the same name stays.
    file: (u64, u64),
}

/// Listens on a path. Its folder is made where it is missing, for the owner alone.
pub(crate) fn listen(path: &Path) -> io::Result<Box<dyn Port>> {
    check(path)?;
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    remove_stale(path)?;
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    // Whoever may write the file may connect.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    let found = fs::symlink_metadata(path)?;
    Ok(Box::new(IpcPort {
        listener,
        path: path.to_owned(),
        file: (found.dev(), found.ino()),
    }))
}

/// Refuses what no socket can be called.
fn check(path: &Path) -> io::Result<()> {
    let bytes = path.as_os_str().len();
    let reason = match path.to_str() {
        // libzmq takes these for names outside of the file system, and for any name.
        Some(text) if text.starts_with(['@', '*']) => {
            "it has to be a path in the file system".to_owned()
        }
        _ if SocketAddr::from_pathname(path).is_err() => format!(
            "a Unix socket can't have this path, which has {bytes} bytes: at most 107 are \
             possible (103 on macOS); choose a shorter one"
        ),
        _ => return Ok(()),
    };
    Err(io::Error::new(ErrorKind::InvalidInput, reason))
}

/// Removes the file of a socket that nobody listens on any more: its program was killed.
fn remove_stale(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        let text = "there is a file with this name that is no socket: remove it, or choose another";
        return Err(io::Error::new(ErrorKind::AlreadyExists, text));
    }
    // Without waiting: a program that hangs has its socket all the same.
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        // It was removed meanwhile.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if Errno::from_io_error(&error) == Some(Errno::ACCESS) => Err(error),
        _ => Err(ErrorKind::AddrInUse.into()),
    }
}

impl Drop for IpcPort {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == self.file);
        // What is left is recognised by the next start.
        if ours && let Err(error) = fs::remove_file(&self.path) {
            log::debug!("{} stays: {error}", self.path.display());
        }
    }
}

impl Pollable for IpcPort {
    fn handle(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Port for IpcPort {
    fn accept(&self) -> io::Result<(Box<dyn Socket>, PeerAddress)> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nonblocking(true)?;
        Ok((Box::new(stream), PeerAddress::Ipc))
    }
}

impl Pollable for UnixStream {
    fn handle(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }
}

impl Socket for UnixStream {
    fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut stream = self;
        stream.read(buffer)
    }

    fn send(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut stream = self;
        stream.write_vectored(slices)
    }

    fn waiting(&self, most: usize) -> io::Result<usize> {
        super::socket::peek(&SockRef::from(self), most)
    }

    fn finish(&self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &Path) -> io::Error {
        listen(path).err().expect("it is refused")
    }

    #[test]
    fn the_folder_and_the_socket_are_for_their_owner_and_the_file_goes_with_the_port() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/recorder/pub");
        let port = listen(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&path), 0o600);
        let mut far = UnixStream::connect(&path).unwrap();
        let (near, address) = port.accept().unwrap();
        assert_eq!(address.to_string(), "ipc");
        far.write_all(b"hello").unwrap();
        assert_eq!(near.waiting(3).unwrap(), 3);
        let mut buffer = [0; 10];
        assert_eq!(near.recv(&mut buffer).unwrap(), 5);
        drop(port);
        assert!(!path.exists());
    }

    #[test]
    fn only_a_socket_that_nobody_listens_on_gives_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pub");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "a program that was killed leaves it so");
        let port = listen(&path).unwrap();
        assert_eq!(refused(&path).kind(), ErrorKind::AddrInUse);
        UnixStream::connect(&path).expect("it was not taken away");
        // Another one's file under the same name is not removed at the end.
        fs::remove_file(&path).unwrap();
        fs::write(&path, "something").unwrap();
        drop(port);
        assert_eq!(fs::read(&path).unwrap(), b"something");
        assert_eq!(refused(&path).kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_path_that_is_too_long_or_none_is_refused_with_a_sentence() {
        let long = PathBuf::from(format!("/tmp/{}", "x".repeat(103)));
        assert_eq!(long.as_os_str().len(), 108);
        let error = refused(&long);
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("at most 107"), "{error}");
        assert!(
            refused(Path::new("@abstract"))
                .to_string()
                .contains("path in the file system")
        );
    }
}
