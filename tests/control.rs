//! The control port, used by stock pyzmq DEALER and REQ sockets.

mod admin;
mod consume;
#[cfg(target_os = "linux")]
mod limits;
mod order;
mod protocol;
mod publish;
mod python_client;
mod requests;
mod rust_client;
