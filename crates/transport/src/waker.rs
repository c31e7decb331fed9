//! Wakes a thread that waits for sockets.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::platform::{LocalStream, raw, stream_pair};

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
    })
}

impl Waker {
    /// Ends the other thread's wait, or its next one if it is about to.
    pub(crate) fn wake(&self) {
        if self.asleep.swap(false, Ordering::SeqCst) {
            // A full stream has enough bytes in it to wake anybody, and a
            // closed one has nobody at its other end.
            let _sent: std::io::Result<usize> = (&self.end).write(&[1]);
        }
    }
}

impl Sleeper {
    pub(crate) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Announces a wait: after this the thread looks once more for work, and
    /// then polls [`fd`](Self::fd) together with its sockets.
    pub(crate) fn about_to_sleep(&self) {
        self.waker.asleep.store(true, Ordering::SeqCst);
    }

    /// Ends the wait.
    pub(crate) fn awake(&mut self) {
        if !self.waker.asleep.swap(false, Ordering::SeqCst) {
            let mut byte = [0; 8];
            let _drained: std::io::Result<usize> = self.end.read(&mut byte);
        }
    }

    pub(crate) fn fd(&self) -> zmq_sys::RawFd {
        raw(&self.end)
    }
}

/// The wakers of all threads that wait for new records.
#[derive(Debug, Default)]
pub(crate) struct Wakers(Mutex<Vec<Arc<Waker>>>);

impl Wakers {
    pub(crate) fn add(&self, waker: Arc<Waker>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(waker);
    }

    pub(crate) fn remove(&self, waker: &Arc<Waker>) {
        let mut wakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.retain(|other| !Arc::ptr_eq(other, waker));
    }

    pub(crate) fn wake_all(&self) {
        for waker in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            waker.wake();
        }
    }
}
