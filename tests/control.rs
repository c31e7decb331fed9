//! The control port, used by stock pyzmq DEALER and REQ sockets.

mod admin;
mod consume;
mod protocol;
mod publish;
mod python_client;
mod requests;
mod rust_client;
