//! How the recording is doing.
//!
//! A thread finds it out while somebody looks: it asks the broker, which may take a
//! while to answer, or never does, and counts what is open, for which all sessions may
//! have to be read. Requests are answered with what it has found last.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use client::{Client, Status};
use jiff::Timestamp;
use query::{Analysis, Criteria, Filter, Findings};

use crate::api::App;

/// How often it looks while somebody wants to know.
const PERIOD: Duration = Duration::from_secs(3);
/// Nobody wants to know any more who has not asked for this long.
const INTEREST: Duration = Duration::from_secs(30);
/// How long the broker has for its answer.
const ANSWER: Duration = Duration::from_secs(2);
/// Counting may take at most one part in this many of the time.
const SHARE: u32 = 20;
/// The journal's identity is read again no sooner, where the broker tells another one.
const AGAIN: Duration = Duration::from_secs(60);
/// The newest message is so young where recording goes on, as far as one can tell from
/// its age.
pub(crate) const FRESH: i64 = 60;

/// What was found out last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// What the broker says, if it answers and records here.
    pub(crate) broker: Option<Told>,
    /// What was counted last, if that is over.
    pub(crate) counted: Option<Counted>,
}

/// What a broker says.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) is_recording: bool,
    /// Why not.
    pub(crate) stalled: Option<String>,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counted {
    pub(crate) open_questions: u64,
    pub(crate) damaged_lines: u64,
    pub(crate) altered_messages: u64,
    /// Messages of the last minute.
    pub(crate) new: u64,
}

/// What is known, and whether somebody wants to know it.
#[derive(Debug)]
pub(crate) struct Health {
    /// Where the broker answers requests.
    control: Option<String>,
    begun: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    known: Known,
    asked: Instant,
}

impl Health {
    pub(crate) fn new(control: Option<String>) -> Self {
        let now = Instant::now();
        let state = State {
            known: Known::default(),
            asked: now,
        };
        Self {
            control,
            begun: now,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Tells what is known, and that somebody wants to know more.
    pub(crate) fn known(&self) -> Known {
        let mut state = self.state();
        state.asked = Instant::now();
        let known = state.known.clone();
        drop(state);
        self.changed.notify_all();
        known
    }

    /// Tells whether the server is too young to have seen a minute's messages.
    pub(crate) fn is_young(&self) -> bool {
        self.begun.elapsed() < Duration::from_secs(60)
    }

    /// Wakes the thread, for it to see that it is to end.
    pub(crate) fn wake(&self) {
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a while, and then until somebody wants to know; false where it is over.
    fn wait(&self, period: Duration, stop: &AtomicBool) -> bool {
        let end = Instant::now() + period;
        let mut state = self.state();
        loop {
            if stop.load(Ordering::Relaxed) {
                return false;
            }
            let left = end.saturating_duration_since(Instant::now());
            let is_wanted = state.asked.elapsed() < INTEREST;
            if left.is_zero() && is_wanted {
                return true;
            }
            // Nobody may ask for a day.
            let left = if left.is_zero() { INTEREST } else { left };
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Looks after it until it is told to stop.
pub(crate) fn start(app: Arc<App>, stop: Arc<AtomicBool>) -> std::io::Result<JoinHandle<()>> {
    let thread = thread::Builder::new().name("health".into());
    thread.spawn(move || {
        let health = &app.health;
        let mut broker = health.control.clone().map(|endpoint| Broker {
            endpoint,
            dir: app.place.dir().to_owned(),
            client: None,
            identity: None,
        });
        let mut counter = Counter::default();
        while !stop.load(Ordering::Relaxed) {
            let told = broker.as_mut().and_then(Broker::ask);
            health.state().known.broker = told;
            if let Some(counted) = counter.count(&app) {
                health.state().known.counted = Some(counted);
            }
            if !health.wait(PERIOD, &stop) {
                return;
            }
        }
    })
}

/// The broker that may record here.
struct Broker {
    endpoint: String,
    dir: PathBuf,
    client: Option<Client>,
    /// The journal's identity, and when it was read.
    identity: Option<(Option<String>, Instant)>,
}

impl Broker {
    /// Asks how it goes; nothing where none answers that records here.
    fn ask(&mut self) -> Option<Told> {
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(&self.endpoint, ANSWER).ok()?,
        };
        let status = client.status().ok()?;
        self.client = Some(client);
        self.is_ours(&status).then(|| Told {
            is_recording: status.recording,
            stalled: status.stalled.map(|stalled| stalled.reason),
        })
    }

    /// Tells whether the broker at that port is the one of this journal.
    fn is_ours(&mut self, status: &Status) -> bool {
        let is = |identity: &Option<String>| identity.as_ref() == Some(&status.journal);
        if let Some((identity, read)) = &self.identity
            && (is(identity) || read.elapsed() < AGAIN)
        {
            return is(identity);
        }
        let identity = identity_of(&self.dir);
        let is_ours = is(&identity);
        self.identity = Some((identity, Instant::now()));
        is_ours
    }
}

fn identity_of(dir: &Path) -> Option<String> {
    journal::take_inventory(dir).ok()?.journal
}

/// Counts anew where there is something new, and not all the time.
#[derive(Default)]
struct Counter {
    seen: Option<(Option<u64>, u64)>,
    next: Option<Instant>,
}

impl Counter {
    fn count(&mut self, app: &App) -> Option<Counted> {
        let there = (app.tail.last(), app.tail.damaged());
        let now = Instant::now();
        if self.seen == Some(there) || self.next.is_some_and(|next| now < next) {
            return None;
        }
        self.seen = Some(there);
        let counted = count(app);
        self.next = Some(Instant::now() + now.elapsed() * SHARE);
        counted
    }
}

fn count(app: &App) -> Option<Counted> {
    let source = app.source().ok()??;
    let mut findings = Findings::default();
    let analysis: Analysis = query::count(&source, &Filter::default(), &mut findings).ok()?;
    let report = analysis.summary(&app.zone);
    Some(Counted {
        open_questions: report.open_questions.count,
        damaged_lines: findings.damaged,
        altered_messages: findings.altered,
        new: new(&source).unwrap_or(0),
    })
}

/// Counts the messages of the last minute.
fn new(source: &query::Source) -> Option<u64> {
    let since = Timestamp::now().checked_sub(jiff::SignedDuration::from_secs(60));
    let since = since.ok()?.to_string();
    let criteria = Criteria {
        since: Some(query::Instant::parse(&since)?),
        ..Criteria::default()
    };
    let filter = Filter::compile(&criteria).ok()?;
    query::matching(source, &filter, &mut Findings::default()).ok()
}
