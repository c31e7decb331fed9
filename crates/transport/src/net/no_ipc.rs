//! AF_UNIX may be missing on Windows, and the standard library has no such sockets there.

use std::io;
use std::path::Path;

use super::socket::Port;

/// Says that there are none.
pub(crate) fn listen(_path: &Path) -> io::Result<Box<dyn Port>> {
    let text = "Unix sockets are not served on this system: use the ports";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}
