//! The waker as it is, and of sockets nothing.

use std::time::Duration;

#[allow(dead_code, reason = "it is another crate's")]
#[rustfmt::skip]
#[path = "../../transport/src/net/waker.rs"]
mod waker;

pub(crate) use self::waker::{Sleeper, Waker, sleeper};

/// What intake waits for.
#[derive(Debug)]
#[allow(dead_code, reason = "nobody connects here")]
pub(crate) struct Wanted {
    pub(crate) accept: bool,
    pub(crate) room: bool,
    pub(crate) timeout: Option<Duration>,
}

pub(crate) const QUIET: Duration = Duration::from_millis(10);

/// Who it is, for the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress;

impl std::fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("peer")
    }
}

/// Waits as the threads that own connections do: behind an announced wait, for ever where
/// there is nothing to do, else not at all. Tells whether somebody has woken it.
pub(crate) fn rest(sleeper: &mut Sleeper, nothing_to_do: bool) -> bool {
    let woken = match nothing_to_do {
        true => sleeper.stream().poll(),
        false => sleeper.stream().is_readable(),
    };
    sleeper.awake();
    woken
}
