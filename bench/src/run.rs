//! What all cases share: who is measured, in which order, and where.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use crate::args::Common;
use crate::peers::Peer;
use crate::results::Results;
use crate::subject::{PROXY, Subject, build_broker};

/// A run of a case.
#[derive(Debug)]
pub(crate) struct Run {
    /// The proxy and the brokers.
    pub(crate) subjects: Vec<Subject>,
    /// How often everything is measured.
    pub(crate) rounds: usize,
    dir: PathBuf,
    out: PathBuf,
    with_peers: bool,
}

impl Run {
    /// Finds or builds the brokers.
    pub(crate) fn new(common: &Common) -> anyhow::Result<Self> {
        ensure!(common.rounds() > 0, "no rounds, no result");
        let out = common.out();
        let brokers = brokers(common)?;
        let keygen = brokers.first().and_then(Subject::as_broker);
        let mut subjects = vec![match keygen {
            Some((_, program, _)) if common.with_keys => Subject::CurveProxy {
                keygen: program.to_owned(),
            },
            _ => Subject::Proxy,
        }];
        subjects.extend(brokers);
        if common.with_peers {
            subjects.extend(peers());
        }
        Ok(Self {
            subjects,
            rounds: common.rounds(),
            dir: common.dir.clone().unwrap_or_else(|| out.clone()),
            out,
            with_peers: common.with_peers,
        })
    }

    /// Returns the name of the results of a case.
    pub(crate) fn case(&self, name: &str) -> String {
        let prefix = if self.with_peers { "peers-" } else { "" };
        format!("{prefix}{name}")
    }

    /// Returns the name of what the others are compared with.
    pub(crate) fn beside(&self) -> &str {
        self.subjects.first().map_or(PROXY, Subject::name)
    }

    /// Returns where results go.
    pub(crate) fn out(&self) -> &Path {
        &self.out
    }

    /// Makes a directory on the disk that is measured. It goes with the handle.
    pub(crate) fn scratch(&self) -> anyhow::Result<TempDir> {
        std::fs::create_dir_all(&self.dir)
            .and_then(|()| tempfile::tempdir_in(&self.dir))
            .with_context(|| format!("cannot make a directory in {}", self.dir.display()))
    }

    /// Returns the subjects in the order of a round: each is the first at times.
    pub(crate) fn turns(&self, round: usize) -> impl Iterator<Item = &Subject> {
        let count = self.subjects.len();
        (0..count).map(move |turn| &self.subjects[(turn + round) % count])
    }

    /// Returns the subjects in the order of a round, and nothing in the turn of
    /// the disk alone.
    pub(crate) fn turns_with_disk(&self, round: usize) -> impl Iterator<Item = Option<&Subject>> {
        let count = self.subjects.len() + 1;
        (0..count).map(move |turn| self.subjects.get((turn + round) % count))
    }

    /// Shows the results and saves them.
    pub(crate) fn finish(&self, results: &Results) -> anyhow::Result<()> {
        results.save(&self.out)?;
        let mut out = std::io::stdout();
        writeln!(out, "{}", results.table())?;
        Ok(out.flush()?)
    }
}

/// Tells on standard error what is being measured.
pub(crate) fn progress(text: &str) {
    // Who doesn't read it doesn't miss it.
    let _told = writeln!(std::io::stderr(), "{text}");
}

/// Returns the other servers that are installed, and tells which are not.
fn peers() -> impl Iterator<Item = Subject> {
    Peer::ALL.into_iter().filter_map(|peer| match peer.check() {
        Ok(()) => Some(Subject::Peer(peer)),
        Err(error) => {
            progress(&format!("without {}: {error:#}", peer.name()));
            None
        }
    })
}

fn brokers(common: &Common) -> anyhow::Result<Vec<Subject>> {
    if common.brokers.is_empty() {
        let program = build_broker()?;
        let options = common.broker_options.clone();
        let name = "broker".to_owned();
        return Ok(vec![Subject::Broker {
            name,
            program,
            options,
            keys: common.with_keys,
        }]);
    }
    let brokers = common.brokers.iter().enumerate();
    Ok(brokers
        .map(|(index, (name, program))| Subject::Broker {
            name: match name.as_str() {
                "" if index == 0 => "broker".to_owned(),
                "" => format!("broker {}", index + 1),
                name => name.to_owned(),
            },
            program: program.clone(),
            options: common.broker_options.clone(),
            keys: common.with_keys,
        })
        .collect())
}
