//! What libzmq offers and the zmq crate does not expose.
//!
//! The only module with unsafe code.
#![allow(unsafe_code)]

use std::ffi::c_int;

/// Makes a subscription wait until the program has decided what to do with it,
/// instead of letting messages through at once. Without it a live message could
/// overtake the replay.
pub(crate) fn set_xpub_manual(socket: &mut zmq::Socket) -> zmq::Result<()> {
    set_flag(socket, zmq_sys::ZMQ_XPUB_MANUAL)
}

/// Makes a send to a full pipe say so, instead of dropping the message.
pub(crate) fn set_xpub_nodrop(socket: &mut zmq::Socket) -> zmq::Result<()> {
    set_flag(socket, zmq_sys::ZMQ_XPUB_NODROP)
}

/// Makes a second handle to a connection that libzmq has told of. It keeps the
/// connection open; `None` where that is gone already.
#[cfg(unix)]
pub(crate) fn second_handle(fd: u32) -> Option<std::net::TcpStream> {
    use std::os::fd::BorrowedFd;
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: the descriptor is borrowed for the one call that duplicates it,
    // and is not -1. libzmq may have closed it by now, in which case that call
    // fails or gives a handle to another of the process's files. It is used
    // only to look at a socket's next byte and peer address, which changes
    // neither, and fails for what is no socket.
    let handle = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned();
    handle.ok().map(Into::into)
}

/// Handles are not duplicated like that on Windows: a dropped publisher is
/// not told from one that left.
#[cfg(not(unix))]
pub(crate) fn second_handle(_fd: u32) -> Option<std::net::TcpStream> {
    None
}

fn set_flag(socket: &mut zmq::Socket, option: u32) -> zmq::Result<()> {
    let value: c_int = 1;
    let option = c_int::try_from(option).map_err(|_| zmq::Error::EINVAL)?;
    // SAFETY: the socket is alive for the call, since it is borrowed; libzmq
    // reads `size_of::<c_int>()` bytes from the pointer, which leads to a c_int
    // that outlives the call, and keeps neither.
    let result = unsafe {
        zmq_sys::zmq_setsockopt(
            socket.as_mut_ptr(),
            option,
            std::ptr::from_ref(&value).cast(),
            size_of::<c_int>(),
        )
    };
    if result == 0 {
        return Ok(());
    }
    // SAFETY: it only reads the error number of this thread.
    Err(zmq::Error::from_raw(unsafe { zmq_sys::zmq_errno() }))
}
