//! The thread that looks after closed sessions while the broker runs.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use journal::{ClosedSession, Retention, Upkeep, UpkeepError};

use super::{LEVEL, Needs, due, plan, told};
use crate::args::Args;
use crate::platform;
use crate::shown::size;

/// How often it looks: sessions get old, and disks full, while nothing is closed.
const PERIOD: Duration = Duration::from_secs(60);

/// Compresses and removes closed sessions as the options say.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// Dropped at the end.
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

struct Work {
    dir: PathBuf,
    compress_after: Option<Duration>,
    rules: Retention,
    dedupe_window: u64,
    /// What was said last of a session that is kept: it is said once.
    said: String,
}

impl Keeper {
    /// Starts it, if there is anything for it to do.
    pub(crate) fn start(args: &Args) -> std::io::Result<Option<Self>> {
        let work = Work {
            dir: args.dir.clone(),
            compress_after: args.upkeep.compress_after.0,
            rules: args.upkeep.retention.rules(),
            dedupe_window: args.dedupe_window,
            said: String::new(),
        };
        if work.compress_after.is_none() && work.rules == Retention::default() {
            return Ok(None);
        }
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("upkeep".to_owned());
        let thread = thread.spawn(move || run(work, &stopped))?;
        Ok(Some(Self { stop, thread }))
    }

    /// Ends it behind the session that it has in hand.
    pub(crate) fn finish(self) {
        let Self { stop, thread } = self;
        drop(stop);
        if thread.join().is_err() {
            log::warn!("closed sessions were not looked after: the thread panicked");
        }
    }
}

fn run(mut work: Work, stopped: &Receiver<()>) {
    platform::lower_priority();
    loop {
        if let Err(error) = turn(&mut work, stopped) {
            log::warn!("cannot look after the closed sessions: {error:#}");
        }
        match stopped.recv_timeout(PERIOD) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn turn(work: &mut Work, stopped: &Receiver<()>) -> anyhow::Result<()> {
    let upkeep = match Upkeep::begin(&work.dir) {
        // `broker compress` or `broker prune` is at it.
        Err(UpkeepError::Busy { .. }) => return Ok(()),
        upkeep => upkeep?,
    };
    let sessions = remove(work, &upkeep, upkeep.sessions()?)?;
    let Some(after) = work.compress_after else {
        return Ok(());
    };
    for archive in due(sessions, after) {
        if is_over(stopped) {
            return Ok(());
        }
        let done = upkeep.compress(&archive, LEVEL)?;
        let (before, now) = (size(done.plain), size(done.bytes));
        log::info!("compressed {}: {before} became {now}", archive.name);
    }
    Ok(())
}

/// Removes what may go, and returns what is left.
fn remove(
    work: &mut Work,
    upkeep: &Upkeep,
    mut sessions: Vec<ClosedSession>,
) -> anyhow::Result<Vec<ClosedSession>> {
    if work.rules == Retention::default() {
        return Ok(sessions);
    }
    let needs = Needs::of(&work.dir, work.dedupe_window, false)?;
    let plan = plan(&sessions, &work.dir, &work.rules, &needs);
    for expired in &plan.expired {
        upkeep.remove(expired)?;
        log::warn!("removed {}", told(expired));
    }
    if let Some(held) = plan.held {
        let name = held.session.archive.name.clone();
        if name != work.said {
            log::warn!("kept {}: {}", told(&held), needs.why);
            work.said = name;
        }
    }
    // The oldest go first, and nothing in between stays.
    Ok(sessions.split_off(plan.expired.len()))
}

fn is_over(stopped: &Receiver<()>) -> bool {
    use std::sync::mpsc::TryRecvError;
    stopped.try_recv() == Err(TryRecvError::Disconnected)
}
