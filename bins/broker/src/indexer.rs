//! Makes the indexes of sessions that were closed, on a thread of its own.
//!
//! Nobody waits for it, and nothing depends on it: a session without an index is
//! only slower to search.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use query::{Built, IndexContents};

use crate::platform;

/// So long an end waits for the index of the session that it closed.
const PATIENCE: Duration = Duration::from_secs(1);
/// It pauses as long as it worked, but not longer than this.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// A shorter session is read in a moment, and an index has to be synced.
const SHORTEST: u64 = 1 << 20;

/// The thread, and how to reach it.
#[derive(Debug)]
pub(crate) struct Indexer {
    /// The sessions that were closed; `None` is the end.
    sessions: Sender<Option<PathBuf>>,
    orders: Arc<Orders>,
    /// Ends when the thread does.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Orders {
    /// Only what was closed in this run is finished, without a pause.
    hurry: AtomicBool,
    /// Nothing is finished.
    stop: AtomicBool,
}

impl Indexer {
    /// Begins with the newest closed session of a directory, whose index may not
    /// have been finished when it was closed.
    pub(crate) fn start(dir: &Path) -> std::io::Result<Self> {
        let (sessions, received) = channel::<Option<PathBuf>>();
        let (alive, ended) = channel();
        let orders = Arc::new(Orders::default());
        let (dir, heeded) = (dir.to_owned(), Arc::clone(&orders));
        let thread = std::thread::Builder::new().name("indexer".to_owned());
        let thread = thread.spawn(move || {
            // Dropped when the thread ends, for whatever reason.
            let _alive: Sender<()> = alive;
            platform::lower_priority();
            make_newest(&dir, &heeded);
            for session in received.iter().map_while(|session| session) {
                make(&session, &heeded, || true);
            }
        })?;
        Ok(Self {
            sessions,
            orders,
            ended,
            thread,
        })
    }

    /// Returns what a broker calls for each session that it closes.
    pub(crate) fn notify(&self) -> Arc<dyn Fn(&Path) + Send + Sync> {
        let sessions = self.sessions.clone();
        Arc::new(move |path| {
            // It has ended only where it panicked, which the log tells.
            let _sent = sessions.send(Some(path.to_owned()));
        })
    }

    /// Makes the index of the session that was closed last, if that is a matter of
    /// a moment, and ends.
    pub(crate) fn finish(self, last: Option<&Path>) {
        let Self {
            sessions,
            orders,
            ended,
            thread,
        } = self;
        orders.hurry.store(true, Ordering::SeqCst);
        if let Some(last) = last {
            let _sent = sessions.send(Some(last.to_owned()));
        }
        let _sent = sessions.send(None);
        if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
            orders.stop.store(true, Ordering::SeqCst);
        }
        if thread.join().is_err() {
            log::warn!("an index was not made: its thread panicked");
        }
    }
}

fn make_newest(dir: &Path, orders: &Orders) {
    let newest = query::archive_paths(dir, &[]).ok();
    let newest = newest.and_then(|mut archives| archives.pop());
    if let Some(newest) = newest.filter(|newest| !query::has_index(newest)) {
        make(&newest, orders, || !orders.hurry.load(Ordering::SeqCst));
    }
}

fn make(session: &Path, orders: &Orders, is_wanted: impl Fn() -> bool) {
    if std::fs::metadata(session).is_ok_and(|session| session.len() < SHORTEST) {
        return;
    }
    let mut began = Instant::now();
    let mut go_on = || {
        if !orders.hurry.load(Ordering::SeqCst) {
            sleep(began.elapsed().min(LONGEST_PAUSE));
        }
        began = Instant::now();
        is_wanted() && !orders.stop.load(Ordering::SeqCst)
    };
    let name = session.display();
    match query::build_index(session, IndexContents::Fields, &mut go_on) {
        Ok(Built::Done { bytes }) => log::info!("made an index of {name}, {bytes} bytes"),
        Ok(Built::Stopped) => log::info!("there was no time for an index of {name}"),
        Err(error) => log::warn!(
            "there is no index of a closed session, which is slower to search without it: {:#}",
            anyhow::Error::from(error)
        ),
    }
}
