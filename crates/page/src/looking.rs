//! Finds out how the recording is doing, while somebody wants to know.
//!
//! A thread asks the broker, which may take a while to answer, or never does, and counts
//! what is open, for which all sessions may have to be read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use client::{Client, Status};
use jiff::Timestamp;
use query::{Analysis, Criteria, Filter, Findings};

use crate::app::App;
use crate::health::{Counted, Told};

/// How often it looks while somebody wants to know.
const PERIOD: Duration = Duration::from_secs(3);
/// How long the broker has for its answer.
const ANSWER: Duration = Duration::from_secs(2);
/// Counting may take at most one part in this many of the time.
const SHARE: u32 = 20;
/// The journal's identity is read again no sooner, where the broker tells another one.
const AGAIN: Duration = Duration::from_secs(60);

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
            health.note_broker(told);
            if let Some(counted) = counter.count(&app) {
                health.note_counted(counted);
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
