//! `verify`: checks each line.

use std::io::Write;
use std::path::Path;

use query::{Error, Scope};

use crate::args::Verify;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(dir: &Path, options: &Verify) -> anyhow::Result<Exit> {
    let scope = match &options.archive[..] {
        _ if options.all => Scope::All,
        [] if !options.file.is_empty() => Scope::Files(&options.file),
        [] => Scope::Current,
        names => Scope::Archives(names),
    };
    let mut out = output::results();
    // The exit code is worth something even where nobody reads on.
    let mut is_read = true;
    let report = query::verify(dir, scope, &mut |finding| {
        if is_read {
            is_read = still_read(render::write_finding(finding, &mut out))?;
        }
        Ok(())
    })?;
    if is_read {
        let written = render::write_report(&report, &mut out);
        still_read(written.and_then(|()| Ok(out.flush()?)))?;
    }
    Ok(if report.is_clean() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

/// Tells whether the reader of the results is still there.
fn still_read(written: Result<(), Error>) -> Result<bool, Error> {
    match written {
        Ok(()) => Ok(true),
        Err(Error::Write(error)) if output::is_broken_pipe(&error) => Ok(false),
        Err(error) => Err(error),
    }
}
