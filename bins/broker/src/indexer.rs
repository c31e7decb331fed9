//! Makes the indexes of sessions that were closed, and extends that of the session
//! being written, on a thread of its own.
//!
//! Nobody waits for it, and nothing depends on it: a session without an index is
//! only slower to search.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use query::{Built, IndexContents, Trust};

use crate::platform;

/// So long an end waits for the index of the session that it closed.
const PATIENCE: Duration = Duration::from_secs(1);
/// It pauses as long as it worked, but not longer than this.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// So often it is looked whether the session being written has grown, by how much
/// it must have for its index to be looked at.
const PERIOD: Duration = Duration::from_secs(1);
const GROWTH: u64 = 4 << 20;

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
            let mut current = Current::of(&dir);
            loop {
                match received.recv_timeout(PERIOD) {
                    Ok(Some(session)) => make(&session, &heeded, || true),
                    Err(RecvTimeoutError::Timeout) => current.extend(&heeded),
                    Ok(None) | Err(RecvTimeoutError::Disconnected) => break,
                }
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

/// The session being written, and how much of it there was when its index was
/// looked at last.
struct Current {
    path: PathBuf,
    bytes: u64,
    trust: Trust,
}

impl Current {
    fn of(dir: &Path) -> Self {
        Self {
            path: query::current_session(dir),
            bytes: 0,
            // Another program may have changed anything while no broker ran.
            trust: Trust::Nothing,
        }
    }

    /// Extends its index, if it has grown by enough. The one that is being closed has
    /// priority, and is served as well by what there is.
    fn extend(&mut self, orders: &Orders) {
        let bytes = std::fs::metadata(&self.path).map_or(0, |session| session.len());
        if (self.bytes..self.bytes + GROWTH).contains(&bytes) {
            return;
        }
        self.bytes = bytes;
        let is_wanted = || !orders.hurry.load(Ordering::SeqCst);
        let extended = query::extend_index(&self.path, self.trust, &mut paced(orders, is_wanted));
        self.trust = Trust::Own;
        match extended {
            Ok(Some(Built::Done { bytes })) => {
                log::debug!("extended the index of the current session, {bytes} bytes");
            }
            Ok(Some(Built::Stopped) | None) => {}
            Err(error) => log::warn!(
                "the current session is slower to search: {:#}",
                anyhow::Error::from(error)
            ),
        }
    }
}

/// Pauses as long as it worked, and tells whether to go on.
fn paced<'o>(orders: &'o Orders, is_wanted: impl Fn() -> bool + 'o) -> impl FnMut() -> bool + 'o {
    let mut began = Instant::now();
    move || {
        if !orders.hurry.load(Ordering::SeqCst) {
            sleep(began.elapsed().min(LONGEST_PAUSE));
        }
        began = Instant::now();
        is_wanted() && !orders.stop.load(Ordering::SeqCst)
    }
}

fn make_newest(dir: &Path, orders: &Orders) {
    let newest = query::archive_paths(dir, &[]).ok();
    let Some(newest) = newest.and_then(|mut archives| archives.pop()) else {
        return;
    };
    // A directory that was copied has other times.
    let is_wanted = || !orders.hurry.load(Ordering::SeqCst);
    match query::renew_index(&newest, &mut paced(orders, is_wanted)) {
        Ok(true) => log::info!("renewed the index of {}", newest.display()),
        Ok(false) => {}
        Err(error) => log::warn!("{:#}", anyhow::Error::from(error)),
    }
    if !query::has_index(&newest) {
        make(&newest, orders, is_wanted);
    }
}

fn make(session: &Path, orders: &Orders, is_wanted: impl Fn() -> bool) {
    if std::fs::metadata(session).is_ok_and(|session| session.len() < SHORTEST) {
        return;
    }
    let mut go_on = paced(orders, is_wanted);
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
