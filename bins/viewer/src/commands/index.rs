//! `index`: makes the indexes of closed sessions, and extends that of the session
//! being written.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use query::{Built, IndexContents, IndexState, Trust, Unusable, sanitise};

use crate::args::Index;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(dir: &Path, options: &Index) -> anyhow::Result<Exit> {
    let contents = if options.text {
        IndexContents::FieldsAndText
    } else {
        IndexContents::Fields
    };
    let sessions = query::archive_paths(dir, &options.archive)?;
    let mut out = output::results();
    let mut failed = 0;
    for session in &sessions {
        let name = session.file_name().unwrap_or(session.as_os_str());
        let mut line = sanitise(&name.to_string_lossy()).into_owned();
        match make(session, contents) {
            Ok(done) => write!(line, ": {done}")?,
            Err(error) => {
                failed += 1;
                output::print_error(&error);
                continue;
            }
        }
        writeln!(out, "{line}")
            .and_then(|()| out.flush())
            .context("cannot write the output")?;
    }
    if options.archive.is_empty() {
        extend_current(dir, &mut out)?;
    }
    if sessions.is_empty() {
        writeln!(out, "There are no closed sessions yet.").context("cannot write the output")?;
    }
    out.flush().context("cannot write the output")?;
    Ok(if failed == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// The broker does so, too, but for a directory that it is not running in.
fn extend_current(dir: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let session = query::current_session(dir);
    if let Some(Built::Done { bytes }) =
        query::extend_index(&session, Trust::Nothing, &mut || true)?
    {
        writeln!(
            out,
            "current_session.jsonl: index of its beginning made ({bytes} bytes)"
        )
        .context("cannot write the output")?;
    }
    Ok(())
}

/// Makes an index where there is none that fits, and tells what was done.
fn make(session: &Path, contents: IndexContents) -> anyhow::Result<String> {
    let why = match query::index_state(session) {
        IndexState::Good {
            has_text: false, ..
        } if contents == IndexContents::FieldsAndText => " in place of one without text".to_owned(),
        IndexState::Good { bytes, .. } => {
            if query::renew_index(session, &mut || true)? {
                return Ok(format!("the index is bound to this copy ({bytes} bytes)"));
            }
            return Ok(format!("the index is there already ({bytes} bytes)"));
        }
        IndexState::Bad(Unusable::Missing) => String::new(),
        IndexState::Bad(why) => format!(" in place of another: {why}"),
    };
    match query::build_index(session, contents, &mut || true)? {
        Built::Done { bytes } => Ok(format!("index made ({bytes} bytes){why}")),
        Built::Stopped => Ok("stopped".to_owned()),
    }
}
