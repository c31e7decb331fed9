//! ZMTP, the protocol that ZeroMQ sockets speak over TCP, as far as a broker needs
//! it that is a PUB, a SUB and a ROUTER socket to its peers, and its clients do.
//!
//! It turns bytes into bytes and knows neither sockets nor threads: the owner of
//! a connection feeds [`Handshake`], or [`Client`] where it is the one that has
//! connected, until it knows its peer, and then looks with an
//! [`Assembler`] for messages and [`Command`]s. The protocol is written down in ZeroMQ's
//! [RFC 15](https://rfc.zeromq.org/spec/15/) (2.0),
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
//! The mechanisms are NULL and CURVE ([`curve`]).
//!
//! # What it is not
//! PLAIN, which shows passwords to everybody on the way, is not spoken. Peers of
//! ZMTP 1 (libzmq before 3, of 2012) are told apart and refused.

mod assembler;
mod client;
mod command;
pub mod curve;
mod error;
mod frame;
mod greeting;
mod handshake;
mod peer;
mod property;
mod socket_type;

pub use assembler::{Assembler, Found, MAX_FRAMES, StreamError};
pub use client::Client;
pub use command::{Command, CommandError, push_pong, push_subscription};
pub use error::HandshakeError;
pub use frame::{
    FrameError, Frames, Header, first_frame, frames, push_frame, push_header, push_message,
};
pub use greeting::GREETING_BYTES;
pub use handshake::Handshake;
pub use peer::{Peer, PeerKey};
pub use socket_type::{Role, SocketType};

/// The examples of the README run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
