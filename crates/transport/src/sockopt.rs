//! Socket options of libzmq that the zmq crate does not expose.
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

/// Lets all messages through to the peer whose subscription was received last.
/// The zmq crate offers `ZMQ_SUBSCRIBE` on a manual XPUB socket too, so this
/// needs nothing of its own.
pub(crate) fn let_through(socket: &zmq::Socket) -> zmq::Result<()> {
    socket.set_subscribe(b"")
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
