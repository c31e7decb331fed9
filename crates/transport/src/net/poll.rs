//! Waits for sockets, whatever kind they are of.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::{AsFd as _, BorrowedFd};

use crate::net::Sleeper;

/// What a socket is asked for, or is ready for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Events {
    pub(crate) read: bool,
    pub(crate) write: bool,
    /// Only found, never asked for: what is wrong shows when it is read.
    pub(crate) failed: bool,
}

impl Events {
    pub(crate) const NONE: Self = Self::new(false, false);
    pub(crate) const READ: Self = Self::new(true, false);

    pub(crate) const fn new(read: bool, write: bool) -> Self {
        Self {
            read,
            write,
            failed: false,
        }
    }

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }
}

/// Something that can be waited for.
pub(crate) trait Pollable {
    /// Its handle in the operating system.
    fn handle(&self) -> BorrowedFd<'_>;

    /// What it is ready for, where it is none of the operating system's.
    #[cfg(test)]
    fn simulated(&self) -> Option<Events> {
        None
    }
}

impl Pollable for Sleeper {
    fn handle(&self) -> BorrowedFd<'_> {
        self.stream().as_fd()
    }
}

/// One thing that is waited for, and what was found of it.
pub(crate) struct Item<'a> {
    what: &'a dyn Pollable,
    asked: Events,
    pub(crate) ready: Events,
}

impl<'a> Item<'a> {
    pub(crate) fn new(what: &'a dyn Pollable, asked: Events) -> Self {
        Self {
            what,
            asked,
            ready: Events::NONE,
        }
    }
}

/// Waits until one of them is ready, for at most `timeout`; `None` is for ever.
/// A signal ends the wait as if the time were up.
pub(crate) fn poll(items: &mut [Item<'_>], timeout: Option<Duration>) -> io::Result<()> {
    #[cfg(test)]
    if crate::clock::is_simulated() {
        poll_simulated(items);
        return Ok(());
    }
    let mut polled: Vec<PollFd<'_>> = items
        .iter()
        .map(|&Item { what, asked, .. }| PollFd::from_borrowed_fd(what.handle(), flags(asked)))
        .collect();
    let timeout = timeout.map(timespec);
    match rustix::event::poll(&mut polled, timeout.as_ref()) {
        Ok(_) => {}
        // Nothing is known of them then.
        Err(rustix::io::Errno::INTR) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    for (item, fd) in items.iter_mut().zip(&polled) {
        item.ready = events(fd.revents());
    }
    Ok(())
}

fn flags(events: Events) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, events.read);
    flags.set(PollFlags::OUT, events.write);
    flags
}

fn events(flags: PollFlags) -> Events {
    // Windows has a bit for urgent data in these, too, and sets only the other one.
    Events {
        read: flags.intersects(PollFlags::IN),
        write: flags.intersects(PollFlags::OUT),
        failed: flags.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL),
    }
}

/// Rounded up to a millisecond: that is what some systems count in, and a wait
/// that is cut short would only be begun again.
fn timespec(timeout: Duration) -> Timespec {
    let millis = timeout.as_nanos().div_ceil(1_000_000);
    let millis = u64::try_from(millis).unwrap_or(u64::MAX).min(MOST_MILLIS);
    // So short a time always fits.
    Timespec::try_from(Duration::from_millis(millis)).unwrap_or_default()
}

/// The longest wait that every system takes, 24 days.
const MOST_MILLIS: u64 = i32::MAX as u64;

/// Nothing is waited for: what the simulation does next is up to its seed.
#[cfg(test)]
fn poll_simulated(items: &mut [Item<'_>]) {
    for item in items {
        let found = item.what.simulated().unwrap_or_default();
        item.ready = Events {
            read: found.read && item.asked.read,
            write: found.write && item.asked.write,
            failed: found.failed,
        };
    }
}
