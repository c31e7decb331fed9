//! Where things are written, and how errors are told.

use std::io::{self, BufWriter, StdoutLock, Write};

use query::{Error, Findings, Source, sanitise};
use unicode_width::UnicodeWidthStr;

use crate::exit::Exit;

/// Holds results back until there are this many bytes of them.
const BUFFER: usize = 64 << 10;

/// Returns standard output, which carries results and nothing else.
pub(crate) fn results() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(BUFFER, io::stdout().lock())
}

/// Tells on standard error what was found wrong with a file.
pub(crate) fn print_findings(findings: &Findings) {
    // Where standard error is closed, there is nobody to tell.
    render::write_findings(findings, &mut io::stderr().lock()).ok();
}

/// Tells on standard error something that is worth knowing and no fault.
pub(crate) fn print_note(text: &str) {
    writeln!(io::stderr().lock(), "viewer: {}", sanitise(text)).ok();
}

/// Tells on standard error which indexes were there and not used.
pub(crate) fn print_unused_indexes(source: &Source) {
    let mut stderr = io::stderr().lock();
    for (session, reason) in source.unused_indexes() {
        let name = session.file_name().unwrap_or(session.as_os_str());
        let name = name.to_string_lossy();
        let name = sanitise(&name);
        writeln!(
            stderr,
            "viewer: the index of {name} is not used: {reason}; `viewer index` makes a new one"
        )
        .ok();
    }
}

/// Tells on standard error why the program failed: each cause behind the last.
pub(crate) fn print_error(error: &anyhow::Error) {
    let text = format!("{error:#}");
    writeln!(io::stderr().lock(), "viewer: {}", sanitise(&text)).ok();
}

/// Tells what is wrong with a pattern of `--grep`, in two lines; false where it is
/// something else that is wrong.
pub(crate) fn print_pattern(error: &anyhow::Error) -> bool {
    let Some(Error::Pattern {
        pattern,
        reason,
        at,
        ..
    }) = error.downcast_ref()
    else {
        return false;
    };
    let before: String = pattern.chars().take(*at).collect();
    let place = sanitise(&before).width();
    let head = format!("viewer: {} in --grep: ", sanitise(reason));
    let column = head.width() + place;
    writeln!(
        io::stderr().lock(),
        "{head}{}\n{:column$}^",
        sanitise(pattern),
        ""
    )
    .ok();
    true
}

/// Prints the help that was asked for, or what is wrong with the command line.
///
/// The latter quotes what the user typed, or pasted.
pub(crate) fn print_usage(error: &clap::Error) -> Exit {
    let text = error.render().to_string();
    if !error.use_stderr() {
        io::stdout().lock().write_all(text.as_bytes()).ok();
        return Exit::Done;
    }
    let mut stderr = io::stderr().lock();
    for line in text.lines() {
        writeln!(stderr, "{}", sanitise(line)).ok();
    }
    Exit::Usage
}

/// Tells whether whoever reads the results went away.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(is_broken_pipe)
}

/// Tells whether an error means that the reader of a pipe went away.
pub(crate) fn is_broken_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_found_behind_other_errors() {
        let write = |kind: io::ErrorKind| anyhow::Error::new(query::Error::Write(kind.into()));
        assert!(is_closed_pipe(&write(io::ErrorKind::BrokenPipe)));
        assert!(!is_closed_pipe(&write(io::ErrorKind::StorageFull)));
    }
}
