//! Wakes a thread that waits for sockets.

use std::io::{Read, Write};

use crate::platform::{LocalStream, stream_pair};
use crate::sync::{Arc, AtomicBool, Ordering};

/// Wakes its [`Sleeper`], from any thread; cheap while that is awake.
#[derive(Debug)]
pub(crate) struct Waker {
    asleep: AtomicBool,
    end: LocalStream,
}

/// The other end: belongs to the thread that sleeps.
#[derive(Debug)]
pub(crate) struct Sleeper {
    waker: Arc<Waker>,
    end: LocalStream,
    /// How many wake-ups were claimed whose bytes were not read. A thread that
    /// wakes it may be held up between claiming and writing, and what it writes
    /// then would end every later wait at once.
    owed: usize,
}

/// Makes a sleeper and its waker.
pub(crate) fn sleeper() -> std::io::Result<Sleeper> {
    let (near, far) = stream_pair()?;
    near.set_nonblocking(true)?;
    far.set_nonblocking(true)?;
    let waker = Waker {
        asleep: AtomicBool::new(false),
        end: far,
    };
    Ok(Sleeper {
        waker: Arc::new(waker),
        end: near,
        owed: 0,
    })
}

impl Waker {
    /// Ends the other thread's wait, or its next one if it is about to.
    pub(crate) fn wake(&self) {
        if self.claim() {
            self.signal();
        }
    }

    /// Tells whether its sleeper waits, or is about to, and nobody else wakes it.
    fn claim(&self) -> bool {
        self.asleep.swap(false, Ordering::SeqCst)
    }

    fn signal(&self) {
        // A full stream has enough bytes in it to wake anybody, and a closed
        // one has nobody at its other end.
        let _sent: std::io::Result<usize> = (&self.end).write(&[1]);
    }
}

impl Sleeper {
    pub(crate) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Announces a wait: after this the thread looks once more for work, and
    /// then polls it together with its sockets.
    pub(crate) fn about_to_sleep(&self) {
        self.waker.asleep.store(true, Ordering::SeqCst);
    }

    /// Tells whether nobody has woken it since it announced a wait.
    #[cfg(test)]
    pub(crate) fn is_announced(&self) -> bool {
        self.waker.asleep.load(Ordering::SeqCst)
    }

    /// Ends the wait.
    pub(crate) fn awake(&mut self) {
        if !self.waker.claim() {
            self.owed += 1;
        }
        if self.owed > 0 {
            let mut bytes = [0; 8];
            let drained = self.end.read(&mut bytes).unwrap_or(0);
            self.owed = self.owed.saturating_sub(drained);
        }
    }

    /// Returns what is readable once somebody has woken it.
    pub(crate) fn stream(&self) -> &LocalStream {
        &self.end
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::net::{Events, Item, poll};

    /// Tells whether a wait would end at once.
    fn is_signalled(sleeper: &Sleeper) -> bool {
        let mut items = [Item::new(sleeper, Events::READ)];
        poll(&mut items, Some(Duration::ZERO)).unwrap();
        items[0].ready.read
    }

    #[test]
    fn a_wake_up_that_is_written_late_ends_one_wait_and_no_more() {
        let mut sleeper = sleeper().unwrap();
        let waker = sleeper.waker();
        sleeper.about_to_sleep();
        assert!(waker.claim());
        // Something else ended the wait, before the other thread had written.
        sleeper.awake();
        waker.signal();
        sleeper.about_to_sleep();
        assert!(is_signalled(&sleeper), "it may end one wait");
        sleeper.awake();
        sleeper.about_to_sleep();
        assert!(!is_signalled(&sleeper), "but not every later one");
        waker.wake();
        assert!(is_signalled(&sleeper));
        sleeper.awake();
        assert!(!is_signalled(&sleeper));
    }
}
