//! Connections on which messages come in: whom they are accepted from, how much
//! of them is in memory, and for how long they are waited for. What is done with
//! the messages is the business of intake and of the control port.

mod address;
mod attempt;
mod boxes;
mod ended;
mod favour;
mod inbound;
#[cfg(unix)]
mod ipc;
#[cfg(not(unix))]
mod no_ipc;
mod outbox;
mod poll;
mod server;
mod sift;
mod socket;
mod strangers;
mod visitors;
mod waker;

pub(crate) use self::address::PeerAddress;
pub(crate) use self::attempt::{HANDSHAKE, MAX_UNSENT, Progress, attempt, flush, is_end};
pub(crate) use self::ended::Ended;
pub(crate) use self::inbound::{Inbound, QUIET, READ};
#[cfg(unix)]
pub(crate) use self::ipc::listen as listen_ipc;
#[cfg(not(unix))]
pub(crate) use self::no_ipc::listen as listen_ipc;
#[cfg(test)]
pub(crate) use self::poll::Pollable;
pub(crate) use self::poll::{Events, Item, poll};
pub(crate) use self::server::{Server, Wanted};
pub(crate) use self::socket::{Entrance, Port, Socket};
pub(crate) use self::strangers::Strangers;
pub(crate) use self::visitors::{Visitors, described};
pub(crate) use self::waker::{Sleeper, Waker, sleeper};
