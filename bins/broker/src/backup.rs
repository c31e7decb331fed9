//! `broker backup` and `broker restore`: a copy of a journal that is being written, and
//! a journal made of a copy.
//!
//! In which order things are copied decides whether the copy is whole. The head comes
//! first: it may only know of less than the files hold. Then the session being written
//! is opened, so that it stays in reach if it is closed meanwhile; then consumers'
//! positions and how far other journals' messages are recorded, which are never ahead of
//! what is copied behind them; then the closed sessions; and last the session being
//! written, up to its last whole line, unless one of the closed ones is that session.

mod copy;
mod place;
mod restore;

use std::io::{BufWriter, ErrorKind, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use journal::raw::SessionFile;
use journal::{Archive, Layout, Sessions};
use query::Scope;
use render::size;
use transport::origins_file;

use self::place::{Folder, Place, Stream};
pub(crate) use self::restore::Restore;
use crate::exit::Exit;
use crate::line::line;
use crate::shown::shown;
use crate::values::JournalDir;

/// Where the positions of named consumers are, below a journal's directory.
const CONSUMERS: &str = "consumers";
/// How often the list is made anew while closed sessions get other names.
const TRIES: u32 = 10;

/// `broker backup`
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Where the copy goes; what is there of an earlier one is not copied again
    #[arg(value_name = "DEST", required_unless_present = "to_stdout")]
    to: Option<PathBuf>,

    /// Write the copy to standard output, as tar; what is unpacked of it is checked by
    /// `broker restore`
    #[arg(long, conflicts_with = "to")]
    to_stdout: bool,

    #[command(flatten)]
    journal: JournalDir,
}

/// What was copied.
#[derive(Debug, Default)]
struct Copied {
    sessions: u64,
    there: u64,
    bytes: u64,
    /// Whether the session that was being written at the beginning was closed meanwhile,
    /// and is among the closed ones.
    current: bool,
}

impl Backup {
    pub(crate) fn run(&self, out: &mut impl Write) -> anyhow::Result<Exit> {
        let dir = &self.journal.dir;
        let Some(to) = &self.to else {
            return stream(dir, out);
        };
        check_places(dir, to)?;
        let copied = copy_journal(dir, &mut Folder::open(to)?)?;
        line(
            out,
            &format!(
                "[*] Copied {} sessions, {}, to {}; {} were there already",
                copied.sessions,
                size(copied.bytes),
                to.display(),
                copied.there
            ),
        )?;
        check_copy(to, out)
    }
}

/// Writes a copy as tar to standard output.
fn stream(dir: &Path, out: &mut impl Write) -> anyhow::Result<Exit> {
    ensure!(
        !std::io::stdout().is_terminal(),
        "a copy as tar is nothing for a terminal: lead it to a file or a program"
    );
    ensure!(
        dir.is_dir(),
        "there is no directory {}: say where the journal is with --dir",
        dir.display()
    );
    let mut stream = Stream::begin(BufWriter::new(out));
    let copied = copy_journal(dir, &mut stream)?;
    stream.finish().context("cannot write the copy")?;
    log::info!(
        "copied {} sessions, {}",
        copied.sessions,
        size(copied.bytes)
    );
    Ok(Exit::Done)
}

/// Reads the whole copy again, every line of it.
fn check_copy(dir: &Path, out: &mut impl Write) -> anyhow::Result<Exit> {
    let mut findings = 0_u64;
    let report = query::verify(dir, Scope::All, &mut |finding| {
        findings += 1;
        log::warn!("in the copy: {finding:?}");
        Ok(())
    });
    let report = match report {
        Err(query::Error::NoSession { .. }) => {
            line(out, "[*] The copy holds no message, as the journal does")?;
            return Ok(Exit::Done);
        }
        report => report.context("cannot check the copy")?,
    };
    let records = report.records;
    if report.is_clean() {
        line(
            out,
            &format!("[*] Checked the copy: {records} messages, all of them good"),
        )?;
        return Ok(Exit::Done);
    }
    line(
        out,
        &format!(
            "[!] Checked the copy: {records} messages, and something is wrong with it or with the \
             journal: look with `viewer --dir {} verify --all`",
            dir.display()
        ),
    )?;
    Ok(Exit::Found)
}

/// Refuses a copy inside of what is copied, and the other way round.
fn check_places(from: &Path, to: &Path) -> anyhow::Result<()> {
    ensure!(
        from.is_dir(),
        "there is no directory {}: say where the journal is with --dir",
        from.display()
    );
    let real = |path: &Path| {
        let known = path.ancestors().find_map(|part| {
            let real = std::fs::canonicalize(part).ok()?;
            Some(real.join(path.strip_prefix(part).ok()?))
        });
        known.unwrap_or_else(|| path.to_owned())
    };
    let (from, to) = (real(from), real(to));
    ensure!(
        !to.starts_with(&from) && !from.starts_with(&to),
        "{} and {} lie in each other: the copy needs a place of its own",
        from.display(),
        to.display()
    );
    Ok(())
}

/// Copies a journal that somebody may be writing.
fn copy_journal(from: &Path, place: &mut dyn Place) -> anyhow::Result<Copied> {
    let source = Layout::new(from);
    copy_if_there(&source.head(), from, place)?;
    let mut sessions = Sessions::of(from);
    let current = sessions.current()?;
    let first = current.as_ref().map_or(Ok(Vec::new()), first_line)?;
    copy_positions(from, place)?;
    copy_if_there(&origins_file(from), from, place)?;
    let mut copied = Copied::default();
    let mut tried = 0;
    loop {
        tried += 1;
        match copy_archives(&sessions.closed()?, &first, place, &mut copied) {
            // It was compressed or removed in between.
            Err(error) if is_not_found(&error) && tried < TRIES => {}
            result => break result?,
        }
    }
    let name = below(&source.current(), from);
    copy_current(current.as_ref(), place, &name, &mut copied)?;
    // What was removed while this ran must not look missing.
    copy_if_there(&source.removed(), from, place)?;
    Ok(copied)
}

/// A file's name below a journal's directory.
fn below(path: &Path, dir: &Path) -> PathBuf {
    path.strip_prefix(dir).unwrap_or(path).to_owned()
}

/// Copies the closed sessions, and looks whether one of them begins with the first line
/// of the session that was being written.
fn copy_archives(
    archives: &[Archive],
    first: &[u8],
    place: &mut dyn Place,
    copied: &mut Copied,
) -> anyhow::Result<()> {
    copied.there = 0;
    for archive in archives {
        // It may be removed as soon as it is copied.
        let file = SessionFile::open(&journal::raw::RealFs, &archive.path)?;
        if place.closed(archive)? {
            copied.sessions += 1;
            copied.bytes += archive.stored;
            copied.current |= !first.is_empty() && first_line(&file)? == first;
        } else {
            copied.there += 1;
        }
    }
    Ok(())
}

/// Copies the session being written, unless it was closed meanwhile and is copied, or
/// there is none: between two of them, for as long as the disk takes to sync their names.
fn copy_current(
    current: Option<&SessionFile>,
    place: &mut dyn Place,
    name: &Path,
    copied: &mut Copied,
) -> anyhow::Result<()> {
    let Some(current) = current.filter(|_| !copied.current) else {
        // What an earlier copy has in its place is in the archive by now, too.
        return place.session(None, name);
    };
    let bytes = current.size()?;
    copied.bytes += bytes;
    copied.sessions += u64::from(bytes > 0);
    place.session(Some(current), name)
}

/// The beginning of a session, which has its first number in it.
fn first_line(file: &SessionFile) -> anyhow::Result<Vec<u8>> {
    let mut start = vec![0; 4096];
    let count = file.read_full(&mut start, 0)?;
    start.truncate(count);
    let end = start.iter().position(|byte| *byte == b'\n');
    start.truncate(end.unwrap_or(start.len()));
    Ok(start)
}

fn copy_positions(dir: &Path, place: &mut dyn Place) -> anyhow::Result<()> {
    let consumers = dir.join(CONSUMERS);
    let entries = match std::fs::read_dir(&consumers) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("cannot list {}", consumers.display()))?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if name.to_string_lossy().ends_with(".json") {
            copy_if_there(&consumers.join(&name), dir, place)?;
        }
    }
    Ok(())
}

fn copy_if_there(path: &Path, dir: &Path, place: &mut dyn Place) -> anyhow::Result<()> {
    match place.file(path, &below(path, dir)) {
        Err(error) if is_not_found(&error) => Ok(()),
        result => result.with_context(|| format!("cannot copy {}", shown(&path.to_string_lossy()))),
    }
}

fn is_not_found(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.is_some_and(|error| error.kind() == ErrorKind::NotFound)
    })
}

#[cfg(test)]
mod tests;
