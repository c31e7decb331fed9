//! ZMTP 3, the protocol that ZeroMQ sockets speak over TCP, as far as a broker
//! between PUB and SUB sockets needs it.
//!
//! It turns bytes into bytes and knows neither sockets nor threads: whoever has
//! a connection feeds [`Handshake`] until it knows its peer, and then looks with an
//! [`Assembler`] for messages and [`Command`]s. The protocol is written down in ZeroMQ's
//! [RFC 23](https://rfc.zeromq.org/spec/23/) (3.0) and
//! [RFC 37](https://rfc.zeromq.org/spec/37/) (3.1).
//!
//! ```
//! let mut wire = Vec::new();
//! zmtp::push_message(&mut wire, ["general".as_bytes(), b"{}"]);
//! let topic = zmtp::Header::parse(&wire)?.expect("the header is whole");
//! assert!(topic.more && !topic.command);
//! assert_eq!(zmtp::frames(&wire).collect::<Vec<_>>(), ["general".as_bytes(), b"{}"]);
//! # Ok::<(), zmtp::FrameError>(())
//! ```
//!
//! # What it is not
//! Only the NULL mechanism is spoken: no PLAIN, no CURVE. Peers older than
//! ZMTP 3 (libzmq before 4.0, of 2013) are told apart and refused.

mod assembler;
mod command;
mod frame;
mod handshake;

pub use assembler::{Assembler, Found, MAX_FRAMES, StreamError};
pub use command::{Command, CommandError, push_pong};
pub use frame::{
    FrameError, Frames, Header, first_frame, frames, push_frame, push_header, push_message,
};
pub use handshake::{GREETING_BYTES, Handshake, HandshakeError, Role};
