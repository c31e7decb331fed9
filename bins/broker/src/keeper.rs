//! The thread that looks after closed sessions while the broker runs.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use journal::{ClosedSession, Retention, Upkeep, UpkeepError};
use render::size;

use crate::args::Args;
use crate::platform;
use crate::upkeep::{LEVEL, Needs, due, plan, told};

/// How often it looks: sessions get old, and disks full, while nothing is closed.
const PERIOD: Duration = Duration::from_secs(60);

/// Compresses and removes closed sessions as the options say.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    /// It is there once there was anything to do.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    /// What is to be done from now on; dropped at the end.
    rules: Sender<Rules>,
    thread: JoinHandle<()>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Rules {
    compress_after: Option<Duration>,
    retention: Retention,
}

struct Work {
    dir: PathBuf,
    rules: Rules,
    /// Where other rules come from, and the end.
    orders: Receiver<Rules>,
    dedupe_window: u64,
    /// Whether it was interrupted by other rules, and is to begin anew.
    again: bool,
    /// What was said last of a session that is kept: it is said once.
    said: String,
}

impl Keeper {
    /// Does what the options say from now on; the thread starts when there is anything
    /// to do.
    pub(crate) fn follow(&mut self, args: &Args) -> std::io::Result<()> {
        let rules = Rules {
            compress_after: args.upkeep.compress_after.0,
            retention: args.upkeep.retention.rules(),
        };
        if let Some(running) = &self.running {
            // It has ended only where it panicked, which is said at the end.
            let _heard = running.rules.send(rules);
        } else if rules != Rules::default() {
            self.running = Some(Running::start(args, rules)?);
        }
        Ok(())
    }

    /// Ends it behind the session that it has in hand.
    pub(crate) fn finish(self) {
        let Some(Running { rules, thread }) = self.running else {
            return;
        };
        drop(rules);
        if thread.join().is_err() {
            log::warn!("closed sessions were not looked after: the thread panicked");
        }
    }
}

impl Running {
    fn start(args: &Args, first: Rules) -> std::io::Result<Self> {
        let (rules, orders) = channel();
        let work = Work {
            dir: args.dir.clone(),
            rules: first,
            orders,
            dedupe_window: args.dedupe_window,
            again: false,
            said: String::new(),
        };
        let thread = std::thread::Builder::new().name("upkeep".to_owned());
        let thread = thread.spawn(move || run(work))?;
        Ok(Self { rules, thread })
    }
}

impl Work {
    /// Tells whether the end or other rules have come, which it takes over.
    fn is_interrupted(&mut self) -> bool {
        match self.orders.try_recv() {
            Ok(rules) => {
                (self.rules, self.again) = (rules, true);
                true
            }
            Err(TryRecvError::Empty) => false,
            Err(TryRecvError::Disconnected) => true,
        }
    }
}

fn run(mut work: Work) {
    platform::lower_priority();
    loop {
        if let Err(error) = turn(&mut work) {
            log::warn!("cannot look after the closed sessions: {error:#}");
        }
        let pause = match std::mem::take(&mut work.again) {
            true => Duration::ZERO,
            false => PERIOD,
        };
        match work.orders.recv_timeout(pause) {
            Ok(rules) => work.rules = rules,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn turn(work: &mut Work) -> anyhow::Result<()> {
    let upkeep = match Upkeep::begin(&work.dir) {
        // `broker compress` or `broker prune` is at it.
        Err(UpkeepError::Busy { .. }) => return Ok(()),
        upkeep => upkeep?,
    };
    let sessions = remove(work, &upkeep, upkeep.sessions()?)?;
    let Some(after) = work.rules.compress_after else {
        return Ok(());
    };
    for archive in due(sessions, after) {
        // The end, or other rules: those may want something else.
        if work.is_interrupted() {
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
    if work.rules.retention == Retention::default() {
        return Ok(sessions);
    }
    let needs = Needs::of(&work.dir, work.dedupe_window, false)?;
    let plan = plan(&sessions, &work.dir, &work.rules.retention, &needs);
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
