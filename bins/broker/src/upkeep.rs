//! What is done with closed sessions: they are compressed, and removed when they are
//! old enough and nobody needs them.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use clap::Args;
use journal::{
    Archive, ClosedSession, Expired, Plan, Retention, Surroundings, Upkeep, current_session,
};
use render::size;

use crate::exit::Exit;
use crate::line::line;
use crate::platform;
use crate::shown::shown;
use crate::values::{Age, JournalDir, RetentionArgs, parse_age};

/// zstd's level: a good one for what is done in the background.
pub(crate) const LEVEL: i32 = 9;

/// `broker compress`
#[derive(Debug, Args)]
pub(crate) struct Compress {
    #[command(flatten)]
    journal: JournalDir,

    /// Only sessions that were closed longer ago, such as 1d
    #[arg(long, value_name = "AGE", default_value = "0s", value_parser = parse_age)]
    after: Age,
}

/// `broker prune`
#[derive(Debug, Args)]
pub(crate) struct Prune {
    #[command(flatten)]
    journal: JournalDir,

    #[command(flatten)]
    retention: RetentionArgs,

    /// Say what would be removed, and remove nothing
    #[arg(long)]
    dry_run: bool,

    /// Remove also what a named consumer has not acknowledged
    #[arg(long)]
    even_unread: bool,

    /// How many of the newest messages stay, so that an acknowledged publish that is
    /// repeated is recognised
    #[arg(
        long,
        value_name = "N",
        env = "BROKER_DEDUPE_WINDOW",
        default_value = "200000"
    )]
    dedupe_window: u64,
}

impl Compress {
    pub(crate) fn run(&self, out: &mut impl Write) -> anyhow::Result<Exit> {
        let upkeep = begin(&self.journal.dir)?;
        let after = self.after.0.unwrap_or_default();
        let (mut plain, mut stored, mut count) = (0, 0, 0);
        for archive in due(upkeep.sessions()?, after) {
            let done = upkeep.compress(&archive, LEVEL)?;
            (plain, stored, count) = (plain + done.plain, stored + done.bytes, count + 1);
            let name = shown(&archive.name);
            let (before, now) = (size(done.plain), size(done.bytes));
            line(out, &format!("[*] {name}: {before} became {now}"))?;
        }
        line(
            out,
            &match count {
                0 => "[*] Nothing to compress: no closed session is old enough, or all are \
                      compressed"
                    .to_owned(),
                1 => "[*] 1 session compressed".to_owned(),
                _ => format!(
                    "[*] {count} sessions compressed: {} became {}",
                    size(plain),
                    size(stored)
                ),
            },
        )?;
        Ok(Exit::Done)
    }
}

impl Prune {
    pub(crate) fn run(&self, out: &mut impl Write) -> anyhow::Result<Exit> {
        let rules = self.retention.rules();
        if rules == Retention::default() {
            anyhow::bail!("say what is to be kept: --keep 90d, --keep-size 20GiB or --min-free 5%");
        }
        let dir = &self.journal.dir;
        let upkeep = begin(dir)?;
        let needs = Needs::of(dir, self.dedupe_window, self.even_unread)?;
        let plan = plan(&upkeep.sessions()?, dir, &rules, &needs);
        for expired in &plan.expired {
            let text = told(expired);
            if self.dry_run {
                line(out, &format!("[*] Would remove {text}"))?;
            } else {
                upkeep.remove(expired)?;
                line(out, &format!("[*] Removed {text}"))?;
            }
        }
        if plan.expired.is_empty() {
            line(out, "[*] Nothing to remove")?;
        }
        if let Some(held) = &plan.held {
            line(out, &format!("[*] Kept {}: {}", told(held), needs.why))?;
        }
        Ok(Exit::Done)
    }
}

fn begin(dir: &Path) -> anyhow::Result<Upkeep> {
    // The lock would make the directory's name look like a journal.
    anyhow::ensure!(
        dir.is_dir(),
        "there is no directory {}: say where the journal is with --dir",
        dir.display()
    );
    Upkeep::begin(dir).context("cannot look after the closed sessions")
}

/// Returns the sessions that are to be compressed, oldest first.
pub(crate) fn due(sessions: Vec<ClosedSession>, after: Duration) -> impl Iterator<Item = Archive> {
    let now = SystemTime::now();
    let is_due = move |session: &ClosedSession| {
        let age = now.duration_since(session.closed).unwrap_or_default();
        !session.archive.is_compressed() && age >= after
    };
    let due = sessions.into_iter().filter(is_due);
    due.map(|session| session.archive)
}

/// From which message on somebody needs what is recorded.
#[derive(Debug)]
pub(crate) struct Needs {
    from: u64,
    /// Who does.
    pub(crate) why: String,
}

impl Needs {
    /// Asks the consumers' positions, and how far repeated messages are recognised.
    ///
    /// Where one of them can't be read nobody knows what is needed, and nothing may go.
    pub(crate) fn of(dir: &Path, dedupe_window: u64, even_unread: bool) -> anyhow::Result<Self> {
        let last = journal::Follower::from_end(dir)?.last_number();
        let mut needs = Self {
            from: last.saturating_sub(dedupe_window).saturating_add(1),
            why: format!(
                "it is among the newest {dedupe_window} messages, in which repeated ones are \
                 recognised (--dedupe-window)"
            ),
        };
        let through = transport::origins_known_through(dir);
        let through =
            through.context("cannot read how far other journals' messages are recorded")?;
        if let Some(from) = through
            .map(|through| through + 1)
            .filter(|from| *from < needs.from)
        {
            needs.from = from;
            needs.why = "messages of other journals may be in it that the broker has not noted \
                         elsewhere yet: it does so while it runs"
                .to_owned();
        }
        if even_unread {
            return Ok(needs);
        }
        let consumers = transport::named_positions(dir);
        for consumer in consumers.context("cannot read the positions of the consumers")? {
            // Where a position can't be read, nobody knows what it still needs.
            let from = consumer.number.map_or(0, |number| number.saturating_add(1));
            if from < needs.from {
                needs.from = from;
                needs.why = format!(
                    "the consumer {} has not acknowledged it (`broker prune --even-unread`, or \
                     forget that consumer)",
                    shown(&consumer.name)
                );
            }
        }
        Ok(needs)
    }
}

pub(crate) fn plan(
    sessions: &[ClosedSession],
    dir: &Path,
    rules: &Retention,
    needs: &Needs,
) -> Plan {
    let current = std::fs::metadata(current_session(dir)).map_or(0, |session| session.len());
    let around = Surroundings {
        now: SystemTime::now(),
        current,
        disk: platform::disk(dir),
        needed_from: needs.from,
    };
    rules.plan(sessions, &around)
}

pub(crate) fn told(expired: &Expired) -> String {
    let Expired { session, reason } = expired;
    format!(
        "{} (messages {} to {}, {}): {reason}",
        shown(&session.archive.name),
        session.archive.first,
        session.last,
        size(session.archive.stored)
    )
}
