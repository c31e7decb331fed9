//! `list`: the values that messages have.

use std::io::Write;

use anyhow::Context;
use query::{Source, ValueKind};

use crate::args::{Args, List, What};
use crate::commands::archives;
use crate::output;
use crate::shown;

pub(crate) fn run(args: &Args, options: &List) -> anyhow::Result<()> {
    let kind = match options.what {
        What::Senders => ValueKind::Sender,
        What::Keys => ValueKind::Key,
        What::Topics => ValueKind::Topic,
        What::Tags => ValueKind::Tag,
        What::Chains => ValueKind::Chain,
        What::Sessions if !options.files.is_empty() => {
            anyhow::bail!("sessions are those of a directory, which --dir names")
        }
        What::Sessions if options.names => return names(sessions(args)?),
        What::Sessions => return archives::run(args),
    };
    let source = match &options.files[..] {
        [] => Source::all(&args.dir)?,
        files => Source::files(files)?,
    };
    let values = query::values(&source, kind, &shown::zone(args))?;
    if options.names {
        return names(values.into_iter().map(|value| value.name));
    }
    let mut out = output::results();
    render::write_values(&values, &mut out)?;
    out.flush().context("cannot write the output")
}

fn sessions(args: &Args) -> Result<impl Iterator<Item = String>, query::Error> {
    let archives = query::list_archives(&args.dir)?;
    let names = archives.into_iter().rev().map(|archive| archive.name);
    Ok(std::iter::once("latest".to_owned()).chain(names))
}

/// Prints names for a shell; those that could act on it are left out.
fn names(names: impl IntoIterator<Item = String>) -> anyhow::Result<()> {
    let mut out = output::results();
    for name in names {
        if query::sanitise(&name) == name {
            writeln!(out, "{name}").context("cannot write the output")?;
        }
    }
    out.flush().context("cannot write the output")
}
